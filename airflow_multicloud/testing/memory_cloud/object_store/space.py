"""What the in-memory cloud keeps: buckets, versions of objects, uploads under way."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING

from airflow_multicloud.adapters.digests import digests_of
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    Digests,
    IfAbsent,
    IfUnchanged,
    ObjectMeta,
    Part,
    PartLimits,
    WriteOptions,
)
from airflow_multicloud.testing.memory_cloud import NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_multicloud.ports.object_store import PartUpload, WriteCondition

_MIB = 1 << 20

#: Small enough for a test to cross, and no smallest part.
DEFAULT_LIMITS = PartLimits(
    put_limit=_MIB, min_part=0, max_part=64 * _MIB, max_parts=10_000, max_object=640_000 * _MIB
)

PLAIN = WriteOptions()
NO_DIGESTS = Digests()


def failure(message: str, kind: ErrorKind) -> StorageError:
    """An error of this cloud."""
    return StorageError(message, kind=kind, cloud=NAME)


def verify(content: bytes, given: Digests, what: str) -> Digests:
    """The digests of ``content``; kind ``integrity`` when any that was given differs."""
    actual = digests_of(content)
    for name in ("crc32c", "md5", "sha256"):
        expected = getattr(given, name)
        if expected is not None and expected != getattr(actual, name):
            raise failure(
                f"{what}: {name} is {getattr(actual, name)}, but {expected} was given",
                ErrorKind.INTEGRITY,
            )
    return actual


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """One version of one object."""

    meta: ObjectMeta
    content: bytes
    tags: Mapping[str, str]


@dataclass(slots=True)
class StoredUpload:
    """One upload under way: number → the part and its bytes."""

    upload: PartUpload
    options: WriteOptions
    parts: dict[int, tuple[Part, bytes]] = field(default_factory=dict)


@dataclass(slots=True)
class Bucket:
    """One bucket; ``versions`` are oldest first, ``current`` names each key's visible one."""

    name: str
    location: str | None
    labels: Mapping[str, str] = field(default_factory=dict)
    versions: dict[str, list[StoredObject]] = field(default_factory=dict)
    current: dict[str, StoredObject] = field(default_factory=dict)
    uploads: dict[str, StoredUpload] = field(default_factory=dict)


class Space:
    """All buckets of one connection id. ``lock`` guards everything in it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.limits = DEFAULT_LIMITS
        self.buckets: dict[str, Bucket] = {}
        self._serial = count(1)

    def clear(self, limits: PartLimits) -> None:
        """Forget everything; from now on these limits hold."""
        with self.lock:
            self.buckets.clear()
            self.limits = limits

    def next_serial(self) -> int:
        """A number never given before."""
        return next(self._serial)

    def bucket(self, name: str) -> Bucket:
        """The bucket; kind ``not_found`` when there is none."""
        try:
            return self.buckets[name]
        except KeyError:
            raise failure(f"bucket {name!r} does not exist", ErrorKind.NOT_FOUND) from None

    def find(self, bucket: str, key: str, version: str | None = None) -> StoredObject:
        """The visible object, or that version of it; kind ``not_found`` when there is none."""
        held = self.bucket(bucket)
        if version is None:
            if (current := held.current.get(key)) is not None:
                return current
        else:
            for stored in held.versions.get(key, []):
                if stored.meta.version == version:
                    return stored
        raise failure(
            f"object {key!r} (version {version}) is not in bucket {bucket!r}", ErrorKind.NOT_FOUND
        )

    def check(self, bucket: str, key: str, condition: WriteCondition | None) -> None:
        """Raise unless the condition holds for what is visible now."""
        current = self.bucket(bucket).current.get(key)
        if isinstance(condition, IfAbsent) and current is not None:
            raise failure(
                f"object {key!r} already exists in bucket {bucket!r}", ErrorKind.ALREADY_EXISTS
            )
        if isinstance(condition, IfUnchanged) and not (
            current is not None
            and current.meta.etag == condition.etag
            and condition.version in (None, current.meta.version)
        ):
            raise failure(
                f"object {key!r} in bucket {bucket!r} is not the expected one (ETag "
                f"{condition.etag})",
                ErrorKind.PRECONDITION_FAILED,
            )

    def write(
        self, bucket: str, key: str, content: bytes, options: WriteOptions, digests: Digests
    ) -> ObjectMeta:
        """Make ``content`` the visible object, if the condition of ``options`` holds."""
        with self.lock:
            held = self.bucket(bucket)
            self.check(bucket, key, options.condition)
            serial = self.next_serial()
            meta = ObjectMeta(
                bucket=bucket,
                key=key,
                size=len(content),
                # Not the MD5: nothing may take an ETag for a digest.
                etag=f"etag-{serial}",
                version=str(serial),
                last_modified=datetime.now(UTC),
                digests=digests,
                attributes=options.attributes,
                storage_class=options.storage_class or "STANDARD",
            )
            stored = StoredObject(meta=meta, content=content, tags={})
            held.versions.setdefault(key, []).append(stored)
            held.current[key] = stored
            return meta

    def replace(self, old: StoredObject, new: StoredObject) -> None:
        """Put ``new`` in the place of ``old``, the same version of the same object."""
        held = self.bucket(old.meta.bucket)
        key = old.meta.key
        held.versions[key] = [new if v is old else v for v in held.versions[key]]
        if held.current.get(key) is old:
            held.current[key] = new

    def remove(self, stored: StoredObject, *, for_good: bool) -> None:
        """Hide the object; when ``for_good``, forget this version, showing the one before."""
        held = self.bucket(stored.meta.bucket)
        key = stored.meta.key
        if not for_good:
            del held.current[key]
            return
        held.versions[key] = [v for v in held.versions[key] if v is not stored]
        if held.current.get(key) is stored:
            del held.current[key]
            if held.versions[key]:
                held.current[key] = held.versions[key][-1]
        if not held.versions[key]:
            del held.versions[key]


_spaces: dict[str, Space] = {}
_spaces_lock = threading.Lock()


def space(conn_id: str) -> Space:
    """The one space of this connection id."""
    with _spaces_lock:
        return _spaces.setdefault(conn_id, Space())


def spaces() -> Iterable[Space]:
    """Every space there is."""
    with _spaces_lock:
        return list(_spaces.values())
