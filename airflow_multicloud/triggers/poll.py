"""The one trigger: ask a function again and again, off the event loop."""

from __future__ import annotations

import asyncio
import pkgutil
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from airflow_multicloud.labels import Work, current_work, working_for


class PollTrigger(BaseTrigger):
    """Fire when a function returns something.

    :param check: ``package.module:name`` of a function; it is called with ``arguments`` and
        returns the event's payload (JSON), or ``None`` for "not yet". What it raises fails the
        task.
    :param arguments: its keyword arguments (JSON).
    :param poll_interval: seconds between two calls.
    """

    def __init__(self, *, check: str, arguments: dict[str, Any], poll_interval: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Airflow leaves it untyped
        self.check = check
        self.arguments = arguments
        self.poll_interval = poll_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The class path and arguments to build this trigger anew."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "check": self.check,
                "arguments": self.arguments,
                "poll_interval": self.poll_interval,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll. Connections are looked up and requests made on a thread of their own."""
        check = pkgutil.resolve_name(self.check)
        while True:
            with working_for(self._work()):
                found = await sync_to_async(check, thread_sensitive=False)(**self.arguments)
            if found is not None:
                yield TriggerEvent(found)  # type: ignore[no-untyped-call] # as above
                return
            await asyncio.sleep(self.poll_interval)

    def _work(self) -> Work:
        """Of which task's this is: the triggerer's environment knows none."""
        waiting = self.task_instance
        if waiting is None:
            return current_work()
        return Work(dag_id=waiting.dag_id, task_id=waiting.task_id, run_id=waiting.run_id)
