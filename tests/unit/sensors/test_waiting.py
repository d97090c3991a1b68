"""How long sensors and their trigger wait between two looks."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import (
    AirflowRescheduleException,
    AirflowSensorTimeout,
    TaskDeferred,
)

from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.sensors.base import PollingSensor
from airflow_multicloud.triggers.poll import FAILED, PollTrigger, look

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOKS: list[float] = []


@pytest.fixture(autouse=True)
def no_looks() -> None:
    _LOOKS.clear()


def throttled(*, looks: int, retry_after: float | None) -> dict[str, Any] | None:
    """A service that asks for a wait, until it was asked so many times."""
    _LOOKS.append(time.monotonic())
    if len(_LOOKS) > looks:
        return {"looks": len(_LOOKS)}
    wait = None if retry_after is None else timedelta(seconds=retry_after)
    raise CloudError("slow down", kind=ErrorKind.THROTTLED, retry_after=wait)


def denied() -> dict[str, Any] | None:
    raise CloudError("no", kind=ErrorKind.PERMISSION_DENIED, retry_after=timedelta(seconds=9))


class Asking(PollingSensor):
    def __init__(self, *, looks: int = 1, retry_after: float | None = 1.0, **kwargs: Any) -> None:
        super().__init__(**{"task_id": "asking", "poke_interval": 0.1, "timeout": 30, **kwargs})
        self.looks = looks
        self.retry_after = retry_after

    def question(self) -> tuple[Callable[..., dict[str, Any] | None], dict[str, Any]]:
        return throttled, {"looks": self.looks, "retry_after": self.retry_after}


class _Ti:
    def get_first_reschedule_date(self, context: Any) -> datetime:
        return datetime.now(UTC)


def _execute(sensor: PollingSensor) -> Any:
    context: Any = {"ti": _Ti()}
    return sensor.execute(context)


def _waits() -> list[float]:
    return [after - before for before, after in pairwise(_LOOKS)]


def test_a_look_says_how_long_the_service_asks_to_wait(caplog: pytest.LogCaptureFixture) -> None:
    seen = look(throttled, {"looks": 1, "retry_after": 90})
    assert (seen.facts, seen.wait) == (None, 90)
    assert "looking again later, not before 90 s have passed: throttled: slow down" in caplog.text
    assert look(throttled, {"looks": 9, "retry_after": None}).wait == 0
    with pytest.raises(CloudError, match=r"^no$"):
        look(denied, {})


def test_a_sensor_waits_as_long_as_it_was_asked_to() -> None:
    assert _execute(Asking()) == {"looks": 2}
    (waited,) = _waits()
    assert waited >= 1


def test_its_own_interval_is_the_least() -> None:
    _execute(Asking(poke_interval=0.5, retry_after=0.1))
    (waited,) = _waits()
    assert waited >= 0.5


def test_the_wait_counts_for_one_look_only() -> None:
    sensor = Asking(looks=1, retry_after=5)
    sensor.poke({})  # type: ignore[arg-type]
    assert sensor._get_next_poke_interval(0.0, lambda: 0.0, 1) == 5
    sensor.poke({})  # type: ignore[arg-type]
    assert sensor._get_next_poke_interval(0.0, lambda: 0.0, 2) == 0.1


def test_backoff_is_kept() -> None:
    sensor = Asking(looks=9, retry_after=5, poke_interval=1, exponential_backoff=True)
    sensor.poke({})  # type: ignore[arg-type]
    assert sensor._get_next_poke_interval(0.0, lambda: 0.0, 1) == 5
    assert sensor._get_next_poke_interval(0.0, lambda: 0.0, 9) > 5


def test_it_does_not_wait_beyond_its_timeout() -> None:
    started = time.monotonic()
    with pytest.raises(AirflowSensorTimeout):
        _execute(Asking(looks=9, retry_after=600, timeout=0.5))
    assert time.monotonic() - started < 10
    assert _waits()[0] >= 0.4


def test_a_rescheduled_sensor_comes_back_when_it_was_asked_to() -> None:
    before = datetime.now(UTC)
    with pytest.raises(AirflowRescheduleException) as caught:
        _execute(Asking(retry_after=120, timeout=3600, mode="reschedule"))
    assert timedelta(seconds=119) < caught.value.reschedule_date - before < timedelta(seconds=180)


@pytest.mark.parametrize(
    ("interval", "timeout", "expected"),
    [(0.1, 3600, 120.0), (300, 3600, 300.0), (0.1, 30, 30.0), (300, 30, 30.0)],
)
def test_a_deferred_one_waits_before_the_first_look(
    interval: float, timeout: int, expected: float
) -> None:
    """It has just looked itself."""
    asking = Asking(retry_after=120, poke_interval=interval, timeout=timeout, deferrable=True)
    with pytest.raises(TaskDeferred) as deferred:
        _execute(asking)
    trigger = deferred.value.trigger
    assert isinstance(trigger, PollTrigger)
    assert trigger.first_wait == expected
    path, arguments = trigger.serialize()
    assert path == f"{PollTrigger.__module__}.PollTrigger"
    assert PollTrigger(**arguments).serialize() == (path, arguments)


def _trigger(check: str, **arguments: Any) -> PollTrigger:
    given = {"first_wait": arguments.pop("first_wait", 0.0)}
    return PollTrigger(
        check=f"{__name__}:{check}", arguments=arguments, poll_interval=0.05, **given
    )


def _fired(trigger: PollTrigger) -> Any:
    async def first() -> Any:
        return (await anext(trigger.run())).payload

    return asyncio.run(first())


def test_the_trigger_waits_as_long_as_it_was_asked_to() -> None:
    assert _fired(_trigger("throttled", looks=2, retry_after=0.6)) == {"looks": 3}
    assert len(_waits()) == 2
    assert all(waited >= 0.6 for waited in _waits())


def test_the_trigger_waits_before_its_first_look() -> None:
    started = time.monotonic()
    _fired(_trigger("throttled", looks=0, retry_after=None, first_wait=0.5))
    assert _LOOKS[0] - started >= 0.5


def test_the_trigger_does_not_wait_for_what_no_retry_mends() -> None:
    assert _fired(_trigger("denied")) == {FAILED: "permission_denied: no"}
