"""The entries of the project, in the order in which they are listed."""

from __future__ import annotations

import bisect
import threading
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple


class Place(NamedTuple):
    """Where an entry stands: by time, then by insert id, then as it came."""

    seconds: int
    nanos: int
    insert_id: str
    number: int


class Store:
    """Safe for many threads."""

    def __init__(self) -> None:
        self._places: list[Place] = []
        self._records: dict[Place, Any] = {}
        self._lock = threading.Lock()

    def add(self, records: Sequence[Any]) -> None:
        """Keep entries, each with a time and an insert id."""
        with self._lock:
            for record in records:
                time = record.timestamp
                place = Place(time.seconds, time.nanos, record.insert_id, len(self._places))
                bisect.insort(self._places, place)
                self._records[place] = record

    def after(self, place: Place | None, *, newest_first: bool) -> Iterator[tuple[Place, Any]]:
        """The entries beyond a place, in their order; those that are written meanwhile are not."""
        with self._lock:
            if newest_first:
                end = None if place is None else bisect.bisect_left(self._places, place)
                places = self._places[:end][::-1]
            else:
                start = 0 if place is None else bisect.bisect_right(self._places, place)
                places = self._places[start:]
        for one in places:
            yield one, self._records[one]
