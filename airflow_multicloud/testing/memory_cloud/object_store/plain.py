"""Small plain objects of the memory cloud: its ordinary verbs, with every failure declined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_multicloud.errors import CloudError
from airflow_multicloud.ports.object_store import (
    ObjectAttributes,
    ObjectRef,
    ObjectStore,
    PlainRead,
    PlainWritten,
    WriteCondition,
    WriteOptions,
)

if TYPE_CHECKING:
    from typing_extensions import Buffer


class MemoryPlainBucket:
    """Fits ``PlainBucket``."""

    def __init__(self, store: ObjectStore, bucket: str) -> None:
        self._store = store
        self._bucket = bucket

    def read(self, key: str, *, size: int, etag: str, version: str | None) -> PlainRead | None:
        """The object, if it is this very one."""
        try:
            found = self._store.get_object(ObjectRef(self._bucket, key, version), if_etag=etag)
            if found.meta.size != size or found.meta.attributes is None:
                return None
            body = found.read()
        except CloudError:
            return None
        same = memoryview(body).nbytes == size
        return PlainRead(body, found.meta.attributes) if same else None

    def write(
        self,
        key: str,
        body: Buffer,
        attributes: ObjectAttributes,
        *,
        metadata: Mapping[str, str],
        condition: WriteCondition | None,
    ) -> PlainWritten | None:
        """Write it, if that goes at once."""
        attributes = replace(attributes, metadata={**attributes.metadata, **metadata})
        options = WriteOptions(attributes=attributes, condition=condition)
        try:
            written = self._store.put_object(ObjectRef(self._bucket, key), body, options)
        except CloudError:
            return None
        return PlainWritten(written.etag, written.version, written.digests)
