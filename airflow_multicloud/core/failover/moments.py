"""When a fetch first noticed, found and had something: for who measures it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(slots=True)
class Moments:
    """The first of each, on the monotonic clock in seconds; ``None``: it has not come to that.

    :param failed: an attempt at a candidate has failed, and it is known with what kind of error.
    :param answered: a candidate that served has begun to send an object.
    :param served: an object is verified and in place.
    """

    failed: float | None = None
    answered: float | None = None
    served: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def at_failure(self, now: float) -> None:
        """An attempt has failed."""
        with self._lock:
            self.failed = _first(self.failed, now)

    def at_serving(self, answered: float, now: float) -> None:
        """An object is in place, whose first bytes were had at ``answered``."""
        with self._lock:
            self.answered = _first(self.answered, answered)
            self.served = _first(self.served, now)


def _first(before: float | None, now: float) -> float:
    return now if before is None else min(before, now)
