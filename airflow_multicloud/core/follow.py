"""Look names up in a stream that comes in their order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Follow(Generic[T]):
    """Look names up in a stream, both in UTF-8 byte order."""

    def __init__(self, stream: Iterator[tuple[str, T]]) -> None:
        self._stream = stream
        self._next: tuple[str, T] | None = next(stream, None)

    @property
    def head(self) -> str | None:
        """The next name of the stream; ``None`` at its end."""
        return self._next[0] if self._next is not None else None

    def at(self, name: str) -> T | None:
        """The value of ``name``, or ``None``; names must be asked for in order."""
        # Code points are in the order of their UTF-8 bytes.
        while self._next is not None and self._next[0] < name:
            self._next = next(self._stream, None)
        return self._next[1] if self._next is not None and self._next[0] == name else None

    def after(self, name: str) -> None:
        """Leave a name and all before it behind."""
        while self._next is not None and self._next[0] <= name:
            self._next = next(self._stream, None)
