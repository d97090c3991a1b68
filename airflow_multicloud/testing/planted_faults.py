"""Faults that are met so many times, whatever they are of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from dataclasses import Field


class Counted(Protocol):
    """A dataclass with a number."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def times(self) -> int:
        """How often it is met; then it is over."""
        ...


F = TypeVar("F", bound=Counted)


class PlantedFaults(Generic[F]):
    """The faults that are planted; safe for many threads."""

    def __init__(self) -> None:
        self._left: list[F] = []
        self._lock = threading.Lock()

    def plant(self, faults: Iterable[F]) -> None:
        """Add some."""
        with self._lock:
            self._left.extend(faults)

    def clear(self) -> None:
        """Take all away."""
        with self._lock:
            self._left.clear()

    def met(self, fits: Callable[[F], bool]) -> F | None:
        """The first fault that fits and is not over; it counts as met once more."""
        with self._lock:
            for place, fault in enumerate(self._left):
                if fault.times > 0 and fits(fault):
                    self._left[place] = replace(fault, times=fault.times - 1)
                    return fault
        return None
