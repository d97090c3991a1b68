"""Locks of what threads share: one for each key, and one for things that are made once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock, RLock
from typing import Any, TypeVar

T = TypeVar("T")


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


class MadeOnce:
    """What was made for each key, kept: the clients of a connection, say.

    Things are made on one thread at a time, whatever their keys: SDKs do not allow more. Making one
    may ask for another. ``lock`` is the one that is held meanwhile.
    """

    def __init__(self) -> None:
        self.lock = RLock()
        self._made: dict[Hashable, Any] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` gave for this key before; nothing is kept when making it fails.

        :param key: names what is made.
        :param make: makes it, on the first call.
        """
        with self.lock:
            if key not in self._made:
                self._made[key] = make()
            found: T = self._made[key]
            return found
