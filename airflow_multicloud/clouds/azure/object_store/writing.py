"""Writes in one request, and what any write carries: headers, conditions, digests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from awscrt.checksums import crc64nvme  # type: ignore[import-untyped]
from azure.core import MatchConditions

from airflow_multicloud.adapters import obstore as _obstore
from airflow_multicloud.adapters.answers import http_date, well_formed
from airflow_multicloud.adapters.attributes import encode_metadata
from airflow_multicloud.adapters.digests import crc32c_of, md5_of, to_base64
from airflow_multicloud.adapters.obstore import is_plain_key
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.object_store.blocks import LIMITS
from airflow_multicloud.clouds.azure.object_store.client import (
    NO_DIGESTS,
    NO_OPTIONS,
    ObjectStoreBase,
)
from airflow_multicloud.clouds.azure.object_store.errors import translated
from airflow_multicloud.clouds.azure.object_store.fields import hex_md5
from airflow_multicloud.clouds.azure.object_store.keys import RULES, check_key, name_of
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    ConditionKind,
    Digests,
    IfAbsent,
    IfUnchanged,
    ObjectMeta,
    ObjectRef,
    WriteCondition,
)

if TYPE_CHECKING:
    from obstore.store import AzureStore
    from typing_extensions import Buffer

    from airflow_multicloud.ports.object_store import ObjectAttributes, WriteOptions

_CRC64_BYTES = 8


class BlobWrites(ObjectStoreBase):
    """The port's ``put_object`` and ``delete_object``, and ``ConditionalWrites``."""

    @property
    def write_conditions(self) -> frozenset[ConditionKind]:
        """Both conditions, on every kind of write and on deletion."""
        return frozenset(ConditionKind)

    def put_object(
        self,
        ref: ObjectRef,
        body: Buffer,
        options: WriteOptions = NO_OPTIONS,
        *,
        digests: Digests = NO_DIGESTS,
    ) -> ObjectMeta:
        """Write one blob in one "Put Blob".

        With ``digests.md5`` the service verifies the bytes and the result says so. Without, a
        plain key goes through obstore, at a fifth of the cost, and the result has no digests:
        the service's own MD5 is ``declared`` in the next listing or stat. ``digests.crc32c``,
        which Azure does not know, is compared here with the bytes to be sent.
        """
        doing = f"writing {name_of(ref)}"
        data = as_bytes(body)
        check_key(ref.key)
        if len(data) > LIMITS.put_limit:
            raise StorageError(
                f"{doing}: {len(data)} bytes are more than the {LIMITS.put_limit} of "
                "one request; upload it in parts",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=NAME,
            )
        if digests.crc32c is not None:
            check_crc32c(data, digests.crc32c, doing)
        special = options.storage_class or options.encryption_key or digests.md5
        plain = is_plain_key(ref.key) and not special
        store = self.account.store(ref.bucket) if plain else None
        if store is None:
            return self._put_verified(ref, data, options, digests, doing)
        options = replace(options, attributes=RULES.fitted(options.attributes, doing))
        return self._put_lean(store, ref, data, options, doing)

    def delete_object(self, ref: ObjectRef, *, condition: IfUnchanged | None = None) -> None:
        """Delete one blob, or the version named.

        :raises StorageError: kind ``precondition_failed`` also when the blob has snapshots or a
            lease, ``permission_denied`` when a retention policy or a legal hold keeps it.
        """
        account = self.account
        params = {"versionid": ref.version} if ref.version else {}
        with translated(f"deleting {name_of(ref)}"):
            url = account.service.get_blob_client(ref.bucket, ref.key).url
            account.send("DELETE", url, params=params, headers=condition_headers(condition))

    def _put_lean(
        self,
        store: AzureStore,
        ref: ObjectRef,
        data: bytes | memoryview,
        options: WriteOptions,
        doing: str,
    ) -> ObjectMeta:
        mode = _obstore.put_mode(options.condition)
        with translated(doing, creating=mode == "create"):
            attributes = obstore_attributes(options.attributes)
            result = _obstore.put(store, ref.key, data, attributes, mode)
        return ObjectMeta(
            bucket=ref.bucket,
            key=ref.key,
            size=len(data),
            etag=(result["e_tag"] or "").strip('"'),
            last_modified=datetime.now(UTC),
            version=result["version"],
        )

    def _put_verified(
        self,
        ref: ObjectRef,
        data: bytes | memoryview,
        options: WriteOptions,
        digests: Digests,
        doing: str,
    ) -> ObjectMeta:
        headers = write_headers(options, doing)
        headers["x-ms-blob-type"] = "BlockBlob"
        headers["Content-MD5"] = content_md5(data, digests.md5)
        account = self.account
        with translated(doing, creating=isinstance(options.condition, IfAbsent)):
            url = account.service.get_blob_client(ref.bucket, ref.key).url
            answer = account.send("PUT", url, headers=headers, body=data).headers
        with well_formed(doing, NAME):
            return ObjectMeta(
                bucket=ref.bucket,
                key=ref.key,
                size=len(data),
                etag=answer["ETag"].strip('"'),
                last_modified=http_date(answer["Last-Modified"]),
                version=answer.get("x-ms-version-id"),
                digests=Digests(md5=hex_md5(answer.get("Content-MD5"))),
                storage_class=options.storage_class,
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
    return to_base64(md5 or md5_of(body))


def content_crc64(body: bytes | memoryview) -> str:
    """The x-ms-content-crc64 header, at next to none of the cost of Content-MD5.

    Azure's CRC64 is the one that is now called CRC-64/NVME: `azure-storage-extensions`, which
    the SDK takes, computes the same, but slower, and only over bytes and under the lock.
    """
    return to_base64(crc64nvme(body).to_bytes(_CRC64_BYTES, "little").hex())


def check_crc32c(body: bytes | memoryview, expected: str | None, doing: str) -> str:
    """The body's CRC32C, compared with the caller's: Azure itself knows no CRC32C.

    :raises StorageError: kind ``integrity`` when it is another.
    """
    computed = crc32c_of(body)
    if expected is not None and computed != expected.lower():
        raise StorageError(
            f"{doing}: the bytes to be sent have CRC32C {computed}, not {expected}",
            kind=ErrorKind.INTEGRITY,
            cloud=NAME,
        )
    return computed
