"""Bodies of objects that are read: the port's ``ObjectBody``, whatever the bytes come through."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from airflow_multicloud.errors import ErrorKind, StorageError

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from airflow_multicloud.ports.object_store import ObjectMeta


class EmptyBody:
    """No bytes: a zero-byte object, or a range without bytes."""

    def __init__(self, meta: ObjectMeta) -> None:
        self._meta = meta

    @property
    def meta(self) -> ObjectMeta:
        """The object that was read."""
        return self._meta

    def read(self) -> Buffer:
        """No bytes."""
        return b""

    def __iter__(self) -> Iterator[Buffer]:
        """No chunks."""
        return iter(())


class StreamedBody:
    """Bytes as they arrive: errors that come late are translated, and none may be missing.

    :param chunks: opens the stream; called once, when the first chunk is wanted.
    :param length: how many bytes must arrive.
    :param doing: the call and what it is about, for errors.
    :param translated: turns the SDK's exceptions into this package's, as a context.
    :param whole: reads all bytes at once, where that is faster than joining chunks.
    :param close: gives the connection back, however reading ends.
    """

    def __init__(
        self,
        meta: ObjectMeta,
        chunks: Callable[[], Iterable[Buffer]],
        *,
        length: int,
        doing: str,
        cloud: str,
        translated: Callable[[str], AbstractContextManager[None]],
        whole: Callable[[], Buffer] | None = None,
        close: Callable[[], object] = lambda: None,
    ) -> None:
        self._meta = meta
        self._chunks = chunks
        self._length = length
        self._doing = doing
        self._cloud = cloud
        self._translated = translated
        self._whole = whole
        self._close = close

    @property
    def meta(self) -> ObjectMeta:
        """The object these bytes belong to."""
        return self._meta

    def read(self) -> Buffer:
        """All bytes of the range.

        :raises StorageError: kind ``integrity`` when bytes are missing.
        """
        if self._whole is None:
            # Joining the chunks would take their memory twice.
            joined, seen = bytearray(self._length), 0
            for chunk in self:
                start, seen = seen, seen + memoryview(chunk).nbytes
                joined[start:seen] = memoryview(chunk)
            return joined
        try:
            with self._translated(self._doing):
                data = self._whole()
        finally:
            self._close()
        self._check(memoryview(data).nbytes)
        return data

    def __iter__(self) -> Iterator[Buffer]:
        """The bytes in chunks as they arrive.

        :raises StorageError: kind ``integrity`` when bytes are missing.
        """
        seen = 0
        try:
            with self._translated(self._doing):
                stream = iter(self._chunks())
            while True:
                with self._translated(self._doing):
                    chunk = next(stream, None)
                if chunk is None:
                    break
                seen += memoryview(chunk).nbytes
                yield chunk
        finally:
            self._close()
        self._check(seen)

    def close(self) -> None:
        """Give the connection back without reading."""
        self._close()

    def _check(self, got: int) -> None:
        if got != self._length:
            raise StorageError(
                f"{self._doing}: {got} of {self._length} bytes arrived",
                kind=ErrorKind.INTEGRITY,
                cloud=self._cloud,
            )
