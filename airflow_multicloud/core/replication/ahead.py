"""Read a stream on another thread, a bounded way ahead of who consumes it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import suppress
from queue import Empty, Queue
from threading import Event
from types import TracebackType
from typing import Generic, Self, TypeVar

from airflow_multicloud.core import cancellation, telemetry

T = TypeVar("T")

_WAITING = 1


class Ahead(Generic[T]):
    """A stream that a pool's thread reads while others are consumed; a context manager.

    Its elements are large: one waits, and another is being read, besides the one that is consumed.
    What the stream raises is raised where it is consumed, after all that it had before.
    """

    def __init__(self, pool: Executor, stream: Iterator[T]) -> None:
        self._stream = stream
        self._ready: Queue[tuple[T] | BaseException | None] = Queue(_WAITING)
        self._left = Event()
        telemetry.submit_in_context(pool, self._read)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Let the reader go: it puts at most one more element, for which there is room."""
        self._left.set()
        with suppress(Empty):
            while True:
                self._ready.get_nowait()

    def __iter__(self) -> Iterator[T]:
        while (found := self._ready.get()) is not None:
            if isinstance(found, BaseException):
                raise found
            yield found[0]

    def _read(self) -> None:
        try:
            for element in self._stream:
                self._ready.put((element,))
                if self._left.is_set():
                    return
                cancellation.check()
            self._ready.put(None)
        except BaseException as err:  # noqa: BLE001 - raised by who consumes, who would wait else
            self._ready.put(err)
