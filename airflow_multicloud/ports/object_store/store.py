"""What every cloud's object store can do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from airflow_multicloud.ports.object_store.options import IfUnchanged, WriteOptions
from airflow_multicloud.ports.object_store.values import BucketMeta, Digests, ObjectMeta, ObjectRef

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc.Buffer from Python 3.12 on


class ObjectBody(Protocol):
    """The bytes of one ranged or whole read, consumed once."""

    @property
    def meta(self) -> ObjectMeta:
        """The object these bytes belong to; ``size`` is the whole object's."""
        ...

    def read(self) -> Buffer:
        """All bytes of the range.

        A stream that ends early raises kind ``integrity`` or ``unavailable``, as the store's
        client noticed it: a retryable kind in any case. Iterating does the same.
        """
        ...

    def __iter__(self) -> Iterator[Buffer]:
        """The bytes in chunks of the store's choosing (at most a few MiB each)."""
        ...


class ObjectStore(Protocol):
    """What every cloud's object store can do."""

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """Every object whose key starts with ``prefix``, page by page, lazily.

        Order is the store's. Costs one request per page, never one per object. Raises kind
        ``not_found`` when the bucket does not exist.
        """
        ...

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        """One object's metadata, with attributes and every digest the store reports."""
        ...

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        """Read bytes ``start`` up to (not including) ``end``, as stored.

        A read of the whole object tells its attributes, as a stat does; a read of a range may
        leave them out.

        Never decompressed, whatever ``Content-Encoding`` says. A zero-byte object and an
        empty range read as no bytes; a ``start`` at or past the end of any other object is
        kind ``invalid_argument``.

        :param if_etag: fail with kind ``precondition_failed`` when the object is another by
            now; hooks also compare what the response says, for stores that ignore the
            condition.
        """
        ...

    def put_object(
        self,
        ref: ObjectRef,
        body: Buffer,
        options: WriteOptions = ...,
        *,
        digests: Digests = ...,
    ) -> ObjectMeta:
        """Write one object in one atomic request (at most ``put_limit`` bytes).

        :param digests: what the caller computed over ``body``; the hook hands the store the
            one it verifies, and a mismatch raises kind ``integrity``.
        :return: size, ETag, version, and the digests the store reported, if any.
            ``last_modified`` may be the client's clock.
        """
        ...

    def delete_object(self, ref: ObjectRef, *, condition: IfUnchanged | None = None) -> None:
        """Delete one object; kind ``not_found`` when there is none, or no such bucket.

        :param condition: delete only this very object (else kind ``precondition_failed``).
        """
        ...

    def stat_bucket(self, bucket: str) -> BucketMeta:
        """That the bucket exists and may be read; kind ``not_found`` when it does not."""
        ...
