"""Reads: through obstore for the keys it can name, through the SDK's pipeline for others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from airflow_multicloud.adapters import obstore as _obstore
from airflow_multicloud.adapters.attributes import decode_metadata
from airflow_multicloud.adapters.bodies import EmptyBody, StreamedBody
from airflow_multicloud.adapters.digests import md5_of
from airflow_multicloud.adapters.obstore import (
    body_of,
    get_options,
    is_plain_key,
    unreadable_headers,
)
from airflow_multicloud.adapters.reading import byte_range, check_etag, check_start, span
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
        doing = f"reading {name_of(ref)}"
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
        return read_checked(self.account, ref, if_etag, f"reading {name_of(ref)}")

    def _no_bytes(self, ref: ObjectRef, if_etag: str | None, doing: str) -> EmptyBody:
        meta = self._describe(ref, doing)
        check_etag(meta, if_etag, doing, cloud=NAME)
        return EmptyBody(meta)


def read_by_obstore(
    store: AzureStore,
    ref: ObjectRef,
    start: int,
    end: int | None,
    if_etag: str | None,
    doing: str,
) -> ObjectBody:
    """A read of a plain key."""
    if_match = None if if_etag is None else f'"{if_etag}"'
    options = get_options(start, end, version=ref.version, if_match=if_match)
    with translated(doing):
        result = _obstore.get(store, ref.key, options, cloud=NAME, doing=doing)
    attributes = attributes_of({str(n): v for n, v in result.attributes.items()})
    check_directory(ref, result.meta["size"], attributes.metadata)
    meta = ObjectMeta(
        bucket=ref.bucket,
        key=ref.key,
        size=result.meta["size"],
        etag=(result.meta["e_tag"] or "").strip('"'),
        last_modified=result.meta["last_modified"],
        version=result.meta["version"] or ref.version,
        attributes=attributes,
    )
    check_etag(meta, if_etag, doing, cloud=NAME)
    length = span(meta.size, start, end)
    return body_of(result, meta, length=length, cloud=NAME, doing=doing)


def attributes_of(raw: Mapping[str, str]) -> ObjectAttributes:
    """The attributes that came with an obstore read."""
    metadata = decode_metadata({n: v for n, v in raw.items() if n not in _STANDARD})
    standard = {field: raw[name] for name, field in _STANDARD.items() if name in raw}
    return ObjectAttributes(metadata=metadata, **standard)


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
    if (wanted := byte_range(start, end)) is not None:
        headers["x-ms-range"] = wanted
    if if_etag is not None:
        headers["If-Match"] = f'"{if_etag}"'
    params = {"versionid": ref.version} if ref.version else {}
    with translated(doing):
        url = account.service.get_blob_client(ref.bucket, ref.key).url
        response = account.send("GET", url, params=params, headers=headers, stream=True)
    try:
        meta = described_object(ref, response.headers, doing)
        check_etag(meta, if_etag, doing, cloud=NAME)
        check_start(start, meta.size, doing, cloud=NAME)
    except StorageError:
        response.close()
        raise
    return StreamedBody(
        meta,
        response.iter_raw,
        length=span(meta.size, start, end),
        doing=doing,
        cloud=NAME,
        translated=translated,
        close=response.close,
    )


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
        check_etag(meta, etag, doing, cloud=NAME)
        size, etag = meta.size, meta.etag
        told = hex_md5(response.headers.get("Content-MD5"))
        if told != md5_of(chunk):
            raise StorageError(
                f"{doing}: bytes {start} to {start + len(chunk)} are not those that the service's "
                "MD5 of them is of",
                kind=ErrorKind.INTEGRITY,
                cloud=NAME,
            )
        yield chunk
        start, length = start + len(chunk), _CHECKED
