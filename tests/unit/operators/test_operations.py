"""The operator that waits, in the triggerer and in a worker."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk import Asset
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    TaskDeferred,
)

from airflow_multicloud.core.waiting import NotYet
from airflow_multicloud.errors import CloudError, DeploymentError, ErrorKind
from airflow_multicloud.labels import current_work
from airflow_multicloud.opening.operations import Begun
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.operations import OperationOperator, Wait, wait_for
from airflow_multicloud.ports.compute import Compute
from airflow_multicloud.ports.operations import Operation, OperationState
from airflow_multicloud.triggers.poll import FAILED, PollTrigger
from tests.unit.operators.test_base import Context

PLACE = Asset("place")
#: What the checks say, one after the other; then what was asked, and what was called off.
ANSWERS: list[Any] = []
ASKED: list[tuple[int, float]] = []
CALLED_OFF: list[int] = []


@pytest.fixture(autouse=True)
def nothing_yet() -> None:
    for seen in (ANSWERS, ASKED, CALLED_OFF):
        seen.clear()


def check(*, number: int) -> Any:
    ASKED.append((number, time.monotonic()))
    answer = ANSWERS.pop(0)
    if isinstance(answer, Exception):
        raise answer
    return answer


def call_off(*, number: int) -> None:
    CALLED_OFF.append(number)
    raise DeploymentError("it is busy", kind=ErrorKind.BUSY)


def error(kind: ErrorKind) -> DeploymentError:
    return DeploymentError("it went wrong", kind=kind)


class Steps(OperationOperator):
    """Wait for so many things, one after the other."""

    report_key = "report"

    def __init__(self, *, waits: int = 2, ends: Any = None, **kwargs: Any) -> None:
        given = {"task_id": "steps", "outlets": [PLACE], "poll_interval": 0.02, **kwargs}
        super().__init__(**given)
        self.waits = waits
        self.ends = ends
        self.works: list[Any] = []

    def begin(self, context: Any) -> Wait | Outcome:
        return self._next([])

    def proceed(self, context: Any, facts: Any, state: Any) -> Wait | Outcome:
        return self._next([*state["found"], facts["answer"]])

    def _next(self, found: list[str]) -> Wait | Outcome:
        self.works.append(current_work().try_number)
        if len(found) == self.waits:
            return self.ends or Outcome({"found": found})
        return Wait(
            check=check,
            arguments={"number": len(found)},
            state={"found": found},
            on_cancel=call_off,
        )


def carried_out(operator: OperationOperator, context: Any) -> Any:
    """As Airflow does: each step in another process, with what JSON leaves of its arguments."""
    method, given = "execute", {}
    while True:
        try:
            if method == "execute":
                return operator.execute(context)
            return operator.resume_execution(method, given, context)
        except TaskDeferred as deferred:
            path, arguments = deferred.trigger.serialize()
            assert path == f"{PollTrigger.__module__}.PollTrigger"
            trigger = PollTrigger(**json.loads(json.dumps(arguments)))
            event = asyncio.run(anext(trigger.run())).payload  # type: ignore[arg-type]
            method = deferred.method_name
            given = json.loads(json.dumps({"event": event}))


WAYS = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "triggerer"])


@WAYS
def test_it_waits_as_often_as_it_must(deferrable: bool) -> None:
    ANSWERS.extend([None, {"answer": "a"}, error(ErrorKind.THROTTLED), {"answer": "b"}])
    context: Any = Context()
    operator = Steps(deferrable=deferrable)
    assert carried_out(operator, context) == {"found": ["a", "b"]}
    assert [number for number, _ in ASKED] == [0, 0, 1, 1]
    assert context.pushed == {"report": {"found": ["a", "b"]}}
    assert context.events[PLACE].extra == {"multicloud": {"found": ["a", "b"]}}
    assert len(operator.works) == 3
    assert CALLED_OFF == []


@WAYS
def test_what_is_done_at_once_is_not_waited_for(deferrable: bool) -> None:
    assert carried_out(Steps(waits=0, deferrable=deferrable), Context()) == {"found": []}
    assert ASKED == []


@WAYS
def test_an_outcome_that_failed_is_reported(deferrable: bool) -> None:
    ANSWERS.append({"answer": "a"})
    context: Any = Context()
    ends = Outcome({"found": 1}, error(ErrorKind.QUOTA))
    with pytest.raises(AirflowFailException, match=r"^quota: it went wrong$"):
        carried_out(Steps(waits=1, ends=ends, deferrable=deferrable), context)
    assert context.pushed == {"report": {"found": 1}}
    assert context.events == {}


@WAYS
def test_what_no_retry_mends_fails_it_at_once(deferrable: bool) -> None:
    ANSWERS.append(error(ErrorKind.PERMISSION_DENIED))
    with pytest.raises(AirflowFailException, match=r"^permission_denied: it went wrong$"):
        carried_out(Steps(deferrable=deferrable), Context())
    assert len(ASKED) == 1


@WAYS
def test_the_time_that_a_service_asks_for_is_waited(deferrable: bool) -> None:
    again = NotYet(wait=timedelta(seconds=0.5), arguments={"number": 7})
    ANSWERS.extend([again, {"answer": "a"}])
    carried_out(Steps(waits=1, deferrable=deferrable), Context())
    (before, first), (after, second) = ASKED
    assert (before, after) == (0, 7)
    assert second - first >= 0.5


@WAYS
def test_its_time_is_for_all_waits_together(deferrable: bool) -> None:
    ANSWERS.extend([{"answer": "a"}, *[None] * 10_000])
    operator = Steps(timeout=timedelta(seconds=1), deferrable=deferrable)
    if not deferrable:
        with pytest.raises(CloudError, match="timeout: it was not done within 0:00:01") as caught:
            carried_out(operator, Context())
        assert caught.value.kind is ErrorKind.TIMEOUT
        return
    with pytest.raises(TaskDeferred) as first:
        operator.execute(Context())  # type: ignore[arg-type]
    assert first.value.timeout == timedelta(seconds=1)  # less, but never 0
    until = datetime.now(UTC) + timedelta(seconds=30)
    handed_on: dict[str, Any] = {"state": {"found": []}, "until": until.isoformat()}
    given = {"event": {"facts": {"answer": "a"}, "handed_on": handed_on}}
    with pytest.raises(TaskDeferred) as second:
        operator.resume_execution("resume", given, Context())  # type: ignore[arg-type]
    assert timedelta(seconds=25) < second.value.timeout < timedelta(seconds=30)
    handed_on["until"] = (until - timedelta(seconds=31)).isoformat()
    with pytest.raises(CloudError, match="timeout: it was not done within"):
        operator.resume_execution("resume", given, Context())  # type: ignore[arg-type]


def test_airflows_timeout_of_a_deferral_is_the_same_error() -> None:
    with pytest.raises(CloudError, match="timeout: it was not done within") as caught:
        Steps().resume_execution("__fail__", {"error": "Trigger timeout"}, Context())  # type: ignore[arg-type]
    assert caught.value.kind is ErrorKind.TIMEOUT
    with pytest.raises(AirflowException, match="Trigger failure"):
        Steps().resume_execution("__fail__", {"error": "Trigger failure"}, Context())  # type: ignore[arg-type]


def test_the_time_that_is_asked_for_at_the_beginning_is_waited_too() -> None:
    now = {"seen_at": datetime.now(UTC), "state": OperationState.RUNNING}
    named = {"handle": "h", "action": "stop", "resource": "r", **now}
    begun = [
        Begun(conn_id="c", operation=Operation(**named, poll_after=wait))
        for wait in (None, timedelta(seconds=20), timedelta(seconds=5))
    ]
    wait = wait_for(Compute, begun, {"round": 1})
    assert (wait.first_wait, wait.state) == (timedelta(seconds=20), {"round": 1})
    assert wait_for(Compute, []).first_wait == timedelta(0)


def test_a_wait_begins_when_it_was_asked_to() -> None:
    ANSWERS.append({"answer": "a"})
    operator = Steps(waits=1)
    wait = Wait(
        check=check,
        arguments={"number": 0},
        state={"found": []},
        first_wait=timedelta(seconds=0.5),
    )
    operator.begin = lambda context: wait  # type: ignore[method-assign]
    started = time.monotonic()
    operator.execute(Context())  # type: ignore[arg-type]
    assert ASKED[0][1] - started >= 0.5
    operator.poll_interval = 60
    assert operator._first_wait(wait) == 60
    operator.poll_interval = 0.1
    operator.deferrable = True
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(Context())  # type: ignore[arg-type]
    assert deferred.value.trigger.first_wait == 0.5


@pytest.mark.parametrize("calls_off", [False, True])
def test_a_worker_that_is_stopped_calls_it_off(
    calls_off: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ANSWERS.extend([None] * 1000)
    operator = Steps(poll_interval=60)
    if not calls_off:
        wait = Wait(check=check, arguments={"number": 0})
        monkeypatch.setattr(operator, "begin", lambda context: wait)
    threading.Timer(0.3, operator.on_kill).start()
    started = time.monotonic()
    with pytest.raises(AirflowException, match="was stopped: Airflow has asked"):
        operator.execute(Context())  # type: ignore[arg-type]
    assert time.monotonic() - started < 5
    assert ([0] if calls_off else []) == CALLED_OFF
    said = "could not be cancelled: busy: it is busy" if calls_off else "goes on there"
    assert said in caplog.text + capsys.readouterr().out  # the module's log, and the task's


def test_a_request_that_was_aborted_is_part_of_being_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    operator = Steps()

    def aborted(**arguments: Any) -> Any:
        operator.on_kill()
        raise error(ErrorKind.INVALID_ARGUMENT)

    wait = Wait(check=aborted, arguments={"number": 0}, on_cancel=call_off)
    monkeypatch.setattr(operator, "begin", lambda context: wait)
    with pytest.raises(AirflowException, match="was stopped: Airflow has asked"):
        operator.execute(Context())  # type: ignore[arg-type]
    assert CALLED_OFF == [0]


def test_a_user_who_ends_it_in_the_triggerer_calls_it_off(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(TaskDeferred) as deferred:
        Steps(deferrable=True).execute(Context())  # type: ignore[arg-type]
    trigger = deferred.value.trigger
    asyncio.run(trigger.on_kill())
    assert CALLED_OFF == [0]
    assert "could not be cancelled: busy: it is busy" in caplog.text
    trigger.on_cancel = None
    asyncio.run(trigger.on_kill())
    assert CALLED_OFF == [0]


def test_calling_off_does_not_hold_up_the_triggerer() -> None:
    trigger = PollTrigger(
        check=f"{__name__}:check",
        arguments={"number": 1},
        poll_interval=1,
        on_cancel=f"{__name__}:slow_call_off",
    )

    async def main() -> int:
        ticks = 0
        ending = asyncio.ensure_future(trigger.on_kill())
        while not ending.done():
            await asyncio.sleep(0.02)
            ticks += 1
        await ending
        return ticks

    assert asyncio.run(main()) >= 10
    assert CALLED_OFF == [1]


def slow_call_off(*, number: int) -> None:
    time.sleep(0.5)
    CALLED_OFF.append(number)


def test_what_another_process_can_not_have_is_refused_in_both_ways() -> None:
    with pytest.raises(TypeError, match="datetime is not JSON serializable"):
        Wait(check=check, arguments={"at": datetime.now(UTC)})
    with pytest.raises(TypeError, match="set is not JSON serializable"):
        Wait(check=check, arguments={}, state={"seen": {1}})
    local = Steps(deferrable=True)
    local.begin = lambda context: Wait(check=lambda: None, arguments={})  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="another process can't find it"):
        local.execute(Context())  # type: ignore[arg-type]


def test_facts_that_speak_of_failures_are_no_failure() -> None:
    ANSWERS.append({"answer": "a", "failed": 0})
    assert carried_out(Steps(waits=1, deferrable=True), Context()) == {"found": ["a"]}
    with pytest.raises(AirflowFailException, match=r"^no$"):
        Steps().resume(Context(), {FAILED: "no"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "name"),
    [({"poll_interval": 0}, "poll_interval"), ({"timeout": timedelta()}, "timeout")],
)
def test_what_it_is_given_is_checked(wrong: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: 0"):
        Steps(**wrong)


def test_steps_are_the_subclasses() -> None:
    operator = OperationOperator(task_id="nothing")
    for step in (lambda: operator.begin({}), lambda: operator.proceed({}, {}, {})):  # type: ignore[typeddict-item]
        with pytest.raises(NotImplementedError):
            step()
