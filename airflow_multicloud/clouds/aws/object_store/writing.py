"""S3 writes in one request, and deletes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow_multicloud.adapters import obstore as _obstore
from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.digests import (
    check_digests,
    crc32c_of,
    md5_of,
    sha256_of,
    to_base64,
)
from airflow_multicloud.adapters.obstore import is_plain_key
from airflow_multicloud.adapters.reading import check_etag
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.object_store.bodies import OutgoingBody
from airflow_multicloud.clouds.aws.object_store.errors import translated, translated_obstore
from airflow_multicloud.clouds.aws.object_store.fields import (
    condition_params,
    digests_of,
    is_md5,
    obstore_attributes,
    ref_params,
    version_of,
    write_params,
    written,
)
from airflow_multicloud.clouds.aws.object_store.keys import DEFAULT_OPTIONS, S3Keys, name_of
from airflow_multicloud.clouds.aws.object_store.reading import S3Reads
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    ConditionKind,
    Digests,
    IfAbsent,
    IfUnchanged,
    ObjectMeta,
    ObjectRef,
    WriteCondition,
    WriteOptions,
)

if TYPE_CHECKING:
    from obstore import Attributes
    from obstore.store import S3Store
    from typing_extensions import Buffer


_NO_DIGESTS: Final = Digests()


class S3Writes(S3Keys, S3Reads):
    """The writing verbs and ``ConditionalWrites``."""

    @property
    def write_conditions(self) -> frozenset[ConditionKind]:
        """Both: ``If-None-Match: *`` and ``If-Match``."""
        return frozenset(ConditionKind)

    def put_object(
        self,
        ref: ObjectRef,
        body: Buffer,
        options: WriteOptions = DEFAULT_OPTIONS,
        *,
        digests: Digests = _NO_DIGESTS,
    ) -> ObjectMeta:
        """Write one object in one request, under a checksum that S3 verifies.

        ``digests`` are compared with the body before it is sent. The returned ones S3 has
        confirmed: it answered with the CRC32C or SHA-256 it computed, or with the MD5 as ETag.

        :raises StorageError: kind ``integrity`` when S3 holds other bytes than were sent.
        """
        doing = f"writing {name_of(ref)}"
        options = self._writable(ref, options, doing)
        check_digests(body, digests, doing, cloud=NAME)
        attributes = obstore_attributes(options)
        if (
            attributes is not None
            and options.encryption_key is None
            and is_plain_key(ref.key)
            and ref.bucket not in self._s3.opaque_etags
            and (store := self._s3.store(ref.bucket)) is not None
        ):
            return self._put_fast(store, attributes, ref, body, options, digests, doing)
        crc32c = digests.crc32c or crc32c_of(body)
        data = OutgoingBody(body)
        with translated(doing, condition=options.condition):
            response = self._s3.client.put_object(
                Bucket=ref.bucket,
                Key=ref.key,
                Body=data,
                ChecksumCRC32C=to_base64(crc32c),
                **write_params(options),
                **condition_params(options.condition),
            )
        with well_formed(doing, NAME):
            confirmed = digests_of(response, response["ETag"].strip('"'))
        same = (
            confirmed.crc32c == crc32c
            if confirmed.crc32c is not None
            else confirmed.md5 in (None, digests.md5 or md5_of(body))
        )
        if not same:
            raise _not_what_was_sent(doing)
        return written(ref, response, size=len(data), digests=confirmed, options=options)

    def _put_fast(
        self,
        store: S3Store,
        attributes: Attributes,
        ref: ObjectRef,
        body: Buffer,
        options: WriteOptions,
        digests: Digests,
        doing: str,
    ) -> ObjectMeta:
        data = memoryview(body).cast("B")
        with translated_obstore(doing, options.condition):
            mode = _obstore.put_mode(options.condition)
            result = _obstore.put(store, ref.key, data, attributes, mode)
        md5 = digests.md5 or md5_of(body)
        etag = (result["e_tag"] or "").strip('"')
        response = {"ETag": etag, "VersionId": result["version"]}
        if etag == md5:
            confirmed = Digests(md5=md5)
        else:
            confirmed = self._confirm_by_head(ref, response, body, doing)
        return written(ref, response, size=len(data), digests=confirmed, options=options)

    def _confirm_by_head(
        self, ref: ObjectRef, response: dict[str, Any], body: Buffer, doing: str
    ) -> Digests:
        """What S3 says of an object whose ETag is not its MD5: KMS, or other bytes."""
        etag = response["ETag"]
        meta = self.stat_object(ObjectRef(ref.bucket, ref.key, version_of(response)))
        if meta.etag != etag:
            return _NO_DIGESTS  # overwritten since; nothing can be said of ours
        if meta.digests.md5 is not None:
            raise _not_what_was_sent(doing)
        if is_md5(etag):
            self._s3.opaque_etags.add(ref.bucket)
        if meta.digests.sha256 is None:
            return _NO_DIGESTS
        if meta.digests.sha256 != sha256_of(body):
            raise _not_what_was_sent(doing)
        return Digests(sha256=meta.digests.sha256)

    def _check_unmet(self, ref: ObjectRef, condition: WriteCondition | None, doing: str) -> None:
        """Ask before a large write whether its condition holds.

        S3 itself decides at the end, but many stores that speak its protocol ignore
        conditions on CompleteMultipartUpload and CopyObject, where they came late.
        """
        if condition is None:
            return
        try:
            found = self.stat_object(ObjectRef(ref.bucket, ref.key))
        except StorageError as error:
            if error.kind is not ErrorKind.NOT_FOUND:
                raise
            found = None
        if isinstance(condition, IfAbsent):
            if found is not None:
                raise StorageError(
                    f"{doing}: there is an object already",
                    kind=ErrorKind.ALREADY_EXISTS,
                    cloud=NAME,
                )
        elif found is None:
            raise StorageError(
                f"{doing}: there is no object, so none with ETag {condition.etag}",
                kind=ErrorKind.PRECONDITION_FAILED,
                cloud=NAME,
            )
        else:
            check_etag(found, condition.etag, doing, cloud=NAME)

    def delete_object(self, ref: ObjectRef, *, condition: IfUnchanged | None = None) -> None:
        """Delete one object; kind ``not_found`` when there is none.

        S3 answers the same whether it deleted something or not, so this looks first.
        """
        doing = f"deleting {name_of(ref)}"
        found = self.stat_object(ref)
        if condition is not None:
            check_etag(found, condition.etag, doing, cloud=NAME)
        with translated(doing, condition=condition):
            self._s3.client.delete_object(**ref_params(ref), **condition_params(condition))


def _not_what_was_sent(doing: str) -> StorageError:
    return StorageError(
        f"{doing}: S3 holds other bytes than were sent", kind=ErrorKind.INTEGRITY, cloud=NAME
    )
