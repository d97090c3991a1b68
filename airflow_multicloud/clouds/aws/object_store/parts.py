"""S3 multipart uploads: parts that survive the process that sent them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from airflow_multicloud.adapters.answers import UNKNOWN_TIME, well_formed
from airflow_multicloud.adapters.digests import crc32c_of, from_base64, md5_of, to_base64
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.object_store.bodies import OutgoingBody
from airflow_multicloud.clouds.aws.object_store.errors import translated
from airflow_multicloud.clouds.aws.object_store.fields import (
    completed_part,
    condition_params,
    digests_of,
    etag_is_md5,
    part_of,
    upload_of,
    upload_params,
    write_params,
    written,
)
from airflow_multicloud.clouds.aws.object_store.keys import DEFAULT_OPTIONS, name_of
from airflow_multicloud.clouds.aws.object_store.pages import pages
from airflow_multicloud.clouds.aws.object_store.tags import S3Tags, check_illegal_tags
from airflow_multicloud.clouds.aws.object_store.upload_records import (
    UploadRecord,
    delete_record,
    delete_records,
    forget,
    newest,
    options_hash,
    records_of,
    renew_record,
    upload_hash,
    write_record,
)
from airflow_multicloud.clouds.aws.object_store.writing import S3Writes
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    Digests,
    LeftUpload,
    ObjectMeta,
    ObjectRef,
    Part,
    PartLimits,
    PartUpload,
    WriteOptions,
)

if TYPE_CHECKING:
    from typing_extensions import Buffer

_MIB = 1024**2
_GIB = 1024**3
_PARTS = 10_000

#: docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html (its "48.8 TiB" is 10,000 parts
#: of 5 GiB) and upload-objects.html (5 GiB in one request).
LIMITS: Final = PartLimits(
    put_limit=5 * _GIB,
    min_part=5 * _MIB,
    max_part=5 * _GIB,
    max_parts=_PARTS,
    max_object=_PARTS * 5 * _GIB,
)
# What stores answer that speak S3 without this verb of a bucket's.
_NO_SUCH_VERB = frozenset({"405", "MethodNotAllowed", "501", "NotImplemented"})
_NO_DIGESTS = Digests()
_NO_METADATA: Mapping[str, str] = MappingProxyType({})


class S3PartUploads(S3Writes, S3Tags):
    """The ``PartUploads`` verbs."""

    @property
    def part_limits(self) -> PartLimits:
        """S3's limits."""
        return LIMITS

    def begin_upload(
        self, ref: ObjectRef, options: WriteOptions = DEFAULT_OPTIONS, *, run: str | None = None
    ) -> PartUpload:
        """Start an upload whose parts and whole are verified by CRC32C."""
        doing = f"beginning the upload of {name_of(ref)}"
        options = self._writable(ref, options, doing)
        with translated(doing):
            response = self._s3.client.create_multipart_upload(
                Bucket=ref.bucket,
                Key=ref.key,
                ChecksumAlgorithm="CRC32C",
                ChecksumType="FULL_OBJECT",
                **write_params(options),
            )
        with well_formed(doing, NAME):
            upload = PartUpload(ref, response["UploadId"], run=run)
        write_record(self._s3.client, upload, options)
        return upload

    def put_part(
        self, upload: PartUpload, number: int, body: Buffer, *, digests: Digests = _NO_DIGESTS
    ) -> Part:
        """Send one part; S3 compares it with its CRC32C.

        The body is not copied. For a store that answers without CRC32C the comparison is made
        here, and the part's ETag must be its MD5.
        """
        doing = f"sending part {number} of {name_of(upload.ref)}"
        crc32c = digests.crc32c or crc32c_of(body)
        data = OutgoingBody(body)
        with translated(doing):
            response = self._s3.client.upload_part(
                **upload_params(upload),
                PartNumber=number,
                Body=data,
                ChecksumCRC32C=to_base64(crc32c),
            )
        with well_formed(doing, NAME):
            token = response["ETag"]
            etag = token.strip('"')
            confirmed = Digests(
                crc32c=from_base64(response.get("ChecksumCRC32C")),
                md5=etag if etag_is_md5(response, etag) else None,
            )
        if confirmed.crc32c is not None:
            _must_agree(doing, "crc32c", sent=crc32c, stored=confirmed.crc32c)
        else:
            _must_agree(doing, "crc32c", sent=crc32c, stored=crc32c_of(body))
            if confirmed.md5 is not None:
                _must_agree(doing, "md5", sent=md5_of(body), stored=confirmed.md5)
        return Part(number, len(data), token, confirmed)

    def list_parts(self, upload: PartUpload) -> Sequence[Part]:
        """The parts S3 holds, by number.

        Each has its CRC32C, or, where the upload was begun without checksums, its ETag as
        MD5: equality then proves a part, inequality nothing (encryption by KMS).
        """
        doing = f"listing the parts of {name_of(upload.ref)}"
        listed = pages(self._s3.client, "list_parts", doing, **upload_params(upload))
        with well_formed(doing, NAME):
            return [part_of(found) for page in listed for found in page.get("Parts", ())]

    def complete_upload(
        self,
        upload: PartUpload,
        parts: Sequence[Part],
        options: WriteOptions = DEFAULT_OPTIONS,
        *,
        late_metadata: Mapping[str, str] = _NO_METADATA,
        digests: Digests = _NO_DIGESTS,
    ) -> ObjectMeta:
        """Make the object visible; S3 verifies its size and the CRC32C of the whole.

        A store that does not keep checksums of whole objects is not asked to verify one. The
        result's digests are what the store says, for the caller to compare.

        :param late_metadata: becomes object tags, beside those the object has; refused
            before anything is written when S3 would not take them as tags.
        """
        ref = ObjectRef(upload.ref.bucket, upload.ref.key)
        doing = f"completing the upload of {name_of(ref)}"
        options = self._writable(ref, options, doing)
        check_illegal_tags(late_metadata, doing)
        self._check_unmet(ref, options.condition, doing)
        size = sum(part.size for part in parts)
        params: dict[str, Any] = {
            **upload_params(upload),
            **condition_params(options.condition),
            "MpuObjectSize": size,
            "MultipartUpload": {"Parts": [completed_part(part) for part in parts]},
        }
        if digests.crc32c is not None and self._verifies_whole(upload, doing):
            params["ChecksumCRC32C"] = to_base64(digests.crc32c)
            params["ChecksumType"] = "FULL_OBJECT"
        with translated(doing, condition=options.condition):
            response = self._s3.client.complete_multipart_upload(**params)
        forget(self._s3.client, upload, options)
        with well_formed(doing, NAME):
            stored = digests_of(response, response["ETag"].strip('"'))
            meta = written(ref, response, size=size, digests=stored, options=options)
        pinned = ObjectRef(ref.bucket, ref.key, meta.version)
        if meta.digests.crc32c is None:
            meta = self.stat_object(pinned)
        if late_metadata:
            self.set_tags(pinned, {**self.get_tags(pinned), **late_metadata})
        return meta

    def _verifies_whole(self, upload: PartUpload, doing: str) -> bool:
        with translated(doing):
            response = self._s3.client.list_parts(**upload_params(upload), MaxParts=1)
        return bool(response.get("ChecksumType") == "FULL_OBJECT")

    def abort_upload(self, upload: PartUpload) -> None:
        """Discard an upload and its parts; one that is gone already is no error."""
        try:
            with translated(f"aborting the upload of {name_of(upload.ref)}"):
                self._s3.client.abort_multipart_upload(**upload_params(upload))
        except StorageError as error:
            if error.code not in ("NoSuchUpload", "404"):
                raise
        delete_records(self._s3.client, upload)

    def left_uploads(self, ref: ObjectRef, options: WriteOptions) -> Sequence[LeftUpload]:
        """Uploads to this key that this package has noted; one fits when it noted these options.

        What is noted of uploads that are over (their run was killed) is removed.
        """
        # In this order: an upload begins before it is noted, so each of these is listed or over.
        noted = newest(records_of(self._s3.client, ref.bucket, ref.key))
        under_way = [u for u in self._under_way(ref.bucket, ref.key) if u.ref.key == ref.key]
        for over in noted.keys() - {upload_hash(upload.upload_id) for upload in under_way}:
            delete_record(self._s3.client, ref.bucket, noted[over].key)
        if not under_way:
            return []
        wanted = options_hash(self._writable(ref, options, f"uploading {name_of(ref)}"))
        left: list[LeftUpload] = []
        for upload in under_way:
            if (record := noted.get(upload_hash(upload.upload_id))) is not None:
                # Not every store that speaks S3 tells when an upload was begun.
                begun = replace(upload, started=record.started, run=record.run)
                left.append(LeftUpload(begun, record.options == wanted))
        return sorted(left, key=lambda one: one.upload.started or UNKNOWN_TIME, reverse=True)

    def list_uploads(self, bucket: str, prefix: str = "") -> Iterator[PartUpload]:
        """Uploads begun and neither completed nor aborted; ours are those that we have noted."""
        noted: Mapping[str, UploadRecord] | None = None
        for upload in self._under_way(bucket, prefix):
            if noted is None:
                noted = newest(records_of(self._s3.client, bucket))
            record = noted.get(upload_hash(upload.upload_id))
            if record is None:
                yield replace(upload, ours=False)
            else:
                # Not every store that speaks S3 tells when an upload was begun.
                started = upload.started or record.started
                yield replace(upload, started=started, run=record.run)

    def take_up(self, upload: PartUpload, *, run: str) -> PartUpload:
        """Note the upload again, as one of this run."""
        return renew_record(self._s3.client, upload, run)

    def left_records(self, bucket: str) -> Sequence[ObjectRef]:
        """What is noted of uploads that are over: their run was killed before it forgot them."""
        # In this order: an upload begins before it is noted, so each of these is listed or over.
        records = list(records_of(self._s3.client, bucket))
        if not records:
            return []
        alive = {upload_hash(upload.upload_id) for upload in self._under_way(bucket, "")}
        return [ObjectRef(bucket, r.key) for r in records if r.upload not in alive]

    def _under_way(self, bucket: str, prefix: str) -> Iterator[PartUpload]:
        """The uploads as S3 tells of them."""
        doing = f"listing the uploads of s3://{bucket}/{prefix}"
        listed = pages(
            self._s3.client, "list_multipart_uploads", doing, Bucket=bucket, Prefix=prefix
        )
        try:
            for page in listed:
                with well_formed(doing, NAME):
                    uploads = [upload_of(bucket, found) for found in page.get("Uploads", ())]
                yield from uploads
        except StorageError as error:
            if error.code not in _NO_SUCH_VERB:
                raise
            raise StorageError(
                f"{doing}: the store has no ListMultipartUploads ({error.code})",
                kind=ErrorKind.UNSUPPORTED,
                cloud=NAME,
                code=error.code,
            ) from error


def _must_agree(doing: str, name: str, *, sent: str, stored: str) -> None:
    if sent != stored:
        raise StorageError(
            f"{doing}: sent {name} {sent}, S3 holds {stored}",
            kind=ErrorKind.INTEGRITY,
            cloud=NAME,
        )
