"""Answers that are kept for a few seconds, so that asking again needs no request to a cloud."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from airflow_multicloud.ports.secrets import SecretValue


class Cache:
    """Values by name, and names that no store has; never older than a limit.

    :param seconds: how long an answer counts.
    :param most: how many are kept; the one that was asked for longest ago goes first.
    :param clock: seconds of a monotonic clock.
    """

    def __init__(
        self, seconds: float, most: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, SecretValue | None]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str) -> tuple[bool, SecretValue | None]:
        """Whether there is an answer, and the answer; ``None`` is that no store has it."""
        with self._lock:
            kept = self._kept.get(name)
            if kept is None:
                return False, None
            if self._clock() >= kept[0]:
                del self._kept[name]
                return False, None
            self._kept.move_to_end(name)
            return True, kept[1]

    def keep(self, name: str, value: SecretValue | None, asked_at: float) -> None:
        """Keep an answer.

        :param asked_at: when the stores were asked, by the cache's clock: it is as old as that.
        """
        with self._lock:
            self._kept[name] = (asked_at + self._seconds, value)
            self._kept.move_to_end(name)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def now(self) -> float:
        """The time of its clock."""
        return self._clock()
