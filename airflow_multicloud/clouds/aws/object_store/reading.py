"""S3 reads: an object's metadata, and its bytes."""

from __future__ import annotations

from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_multicloud.adapters import obstore as _obstore
from airflow_multicloud.adapters.answers import (
    UNKNOWN_TIME,
    not_an_answer,
    size_of,
    well_formed,
)
from airflow_multicloud.adapters.bodies import EmptyBody, StreamedBody
from airflow_multicloud.adapters.obstore import (
    body_of,
    get_options,
    is_plain_key,
    unreadable_headers,
)
from airflow_multicloud.adapters.reading import byte_range, check_etag
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.object_store.client import ObjectStoreBase
from airflow_multicloud.clouds.aws.object_store.errors import (
    told_why,
    translated,
    translated_obstore,
)
from airflow_multicloud.clouds.aws.object_store.fields import (
    attributes_from_obstore,
    meta_of,
    quoted,
    ref_params,
    version_of,
)
from airflow_multicloud.clouds.aws.object_store.keys import name_of
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    ObjectMeta,
    ObjectRef,
)

if TYPE_CHECKING:
    from obstore.store import S3Store

    from airflow_multicloud.ports.object_store import ObjectBody


_PARTIAL = 206
_CHUNK = 1 << 20


class S3Reads(ObjectStoreBase):
    """The reading verbs."""

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        """One object's metadata, with attributes and every digest S3 reports.

        ``crc32c`` and ``sha256`` are of the whole object; ``md5`` is the ETag where that is
        one. A missing ``storage_class`` header means ``STANDARD``.
        """
        client, params = self._s3.client, ref_params(ref)

        def first_byte() -> None:
            client.get_object(**params, Range="bytes=0-0")["Body"].close()

        with translated(f"reading the metadata of {name_of(ref)}"):
            response = told_why(
                lambda: client.head_object(**params, ChecksumMode="ENABLED"),
                first_byte,
                statuses={"400"},
            )
        with well_formed(f"reading the metadata of {name_of(ref)}", NAME):
            return meta_of(ref, response, size=response["ContentLength"])

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
        check_etag(body.meta, if_etag, doing, cloud=NAME)
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
        pinned = None if if_etag is None else quoted(if_etag)
        options = get_options(start, end, version=ref.version, if_match=pinned)
        with translated_obstore(doing):
            result = _obstore.get(store, ref.key, options, cloud=NAME, doing=doing)
            found = result.meta
            if not found["e_tag"] and found["last_modified"] <= UNKNOWN_TIME:
                raise not_an_answer(doing, NAME, "neither an ETag nor a time")
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
        return body_of(result, meta, length=last - first, cloud=NAME, doing=doing)

    def _get_by_sdk(
        self, ref: ObjectRef, start: int, end: int | None, if_etag: str | None, doing: str
    ) -> ObjectBody:
        params: dict[str, Any] = ref_params(ref)
        if if_etag is not None:
            params["IfMatch"] = quoted(if_etag)
        if (ranged := byte_range(start, end)) is not None:
            params["Range"] = ranged
        with translated(doing):
            response = self._s3.client.get_object(**params)
        stream = response["Body"]
        if ranged and response["ResponseMetadata"]["HTTPStatusCode"] != _PARTIAL:
            stream.close()
            raise StorageError(
                f"{doing}: the store ignores byte ranges",
                kind=ErrorKind.UNSUPPORTED,
                cloud=NAME,
            )
        try:
            with well_formed(doing, NAME):
                length = response["ContentLength"]
                size = size_of(response["ContentRange"].rpartition("/")[2]) if ranged else length
                meta = meta_of(ref, response, size=size)
        except StorageError:
            stream.close()
            raise
        return StreamedBody(
            meta,
            lambda: iter(partial(stream.read, _CHUNK), b""),
            length=length,
            doing=doing,
            cloud=NAME,
            translated=translated,
            whole=stream.read,
            close=stream.close,
        )

    def _read_nothing(
        self, ref: ObjectRef, doing: str, if_etag: str | None, *, size: int | None = None
    ) -> ObjectBody:
        meta = self.stat_object(ref)
        check_etag(meta, if_etag, doing, cloud=NAME)
        if size is not None and meta.size != size:
            raise StorageError(
                f"{doing}: the object changed while it was read",
                kind=ErrorKind.SOURCE_CHANGED,
                cloud=NAME,
            )
        return EmptyBody(meta)
