"""What every operator does around its work."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.cancellation import WorkCancelledError
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.operators.base import CloudOperator, Outcome

FACTS = {"objects": 3}
PLACE = Asset("place")


@dataclass
class _Event:
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class Context:
    """What ``execute`` needs of Airflow."""

    pushed: dict[str, Any] = field(default_factory=dict)
    events: dict[Any, _Event] = field(default_factory=dict)

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value

    def get(self, name: str, default: object = None) -> Any:
        return self[name] if name in ("ti", "outlet_events") else default

    def __getitem__(self, name: str) -> Any:
        return {"ti": self, "outlet_events": self}.get(name) or self.events.setdefault(
            name, _Event()
        )


class Working(CloudOperator):
    """Ends as it is told to."""

    def __init__(self, *, ends: Outcome | Exception, **kwargs: Any) -> None:
        super().__init__(**{"task_id": "working", "outlets": [PLACE], **kwargs})
        self.ends = ends

    def perform(self, context: Any) -> Outcome:
        if isinstance(self.ends, Exception):
            raise self.ends
        return self.ends


class Reporting(Working):
    report_key = "report"


class Stopped(Working):
    def perform(self, context: Any) -> Outcome:
        self.on_kill()
        cancellation.check()
        raise AssertionError("it went on")


def _run(operator: CloudOperator) -> tuple[Any, Context]:
    context: Any = Context()
    return operator.execute(context), context


def _error(kind: ErrorKind) -> StorageError:
    return StorageError("it went wrong", kind=kind)


def test_facts_are_returned_and_attached_to_assets() -> None:
    returned, context = _run(Working(ends=Outcome(FACTS)))
    assert returned == FACTS
    assert context.events[PLACE].extra == {"multicloud": FACTS}
    assert context.pushed == {}


def test_a_report_is_in_xcom_whether_the_task_fails_or_not() -> None:
    _, context = _run(Reporting(ends=Outcome(FACTS)))
    assert context.pushed == {"report": FACTS}
    failed: Any = Context()
    with pytest.raises(AirflowFailException, match="unsound"):
        Reporting(ends=Outcome(FACTS, AirflowFailException("unsound"))).execute(failed)
    assert failed.pushed == {"report": FACTS}
    assert failed.events == {}


@pytest.mark.parametrize("as_failure", [False, True])
def test_what_no_retry_mends_fails_at_once(as_failure: bool) -> None:
    err = _error(ErrorKind.PERMISSION_DENIED)
    with pytest.raises(AirflowFailException, match=r"^permission_denied: it went wrong$"):
        _run(Working(ends=Outcome(FACTS, err) if as_failure else err))


@pytest.mark.parametrize("as_failure", [False, True])
def test_what_may_pass_is_left_to_retries(as_failure: bool) -> None:
    err = _error(ErrorKind.THROTTLED)
    with pytest.raises(StorageError) as caught:
        _run(Working(ends=Outcome(FACTS, err) if as_failure else err))
    assert caught.value is err


def test_another_error_stays_what_it_is() -> None:
    with pytest.raises(ValueError, match="junk"):
        _run(Working(ends=ValueError("junk")))


def test_it_stops_when_airflow_says_so() -> None:
    with pytest.raises(AirflowException, match="was stopped: Airflow has asked") as caught:
        _run(Stopped(ends=Outcome(FACTS)))
    assert not isinstance(caught.value, AirflowFailException)
    assert isinstance(caught.value.__cause__, WorkCancelledError)


def test_an_operator_says_what_it_does() -> None:
    with pytest.raises(NotImplementedError):
        _run(CloudOperator(task_id="nothing"))
