"""A store around another one, for drills to change single verbs of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_multicloud.ports.object_store import (
    BucketMeta,
    Digests,
    IfUnchanged,
    ObjectBody,
    ObjectMeta,
    ObjectRef,
    ObjectStore,
    WriteOptions,
)

if TYPE_CHECKING:
    from typing_extensions import Buffer


@dataclass(frozen=True, slots=True)
class PassingStore:
    """A store that passes every verb of the port through, and has no optional capability."""

    inner: ObjectStore

    def before_each(self) -> None:
        """What is done at each call first; nothing here."""

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """As the port's."""
        self.before_each()
        return self.inner.list_objects(bucket, prefix)

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        """As the port's."""
        self.before_each()
        return self.inner.stat_object(ref)

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        """As the port's."""
        self.before_each()
        return self.inner.get_object(ref, start=start, end=end, if_etag=if_etag)

    def put_object(
        self,
        ref: ObjectRef,
        body: Buffer,
        options: WriteOptions = WriteOptions(),
        *,
        digests: Digests = Digests(),
    ) -> ObjectMeta:
        """As the port's."""
        self.before_each()
        return self.inner.put_object(ref, body, options, digests=digests)

    def delete_object(self, ref: ObjectRef, *, condition: IfUnchanged | None = None) -> None:
        """As the port's."""
        self.before_each()
        self.inner.delete_object(ref, condition=condition)

    def stat_bucket(self, bucket: str) -> BucketMeta:
        """As the port's."""
        self.before_each()
        return self.inner.stat_bucket(bucket)
