"""One file per object: a line of JSON, then the content.

Attributes, digest and content appear together because they are one file, which is put in
place by one rename. The file's name is a hash of the key, so every key has a place: neither
slashes nor length nor the file system's own rules matter.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.object_store import Digests, ObjectAttributes, ObjectMeta, ObjectRef
from localdisk_multicloud._connection import failure, translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Buffer

_CHUNK = 1 << 20
#: Written, synced and renamed under the bucket's lock: one name is enough, and what a killed
#: process leaves behind is overwritten by the next.
INCOMING = ".incoming"


def path_of(directory: Path, key: str) -> Path:
    """Where an object lies."""
    return directory / hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()


def write(
    directory: Path, ref: ObjectRef, body: Buffer, attributes: ObjectAttributes, sha256: str
) -> ObjectMeta:
    """Put an object in place: whole, synced to the disk, and in one step."""
    meta = ObjectMeta(
        bucket=ref.bucket,
        key=ref.key,
        size=memoryview(body).nbytes,
        etag=secrets.token_hex(16),
        last_modified=datetime.now(UTC),
        digests=Digests(sha256=sha256),
        attributes=attributes,
    )
    incoming = directory / INCOMING
    with incoming.open("wb") as file:
        file.write(_header(meta))
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    incoming.replace(path_of(directory, ref.key))
    return meta


def read_meta(path: Path, bucket: str) -> ObjectMeta:
    """The first line of an object's file."""
    with path.open("rb") as file:
        return _meta(file, bucket)


def _header(meta: ObjectMeta) -> bytes:
    attributes = meta.attributes or ObjectAttributes()
    doc = {
        "key": meta.key,
        "size": meta.size,
        "etag": meta.etag,
        "modified": meta.last_modified.isoformat(),
        "sha256": meta.digests.sha256,
        # asdict can't copy a read-only mapping, which the default is.
        "attributes": asdict(replace(attributes, metadata=dict(attributes.metadata))),
    }
    return json.dumps(doc).encode() + b"\n"


def _meta(file: BinaryIO, bucket: str) -> ObjectMeta:
    try:
        doc = json.loads(file.readline())
        return ObjectMeta(
            bucket=bucket,
            key=doc["key"],
            size=doc["size"],
            etag=doc["etag"],
            last_modified=datetime.fromisoformat(doc["modified"]),
            digests=Digests(sha256=doc["sha256"]),
            attributes=ObjectAttributes(**doc["attributes"]),
        )
    except (ValueError, KeyError, TypeError) as err:
        raise failure(f"{file.name} is no object's file, or damaged", ErrorKind.INTEGRITY) from err


class FileBody:
    """The port's ``ObjectBody``: the file is open only while it is read."""

    def __init__(self, path: Path, meta: ObjectMeta, start: int, end: int) -> None:
        self._path = path
        self._meta = meta
        self._start = start
        self._end = end

    @property
    def meta(self) -> ObjectMeta:
        """The object these bytes belong to."""
        return self._meta

    def read(self) -> Buffer:
        """All bytes of the range."""
        return b"".join(self)

    def __iter__(self) -> Iterator[bytes]:
        """The bytes in chunks of 1 MiB.

        :raises StorageError: kind ``precondition_failed`` when the object was replaced since,
            ``integrity`` when the file is shorter than its first line says.
        """
        doing = f"reading {self._meta.key!r} in {self._meta.bucket!r}"
        left = self._end - self._start
        with translated(doing), self._path.open("rb") as file:
            if _meta(file, self._meta.bucket).etag != self._meta.etag:
                raise failure(f"{doing}: it was replaced", ErrorKind.PRECONDITION_FAILED)
            file.seek(self._start, os.SEEK_CUR)
            while left > 0 and (chunk := file.read(min(left, _CHUNK))):
                left -= len(chunk)
                yield chunk
        if left:
            raise failure(f"{doing}: {left} bytes are missing", ErrorKind.INTEGRITY)
