"""What a write carries besides its bytes: headers, conditions, and digests to be verified."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from awscrt import checksums  # type: ignore[import-untyped]
from azure.core import MatchConditions

from airflow_multicloud.adapters.attributes import HeaderRules, encode_metadata, encode_value
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.object_store.keys import why_not_metadata_name
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import IfAbsent, IfUnchanged, WriteCondition

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from airflow_multicloud.ports.object_store import ObjectAttributes, WriteOptions

_CRC64_BYTES = 8

#: "Setting and retrieving properties and metadata"
#: (https://learn.microsoft.com/rest/api/storageservices/setting-and-retrieving-properties-and-metadata-for-blob-resources):
#: 8 KiB of names and values. Values travel as header values, and other text than ASCII breaks the
#: request's signature.
RULES = HeaderRules(
    store="Azure",
    cloud=NAME,
    check_name=why_not_metadata_name,
    encode=encode_value,
    most_metadata=8192,
)


def as_bytes(body: Buffer) -> bytes | memoryview:
    """The body as something with a length in bytes, without copying it."""
    return body if isinstance(body, bytes) else memoryview(body).cast("B")


def obstore_attributes(attributes: ObjectAttributes) -> dict[str, str]:
    """Fitted attributes as obstore names them; metadata lies beside the standard ones."""
    named = {
        "Content-Type": attributes.content_type,
        "Content-Encoding": attributes.content_encoding,
        "Content-Language": attributes.content_language,
        "Content-Disposition": attributes.content_disposition,
        "Cache-Control": attributes.cache_control,
    }
    sent = encode_metadata(attributes.metadata)
    return {**sent, **{name: text for name, text in named.items() if text}}


def write_headers(
    options: WriteOptions, doing: str, late_metadata: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The headers that "Put Blob" and "Put Block List" have in common.

    :raises StorageError: kind ``invalid_argument`` for attributes that Azure does not take.
    """
    metadata = {**options.attributes.metadata, **(late_metadata or {})}
    attributes = RULES.fitted(replace(options.attributes, metadata=metadata), doing)
    named = {
        "x-ms-blob-content-type": attributes.content_type,
        "x-ms-blob-content-encoding": attributes.content_encoding,
        "x-ms-blob-content-language": attributes.content_language,
        "x-ms-blob-content-disposition": attributes.content_disposition,
        "x-ms-blob-cache-control": attributes.cache_control,
        "x-ms-access-tier": options.storage_class,
        "x-ms-encryption-scope": options.encryption_key,
        **{f"x-ms-meta-{n}": v for n, v in encode_metadata(attributes.metadata).items()},
        **condition_headers(options.condition),
    }
    # Azure takes a request's Content-Type for the blob's when none is named; requests adds none.
    return {name: text for name, text in named.items() if text is not None}


def condition_headers(condition: WriteCondition | None) -> dict[str, str]:
    """A write condition as request headers."""
    match condition:
        case IfAbsent():
            return {"If-None-Match": "*"}
        case IfUnchanged(etag=etag):
            return {"If-Match": f'"{etag}"'}
        case None:
            return {}


def condition_arguments(condition: WriteCondition | None) -> dict[str, object]:
    """A write condition as the SDK's keyword arguments."""
    match condition:
        case IfAbsent():
            return {"match_condition": MatchConditions.IfMissing}
        case IfUnchanged(etag=etag):
            return {"etag": f'"{etag}"', "match_condition": MatchConditions.IfNotModified}
        case None:
            return {}


def content_md5(body: bytes | memoryview, md5: str | None) -> str:
    """The Content-MD5 header: of the digest given, else computed over the body."""
    digest = bytes.fromhex(md5) if md5 else hashlib.md5(body, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode("ascii")


def content_crc64(body: bytes | memoryview) -> str:
    """The x-ms-content-crc64 header, at next to none of the cost of Content-MD5.

    Azure's CRC64 is the one that is now called CRC-64/NVME: `azure-storage-extensions`, which
    the SDK takes, computes the same, but slower, and only over bytes and under the lock.
    """
    crc = checksums.crc64nvme(body)
    return base64.b64encode(crc.to_bytes(_CRC64_BYTES, "little")).decode("ascii")


def check_crc32c(body: bytes | memoryview, expected: str | None, doing: str) -> str:
    """The body's CRC32C, compared with the caller's: Azure itself knows no CRC32C.

    :raises StorageError: kind ``integrity`` when it is another.
    """
    computed = f"{checksums.crc32c(body):08x}"
    if expected is not None and computed != expected.lower():
        raise StorageError(
            f"{doing}: the bytes to be sent have CRC32C {computed}, not {expected}",
            kind=ErrorKind.INTEGRITY,
            cloud=NAME,
        )
    return computed
