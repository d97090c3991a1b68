"""Between S3's request and response fields and the port's values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_multicloud.adapters.answers import UNKNOWN_TIME
from airflow_multicloud.adapters.attributes import (
    decode_headers,
    encode_metadata,
    header_text,
)
from airflow_multicloud.adapters.digests import from_base64, to_base64
from airflow_multicloud.ports.object_store import (
    Digests,
    IfAbsent,
    IfUnchanged,
    ObjectAttributes,
    ObjectMeta,
    ObjectRef,
    Part,
    PartUpload,
)

if TYPE_CHECKING:
    from obstore import Attributes

    from airflow_multicloud.ports.object_store import WriteCondition, WriteOptions

_HEADERS = {
    "content_type": ("ContentType", "Content-Type"),
    "content_encoding": ("ContentEncoding", "Content-Encoding"),
    "content_language": ("ContentLanguage", "Content-Language"),
    "content_disposition": ("ContentDisposition", "Content-Disposition"),
    "cache_control": ("CacheControl", "Cache-Control"),
}
_RESERVED = {header.lower() for _, header in _HEADERS.values()} | {"storage-class"}
STANDARD = "STANDARD"
_MD5 = re.compile("[0-9a-f]{32}")


def write_params(options: WriteOptions) -> dict[str, Any]:
    """boto3's parameters for attributes, storage class and encryption."""
    attributes = options.attributes
    params: dict[str, Any] = {
        param: value
        for field, (param, _) in _HEADERS.items()
        if (value := getattr(attributes, field)) is not None
    }
    if attributes.metadata:
        params["Metadata"] = encode_metadata(attributes.metadata)
    return params | placement_params(options)


def placement_params(options: WriteOptions) -> dict[str, Any]:
    """boto3's parameters for storage class and encryption."""
    params: dict[str, Any] = {}
    if options.storage_class is not None:
        params["StorageClass"] = options.storage_class
    if options.encryption_key is not None:
        params |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": options.encryption_key}
    return params


def condition_params(condition: WriteCondition | None) -> dict[str, str]:
    """boto3's parameters for a write condition."""
    match condition:
        case IfAbsent():
            return {"IfNoneMatch": "*"}
        case IfUnchanged(etag=etag):
            return {"IfMatch": quoted(etag)}
        case None:
            return {}


def ref_params(ref: ObjectRef) -> dict[str, str]:
    """boto3's parameters that name an object, or one version of it."""
    params = {"Bucket": ref.bucket, "Key": ref.key}
    if ref.version is not None:
        params["VersionId"] = ref.version
    return params


def quoted(etag: str) -> str:
    """An ETag as HTTP headers have it."""
    return f'"{etag}"'


def obstore_attributes(options: WriteOptions) -> Attributes | None:
    """Attributes and storage class for obstore; ``None`` when it would mistake a name."""
    metadata = encode_metadata(options.attributes.metadata)
    if any(name.lower() in _RESERVED for name in metadata):
        return None
    attributes: Attributes = {
        header: value
        for field, (_, header) in _HEADERS.items()
        if (value := getattr(options.attributes, field)) is not None
    }
    if options.storage_class is not None:
        attributes["Storage-Class"] = options.storage_class
    attributes.update(metadata)
    return attributes


def attributes_from_obstore(attributes: Mapping[str, str]) -> ObjectAttributes:
    """The attributes that came with an obstore read."""
    rest = dict(attributes)
    rest.pop("Storage-Class", None)
    fields = {field: rest.pop(header, None) for field, (_, header) in _HEADERS.items()}
    return ObjectAttributes(**fields, metadata=decode_headers(rest))


def meta_of(ref: ObjectRef, response: Mapping[str, Any], *, size: int) -> ObjectMeta:
    """What a HEAD or GET response says of an object.

    :raises ValueError: when it describes none, as the answer of a proxy does not.
    """
    if "ETag" not in response and "LastModified" not in response:
        raise ValueError("neither an ETag nor a time")
    fields = {
        field: header_text(value) if (value := response.get(param)) is not None else None
        for field, (param, _) in _HEADERS.items()
    }
    etag = response.get("ETag", "").strip('"')
    modified = response.get("LastModified")
    return ObjectMeta(
        bucket=ref.bucket,
        key=ref.key,
        size=size,
        etag=etag,
        last_modified=modified.astimezone(UTC) if modified else UNKNOWN_TIME,
        version=version_of(response),
        digests=digests_of(response, etag),
        attributes=ObjectAttributes(
            **fields, metadata=decode_headers(response.get("Metadata", {}))
        ),
        # S3 leaves the header out for its standard class (HeadObject, x-amz-storage-class).
        storage_class=response.get("StorageClass", STANDARD),
    )


def version_of(response: Mapping[str, Any]) -> str | None:
    """The version id; ``None`` where the bucket keeps no versions (S3 then says "null")."""
    version = response.get("VersionId")
    return None if version in (None, "null") else str(version)


def digests_of(response: Mapping[str, Any], etag: str) -> Digests:
    """The whole object's digests in a response; composite checksums are none.

    An ETag is the MD5 only of an object written in one request and not encrypted by KMS or
    with the customer's own key
    (docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html, ETag).
    """
    whole = response.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT"
    return Digests(
        crc32c=from_base64(response.get("ChecksumCRC32C")) if whole else None,
        sha256=from_base64(response.get("ChecksumSHA256")) if whole else None,
        md5=etag if etag_is_md5(response, etag) else None,
    )


def etag_is_md5(response: Mapping[str, Any], etag: str) -> bool:
    """Whether the ETag of this object's response is its MD5."""
    plain = response.get("ServerSideEncryption", "AES256") == "AES256"
    return plain and "SSECustomerAlgorithm" not in response and is_md5(etag)


def written(
    ref: ObjectRef,
    response: Mapping[str, Any],
    *,
    size: int,
    digests: Digests,
    options: WriteOptions,
) -> ObjectMeta:
    """An object just written, by the client's clock."""
    return ObjectMeta(
        bucket=ref.bucket,
        key=ref.key,
        size=size,
        etag=response["ETag"].strip('"'),
        last_modified=datetime.now(UTC),
        version=version_of(response),
        digests=digests,
        attributes=options.attributes,
        storage_class=options.storage_class or STANDARD,
    )


def is_md5(etag: str) -> bool:
    """Whether an ETag has the form of an MD5 digest (a multipart one has a ``-``)."""
    return _MD5.fullmatch(etag) is not None


def upload_of(bucket: str, found: Mapping[str, Any]) -> PartUpload:
    """An upload as ListMultipartUploads tells of it."""
    started = found.get("Initiated")
    return PartUpload(
        ObjectRef(bucket, found["Key"]), found["UploadId"], started and started.astimezone(UTC)
    )


def upload_params(upload: PartUpload) -> dict[str, str]:
    """boto3's parameters that name an upload."""
    return {"Bucket": upload.ref.bucket, "Key": upload.ref.key, "UploadId": upload.upload_id}


def part_of(found: Mapping[str, Any]) -> Part:
    """A part as ListParts tells of it."""
    etag = found["ETag"].strip('"')
    crc32c = from_base64(found.get("ChecksumCRC32C"))
    md5 = etag if crc32c is None and is_md5(etag) else None
    sent = found.get("LastModified")
    return Part(
        found["PartNumber"],
        found["Size"],
        found["ETag"],
        Digests(crc32c=crc32c, md5=md5),
        sent and sent.astimezone(UTC),
    )


def completed_part(part: Part) -> dict[str, Any]:
    """A part as CompleteMultipartUpload wants it."""
    entry: dict[str, Any] = {"PartNumber": part.number, "ETag": part.token}
    if part.digests.crc32c is not None:
        entry["ChecksumCRC32C"] = to_base64(part.digests.crc32c)
    return entry
