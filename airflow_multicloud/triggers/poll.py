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

from airflow_multicloud.errors import CloudError
from airflow_multicloud.labels import Work, current_work, working_for
from airflow_multicloud.registry import session
from airflow_multicloud.text import printable

#: The key of an event's payload that holds an error no retry mends.
FAILED = "failed"

_log = logging.getLogger(__name__)

Check = Callable[..., dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Look:
    """What one look has found.

    :param facts: what the check says; ``None`` for "not yet".
    :param wait: seconds before the next look, at least: a service has asked for it.
    """

    facts: dict[str, Any] | None
    wait: float = 0.0


def look(check: Check, arguments: dict[str, Any]) -> Look:
    """Look once; an error that may pass is "not yet", and a line in the log.

    :raises CloudError: that no retry mends.
    """
    try:
        with session():
            return Look(check(**arguments))
    except CloudError as err:
        if not err.retryable:
            raise
        wait = 0.0 if err.retry_after is None else err.retry_after.total_seconds()
        asked = f", not before {wait:g} s have passed" if wait else ""
        _log.warning("looking again later%s: %s: %s", asked, err.kind, printable(str(err)))
        return Look(None, wait)


def _look(check: Check, arguments: dict[str, Any]) -> Look:
    try:
        return look(check, arguments)
    except CloudError as err:
        return Look({FAILED: f"{err.kind}: {err}"})


class PollTrigger(BaseTrigger):
    """Fire when a function returns something.

    :param check: ``package.module:name`` of a function; it is called with ``arguments`` and
        returns the event's payload (JSON), or ``None`` for "not yet". A
        :class:`~airflow_multicloud.errors.CloudError` that may pass is a "not yet", too; another
        one is the payload, under :data:`FAILED`, so that the task fails without a retry. Whatever
        else it raises fails the task.
    :param arguments: its keyword arguments (JSON).
    :param poll_interval: seconds between two calls, at least: a service may ask for more
        (``retry_after`` of its error).
    :param first_wait: seconds before the first call, likewise.
    """

    def __init__(
        self,
        *,
        check: str,
        arguments: dict[str, Any],
        poll_interval: float,
        first_wait: float = 0.0,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Airflow leaves it untyped
        self.check = check
        self.arguments = arguments
        self.poll_interval = poll_interval
        self.first_wait = first_wait

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The class path and arguments to recreate this trigger."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "check": self.check,
                "arguments": self.arguments,
                "poll_interval": self.poll_interval,
                "first_wait": self.first_wait,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll. Connections are looked up and requests made on a thread of their own."""
        check = pkgutil.resolve_name(self.check)
        await asyncio.sleep(self.first_wait)
        while True:
            with working_for(self._work()):
                found = await sync_to_async(_look, thread_sensitive=False)(check, self.arguments)
            if found.facts is not None:
                yield TriggerEvent(found.facts)  # type: ignore[no-untyped-call] # as above
                return
            await asyncio.sleep(max(self.poll_interval, found.wait))

    def _work(self) -> Work:
        """Of which task's this is: the triggerer's environment knows none."""
        waiting = self.task_instance
        if waiting is None:
            return current_work()
        return Work(dag_id=waiting.dag_id, task_id=waiting.task_id, run_id=waiting.run_id)
