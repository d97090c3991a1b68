"""Object metadata from a page of "List Blobs" and from a response's headers.

The SDK's own models take about 100 µs per blob to build, this takes a tenth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote

import msgspec

from airflow_multicloud.adapters.answers import (
    UNKNOWN_TIME,
    http_date,
    listed_moment,
    listed_size,
    size_of,
    well_formed,
)
from airflow_multicloud.adapters.attributes import (
    decode_headers,
    decode_metadata,
    header_text,
)
from airflow_multicloud.adapters.digests import from_base64
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests, ObjectAttributes, ObjectMeta, ObjectRef

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

#: The metadata by which older tools mark a directory.
DIRECTORY_MARK = "hdi_isfolder"
_MD5_DIGITS = 32
_METADATA_HEADER = "x-ms-meta-"


def hex_md5(content_md5: str | None) -> str | None:
    """A Content-MD5 (Base64) as hexadecimal; ``None`` when absent or no MD5."""
    digest = from_base64(content_md5)
    return digest if digest and len(digest) == _MD5_DIGITS else None


def blob_name(blob: Element) -> str:
    """A listed blob's name; those that XML can't hold come percent-encoded."""
    name = blob.find("Name")
    if name is None or name.text is None:
        return ""
    return unquote(name.text) if name.get("Encoded") == "true" else name.text


class Shared(msgspec.Struct, frozen=True, gc=False):
    """What many blobs have in common.

    :param attributes: without metadata.
    """

    attributes: ObjectAttributes
    tier: str | None
    directory: bool


class ListedBlob(msgspec.Struct, frozen=True, gc=False):
    """A blob's fields, as a page has them."""

    name: str
    size: str | None
    modified: str | None
    etag: str
    md5: str | None
    shared: Shared
    metadata: dict[str, str]
    version: str | None = None


def listed_blob(blob: Element) -> ListedBlob:
    """The fields of a blob."""
    properties = {p.tag: p.text or "" for p in _children(blob, "Properties")}
    return ListedBlob(
        blob_name(blob),
        properties.get("Content-Length"),
        properties.get("Last-Modified"),
        properties.get("Etag", ""),
        properties.get("Content-MD5"),
        shared_of(properties),
        {m.tag: m.text or "" for m in _children(blob, "Metadata")},
        blob.findtext("VersionId") or None,
    )


def shared_of(properties: Mapping[str, str]) -> Shared:
    """What blobs with these properties have in common."""
    return Shared(
        _attributes(properties, {}),
        properties.get("AccessTier") or None,
        properties.get("ResourceType") == "directory",
    )


def listed_object(bucket: str, blob: ListedBlob) -> ObjectMeta | None:
    """A listed blob; ``None`` for a directory (hierarchical namespaces list those as well).

    Directories have the resource type ``directory``, or, made by older tools, zero bytes and
    the metadata ``hdi_isfolder``.
    """
    attributes, size = blob.shared.attributes, listed_size(blob.size)
    if blob.metadata:
        metadata = decode_metadata(blob.metadata)
        if _marks_directory(size, metadata):
            return None
        attributes = ObjectAttributes(
            content_type=attributes.content_type,
            content_encoding=attributes.content_encoding,
            content_language=attributes.content_language,
            content_disposition=attributes.content_disposition,
            cache_control=attributes.cache_control,
            metadata=metadata,
        )
    if blob.shared.directory:
        return None
    return ObjectMeta(
        bucket=bucket,
        key=blob.name,
        size=size,
        etag=blob.etag.strip('"'),
        last_modified=listed_moment(blob.modified, http_date),
        version=blob.version,
        attributes=attributes,
        storage_class=blob.shared.tier,
        declared=Digests(md5=hex_md5(blob.md5)),
    )


def _children(blob: Element, name: str) -> Iterable[Element]:
    # A path with an asterisk would be searched in Python.
    found = blob.find(name)
    return () if found is None else found


def is_uncommitted(blob: Element) -> bool:
    """Whether a listed blob has nothing but uncommitted blocks.

    "Uncommitted blobs … don't include" a content type ("List Blobs",
    https://learn.microsoft.com/rest/api/storageservices/list-blobs); committed ones always do.
    """
    return blob.find("Properties/Content-Type") is None


def described_object(ref: ObjectRef, headers: Mapping[str, str], doing: str) -> ObjectMeta:
    """The object that a Get Blob (Properties) response's headers describe.

    :raises StorageError: kind ``integrity`` when they don't, ``not_found`` for a directory of a
        hierarchical namespace.
    """
    with well_formed(doing, NAME):
        return _described_object(ref, headers)


def _described_object(ref: ObjectRef, headers: Mapping[str, str]) -> ObjectMeta:
    content_range = headers.get("Content-Range")
    size = content_range.rpartition("/")[2] if content_range else headers["Content-Length"]
    modified = headers.get("Last-Modified")
    # Of a ranged read, Content-MD5 would cover the range only.
    whole_md5 = headers.get("x-ms-blob-content-md5")
    md5 = whole_md5 if content_range else whole_md5 or headers.get("Content-MD5")
    metadata = decode_headers(
        {
            name[len(_METADATA_HEADER) :]: value
            for name, value in headers.items()
            if name.lower().startswith(_METADATA_HEADER)
        }
    )
    if headers.get("x-ms-resource-type") == "directory":
        raise _no_object(ref)
    check_directory(ref, size_of(size), metadata)
    return ObjectMeta(
        bucket=ref.bucket,
        key=ref.key,
        size=size_of(size),
        etag=headers["ETag"].strip('"'),
        last_modified=http_date(modified) if modified else UNKNOWN_TIME,
        version=headers.get("x-ms-version-id") or ref.version,
        attributes=_attributes(headers, metadata),
        storage_class=headers.get("x-ms-access-tier"),
        declared=Digests(md5=hex_md5(md5)),
    )


def check_directory(ref: ObjectRef, size: int, metadata: Mapping[str, str]) -> None:
    """Refuse what is a directory of a hierarchical namespace by its metadata.

    :raises StorageError: kind ``not_found``.
    """
    if _marks_directory(size, metadata):
        raise _no_object(ref)


def _marks_directory(size: int, metadata: Mapping[str, str]) -> bool:
    return not size and metadata.get(DIRECTORY_MARK, "").lower() == "true"


def _no_object(ref: ObjectRef) -> StorageError:
    return StorageError(
        f"{ref.bucket}/{ref.key}: it is a directory, not an object; a prefix ends with a slash",
        kind=ErrorKind.NOT_FOUND,
        cloud=NAME,
    )


def _attributes(properties: Mapping[str, str], metadata: Mapping[str, str]) -> ObjectAttributes:
    return ObjectAttributes(
        content_type=header_text(properties.get("Content-Type") or "") or None,
        content_encoding=header_text(properties.get("Content-Encoding") or "") or None,
        content_language=header_text(properties.get("Content-Language") or "") or None,
        content_disposition=header_text(properties.get("Content-Disposition") or "") or None,
        cache_control=header_text(properties.get("Cache-Control") or "") or None,
        metadata=metadata,
    )
