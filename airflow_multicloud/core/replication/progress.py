"""How far a run is: counted by every thread, told at intervals by one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from airflow_multicloud.text import duration_text, size_text


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment of a run.

    :param written: bytes written, over all destinations.
    :param to_write: bytes planned, over all destinations.
    :param rate: bytes written per second since the start.
    :param eta: seconds to the end at that rate; ``None`` while nothing was written.
    :param kept: bytes of parts that an earlier try had sent, which were not sent again.
    :param found: bytes of parts from an earlier try that the stores hold; they become ``kept``
        when the source's bytes turn out to be the same.
    :param found_of: the size of the objects that such parts were found of, once for each
        destination.
    """

    objects: int
    to_copy: int
    written: int
    to_write: int
    rate: float
    eta: float | None
    kept: int = 0
    found: int = 0
    found_of: int = 0

    @property
    def done(self) -> int:
        """Bytes that need not be written any more."""
        return self.written + self.kept

    @property
    def resuming(self) -> str | None:
        """What is there from an earlier try, in one line; ``None`` when nothing is."""
        if not self.found:
            return None
        return f"resuming: {size_text(self.found, self.found_of)} are there"

    @property
    def brief(self) -> str:
        """Bytes, rate and time left, in few columns; without a plan only what is done."""
        if not self.to_write:
            return f"{size_text(self.done)}, {size_text(self.rate)}/s"
        eta = "unknown" if self.eta is None else duration_text(round(self.eta))
        return f"{size_text(self.done, self.to_write)}, {size_text(self.rate)}/s, ETA {eta}"

    def __str__(self) -> str:
        """One log line."""
        resuming = f" ({self.resuming})" if self.resuming else ""
        return f"{self.objects} of {self.to_copy} objects, {self.brief}{resuming}"


#: Seconds between two lines about progress in a task's log.
INTERVAL = 10.0

Listener = Callable[[Snapshot], None]


class Progress:
    """Counts of a run.

    :param listener: called from the main thread, at most every ``interval`` seconds.
    """

    def __init__(self, listener: Listener | None = None, *, interval: float = INTERVAL) -> None:
        self._listener = listener
        self.interval = interval
        self._lock = threading.Lock()
        self._started = self._told = time.monotonic()
        self._told_counts: tuple[int, ...] | None = None
        self._written = self._read = self._objects = self._to_copy = self._to_write = 0
        self._kept = self._found = self._found_of = 0

    def expect(self, objects: int, size: int) -> None:
        """Set what is planned."""
        self._to_copy, self._to_write = objects, size
        self._started = self._told = time.monotonic()

    @property
    def planned(self) -> bool:
        """Whether anybody has said what is planned."""
        return self._to_copy > 0

    def wrote(self, size: int) -> None:
        """Count bytes written to one destination; from any thread."""
        with self._lock:
            self._written += size

    def read(self, size: int) -> None:
        """Count bytes read from the source; from any thread."""
        with self._lock:
            self._read += size

    def found(self, size: int, of: int) -> None:
        """Count bytes of an object of ``of`` bytes that one destination has of an earlier try."""
        with self._lock:
            self._found += size
            self._found_of += of

    def kept(self, size: int) -> None:
        """Count bytes found that turned out to be the object's; from any thread."""
        with self._lock:
            self._kept += size

    def finished(self, objects: int = 1) -> None:
        """Count finished objects, and tell the listener when it is time; main thread."""
        self._objects += objects
        self.tell(force=False)

    def tell(self, *, force: bool) -> None:
        """Tell the listener, if it is time or ``force`` is set, and nothing twice."""
        now = time.monotonic()
        if self._listener is None or not (force or now - self._told >= self.interval):
            return
        self._told = now
        counts = (self._objects, self._written, self._kept, self._found)
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
        left = max(self._to_write - self._written - self._kept, 0)
        return Snapshot(
            self._objects,
            self._to_copy,
            self._written,
            self._to_write,
            rate,
            left / rate if rate else None,
            self._kept,
            self._found,
            self._found_of,
        )
