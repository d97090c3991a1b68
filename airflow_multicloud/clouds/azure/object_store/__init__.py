"""Azure Blob Storage as the port's object store.

Small reads and writes of plain keys go through obstore; everything else through the SDK.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from airflow_multicloud.adapters import obstore as _obstore
from airflow_multicloud.adapters.answers import http_date, well_formed
from airflow_multicloud.adapters.obstore import is_plain_key, unreadable_headers
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.object_store.base import NO_DIGESTS, NO_OPTIONS, name_of
from airflow_multicloud.clouds.azure.object_store.copying import BlobCapabilities
from airflow_multicloud.clouds.azure.object_store.errors import translated
from airflow_multicloud.clouds.azure.object_store.keys import check_key
from airflow_multicloud.clouds.azure.object_store.listing import hex_md5, listed_object
from airflow_multicloud.clouds.azure.object_store.parts import BlobPartUploads
from airflow_multicloud.clouds.azure.object_store.reading import (
    NoBytes,
    check_etag,
    read_by_obstore,
    read_by_pipeline,
    read_checked,
)
from airflow_multicloud.clouds.azure.object_store.writing import (
    RULES,
    as_bytes,
    check_crc32c,
    condition_headers,
    content_md5,
    obstore_attributes,
    write_headers,
)
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    AttributeRules,
    BucketCreation,
    BucketListing,
    BucketMeta,
    CheckedReads,
    ConditionalWrites,
    Digests,
    IfAbsent,
    IfUnchanged,
    KeyRules,
    MetadataRules,
    ObjectBody,
    ObjectMeta,
    ObjectRef,
    ObjectStore,
    ObjectTags,
    ObjectVersions,
    PartUploads,
    ServerSideCopy,
    SignedUrls,
    TagRules,
    UploadResumption,
    WriteOptions,
)

if TYPE_CHECKING:
    from obstore import UpdateVersion
    from obstore.store import AzureStore
    from typing_extensions import Buffer


class BlobObjectStoreHook(BlobPartUploads, BlobCapabilities):
    """Containers and block blobs, with every credential that ``WasbHook`` takes.

    :param wasb_conn_id: the connection (type ``wasb``).
    :param public_read: read anonymously, without credentials.
    """

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """Every blob, with attributes; directories are left out.

        The Content-MD5 counts as ``declared``: the service computes it of a blob written in one
        request, but keeps what the writer says of one committed from blocks, and "Set Blob
        Properties" sets it to anything. That changes the ETag, so it is the service's own for
        as long as the ETag is that of a write in one request.
        """
        blobs = self._listed(bucket, prefix, "metadata")
        return (meta for blob in blobs if (meta := listed_object(bucket, blob)) is not None)

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
        doing = f"put {name_of(ref)}"
        data = as_bytes(body)
        check_key(ref.key)
        if len(data) > self.part_limits.put_limit:
            raise StorageError(
                f"{doing}: {len(data)} bytes are more than the {self.part_limits.put_limit} of "
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
        with translated(f"delete {name_of(ref)}"):
            url = account.service.get_blob_client(ref.bucket, ref.key).url
            account.send("DELETE", url, params=params, headers=condition_headers(condition))

    def stat_bucket(self, bucket: str) -> BucketMeta:
        """That the container exists; its location is its account's, which is not told here."""
        container = self.account.service.get_container_client(bucket)
        with translated(f"stat container {bucket}"):
            container.get_container_properties()
        return BucketMeta(bucket)

    def _no_bytes(self, ref: ObjectRef, if_etag: str | None, doing: str) -> NoBytes:
        meta = self._describe(ref, doing)
        check_etag(meta, if_etag, doing)
        return NoBytes(meta)

    def _put_lean(
        self,
        store: AzureStore,
        ref: ObjectRef,
        data: bytes | memoryview,
        options: WriteOptions,
        doing: str,
    ) -> ObjectMeta:
        mode: Literal["create", "overwrite"] | UpdateVersion
        match options.condition:
            case IfAbsent():
                mode = "create"
            case IfUnchanged(etag=etag):
                mode = {"e_tag": f'"{etag}"'}
            case None:
                mode = "overwrite"
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


Hook: type[ObjectStore] = BlobObjectStoreHook

if TYPE_CHECKING:
    _conditional_writes: type[ConditionalWrites] = BlobObjectStoreHook
    _part_uploads: type[PartUploads] = BlobObjectStoreHook
    _object_versions: type[ObjectVersions] = BlobObjectStoreHook
    _object_tags: type[ObjectTags] = BlobObjectStoreHook
    _server_side_copy: type[ServerSideCopy] = BlobObjectStoreHook
    _signed_urls: type[SignedUrls] = BlobObjectStoreHook
    _bucket_creation: type[BucketCreation] = BlobObjectStoreHook
    _bucket_listing: type[BucketListing] = BlobObjectStoreHook
    _checked_reads: type[CheckedReads] = BlobObjectStoreHook
    _key_rules: type[KeyRules] = BlobObjectStoreHook
    _metadata_rules: type[MetadataRules] = BlobObjectStoreHook
    _attribute_rules: type[AttributeRules] = BlobObjectStoreHook
    _tag_rules: type[TagRules] = BlobObjectStoreHook
    _upload_resumption: type[UploadResumption] = BlobObjectStoreHook
