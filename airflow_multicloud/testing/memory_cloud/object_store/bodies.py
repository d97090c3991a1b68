"""The bytes of one read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.testing.memory_cloud.object_store.keys import fail_if

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Buffer

    from airflow_multicloud.ports.object_store import ObjectMeta

_CHUNK = 1 << 20


class MemoryBody:
    """The port's ``ObjectBody``; a second reading is refused."""

    def __init__(self, meta: ObjectMeta, content: memoryview) -> None:
        self._meta = meta
        self._content = content
        self._consumed = False

    @property
    def meta(self) -> ObjectMeta:
        """The object these bytes belong to."""
        return self._meta

    def read(self) -> Buffer:
        """All bytes of the range."""
        self._consume()
        return bytes(self._content)

    def __iter__(self) -> Iterator[Buffer]:
        """The bytes in chunks of 1 MiB."""
        self._consume()
        for start in range(0, len(self._content), _CHUNK):
            yield bytes(self._content[start : start + _CHUNK])

    def _consume(self) -> None:
        fail_if(self._consumed, f"object {self._meta.key!r}: its body was read before")
        self._consumed = True
