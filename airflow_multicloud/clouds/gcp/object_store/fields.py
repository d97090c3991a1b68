"""Cloud Storage's object resource (JSON) from and to the port's values.

Fields: https://cloud.google.com/storage/docs/json_api/v1/objects#resource

The identity of content is the **generation**: ``ObjectMeta.etag`` and ``version`` are both
it. Google's own ETags would not do: the JSON and the XML interface give one object different
ones, and the JSON one also changes with the metadata. A generation is the same everywhere,
and changes exactly when the content is written.
"""

from __future__ import annotations

import binascii
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from airflow_multicloud.adapters.answers import (
    MALFORMED,
    listed_moment,
    listed_size,
    malformed,
    moment,
    size_of,
)
from airflow_multicloud.adapters.attributes import decode_metadata
from airflow_multicloud.adapters.digests import crc32c_of, to_base64
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.object_store.keys import held_value
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    Digests,
    IfAbsent,
    IfUnchanged,
    ObjectAttributes,
    ObjectMeta,
    ObjectRef,
    WriteOptions,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Buffer


#: As the generation that a write replaces: that of no object.
ABSENT: Final = "0"
OBJECT_FIELDS = (
    "name,size,generation,updated,timeCreated,crc32c,md5Hash,storageClass,contentType,"
    "contentEncoding,contentLanguage,contentDisposition,cacheControl,metadata"
)


def meta_of(bucket: str, resource: Mapping[str, Any]) -> ObjectMeta:
    """What an object resource says, with attributes and digests.

    :raises StorageError: kind ``integrity`` when it can't be read.
    """
    try:
        return _meta_of(bucket, resource)
    except MALFORMED as err:
        raise malformed(f"reading an object's resource in {bucket!r}", NAME, err) from err


def listed_of(bucket: str, resource: Mapping[str, Any]) -> ObjectMeta:
    """What a listing says of an object; of an odd one only what has its form.

    That costs the object, whose read tells what is the matter, and not the listing.
    """
    try:
        meta = _meta_of(bucket, resource)
        str(meta.attributes).encode()
    except MALFORMED:
        generation = str(resource.get("generation") or "")
        return ObjectMeta(
            bucket=bucket,
            key=resource["name"],
            size=listed_size(resource.get("size")),
            etag=generation,
            version=generation or None,
            last_modified=listed_moment(resource.get("updated")),
        )
    return meta


def _meta_of(bucket: str, resource: Mapping[str, Any]) -> ObjectMeta:
    get = resource.get
    generation = str(get("generation") or "")
    metadata = get("metadata")
    return ObjectMeta(
        bucket=bucket,
        key=resource["name"],
        size=size_of(get("size", 0)),  # as JSON leaves out what is zero
        etag=generation,
        version=generation or None,
        last_modified=moment(get("updated") or get("timeCreated")),
        digests=Digests(crc32c=_hex(get("crc32c")), md5=_hex(get("md5Hash"))),
        attributes=ObjectAttributes(
            content_type=get("contentType"),
            content_encoding=get("contentEncoding"),
            content_language=get("contentLanguage"),
            content_disposition=get("contentDisposition"),
            cache_control=get("cacheControl"),
            metadata=decode_metadata(metadata) if metadata else {},
        ),
        storage_class=get("storageClass"),
    )


def resource_of(
    attributes: ObjectAttributes, *, storage_class: str | None = None
) -> dict[str, Any]:
    """The object resource to send; what is ``None`` or empty is left out."""
    fields = {
        "contentType": attributes.content_type,
        "contentEncoding": attributes.content_encoding,
        "contentLanguage": attributes.content_language,
        "contentDisposition": attributes.content_disposition,
        "cacheControl": attributes.cache_control,
        "metadata": {n: held_value(v) for n, v in attributes.metadata.items()},
        "storageClass": storage_class,
    }
    return {name: value for name, value in fields.items() if value}


def digest_fields(digests: Digests) -> dict[str, str]:
    """The digests that Cloud Storage verifies, as resource fields."""
    fields = {"crc32c": digests.crc32c, "md5Hash": digests.md5}
    return {name: to_base64(value) for name, value in fields.items() if value}


def generation_match(condition: IfAbsent | IfUnchanged | None) -> dict[str, str]:
    """The query parameter for a condition."""
    wanted = condition_generation(condition)
    return {} if wanted is None else {"ifGenerationMatch": wanted}


def condition_generation(condition: IfAbsent | IfUnchanged | None) -> str | None:
    """The generation that an object must have now, :data:`ABSENT` where there must be none."""
    match condition:
        case None:
            return None
        case IfAbsent():
            return ABSENT
        case IfUnchanged(etag, version):
            return checked_generation(version or etag)


def generation_of(ref: ObjectRef) -> dict[str, str]:
    """The query parameter for the very generation that ``ref`` names, if any."""
    return {"generation": checked_generation(ref.version)} if ref.version else {}


def checked_generation(value: str) -> str:
    """``value``, when it can be a generation.

    :raises StorageError: kind ``invalid_argument`` otherwise (another cloud's ETag, say).
    """
    if not (value.isascii() and value.isdigit()):
        raise StorageError(
            f"version: {value!r} is no Cloud Storage generation (digits only)",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=NAME,
        )
    return value


def with_crc32c(digests: Digests, content: Buffer) -> Digests:
    """``digests`` with a CRC32C, which is computed when the caller has none."""
    if digests.crc32c:
        return digests
    return replace(digests, crc32c=crc32c_of(content))


def check_reported(doing: str, sent: Digests, stored: Digests) -> None:
    """Compare what the store reports with what was sent.

    :raises StorageError: kind ``integrity`` when a digest known to both differs.
    """
    for name in ("crc32c", "md5"):
        ours, theirs = getattr(sent, name), getattr(stored, name)
        if ours and theirs and ours != theirs:
            raise StorageError(
                f"{doing}: the store reports {name} {theirs}, {ours} was computed",
                kind=ErrorKind.INTEGRITY,
                cloud=NAME,
            )


def write_query(options: WriteOptions, *, key_parameter: str = "kmsKeyName") -> dict[str, str]:
    """Condition and encryption key as query parameters."""
    query = generation_match(options.condition)
    if options.encryption_key:
        query[key_parameter] = options.encryption_key
    return query


def _hex(encoded: str | None) -> str | None:
    return binascii.a2b_base64(encoded).hex() if encoded else None
