"""Small plain objects of the memory cloud: its ordinary verbs, with every failure declined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from airflow_multicloud.errors import CloudError
from airflow_multicloud.ports.object_store import (
    ObjectRef,
    ObjectStore,
    PlainAsked,
    PlainRead,
    PlainWrite,
    PlainWritten,
    WriteOptions,
)


class MemoryPlainBucket:
    """Fits ``PlainBucket``."""

    def __init__(self, store: ObjectStore, bucket: str) -> None:
        self._store = store
        self._bucket = bucket

    def read_all(self, asked: Sequence[PlainAsked]) -> Sequence[PlainRead | None]:
        """The objects that are these very ones."""
        return [self.read(one) for one in asked]

    def write_all(self, writes: Sequence[PlainWrite]) -> Sequence[PlainWritten | None]:
        """Write them, if that goes at once."""
        return [self.write(one) for one in writes]

    def read(self, asked: PlainAsked) -> PlainRead | None:
        """One object."""
        key, size, etag, version = asked
        try:
            found = self._store.get_object(ObjectRef(self._bucket, key, version), if_etag=etag)
            if found.meta.size != size or found.meta.attributes is None:
                return None
            body = found.read()
        except CloudError:
            return None
        same = memoryview(body).nbytes == size
        return PlainRead(body, found.meta.attributes) if same else None

    def write(self, write: PlainWrite) -> PlainWritten | None:
        """One object."""
        key, body, attributes, metadata, condition = write
        attributes = replace(attributes, metadata={**attributes.metadata, **metadata})
        options = WriteOptions(attributes=attributes, condition=condition)
        try:
            written = self._store.put_object(ObjectRef(self._bucket, key), body, options)
        except CloudError:
            return None
        return PlainWritten(written.etag, written.version, written.digests)
