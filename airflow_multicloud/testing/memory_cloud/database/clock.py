"""The memory cloud's time: the real one, or one that a test makes pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_TICK = timedelta(microseconds=1)


class Clock:
    """Tells moments that never repeat.

    :param start: the first moment of a time that passes by :meth:`advance` only; aware. The real
        time when left out.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._start = start
        self._ahead = timedelta(0)
        self._told: datetime | None = None

    def now(self) -> datetime:
        """A moment after all that were told before."""
        moment = (self._start or datetime.now(UTC)) + self._ahead
        if self._told is not None and moment <= self._told:
            self._ahead += self._told + _TICK - moment
            moment = self._told + _TICK
        self._told = moment
        return moment

    def advance(self, by: timedelta) -> None:
        """Have time pass.

        :raises ValueError: for time that would run backwards.
        """
        if by < timedelta(0):
            raise ValueError(f"by: {by} given, expected no negative time")
        self._ahead += by
