"""A text where a list is meant is one element, or the list that a template rendered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from airflow_multicloud import api
from airflow_multicloud.api.object_store.destinations import open_destinations
from airflow_multicloud.api.object_store.fetches import open_candidates
from airflow_multicloud.core.cost.dimensions import parse_grouping
from airflow_multicloud.core.drill.objectives import Objectives
from airflow_multicloud.core.failover.policy import parse_kinds
from airflow_multicloud.errors import CloudError, CostAnalysisError, ErrorKind
from airflow_multicloud.lists import elements, is_template, texts


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("*.csv", ("*.csv",)),
        (["*.csv", "*.json"], ("*.csv", "*.json")),
        (("*.csv",), ("*.csv",)),
        ((), ()),
        ([], ()),
        ("[]", ()),
        ('["*.csv", "*.json"]', ("*.csv", "*.json")),
        ("['*.csv', '*.json']", ("*.csv", "*.json")),
        (" ['*.csv']\n", ("*.csv",)),
        ("('*.csv', 'b')", ("*.csv", "b")),
        ("[ab]*.csv", ("[ab]*.csv",)),
        ("[[]draft]*", ("[[]draft]*",)),
        ("[draft", ("[draft",)),
        (["['a'"], ("['a'",)),
        ("(draft)", ("(draft)",)),
        ("{a}", ("{a}",)),
        (["[ab]"], ("[ab]",)),
        (["[1]"], ("[1]",)),
        (frozenset({"a"}), ("a",)),
        ((t for t in "ab"), ("a", "b")),
        ({"a": 1}.keys(), ("a",)),
    ],
)
def test_what_is_taken(given: Any, taken: tuple[str, ...]) -> None:
    assert texts(given, "include", what="globs") == taken


_NO_TEXTS: list[object] = [None, 5, True, b"a", {"a": 1}, [1], [None], [""], ["None"], [["a"]]]
_CUT = ['["a"', "['a", '["a", "b', "[ 'a'", '[\n "a",', "('a'", '{"a": 1', "[ ab]*", "('a')"]
_NO_LISTS = [*_CUT, "", "  ", "None", "[*.csv]", "[ab]", "[1, 2]", "['a', 1]", "{'a': 1}", "{'a'}"]
_LISTS_IN_LISTS = [["['a']"], ['["a", "b"]'], ["[]"], "[" * 100_000 + "]" * 100_000]


@pytest.mark.parametrize("given", [*_NO_TEXTS, *_NO_LISTS, *_LISTS_IN_LISTS])
def test_what_is_refused(given: Any) -> None:
    with pytest.raises(CloudError, match=r"^include(\[\d\])?: .*, expected ") as raised:
        texts(given, "include", what="globs")
    assert raised.value.kind is ErrorKind.INVALID_ARGUMENT


def test_the_element_is_named() -> None:
    with pytest.raises(CloudError, match=r"^destinations\[1\]: 3 given, expected one of the URIs"):
        elements(["s3://b/", 3], "destinations", str, api.Destination, what="URIs")
    with pytest.raises(CostAnalysisError, match=r"^conn_ids: "):
        texts(7, "conn_ids", error=CostAnalysisError)


@pytest.mark.parametrize(
    "given", ["[s3://login:secret@b/]", {"s3": "secret@"}, [{"password": "secret"}]]
)
def test_what_may_hold_a_secret_is_not_shown(given: Any) -> None:
    with pytest.raises(CloudError) as raised:
        texts(given, "destinations", what="URIs")
    assert "secret" not in str(raised.value)


def test_one_element_of_another_type_needs_no_list() -> None:
    one = api.Destination("s3://b/p/", "STANDARD_IA")
    assert elements(one, "destinations", str, api.Destination, what="URIs") == (one,)


def test_templates() -> None:
    assert is_template("{{ params.globs }}")
    assert is_template(["a", "{% if x %}b{% endif %}"])
    assert not is_template(["a", "b"])
    assert not is_template("a")


@pytest.mark.parametrize("given", ["{{ ds }}/*", ["a", "{% if x %}b{% endif %}"]])
def test_a_template_that_nobody_rendered_is_refused(given: Any) -> None:
    with pytest.raises(CloudError, match=r"^exclude\[\d\]: it has a template .* not rendered"):
        texts(given, "exclude", what="globs")


class TestWhereListsAreGiven:
    @pytest.mark.parametrize("given", [[], "[]", "()", set(), {}.keys()])
    def test_an_empty_include_is_not_everything(self, given: Any) -> None:
        with pytest.raises(CloudError, match=r"^include: an empty list given, .*; leave it out"):
            api.ObjectFilter(include=given)
        assert api.ObjectFilter(exclude=given).exclude == ()

    def test_an_include_that_is_left_out_is_everything(self) -> None:
        assert api.ObjectFilter() == api.ObjectFilter(include=())

    def test_a_filter(self) -> None:
        assert api.ObjectFilter(include="*.csv", exclude='["a", "b"]') == api.ObjectFilter(  # type: ignore[arg-type]
            include=("*.csv",), exclude=("a", "b")
        )
        with pytest.raises(CloudError, match=r"^exclude: 5 given, expected a list of globs"):
            api.ObjectFilter(exclude=5)  # type: ignore[arg-type]

    def test_nothing_to_ask_is_refused(self) -> None:
        with pytest.raises(CostAnalysisError, match=r"^clouds: an empty list given, .* compare"):
            api.CloudCostAnalyzer("x").price_workload(object(), "[]")  # type: ignore[arg-type]
        with pytest.raises(CloudError, match=r"^places: an empty list given, .*; leave it out"):
            api.run_drill(
                "s3://c@b/p/",
                ["gs://c@b/p/"],
                objectives=Objectives(timedelta(1), timedelta(1)),
                places=[],
            )

    def test_error_kinds(self) -> None:
        assert parse_kinds("unavailable") == {ErrorKind.UNAVAILABLE}
        assert parse_kinds("['timeout', 'unavailable']") == {
            ErrorKind.TIMEOUT,
            ErrorKind.UNAVAILABLE,
        }
        with pytest.raises(CloudError, match=r"^fail_over_on: None given, expected a list"):
            parse_kinds(None)  # type: ignore[arg-type]

    def test_candidates(self) -> None:
        with pytest.raises(CloudError, match=r"^candidates\[0\]: 'b' is not a location"):
            open_candidates("b")
        with pytest.raises(CloudError, match=r"^candidates: 3 given, expected a list of URIs"):
            api.failover_fetch(3, "x")  # type: ignore[arg-type]

    def test_destinations(self) -> None:
        with pytest.raises(CloudError, match=r"^destinations\[0\]: 'b' is not a location"):
            api.replicate("s3://b/p/", "b")
        with pytest.raises(CloudError, match=r"^replicate_to: dict given"):
            open_destinations({}, parameter="replicate_to")  # type: ignore[arg-type]

    def test_costs(self) -> None:
        assert parse_grouping("RegionId").names == ("RegionId",)
        assert api.CloudCostAnalyzer("x", clouds="aws").clouds == ("aws",)  # type: ignore[arg-type]
        with pytest.raises(CostAnalysisError, match=r"^clouds: 3 given"):
            api.CloudCostAnalyzer("x", clouds=3)  # type: ignore[arg-type]
