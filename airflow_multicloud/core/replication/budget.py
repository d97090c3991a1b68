"""Bounds on what a run holds and moves at once."""

from __future__ import annotations

import threading
import time

from airflow_multicloud.core import cancellation


class MemoryBudget:
    """At most ``limit`` bytes of content held; whoever wants more waits.

    A single piece larger than the limit is let through alone, so nothing waits for ever.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0
        self._freed = threading.Condition()

    def fits(self, size: int) -> bool:
        """Whether :meth:`acquire` would not wait, if the same thread asks for it now."""
        with self._freed:
            return self._held == 0 or self._held + size <= self._limit

    def acquire(self, size: int) -> None:
        """Wait until ``size`` more bytes fit, and hold them.

        Only one thread may acquire: it then hands the pieces out in order, so that no piece
        waits for memory which is held by others that wait for that piece.
        """
        with self._freed:
            while not (self._held == 0 or self._held + size <= self._limit):
                cancellation.check()
                self._freed.wait(cancellation.LOOK)
            self._held += size

    def release(self, size: int) -> None:
        """Give back what was acquired; from any thread."""
        with self._freed:
            self._held -= size
            self._freed.notify_all()


class Bandwidth:
    """At most ``limit`` bytes per second on average, over all threads."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._free_at = time.monotonic()
        self._lock = threading.Lock()

    def spend(self, size: int) -> None:
        """Wait until ``size`` more bytes fit the limit."""
        if self._limit is None:
            return
        with self._lock:
            start = max(self._free_at, time.monotonic())
            self._free_at = start + size / self._limit
        while (left := start - time.monotonic()) > 0:
            cancellation.check()
            time.sleep(min(left, cancellation.LOOK))
