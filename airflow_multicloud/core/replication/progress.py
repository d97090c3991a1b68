"""How far a run is: counted by every thread, told at intervals by one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment of a run.

    :param written: bytes written, over all destinations.
    :param to_write: bytes planned, over all destinations.
    :param rate: bytes written per second since the start.
    :param eta: seconds to the end at that rate; ``None`` while nothing was written.
    """

    objects: int
    to_copy: int
    written: int
    to_write: int
    rate: float
    eta: float | None

    def __str__(self) -> str:
        """One log line."""
        eta = "unknown" if self.eta is None else f"{self.eta:.0f} s"
        return (
            f"{self.objects} of {self.to_copy} objects, {self.written / 1e6:.1f} of "
            f"{self.to_write / 1e6:.1f} MB, {self.rate / 1e6:.1f} MB/s, ETA {eta}"
        )


#: Seconds between two lines about progress in a task's log.
INTERVAL = 10.0

Listener = Callable[[Snapshot], None]


class Progress:
    """Counts of a run.

    :param listener: called from the main thread, at most every ``interval`` seconds.
    """

    def __init__(self, listener: Listener | None = None, *, interval: float = INTERVAL) -> None:
        self._listener = listener
        self._interval = interval
        self._lock = threading.Lock()
        self._started = self._told = time.monotonic()
        self._told_counts: tuple[int, int] | None = None
        self._written = self._read = self._objects = self._to_copy = self._to_write = 0

    def expect(self, objects: int, size: int) -> None:
        """Set what is planned."""
        self._to_copy, self._to_write = objects, size
        self._started = self._told = time.monotonic()

    def wrote(self, size: int) -> None:
        """Count bytes written to one destination; from any thread."""
        with self._lock:
            self._written += size

    def read(self, size: int) -> None:
        """Count bytes read from the source; from any thread."""
        with self._lock:
            self._read += size

    def finished(self, objects: int = 1) -> None:
        """Count finished objects, and tell the listener when it is time; main thread."""
        self._objects += objects
        self.tell(force=False)

    def tell(self, *, force: bool) -> None:
        """Tell the listener, if it is time or ``force`` is set, and nothing twice."""
        now = time.monotonic()
        if self._listener is None or not (force or now - self._told >= self._interval):
            return
        self._told = now
        counts = (self._objects, self._written)
        if counts != self._told_counts:
            self._told_counts = counts
            self._listener(self.snapshot())

    @property
    def bytes_read(self) -> int:
        """Bytes read from the source so far."""
        return self._read

    def snapshot(self) -> Snapshot:
        """The counts now."""
        elapsed = max(time.monotonic() - self._started, 1e-6)
        rate = self._written / elapsed
        left = max(self._to_write - self._written, 0)
        eta = left / rate if rate else None
        return Snapshot(self._objects, self._to_copy, self._written, self._to_write, rate, eta)
