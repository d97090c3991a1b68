"""One file per object: a line of JSON, then the content.

Attributes, digest and content appear together because they are one file, which is put in
place by one rename. The file's name is a hash of the key, so every key has a place: neither
slashes nor length nor the file system's own rules matter.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from airflow_multicloud.adapters.bodies import StreamedBody
from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.object_store import (
    Digests,
    ObjectAttributes,
    ObjectBody,
    ObjectMeta,
    ObjectRef,
)
from localdisk_multicloud import NAME
from localdisk_multicloud.errors import failure, translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Buffer

_CHUNK = 1 << 20
#: Written, synced and renamed under the bucket's lock: one name is enough, and what a killed
#: process leaves behind is overwritten by the next.
INCOMING = ".incoming"


def path_of(directory: Path, key: str) -> Path:
    """Where an object lies."""
    return directory / sha256_of(key.encode(errors="surrogatepass"))


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


def read_body(path: Path, meta: ObjectMeta, start: int, end: int) -> ObjectBody:
    """The port's ``ObjectBody``; the file is open only while it is read.

    Reading raises kind ``precondition_failed`` when the object was replaced since ``meta``, and
    ``integrity`` when the file is shorter than its first line says.
    """
    doing = f"reading {meta.key!r} in {meta.bucket!r}"

    def chunks() -> Iterator[bytes]:
        with path.open("rb") as file:
            if _meta(file, meta.bucket).etag != meta.etag:
                raise failure(f"{doing}: it was replaced", ErrorKind.PRECONDITION_FAILED)
            file.seek(start, os.SEEK_CUR)
            left = end - start
            while left > 0 and (chunk := file.read(min(left, _CHUNK))):
                left -= len(chunk)
                yield chunk

    return StreamedBody(
        meta, chunks, length=end - start, doing=doing, cloud=NAME, translated=translated
    )
