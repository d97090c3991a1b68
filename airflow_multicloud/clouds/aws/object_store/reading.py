"""S3 listings and reads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import TYPE_CHECKING, Any

from airflow_multicloud.adapters import obstore as _obstore
from airflow_multicloud.adapters.answers import (
    UNKNOWN_TIME,
    not_an_answer,
    size_of,
    well_formed,
)
from airflow_multicloud.adapters.obstore import body_of, is_plain_key, unreadable_headers
from airflow_multicloud.clouds.aws.errors import CLOUD, translated
from airflow_multicloud.clouds.aws.object_store.base import (
    S3Basics,
    check_other_etag,
    name_of,
)
from airflow_multicloud.clouds.aws.object_store.bodies import (
    EmptyBody,
    SdkBody,
)
from airflow_multicloud.clouds.aws.object_store.client import translated_obstore
from airflow_multicloud.clouds.aws.object_store.fields import (
    attributes_from_obstore,
    meta_of,
    quoted,
    ref_params,
    version_of,
)
from airflow_multicloud.clouds.aws.object_store.listing import pages
from airflow_multicloud.clouds.aws.object_store.upload_records import UPLOADS_PREFIX
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    ObjectMeta,
    ObjectRef,
)

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import S3Store

    from airflow_multicloud.ports.object_store import ObjectBody


_PARTIAL = 206


class S3Reads(S3Basics):
    """The listing and reading verbs, and ``ObjectVersions``."""

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """Every object under ``prefix``, in UTF-8 order.

        ``digests.md5`` is the ETag where it has the form of an MD5. A listing does not say
        how an object is encrypted, and with KMS that ETag is no MD5: equality with a true
        MD5 proves equal content, inequality proves nothing.
        """
        return self._list("list_objects_v2", bucket, prefix)

    def list_versions(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """Every version but delete markers; "null" is the version from before versioning.

        ``digests`` as for :meth:`list_objects`.
        """
        return self._list("list_object_versions", bucket, prefix)

    def _list(self, operation: str, bucket: str, prefix: str) -> Iterator[ObjectMeta]:
        doing = f"listing s3://{bucket}/{prefix}"
        hidden = not prefix.startswith(UPLOADS_PREFIX)  # Notes on uploads under way, not objects.
        for page in pages(self._s3.client, operation, doing, Bucket=bucket, Prefix=prefix):
            known_opaque = bucket in self._s3.opaque_etags
            with well_formed(doing, CLOUD):
                listed = list(page["Page"].metas(bucket, md5_etags=not known_opaque))
            if hidden:
                listed = [meta for meta in listed if not meta.key.startswith(UPLOADS_PREFIX)]
            yield from listed

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        """Read bytes ``start`` up to (not including) ``end``, as stored."""
        doing = f"reading {name_of(ref)}"
        if end is not None and end <= start:
            return self._read_nothing(ref, doing, if_etag)
        store = self._s3.store(ref.bucket) if is_plain_key(ref.key) else None
        try:
            body = self._open(store, ref, start, end, if_etag, doing)
        except StorageError as error:
            # No range fits a zero-byte object.
            if error.code != "InvalidRange" or start > 0:
                raise
            return self._read_nothing(ref, doing, if_etag, size=0)
        check_other_etag(body.meta, if_etag, doing)
        return body

    def _open(
        self,
        store: S3Store | None,
        ref: ObjectRef,
        start: int,
        end: int | None,
        if_etag: str | None,
        doing: str,
    ) -> ObjectBody:
        if store is not None:
            try:
                return self._get_fast(store, ref, start, end, if_etag, doing)
            except StorageError as error:
                if not unreadable_headers(error):
                    raise
        return self._get_by_sdk(ref, start, end, if_etag, doing)

    def _get_fast(
        self,
        store: S3Store,
        ref: ObjectRef,
        start: int,
        end: int | None,
        if_etag: str | None,
        doing: str,
    ) -> ObjectBody:
        options: GetOptions = {}
        if if_etag is not None:
            options["if_match"] = quoted(if_etag)
        if ref.version is not None:
            options["version"] = ref.version
        if end is not None:
            options["range"] = (start, end)
        elif start > 0:
            options["range"] = {"offset": start}
        with translated_obstore(doing):
            result = _obstore.get(store, ref.key, options, cloud=CLOUD, doing=doing)
            found = result.meta
            if not found["e_tag"] and found["last_modified"] <= UNKNOWN_TIME:
                raise not_an_answer(doing, CLOUD, "neither an ETag nor a time")
            meta = ObjectMeta(
                bucket=ref.bucket,
                key=ref.key,
                size=found["size"],
                etag=(found["e_tag"] or "").strip('"'),
                last_modified=found["last_modified"].astimezone(UTC),
                version=version_of({"VersionId": found["version"]}),
                attributes=attributes_from_obstore(result.attributes),
            )
            first, last = result.range
        return body_of(result, meta, length=last - first, cloud=CLOUD, doing=doing)

    def _get_by_sdk(
        self, ref: ObjectRef, start: int, end: int | None, if_etag: str | None, doing: str
    ) -> ObjectBody:
        params: dict[str, Any] = ref_params(ref)
        if if_etag is not None:
            params["IfMatch"] = quoted(if_etag)
        ranged = start > 0 or end is not None
        if ranged:
            params["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        with translated(doing):
            response = self._s3.client.get_object(**params)
        if ranged and response["ResponseMetadata"]["HTTPStatusCode"] != _PARTIAL:
            raise StorageError(
                f"{doing}: the store ignores byte ranges",
                kind=ErrorKind.UNSUPPORTED,
                cloud=CLOUD,
            )
        try:
            with well_formed(doing, CLOUD):
                length = response["ContentLength"]
                size = size_of(response["ContentRange"].rpartition("/")[2]) if ranged else length
                meta = meta_of(ref, response, size=size)
        except StorageError:
            response["Body"].close()
            raise
        return SdkBody(response["Body"], meta, length=length, doing=doing)

    def _read_nothing(
        self, ref: ObjectRef, doing: str, if_etag: str | None, *, size: int | None = None
    ) -> ObjectBody:
        meta = self.stat_object(ref)
        check_other_etag(meta, if_etag, doing)
        if size is not None and meta.size != size:
            raise StorageError(
                f"{doing}: the object changed while it was read",
                kind=ErrorKind.SOURCE_CHANGED,
                cloud=CLOUD,
            )
        return EmptyBody(meta)
