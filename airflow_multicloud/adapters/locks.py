"""A lock for each key: whoever waits for an answer about one key holds nobody else up."""

from __future__ import annotations

from collections.abc import Hashable
from threading import Lock, RLock


class KeyLocks:
    """Locks that are made when they are first asked for, and kept.

    A bucket that does not answer must not keep another one waiting: that other one may be the
    replica which is to be read in its place.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._locks: dict[Hashable, RLock] = {}

    def of(self, key: Hashable) -> RLock:
        """The key's lock; one thread may take it again."""
        with self._lock:
            return self._locks.setdefault(key, RLock())
