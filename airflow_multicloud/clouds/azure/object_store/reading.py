"""Reads: through obstore for the keys it can name, through the SDK's pipeline for others."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from airflow_multicloud.adapters import obstore as _obstore
from airflow_multicloud.adapters.attributes import decode_metadata
from airflow_multicloud.adapters.obstore import StreamedBody, is_plain_key, unreadable_headers
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.object_store.client import ObjectStoreBase
from airflow_multicloud.clouds.azure.object_store.errors import translated
from airflow_multicloud.clouds.azure.object_store.fields import (
    check_directory,
    described_object,
    hex_md5,
)
from airflow_multicloud.clouds.azure.object_store.keys import name_of
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectAttributes, ObjectBody, ObjectMeta

if TYPE_CHECKING:
    from azure.core.rest import HttpResponse
    from obstore import GetOptions
    from obstore.store import AzureStore
    from typing_extensions import Buffer

    from airflow_multicloud.clouds.azure.storage_account import StorageAccount
    from airflow_multicloud.ports.object_store import ObjectRef

_CHECKED = 4 << 20
_STANDARD = {
    "Content-Type": "content_type",
    "Content-Encoding": "content_encoding",
    "Content-Language": "content_language",
    "Content-Disposition": "content_disposition",
    "Cache-Control": "cache_control",
}


class BlobReads(ObjectStoreBase):
    """The port's ``stat_object`` and ``get_object``, and ``CheckedReads``."""

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        """One blob's properties; of its MD5 the same holds as in a listing."""
        return self._describe(ref, f"stat {name_of(ref)}")

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        """Read a blob or a range of it, as stored.

        :raises StorageError: kind ``unsupported`` for a blob in the archive tier; kind
            ``invalid_argument`` for a range outside the blob.
        """
        doing = f"get {name_of(ref)}"
        if end is not None and end <= start:
            return self._no_bytes(ref, if_etag, doing)
        try:
            store = self.account.store(ref.bucket) if is_plain_key(ref.key) else None
            if store is not None:
                try:
                    return read_by_obstore(store, ref, start, end, if_etag, doing)
                except StorageError as err:
                    if not unreadable_headers(err):
                        raise
            return read_by_pipeline(self.account, ref, start, end, if_etag, doing)
        except StorageError as err:
            # No range of an empty blob can be satisfied (RFC 9110, section 14.1.2).
            if err.code != "InvalidRange" or start:
                raise
            return self._no_bytes(ref, if_etag, doing)

    def get_checked(self, ref: ObjectRef, *, if_etag: str | None = None) -> Iterator[Buffer]:
        """Read a whole blob, each 4 MiB of it with the service's own MD5."""
        return read_checked(self.account, ref, if_etag, f"get {name_of(ref)}")

    def _no_bytes(self, ref: ObjectRef, if_etag: str | None, doing: str) -> NoBytes:
        meta = self._describe(ref, doing)
        check_etag(meta, if_etag, doing)
        return NoBytes(meta)


def read_by_obstore(
    store: AzureStore,
    ref: ObjectRef,
    start: int,
    end: int | None,
    if_etag: str | None,
    doing: str,
) -> ObjectBody:
    """A read of a plain key."""
    options: GetOptions = {}
    if if_etag is not None:
        options["if_match"] = f'"{if_etag}"'
    if ref.version is not None:
        options["version"] = ref.version
    if end is not None:
        options["range"] = (start, end)
    elif start:
        options["range"] = {"offset": start}
    with translated(doing):
        result = _obstore.get(store, ref.key, options, cloud=NAME, doing=doing)
    raw = result.attributes
    metadata = decode_metadata({str(n): v for n, v in raw.items() if n not in _STANDARD})
    check_directory(ref, result.meta["size"], metadata)
    standard = {field: raw[name] for name, field in _STANDARD.items() if name in raw}
    meta = ObjectMeta(
        bucket=ref.bucket,
        key=ref.key,
        size=result.meta["size"],
        etag=(result.meta["e_tag"] or "").strip('"'),
        last_modified=result.meta["last_modified"],
        version=result.meta["version"] or ref.version,
        attributes=ObjectAttributes(metadata=metadata, **standard),
    )
    check_etag(meta, if_etag, doing)
    length = _span(meta, start, end)
    return StreamedBody(result, meta, length=length, cloud=NAME, doing=doing)


def read_by_pipeline(
    account: StorageAccount,
    ref: ObjectRef,
    start: int,
    end: int | None,
    if_etag: str | None,
    doing: str,
) -> ObjectBody:
    """A read of a key that obstore can't name."""
    headers = {}
    if start or end is not None:
        headers["x-ms-range"] = f"bytes={start}-{'' if end is None else end - 1}"
    if if_etag is not None:
        headers["If-Match"] = f'"{if_etag}"'
    params = {"versionid": ref.version} if ref.version else {}
    with translated(doing):
        url = account.service.get_blob_client(ref.bucket, ref.key).url
        response = account.send("GET", url, params=params, headers=headers, stream=True)
    try:
        meta = described_object(ref, response.headers, doing)
    except StorageError:
        response.close()
        raise
    check_etag(meta, if_etag, doing)
    if start and start >= meta.size:
        raise StorageError(
            f"{doing}: start={start} is not below the size {meta.size}",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=NAME,
        )
    return _PipelineBody(response, meta, length=_span(meta, start, end), doing=doing)


def read_checked(
    account: StorageAccount, ref: ObjectRef, if_etag: str | None, doing: str
) -> Iterator[bytes]:
    """A whole blob in ranges, each compared with the MD5 that the service computes over it.

    "Get Blob" does so for ranges of 4 MiB at most
    (https://learn.microsoft.com/rest/api/storageservices/get-blob#request-headers). The first
    range is one byte: of a range that is the whole blob, a server may tell the declared MD5.
    """
    start, size, length, etag = 0, 1, 1, if_etag
    params = {"versionid": ref.version} if ref.version else {}
    while start < size:
        headers = {
            "x-ms-range": f"bytes={start}-{start + length - 1}",
            "x-ms-range-get-content-md5": "true",
        }
        if etag is not None:
            headers["If-Match"] = f'"{etag}"'
        try:
            with translated(doing):
                url = account.service.get_blob_client(ref.bucket, ref.key).url
                response = account.send("GET", url, params=params, headers=headers, stream=True)
                chunk = b"".join(response.iter_raw())
        except StorageError as err:
            if err.code == "InvalidRange" and not start:
                return  # No range of an empty blob can be satisfied.
            raise
        meta = described_object(ref, response.headers, doing)
        check_etag(meta, etag, doing)
        size, etag = meta.size, meta.etag
        told = hex_md5(response.headers.get("Content-MD5"))
        if told != hashlib.md5(chunk, usedforsecurity=False).hexdigest():
            raise StorageError(
                f"{doing}: bytes {start} to {start + len(chunk)} are not those that the service's "
                "MD5 of them is of",
                kind=ErrorKind.INTEGRITY,
                cloud=NAME,
            )
        yield chunk
        start, length = start + len(chunk), _CHECKED


def check_etag(meta: ObjectMeta, if_etag: str | None, doing: str) -> None:
    """Compare what a response says, should a store have ignored the condition."""
    if if_etag is not None and meta.etag != if_etag:
        raise StorageError(
            f"{doing}: the object's ETag is {meta.etag}, not {if_etag}",
            kind=ErrorKind.PRECONDITION_FAILED,
            cloud=NAME,
        )


def _span(meta: ObjectMeta, start: int, end: int | None) -> int:
    return min(meta.size, meta.size if end is None else end) - start


class NoBytes:
    """A read of no bytes."""

    def __init__(self, meta: ObjectMeta) -> None:
        self._meta = meta

    @property
    def meta(self) -> ObjectMeta:
        """The object."""
        return self._meta

    def read(self) -> Buffer:
        """No bytes."""
        return b""

    def __iter__(self) -> Iterator[Buffer]:
        """No chunks."""
        return iter(())


class _PipelineBody:
    def __init__(
        self, response: HttpResponse, meta: ObjectMeta, *, length: int, doing: str
    ) -> None:
        self._response = response
        self._meta = meta
        self._length = length
        self._doing = doing

    @property
    def meta(self) -> ObjectMeta:
        return self._meta

    def read(self) -> Buffer:
        return b"".join(self)

    def __iter__(self) -> Iterator[bytes]:
        seen = 0
        chunks = iter(self._response.iter_raw())
        while True:
            with translated(self._doing):
                chunk = next(chunks, None)
            if chunk is None:
                break
            seen += len(chunk)
            yield chunk
        if seen != self._length:
            raise StorageError(
                f"{self._doing}: {seen} of {self._length} bytes arrived",
                kind=ErrorKind.INTEGRITY,
                cloud=NAME,
            )
