"""The one trigger: ask a function again and again, off the event loop."""

from __future__ import annotations

import asyncio
import logging
import pkgutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from airflow_multicloud.core import telemetry
from airflow_multicloud.core.waiting import NotYet
from airflow_multicloud.errors import CloudError
from airflow_multicloud.labels import Work, current_work, working_for
from airflow_multicloud.registry import session
from airflow_multicloud.text import printable

#: The key of an event's payload that holds an error no retry mends; no check gives it.
FAILED = "multicloud_failed"

_log = logging.getLogger(__name__)

Check = Callable[..., dict[str, Any] | NotYet | None]


@dataclass(frozen=True, slots=True)
class Look:
    """What one look has found.

    :param facts: what the check says; ``None`` for "not yet".
    :param wait: seconds before the next look, at least: a service has asked for it.
    :param arguments: for the next look, when they are others.
    """

    facts: dict[str, Any] | None
    wait: float = 0.0
    arguments: dict[str, Any] | None = None


def look(check: Check, arguments: dict[str, Any]) -> Look:
    """Look once; an error that may pass is "not yet", and a line in the log.

    :raises CloudError: that no retry mends.
    """
    with telemetry.operation("look", multicloud__check=check.__name__):
        return _looked(check, arguments)


def _looked(check: Check, arguments: dict[str, Any]) -> Look:
    try:
        with session():
            found = check(**arguments)
    except CloudError as err:
        if not err.retryable:
            raise
        telemetry.failed(err)
        telemetry.count_retry(err)
        wait = 0.0 if err.retry_after is None else err.retry_after.total_seconds()
        asked = f", not before {wait:g} s have passed" if wait else ""
        _log.warning("looking again later%s: %s: %s", asked, err.kind, printable(str(err)))
        return Look(None, wait)
    if isinstance(found, NotYet):
        return Look(None, found.wait.total_seconds(), found.arguments)
    return Look(found)


def path_of(function: Callable[..., object]) -> str:
    """How another process finds a function: ``package.module:name``.

    :raises ValueError: for one that it can't find.
    """
    module, name = function.__module__, function.__qualname__
    if module == "__main__" or "<" in name:
        raise ValueError(f"{module}:{name}: another process can't find it; define it in a module")
    return f"{module}:{name}"


def call_off(on_cancel: Callable[..., object], arguments: dict[str, Any]) -> None:
    """Say that nobody waits any more; what the cloud answers to that is a line in the log."""
    try:
        with session():
            on_cancel(**arguments)
    except CloudError as err:
        _log.warning("could not be cancelled: %s: %s", err.kind, printable(str(err)))


def _look(check: Check, arguments: dict[str, Any]) -> Look:
    try:
        return look(check, arguments)
    except CloudError as err:
        return Look({FAILED: f"{err.kind}: {err}"})


class PollTrigger(BaseTrigger):
    """Fire when a function returns something.

    :param check: ``package.module:name`` of a function; it is called with ``arguments`` and
        returns the event's payload (JSON), or ``None`` or a
        :class:`~airflow_multicloud.core.waiting.NotYet` for "not yet". A
        :class:`~airflow_multicloud.errors.CloudError` that may pass is a "not yet", too; another
        one is the payload, under :data:`FAILED`, so that the task fails without a retry. Whatever
        else it raises fails the task.
    :param arguments: its keyword arguments (JSON).
    :param poll_interval: seconds between two calls, at least: a service may ask for more
        (``retry_after`` of its error).
    :param first_wait: seconds before the first call, likewise.
    :param on_cancel: ``package.module:name`` of a function that is called with ``arguments`` when a
        user marks the waiting task as failed or succeeded, or clears it; it has 30 seconds
        (``[triggerer] on_kill_timeout``). Not when the triggerer ends or restarts, nor after a
        timeout. Airflow before 3.3 never calls it.
    :param handed_on: JSON for whoever gets the event, whose payload then is an object of ``facts``
        and ``handed_on``; one with :data:`FAILED` is as without it.
    """

    def __init__(
        self,
        *,
        check: str,
        arguments: dict[str, Any],
        poll_interval: float,
        first_wait: float = 0.0,
        on_cancel: str | None = None,
        handed_on: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Airflow leaves it untyped
        self.check = check
        self.arguments = arguments
        self.poll_interval = poll_interval
        self.first_wait = first_wait
        self.on_cancel = on_cancel
        self.handed_on = handed_on

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The class path and arguments to recreate this trigger."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "check": self.check,
                "arguments": self.arguments,
                "poll_interval": self.poll_interval,
                "first_wait": self.first_wait,
                "on_cancel": self.on_cancel,
                "handed_on": self.handed_on,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll. Connections are looked up and requests made on a thread of their own."""
        check, arguments = pkgutil.resolve_name(self.check), self.arguments
        await asyncio.sleep(self.first_wait)
        while True:
            with working_for(self._work()):
                found = await sync_to_async(_look, thread_sensitive=False)(check, arguments)
            if found.facts is not None:
                yield TriggerEvent(self._payload(found.facts))  # type: ignore[no-untyped-call] # as above
                return
            arguments = arguments if found.arguments is None else found.arguments
            await asyncio.sleep(max(self.poll_interval, found.wait))

    async def on_kill(self) -> None:
        """Say that nobody waits any more. Airflow 3.3 and later call this for a user's doing."""
        if self.on_cancel is None:
            return
        on_cancel = pkgutil.resolve_name(self.on_cancel)
        with working_for(self._work()):
            await sync_to_async(call_off, thread_sensitive=False)(on_cancel, self.arguments)

    def _payload(self, facts: dict[str, Any]) -> dict[str, Any]:
        if self.handed_on is None or FAILED in facts:
            return facts
        return {"facts": facts, "handed_on": self.handed_on}

    def _work(self) -> Work:
        """Of which task's this is: the triggerer's environment knows none."""
        waiting = self.task_instance
        if waiting is None:
            return current_work()
        return Work(dag_id=waiting.dag_id, task_id=waiting.task_id, run_id=waiting.run_id)
