"""Uploads in parts, in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from airflow_multicloud.errors import ErrorKind
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
from airflow_multicloud.testing.memory_cloud.object_store.keys import (
    check_attributes,
    check_ref,
    fail_if,
)
from airflow_multicloud.testing.memory_cloud.object_store.space import (
    NO_DIGESTS,
    PLAIN,
    StoredUpload,
    failure,
    space,
    verify,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from typing_extensions import Buffer

    from airflow_multicloud.testing.memory_cloud.object_store.space import Space

_NO_LATE_METADATA: Mapping[str, str] = MappingProxyType({})


class MemoryParts:
    """The port's ``PartUploads`` and ``StoreName``."""

    memory_conn_id: str

    @property
    def store_name(self) -> str:
        """The space's."""
        return self.memory_conn_id

    @property
    def part_limits(self) -> PartLimits:
        """What ``reset(limits=…)`` set."""
        return space(self.memory_conn_id).limits

    def begin_upload(
        self, ref: ObjectRef, options: WriteOptions = PLAIN, *, run: str | None = None
    ) -> PartUpload:
        """Start an upload."""
        check_ref(ref, writing=True)
        check_attributes(options.attributes)
        held = space(self.memory_conn_id)
        with held.lock:
            bucket = held.bucket(ref.bucket)
            upload_id = f"upload-{held.next_serial()}"
            upload = PartUpload(ref, upload_id, datetime.now(UTC), run=run)
            bucket.uploads[upload.upload_id] = StoredUpload(upload, options)
            return upload

    def put_part(
        self, upload: PartUpload, number: int, body: Buffer, *, digests: Digests = NO_DIGESTS
    ) -> Part:
        """Keep one part, verified against every digest given."""
        held = space(self.memory_conn_id)
        content = bytes(body)
        what = f"part {number} of {upload.ref.key!r}"
        fail_if(not 1 <= number <= held.limits.max_parts, f"{what}: number out of range")
        fail_if(len(content) > held.limits.max_part, f"{what}: {len(content)} bytes are too many")
        fail_if(digests.crc32c is None, f"{what}: digests must have crc32c")
        actual = verify(content, digests, what)
        with held.lock:
            stored = _find(held, upload)
            token = f"token-{held.next_serial()}"
            part = Part(number, len(content), token, actual, datetime.now(UTC))
            stored.parts[number] = (part, content)
            return part

    def list_parts(self, upload: PartUpload) -> Sequence[Part]:
        """The parts held, by number."""
        held = space(self.memory_conn_id)
        with held.lock:
            return tuple(part for _, (part, _) in sorted(_find(held, upload).parts.items()))

    def complete_upload(
        self,
        upload: PartUpload,
        parts: Sequence[Part],
        options: WriteOptions = PLAIN,
        *,
        late_metadata: Mapping[str, str] = _NO_LATE_METADATA,
        digests: Digests = NO_DIGESTS,
    ) -> ObjectMeta:
        """Join the parts into the visible object."""
        held = space(self.memory_conn_id)
        ref = upload.ref
        with held.lock:
            stored = _find(held, upload)
            fail_if(
                replace(options, condition=None) != replace(stored.options, condition=None),
                f"upload of {ref.key!r}: options are not those it was begun with",
            )
            content = _joined(held.limits, stored, parts)
            whole = verify(content, digests, f"upload of {ref.key!r}")
            merged = {**options.attributes.metadata, **late_metadata}
            attributes = replace(options.attributes, metadata=merged)
            check_attributes(attributes)
            meta = held.write(
                ref.bucket, ref.key, content, replace(options, attributes=attributes), whole
            )
            del held.bucket(ref.bucket).uploads[upload.upload_id]
            return meta

    def abort_upload(self, upload: PartUpload) -> None:
        """Forget an upload and its parts."""
        held = space(self.memory_conn_id)
        with held.lock:
            held.bucket(upload.ref.bucket).uploads.pop(upload.upload_id, None)

    def left_uploads(self, ref: ObjectRef, options: WriteOptions) -> Sequence[LeftUpload]:
        """Uploads to this key, newest first, with the options that they were begun with."""
        held, wanted = space(self.memory_conn_id), replace(options, condition=None)
        with held.lock:
            uploads = held.bucket(ref.bucket).uploads
            stored = [s for s in uploads.values() if s.upload.ref == ref]
        return [
            LeftUpload(s.upload, replace(s.options, condition=None) == wanted)
            for s in reversed(stored)
        ]

    def take_up(self, upload: PartUpload, *, run: str) -> PartUpload:
        """The upload is of another run now."""
        held = space(self.memory_conn_id)
        with held.lock:
            stored = _find(held, upload)
            stored.upload = replace(stored.upload, run=run)
            return stored.upload

    def left_records(self, bucket: str) -> Sequence[ObjectRef]:  # noqa: ARG002
        """Nothing is noted beside an upload."""
        return ()

    def list_uploads(self, bucket: str, prefix: str = "") -> Iterator[PartUpload]:
        """Uploads under way."""
        held = space(self.memory_conn_id)
        with held.lock:
            uploads = [stored.upload for stored in held.bucket(bucket).uploads.values()]
        yield from (upload for upload in uploads if upload.ref.key.startswith(prefix))


def _find(held: Space, upload: PartUpload) -> StoredUpload:
    stored = held.bucket(upload.ref.bucket).uploads.get(upload.upload_id)
    if stored is None or stored.upload.ref != upload.ref:
        raise failure(
            f"upload {upload.upload_id} of {upload.ref.key!r} is not under way",
            ErrorKind.NOT_FOUND,
        )
    return stored


def _joined(limits: PartLimits, stored: StoredUpload, parts: Sequence[Part]) -> bytes:
    key = stored.upload.ref.key
    numbers = [part.number for part in parts]
    fail_if(not parts, f"upload of {key!r}: no parts")
    fail_if(numbers != sorted(set(numbers)), f"upload of {key!r}: parts are not in order")
    contents: list[bytes] = []
    for part in parts:
        current, content = stored.parts.get(part.number, (None, b""))
        fail_if(
            current is None or current.token != part.token,
            f"upload of {key!r}: part {part.number} is not the one the store holds",
        )
        fail_if(
            len(content) < limits.min_part and part.number != numbers[-1],
            f"upload of {key!r}: part {part.number} is smaller than {limits.min_part} bytes",
        )
        contents.append(content)
    size = sum(map(len, contents))
    fail_if(size > limits.max_object, f"upload of {key!r}: {size} bytes are too many")
    return b"".join(contents)
