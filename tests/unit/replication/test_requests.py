"""What is to be replicated where, and who a run is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from airflow_multicloud.core.ledger.commits import Selection
from airflow_multicloud.core.ledger.names import place_of
from airflow_multicloud.core.replication.options import ObjectFilter
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.core.replication.run import new_identity, new_run, selection_of
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.labels import Work, working_for

from .memory import SMALL, endpoint

pytestmark = pytest.mark.usefixtures("way")

HOUR = timedelta(hours=1)


def refused(*given: object) -> str:
    with pytest.raises(StorageError) as raised:
        Replication(*given)  # type: ignore[arg-type]
    assert raised.value.kind is ErrorKind.INVALID_ARGUMENT
    return str(raised.value)


def test_without_a_destination_nothing_can_be_replicated() -> None:
    assert refused(endpoint(), ()) == "destinations: none given, expected at least one URI"


def test_a_prefix_can_not_become_one_object() -> None:
    source = endpoint()
    said = refused(source, (endpoint(), endpoint("one")))
    assert said.startswith("destinations[1]: mem://")
    assert f"must be a prefix (end with a slash), as the source {source.location} is one" in said
    one = endpoint("one")
    assert Replication(one, (endpoint("other"),)).source is one


def test_no_destination_lies_in_the_source_or_in_what_is_kept_for_ledgers() -> None:
    source = endpoint()
    assert "overlaps source" in refused(source, (endpoint(), source.below("x/")))
    said = refused(source, (endpoint(), endpoint(".airflow-multicloud/x/")))
    assert said.startswith("destinations[1]: mem://")


def test_a_single_object_lands_under_its_own_name() -> None:
    source, prefix, key = endpoint("data/x/one.csv"), endpoint("copy/"), endpoint("copy/two.csv")
    given = Replication(source, (prefix, key, endpoint("")), SMALL, lambda _, __: b"")
    landed = given.landed()
    keys = [end.location.key for end in landed.destinations]
    assert keys == ["copy/one.csv", "copy/two.csv", "one.csv"]
    assert (landed.source, landed.options, landed.sign) == (source, SMALL, given.sign)


def test_a_prefix_stays_as_it_is() -> None:
    given = Replication(endpoint(), (endpoint("copy/"),))
    assert given.landed() is given


class TestRun:
    def test_it_is_as_of_its_start(self) -> None:
        before = datetime.now(UTC)
        source = endpoint("data/")
        run = new_run(Replication(source, (endpoint(),)), "r")
        assert before <= run.started <= datetime.now(UTC)
        assert run.as_of == run.started
        place = f"{place_of(source)}data/"
        assert (run.run_id, run.source, run.whole) == ("r", place, True)
        assert run.origin_of("x/a") == f"{place}x/a"
        assert run.selection == Selection()

    def test_what_may_be_too_young_is_looked_at_later(self) -> None:
        options = replace(SMALL, filter=ObjectFilter(min_age=HOUR))
        started = datetime(2026, 1, 1, tzinfo=UTC)
        replication = Replication(endpoint(), (endpoint("copy/"),), options)
        run = new_run(replication, "r", started=started, token="token")
        assert (run.started, run.as_of) == (started, started - HOUR)
        assert run.identity.token == "token"

    def test_of_a_single_object_it_is_not_whole(self) -> None:
        source = endpoint("data/a")
        run = new_run(Replication(source, (endpoint("copy/a"),)), None)
        assert (run.source, run.whole) == (f"{place_of(source)}data/a", False)

    def test_each_try_is_another_one(self) -> None:
        one, other = new_identity("r"), new_identity("r")
        assert (one.run_id, other.run_id) == ("r", "r")
        assert one.token != other.token
        unnamed = new_identity(None)
        assert unnamed.run_id not in ("", new_identity(None).run_id)
        assert len(unnamed.run_id) == len(unnamed.token) == 32
        assert new_identity("r", "token").token == "token"

    def test_airflow_says_who_works(self) -> None:
        work = Work(dag_id="d", task_id="t", run_id="scheduled", map_index=3, try_number=2)
        with working_for(work):
            identity = new_identity("r")
        assert (identity.dag_id, identity.task_id) == ("d", "t")
        assert identity.airflow_run_id == "scheduled"
        assert (identity.map_index, identity.try_number) == (3, 2)


@pytest.mark.parametrize(
    ("chosen", "selection"),
    [
        (ObjectFilter(), Selection()),
        (ObjectFilter(min_age=HOUR), Selection()),
        (
            ObjectFilter(include=("b", "a"), exclude=("d", "c"), min_size=1, max_size=2),
            Selection(include=("a", "b"), exclude=("c", "d"), min_size=1, max_size=2),
        ),
        (ObjectFilter(max_age=HOUR), Selection(max_age=3600.0)),
    ],
)
def test_a_filter_as_ledgers_name_it(chosen: ObjectFilter, selection: Selection) -> None:
    assert selection_of(chosen) == selection
