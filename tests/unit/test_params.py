"""Which params a run may have."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_multicloud.operators.params import CheckParamsOperator, chosen_targets

pytestmark = pytest.mark.usefixtures("airflow_db")

_ALLOWED = {"source": ["s3://a/", "s3://b/"], "targets": ["gs://a/", "gs://b/"], "file": []}
_VARIABLE = "AIRFLOW_VAR_PLACES"


def check(**params: Any) -> None:
    chosen = {"source": "s3://a/", "targets": ["gs://a/"], "file": None, **params}
    operator = CheckParamsOperator(task_id="check", allowed=_ALLOWED, variable="places")
    operator.execute({"params": chosen})  # type: ignore[typeddict-item]


def test_what_is_listed_passes() -> None:
    check()
    check(source="s3://b/", targets=["gs://b/", "gs://a/"], other="anything")
    check(targets=[])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"source": "s3://c/"}, r"source: 's3://c/' is not allowed, only 's3://a/', 's3://b/'"),
        ({"source": "s3://a"}, "source: 's3://a' is not"),
        ({"targets": ["gs://a/", "/etc"]}, "targets: '/etc' is not allowed"),
        ({"targets": "gs://c/"}, "targets: 'gs://c/' is not allowed"),
        ({"file": "/etc/passwd"}, "file: '/etc/passwd' is not allowed, only nothing"),
        ({"source": {"a": 1}}, "source: .* is not allowed"),
    ],
)
def test_what_is_not_listed_is_refused_by_name(params: dict[str, Any], message: str) -> None:
    with pytest.raises(AirflowFailException, match=message) as raised:
        check(**params)
    assert "Airflow Variable places" in str(raised.value)


def test_a_variable_replaces_single_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_VARIABLE, '{"source": ["s3://c/"]}')
    check(source="s3://c/")
    with pytest.raises(AirflowFailException, match="source: 's3://a/' is not allowed"):
        check()
    with pytest.raises(AirflowFailException, match="targets"):
        check(source="s3://c/", targets=["gs://c/"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("s3://c/", "no JSON"),
        ("[]", "no JSON object"),
        ('{"sauce": []}', "no param 'sauce'; allowed: source, targets, file"),
        ('{"source": "s3://c/"}', "source is no list of texts"),
        ('{"source": [1]}', "source is no list of texts"),
    ],
)
def test_a_variable_that_is_wrong_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    monkeypatch.setenv(_VARIABLE, text)
    with pytest.raises(AirflowFailException, match=f"Airflow Variable places: .*{message}"):
        check()


_TARGETS = [{"name": "one", "region": "a"}, {"name": "two", "region": "b"}]


def targets(*names: str, every: bool = False) -> list[str]:
    found = chosen_targets("to", None if every else names, _TARGETS, variable="aims")
    return [one["region"] for one in found]


def test_targets_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (targets("two", "one"), targets(every=True), targets()) == (["b", "a"], ["a", "b"], [])
    with pytest.raises(
        AirflowFailException, match=r"to: 'x\\n' not known; known: one, two\. .*aims"
    ):
        targets("one", "x\n")
    monkeypatch.setenv("AIRFLOW_VAR_AIMS", '[{"name": "one", "region": "c"}]')
    assert (targets("one"), targets(every=True)) == (["c"], ["c"])
    with pytest.raises(AirflowFailException, match="'two' not known; known: one"):
        targets("two")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mars", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ('{"name": "one", "password": "1"}', "a mapping of name, password given"),
        ('["one"]', "a target is a text"),
        ('[{"region": "a"}]', "a target is a mapping of region"),
        ('[{"name": 1}]', "the name of a target is no text"),
        ('[{"name": "a"}, {"name": "a"}]', "two targets have the same name"),
    ],
)
def test_a_variable_that_lists_no_targets(
    monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_AIMS", text)
    with pytest.raises(AirflowFailException, match=f"Airflow Variable aims: .*{message}"):
        targets("one")
