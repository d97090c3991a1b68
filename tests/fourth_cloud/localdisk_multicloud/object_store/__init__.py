"""Directories as buckets: the object store port, conditions, bucket creation, key rules."""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_multicloud.adapters.digests import check_digests, sha256_of
from airflow_multicloud.adapters.names import store_name
from airflow_multicloud.adapters.reading import check_etag, check_start, span
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    BucketCreation,
    BucketMeta,
    ConditionalWrites,
    ConditionKind,
    Digests,
    IfAbsent,
    IfUnchanged,
    KeyRules,
    ObjectBody,
    ObjectMeta,
    ObjectRef,
    ObjectStore,
    StoreName,
    WriteCondition,
    WriteOptions,
)
from localdisk_multicloud import NAME
from localdisk_multicloud.errors import failure, translated
from localdisk_multicloud.object_store.files import INCOMING, path_of, read_body, read_meta, write
from localdisk_multicloud.session import LocalDiskHook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Buffer

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,62}")
_LONGEST_KEY = 1024


class LocalDiskStore(LocalDiskHook):
    """Objects in directories below the connection's ``root``."""

    @property
    def store_name(self) -> str:
        """The directory: each connection may have another one, with buckets of its own."""
        return store_name(f"disk://{self.root}")

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """Every object, in no order; each costs reading one line of its file."""
        directory = self._directory(bucket)
        with translated(f"listing {bucket!r}"):
            paths = [path for path in directory.iterdir() if path.name != INCOMING]
        for path in paths:
            try:
                with translated(f"listing {bucket!r}"):
                    meta = read_meta(path, bucket)
            except StorageError as err:
                if err.kind is not ErrorKind.NOT_FOUND:
                    raise
                continue  # It was deleted meanwhile.
            if meta.key.startswith(prefix):
                yield meta

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        """What the first line of the object's file says."""
        return self._found(self._directory(ref.bucket), ref)

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        """Read a range of the object as it is now."""
        directory = self._directory(ref.bucket)
        meta = self._found(directory, ref)
        doing = f"reading {ref.key!r} in {ref.bucket!r}"
        check_etag(meta, if_etag, doing, cloud=NAME)
        if end is None or end > start:
            check_start(start, meta.size, doing, cloud=NAME)
        length = span(meta.size, start, end)
        return read_body(path_of(directory, ref.key), meta, start, start + length)

    def put_object(
        self,
        ref: ObjectRef,
        body: Buffer,
        options: WriteOptions = WriteOptions(),
        *,
        digests: Digests = Digests(),
    ) -> ObjectMeta:
        """Write one object; its SHA-256 is verified, kept, and reported from then on."""
        if reason := self.why_not_key(ref.key):
            raise failure(f"key {ref.key!r}: {reason}", ErrorKind.INVALID_ARGUMENT)
        for name in ("storage_class", "encryption_key"):
            if getattr(options, name) is not None:
                raise failure(f"{name}: a local disk has none", ErrorKind.INVALID_ARGUMENT)
        doing = f"writing {ref.key!r}"
        check_digests(body, digests, doing, cloud=NAME)
        with self._locked(ref.bucket) as directory, translated(doing):
            self._check(directory, ref, options.condition)
            return write(directory, ref, body, options.attributes, sha256_of(body))

    def delete_object(self, ref: ObjectRef, *, condition: IfUnchanged | None = None) -> None:
        """Delete one object."""
        with self._locked(ref.bucket) as directory, translated(f"deleting {ref.key!r}"):
            self._found(directory, ref)
            self._check(directory, ref, condition)
            path_of(directory, ref.key).unlink()

    def stat_bucket(self, bucket: str) -> BucketMeta:
        """That the directory is there."""
        self._directory(bucket)
        return BucketMeta(bucket)

    @property
    def write_conditions(self) -> frozenset[ConditionKind]:
        """Both: writers to one bucket take turns, in this process and in others."""
        return frozenset(ConditionKind)

    def ensure_bucket(self, bucket: str, *, location: str | None = None) -> bool:
        """Make the directory unless it exists."""
        if location is not None:
            raise failure(f"location: {location!r}; a disk has none", ErrorKind.INVALID_ARGUMENT)
        path = self._path(bucket)
        with translated(f"creating {bucket!r}"):
            try:
                path.mkdir()
            except FileExistsError:
                return False
        return True

    def why_not_key(self, key: str) -> str | None:
        """Empty keys, more than 1,024 bytes of UTF-8 (as elsewhere), and what is no Unicode."""
        try:
            size = len(key.encode())
        except UnicodeEncodeError:
            return "it has a lone surrogate"
        return None if 0 < size <= _LONGEST_KEY else f"it has {size} bytes, not 1 to {_LONGEST_KEY}"

    def _path(self, bucket: str) -> Path:
        # Also keeps ".." and "/" out of the path.
        if not _BUCKET.fullmatch(bucket):
            raise failure(
                f"bucket: {bucket!r} is no name of a bucket; expected 2 to 63 of a-z, 0-9, '.', "
                "'_' and '-', a letter or digit first",
                ErrorKind.INVALID_ARGUMENT,
            )
        return self.root / bucket

    def _directory(self, bucket: str) -> Path:
        path = self._path(bucket)
        if not path.is_dir():
            raise failure(f"there is no bucket {bucket!r}", ErrorKind.NOT_FOUND)
        return path

    @contextmanager
    def _locked(self, bucket: str) -> Iterator[Path]:
        """The bucket's directory, for one writer at a time."""
        directory = self._directory(bucket)
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield directory
        finally:
            os.close(descriptor)  # which releases the lock

    def _found(self, directory: Path, ref: ObjectRef) -> ObjectMeta:
        if ref.version is not None:
            raise failure(
                f"{ref.key!r}: version {ref.version!r}; a disk keeps no versions",
                ErrorKind.NOT_FOUND,
            )
        with translated(f"object {ref.key!r} in {ref.bucket!r}"):
            return read_meta(path_of(directory, ref.key), ref.bucket)

    def _check(self, directory: Path, ref: ObjectRef, condition: WriteCondition | None) -> None:
        if condition is None:
            return
        there = path_of(directory, ref.key)
        etag = read_meta(there, ref.bucket).etag if there.exists() else None
        if isinstance(condition, IfAbsent):
            if etag is not None:
                raise failure(f"{ref.key!r} exists", ErrorKind.ALREADY_EXISTS)
        elif etag != condition.etag:
            raise failure(
                f"{ref.key!r} has ETag {etag}, not {condition.etag}", ErrorKind.PRECONDITION_FAILED
            )


#: What the registry makes for connections of this cloud; a type checker proves that it fits.
Hook: type[ObjectStore] = LocalDiskStore

if TYPE_CHECKING:
    _CAPABILITIES: tuple[
        type[ConditionalWrites], type[BucketCreation], type[KeyRules], type[StoreName]
    ] = (LocalDiskStore,) * 4
