"""Object storage in memory: the port and every optional capability, kept to the letter."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow_multicloud.adapters.listed_pages import pages_of
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.labels import current_work
from airflow_multicloud.ports.object_store import (
    BucketMeta,
    ConditionKind,
    Digests,
    FittedAttributes,
    IfUnchanged,
    ObjectAttributes,
    ObjectBody,
    ObjectMeta,
    ObjectRef,
    PartLimits,
    SignedUrl,
    WriteOptions,
)
from airflow_multicloud.testing.memory_cloud.object_store.bodies import MemoryBody
from airflow_multicloud.testing.memory_cloud.object_store.keys import (
    LABELS,
    MOST_TAGS,
    check_attributes,
    check_ref,
    fail_if,
    fit_attributes,
    why_not_key,
    why_not_metadata_name,
    why_not_tag,
)
from airflow_multicloud.testing.memory_cloud.object_store.parts import MemoryParts
from airflow_multicloud.testing.memory_cloud.object_store.plain import MemoryPlainBucket
from airflow_multicloud.testing.memory_cloud.object_store.signing import signed_url
from airflow_multicloud.testing.memory_cloud.object_store.space import (
    DEFAULT_LIMITS,
    NO_DIGESTS,
    PLAIN,
    Bucket,
    failure,
    space,
    spaces,
    verify,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from typing_extensions import Buffer

    from airflow_multicloud.ports.object_store import ListedPage

_PAGE = 1000
_LONGEST_SIGNED = timedelta(days=7)  # as S3's and Cloud Storage's V4 signatures


def reset(conn_id: str | None = None, *, limits: PartLimits = DEFAULT_LIMITS) -> None:
    """Empty the space of ``conn_id`` (every space, when ``None``) and set its limits.

    Without a connection id, spaces made later have the default limits.
    """
    for held in spaces() if conn_id is None else (space(conn_id),):
        held.clear(limits)


class Hook(MemoryParts):
    """The object store of one connection id; every instance sees the same objects.

    Every bucket keeps versions.

    :param memory_conn_id: which space; the connection itself is never read.
    """

    conn_name_attr = "memory_conn_id"

    def __init__(self, memory_conn_id: str = "memory_default") -> None:
        self.memory_conn_id = memory_conn_id

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """The visible objects in pages of 1,000, by key."""
        held = space(self.memory_conn_id)
        after: str | None = None
        while True:
            with held.lock:
                current = held.bucket(bucket).current
                keys = sorted(k for k in current if k.startswith(prefix) and _later(k, after))
                page = [replace(current[key].meta, attributes=None) for key in keys[:_PAGE]]
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1].key

    def list_pages(self, bucket: str, prefix: str = "") -> Iterator[ListedPage]:
        """What ``list_objects`` lists."""
        return pages_of(self.list_objects(bucket, prefix))

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        """All there is to know but the bytes."""
        check_ref(ref, writing=False)
        held = space(self.memory_conn_id)
        with held.lock:
            return held.find(ref.bucket, ref.key, ref.version).meta

    def get_checked(self, ref: ObjectRef, *, if_etag: str | None = None) -> Iterator[Buffer]:
        """The bytes as they are: nothing alters them on the way."""
        return iter(self.get_object(ref, if_etag=if_etag))

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        """A snapshot of the bytes as they are now."""
        check_ref(ref, writing=False)
        held = space(self.memory_conn_id)
        with held.lock:
            stored = held.find(ref.bucket, ref.key, ref.version)
        meta = stored.meta
        if if_etag is not None and if_etag != meta.etag:
            raise failure(
                f"object {ref.key!r} has ETag {meta.etag}, not {if_etag}",
                ErrorKind.PRECONDITION_FAILED,
            )
        fail_if(
            start < 0 or (end is not None and end < start) or (start > 0 and start >= meta.size),
            f"object {ref.key!r} of {meta.size} bytes has no range {start}-{end}",
        )
        return MemoryBody(meta, memoryview(stored.content)[start:end])

    def put_object(
        self,
        ref: ObjectRef,
        body: Buffer,
        options: WriteOptions = PLAIN,
        *,
        digests: Digests = NO_DIGESTS,
    ) -> ObjectMeta:
        """Write one object, verified against every digest given."""
        check_ref(ref, writing=True)
        check_attributes(options.attributes)
        held = space(self.memory_conn_id)
        content = bytes(body)
        fail_if(
            len(content) > held.limits.put_limit,
            f"object {ref.key!r}: {len(content)} bytes are more than put_limit "
            f"({held.limits.put_limit})",
        )
        actual = verify(content, digests, f"object {ref.key!r}")
        return held.write(ref.bucket, ref.key, content, options, actual)

    def plain_bucket(self, bucket: str) -> MemoryPlainBucket:
        """The bucket, for objects that need nothing special."""
        return MemoryPlainBucket(self, bucket)

    def delete_object(self, ref: ObjectRef, *, condition: IfUnchanged | None = None) -> None:
        """Hide the object, or delete the named version for good."""
        check_ref(ref, writing=False)
        held = space(self.memory_conn_id)
        with held.lock:
            stored = held.find(ref.bucket, ref.key, ref.version)
            if condition is not None:
                held.check(ref.bucket, ref.key, condition)
            held.remove(stored, for_good=ref.version is not None)

    def stat_bucket(self, bucket: str) -> BucketMeta:
        """The bucket and where it was asked to be."""
        held = space(self.memory_conn_id)
        with held.lock:
            return BucketMeta(bucket, held.bucket(bucket).location)

    @property
    def write_conditions(self) -> frozenset[ConditionKind]:
        """Both kinds."""
        return frozenset(ConditionKind)

    def list_versions(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """Every version that was not deleted by its version."""
        held = space(self.memory_conn_id)
        with held.lock:
            metas = [
                replace(stored.meta, attributes=None)
                for key, versions in sorted(held.bucket(bucket).versions.items())
                if key.startswith(prefix)
                for stored in versions
            ]
        yield from metas

    def get_tags(self, ref: ObjectRef) -> Mapping[str, str]:
        """The tags."""
        held = space(self.memory_conn_id)
        with held.lock:
            return dict(held.find(ref.bucket, ref.key, ref.version).tags)

    def set_tags(self, ref: ObjectRef, tags: Mapping[str, str]) -> None:
        """Replace the tags."""
        held = space(self.memory_conn_id)
        with held.lock:
            stored = held.find(ref.bucket, ref.key, ref.version)
            held.replace(stored, replace(stored, tags=dict(tags)))

    def copy_within(
        self, source: ObjectRef, destination: ObjectRef, options: WriteOptions = PLAIN
    ) -> ObjectMeta:
        """Copy the object with its attributes, without its tags."""
        check_ref(source, writing=False)
        check_ref(destination, writing=True)
        held = space(self.memory_conn_id)
        with held.lock:
            stored = held.find(source.bucket, source.key, source.version)
            attributes = stored.meta.attributes or options.attributes
            return held.write(
                destination.bucket,
                destination.key,
                stored.content,
                replace(options, attributes=attributes),
                stored.meta.digests,
            )

    def sign_url(self, ref: ObjectRef, *, method: str, expires_in: timedelta) -> SignedUrl:
        """A URL of a server on loopback that lives as long as the process."""
        check_ref(ref, writing=method == "PUT")
        fail_if(method not in ("GET", "PUT"), f"method: {method!r}; allowed: GET, PUT")
        fail_if(
            not timedelta() < expires_in <= _LONGEST_SIGNED,
            f"expires_in: {expires_in}; allowed: more than 0, at most {_LONGEST_SIGNED}",
        )
        expires = time.time() + expires_in.total_seconds()
        url = signed_url(self.memory_conn_id, ref, method=method, expires=expires)
        return SignedUrl(url, datetime.fromtimestamp(expires, UTC))

    def ensure_bucket(self, bucket: str, *, location: str | None = None) -> bool:
        """Create the bucket, labelled, unless it exists."""
        fail_if(not bucket or "/" in bucket, f"bucket: {bucket!r} is not a bucket's name")
        held = space(self.memory_conn_id)
        with held.lock:
            if bucket in held.buckets:
                return False
            labels = current_work().lasting().labels(LABELS)
            held.buckets[bucket] = Bucket(bucket, location, labels)
            return True

    def list_buckets(self) -> Iterator[str]:
        """The connection's buckets."""
        held = space(self.memory_conn_id)
        with held.lock:
            names = [*held.buckets]
        return iter(names)

    def bucket_labels(self, bucket: str) -> Mapping[str, str]:
        """What the bucket was labelled with, as a bill would show it."""
        return space(self.memory_conn_id).bucket(bucket).labels

    def why_not_key(self, key: str) -> str | None:
        """Empty keys, lone surrogates, and more than 1,024 bytes."""
        return why_not_key(key)

    def why_not_metadata_name(self, name: str) -> str | None:
        """Anything but lower-case ASCII letters, digits, ``_``, ``.`` and ``-``."""
        return why_not_metadata_name(name)

    def fit_attributes(self, attributes: ObjectAttributes) -> FittedAttributes:
        """Printable ASCII, as it is."""
        return fit_attributes(attributes)

    def why_not_tag(self, name: str, value: str) -> str | None:
        """Anything but printable ASCII under a name."""
        return why_not_tag(name, value)

    @property
    def most_tags(self) -> int:
        """Ten."""
        return MOST_TAGS


def _later(key: str, after: str | None) -> bool:
    return after is None or key > after
