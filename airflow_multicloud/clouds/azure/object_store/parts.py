"""Large blobs in blocks that survive the process that sent them.

Limits and lifetimes: "Put Block", "Put Block List" and "Put Blob"
(https://learn.microsoft.com/rest/api/storageservices/put-block, …/put-block-list, …/put-blob)
and "Scalability targets for Blob storage"
(https://learn.microsoft.com/azure/storage/blobs/scalability-targets).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from azure.core.exceptions import HttpResponseError

from airflow_multicloud.adapters.answers import UNKNOWN_TIME, http_date, well_formed
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.errors import error_code
from airflow_multicloud.clouds.azure.object_store.blocks import (
    LIMITS,
    Block,
    base64_id,
    block_list,
    check_tokens,
    is_of_scope,
    latest_per_number,
    new_block_id,
    new_upload_id,
    parse_block,
    replaces,
    run_of,
    split_upload_id,
    with_scope,
)
from airflow_multicloud.clouds.azure.object_store.client import (
    NO_DIGESTS,
    NO_OPTIONS,
    ObjectStoreBase,
)
from airflow_multicloud.clouds.azure.object_store.errors import translated
from airflow_multicloud.clouds.azure.object_store.fields import blob_name, hex_md5, is_uncommitted
from airflow_multicloud.clouds.azure.object_store.keys import check_key, name_of
from airflow_multicloud.clouds.azure.object_store.listing import listed_blobs
from airflow_multicloud.clouds.azure.object_store.other_types import (
    OTHER_TYPE,
    etag_of_another_type,
    send_block,
)
from airflow_multicloud.clouds.azure.object_store.writing import (
    as_bytes,
    check_crc32c,
    content_crc64,
    content_md5,
    write_headers,
)
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    Digests,
    IfAbsent,
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

_CRC64 = "x-ms-content-crc64"
# What a commit answers when the blocks are gone or a blob is there: perhaps because this very
# commit had been carried out and only its answer was lost.
_MAYBE_DONE = frozenset({"InvalidBlockList", "BlobAlreadyExists", "ConditionNotMet"})


class BlobPartUploads(ObjectStoreBase):
    """The port's ``PartUploads`` on uncommitted blocks.

    An upload exists only in the ids of its blocks, so two uploads to one key don't meet until
    one commits: that discards the other's blocks, whose own completion then fails with kind
    ``precondition_failed``.
    """

    @property
    def part_limits(self) -> PartLimits:
        """Put Blob: 5,000 MiB; a block: 4,000 MiB; 50,000 blocks, about 190.7 TiB."""
        return LIMITS

    def begin_upload(
        self, ref: ObjectRef, options: WriteOptions = NO_OPTIONS, *, run: str | None = None
    ) -> PartUpload:
        """Start an upload; sends nothing but where it may replace a blob of another type.

        Append and page blobs take no blocks, so one that has the key is deleted: not now, but
        when the first block is there to be sent.
        """
        doing = f"beginning the upload of {name_of(ref)}"
        check_key(ref.key)
        write_headers(options, doing)
        other: str | None = None
        if not isinstance(options.condition, IfAbsent):
            other = etag_of_another_type(self.account, ref, options.condition, doing)
        upload_id = new_upload_id(options.encryption_key, replaces=other, run=run)
        return PartUpload(ref, upload_id, run=run)

    def put_part(
        self, upload: PartUpload, number: int, body: Buffer, *, digests: Digests = NO_DIGESTS
    ) -> Part:
        """Send one block, which the service verifies by its CRC64 before it takes it.

        By its MD5 when the caller gives one, or when the service has answered without a CRC64
        of its own (emulators), since it may not have looked at ours.
        """
        doing = f"writing part {number} of {name_of(upload.ref)}"
        if not 1 <= number <= LIMITS.max_parts:
            raise StorageError(
                f"{doing}: number must be 1 to {LIMITS.max_parts}",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=NAME,
            )
        data = as_bytes(body)
        crc32c = check_crc32c(data, digests.crc32c, doing)
        upload_id, scope = split_upload_id(upload.upload_id)
        block_id = new_block_id(upload_id, number, crc32c)
        scoped = {} if scope is None else {"x-ms-encryption-scope": scope}
        account = self.account
        params = {"comp": "block", "blockid": base64_id(block_id)}
        if account.verifies_crc64 and digests.md5 is None:
            crc64 = content_crc64(data)
            headers = {**scoped, _CRC64: crc64}
            answer = send_block(account, upload, doing, params, headers, data)
            if answer.get(_CRC64) == crc64:
                return Part(number, len(data), block_id, Digests(crc32c=crc32c))
            account.verifies_crc64 = False
        md5 = content_md5(data, digests.md5)
        headers = {**scoped, "Content-MD5": md5}
        send_block(account, upload, doing, params, headers, data)
        confirmed = Digests(crc32c=crc32c, md5=hex_md5(md5))
        return Part(number, len(data), block_id, confirmed)

    def list_parts(self, upload: PartUpload) -> Sequence[Part]:
        """The upload's uncommitted blocks, by number, the latest of each.

        The CRC32C is the sender's, kept in the block's id; what the service verified when the
        block arrived is the CRC64 or MD5 over the same bytes.
        """
        upload_id, _ = split_upload_id(upload.upload_id)
        blocks = self._blocks(upload.ref, "uncommitted")
        ours = latest_per_number(block for block in blocks if block.upload == upload_id)
        return [block.as_part() for block in ours]

    def complete_upload(
        self,
        upload: PartUpload,
        parts: Sequence[Part],
        options: WriteOptions = NO_OPTIONS,
        *,
        late_metadata: Mapping[str, str] | None = None,
        digests: Digests = NO_DIGESTS,
    ) -> ObjectMeta:
        """Commit exactly these blocks, then compare the committed list with them.

        What the service verified is each block's CRC64 or MD5 on arrival and that the blob is these
        blocks, in this order, of these sizes; it computes no digest of the whole. That the
        blocks' CRC32Cs combine to ``digests.crc32c`` is the caller's to know; it is returned
        as confirmed on that ground. Discards every other uncommitted block of the key.
        """
        doing = f"completing the upload of {name_of(upload.ref)}"
        ordered = sorted(parts, key=lambda part: part.number)
        check_tokens(upload, ordered, doing)
        if replaces(upload.upload_id):  # What the condition names was deleted for the blocks.
            options = replace(options, condition=IfAbsent())
        headers = write_headers(options, doing, late_metadata)
        url = self.account.url(upload.ref)
        try:
            with translated(doing, creating=isinstance(options.condition, IfAbsent)):
                answer = self.account.send(
                    "PUT",
                    url,
                    params={"comp": "blocklist"},
                    headers=headers,
                    body=block_list(ordered),
                )
        except StorageError as err:
            if err.code not in _MAYBE_DONE or not self._is_committed(upload.ref, ordered):
                raise
            done = self._describe(upload.ref, doing)
            etag, version, modified = done.etag, done.version, done.last_modified
        else:
            with well_formed(doing, NAME):
                etag = answer.headers["ETag"].strip('"')
                version = answer.headers.get("x-ms-version-id")
                modified = http_date(answer.headers["Last-Modified"])
            if not self._is_committed(upload.ref, ordered):
                raise StorageError(
                    f"{doing}: the committed blocks are not those named; another writer may "
                    "have replaced the object since",
                    kind=ErrorKind.INTEGRITY,
                    cloud=NAME,
                )
        return ObjectMeta(
            bucket=upload.ref.bucket,
            key=upload.ref.key,
            size=sum(part.size for part in ordered),
            etag=etag,
            last_modified=modified,
            version=version,
            digests=Digests(crc32c=digests.crc32c),
            storage_class=options.storage_class,
        )

    def abort_upload(self, upload: PartUpload) -> None:
        """Give an upload up; the service discards its blocks by itself.

        Azure has no verb for discarding uncommitted blocks: they are invisible, go with the
        next commit on the key, or expire a week after the last block ("Put Block"). Committing
        an empty blob to be rid of them would make it visible.
        """

    def list_uploads(self, bucket: str, prefix: str = "") -> Iterator[PartUpload]:
        """Uploads of ours, also aborted ones, for keys that hold no object yet.

        A key that holds an object does not tell in a listing whether it has uncommitted blocks
        too: it is only looked at when ``prefix`` is that very key. An upload id listed here
        lacks the encryption scope, if there was one; :meth:`left_uploads` has it.
        """
        seen = False
        for blob in listed_blobs(self.account, bucket, prefix, "uncommittedblobs"):
            if is_uncommitted(blob):
                ref = ObjectRef(bucket, blob_name(blob))
                seen = seen or ref.key == prefix
                yield from self._uploads_to(ref)
        if prefix and not seen:
            yield from self._uploads_to(ObjectRef(bucket, prefix))

    def left_uploads(self, ref: ObjectRef, options: WriteOptions) -> Sequence[LeftUpload]:
        """Uploads of ours to this key; one fits when its blocks are of the same scope.

        All else that an object has is given when its blocks are committed.
        """
        scope = options.encryption_key
        left: list[LeftUpload] = []
        for found in self._uploads_to(ref):
            fits = is_of_scope(found.upload_id, scope)
            upload_id = with_scope(found.upload_id, scope) if fits else found.upload_id
            left.append(LeftUpload(replace(found, upload_id=upload_id), fits))
        return sorted(left, key=_began, reverse=True)

    def take_up(self, upload: PartUpload, *, run: str) -> PartUpload:  # noqa: ARG002
        """Not noted: nothing can take its blocks away but a commit to the key."""
        return upload

    def left_records(self, bucket: str) -> Sequence[ObjectRef]:  # noqa: ARG002
        """None: the blocks' ids say what there is to know of an upload."""
        return ()

    def _uploads_to(self, ref: ObjectRef) -> Iterator[PartUpload]:
        uploads: dict[str, Block] = {}
        for block in sorted(self._blocks(ref, "uncommitted"), key=lambda b: b.sent):
            uploads.setdefault(block.upload, block)
        for upload_id, first in uploads.items():
            yield PartUpload(ref, upload_id, first.sent, run=run_of(upload_id))

    def _blocks(self, ref: ObjectRef, which: str) -> list[Block]:
        account = self.account
        with translated(f"listing the blocks of {name_of(ref)}"):
            try:
                committed, uncommitted = account.blob(ref).get_block_list(which)
            except HttpResponseError as err:
                if error_code(err) in ("BlobNotFound", OTHER_TYPE):
                    return []
                raise
        listed = committed if which == "committed" else uncommitted
        blocks = (parse_block(block.id, block.size) for block in listed)
        return [block for block in blocks if block is not None]

    def _is_committed(self, ref: ObjectRef, parts: Sequence[Part]) -> bool:
        blocks = self._blocks(ref, "committed")
        return [(b.block_id, b.size) for b in blocks] == [(p.token, p.size) for p in parts]


def _began(left: LeftUpload) -> datetime:
    return left.upload.started or UNKNOWN_TIME
