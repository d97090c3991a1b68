"""Faults that are met so many times, whatever they are of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from dataclasses import Field


class Counted(Protocol):
    """A dataclass with two numbers."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def times(self) -> int:
        """How often it is met; then it is over."""
        ...

    @property
    def after(self) -> int:
        """How often it is passed by before that."""
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
        """The first fault that fits, is due and is not over; it counts as met once more.

        Those that fit and are not due yet count as passed by once more.
        """
        with self._lock:
            for place, fault in enumerate(self._left):
                if fault.times < 1 or not fits(fault):
                    continue
                if fault.after > 0:
                    self._left[place] = replace(fault, after=fault.after - 1)
                    continue
                self._left[place] = replace(fault, times=fault.times - 1)
                return fault
        return None

    def has(self, fits: Callable[[F], bool]) -> bool:
        """Whether there is a fault that fits, however often it was met."""
        with self._lock:
            return any(fits(fault) for fault in self._left)
