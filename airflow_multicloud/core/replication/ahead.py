"""Read a stream on another thread, a bounded way ahead of who consumes it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import suppress
from itertools import islice
from queue import Empty, Queue
from threading import Event
from types import TracebackType
from typing import Generic, Self, TypeVar

from airflow_multicloud.core import cancellation, telemetry

T = TypeVar("T")

_BATCH = 500
_BATCHES = 4


class Ahead(Generic[T]):
    """A stream that a pool's thread reads while others are consumed; a context manager.

    At most a few thousand elements are held. What the stream raises is raised where it is
    consumed, in place of the batch that it broke.
    """

    def __init__(self, pool: Executor, stream: Iterator[T]) -> None:
        self._stream = stream
        self._ready: Queue[list[T] | BaseException] = Queue(_BATCHES)
        self._left = Event()
        telemetry.submit_in_context(pool, self._read)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Let the reader go: it puts at most one more batch, for which there is room."""
        self._left.set()
        with suppress(Empty):
            while True:
                self._ready.get_nowait()

    def __iter__(self) -> Iterator[T]:
        while batch := self._ready.get():
            if isinstance(batch, BaseException):
                raise batch
            yield from batch

    def _read(self) -> None:
        try:
            while not self._left.is_set():
                cancellation.check()
                batch = list(islice(self._stream, _BATCH))
                self._ready.put(batch)  # An empty one ends the stream.
                if not batch:
                    return
        except BaseException as err:  # noqa: BLE001 - raised by who consumes, who would wait else
            self._ready.put(err)
