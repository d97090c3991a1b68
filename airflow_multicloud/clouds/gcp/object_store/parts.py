"""Uploads in parts, as part objects that are composed at the end.

A resumable session would not do: its URI lets anyone write without credentials, and takes its
bytes only in order. So each part is an object of its own under
:data:`~airflow_multicloud.clouds.gcp.object_store.keys.PARTS_PREFIX`, of storage class STANDARD
(which may be deleted at any age for nothing), carrying the key it is for. Completion composes the
parts into one object beside them, which has its sources' storage class, compares the checksum that
the store computed for it, and only then rewrites it to its key, in one atomic step that also sets
its metadata, storage class and encryption key and checks its condition.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from google.api_core.exceptions import NotFound

from airflow_multicloud.adapters.answers import UNKNOWN_TIME, moment, well_formed
from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.adapters.pools import map_in_context
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.object_store.client import (
    NO_DIGESTS,
    NO_OPTIONS,
    ObjectStoreBase,
    name_of,
)
from airflow_multicloud.clouds.gcp.object_store.composing import THREADS, compose_tree
from airflow_multicloud.clouds.gcp.object_store.copying import rewrite
from airflow_multicloud.clouds.gcp.object_store.errors import conditional, translated
from airflow_multicloud.clouds.gcp.object_store.fields import (
    check_reported,
    digest_fields,
    meta_of,
    resource_of,
    with_crc32c,
)
from airflow_multicloud.clouds.gcp.object_store.json_api import JsonApi, object_path
from airflow_multicloud.clouds.gcp.object_store.keys import PARTS_PREFIX, RULES, check_key
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
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

_TIB = 1 << 40
#: https://cloud.google.com/storage/quotas: 5 TiB per object and per upload request. Cloud
#: Storage limits neither the parts of a composed object nor their smallest size; 10,000 is
#: this package's own limit, and keeps the tree of compositions at three levels.
LIMITS = PartLimits(
    put_limit=5 * _TIB, min_part=1, max_part=5 * _TIB, max_parts=10_000, max_object=5 * _TIB
)

_KEY_NAME = "airflow-multicloud-key"
_RUN_MARK = "."
_TAKEN_UP = "run-"


class GCSPartUploads(ObjectStoreBase):
    """Uploads in parts that survive a killed process."""

    @property
    def part_limits(self) -> PartLimits:
        """Cloud Storage's limits."""
        return LIMITS

    def begin_upload(
        self, ref: ObjectRef, options: WriteOptions = NO_OPTIONS, *, run: str | None = None
    ) -> PartUpload:
        """Start an upload; the store learns of it with its first part.

        Until completion the parts are encrypted with the bucket's default key, whatever
        ``options.encryption_key`` says.
        """
        check_key(ref.key)
        RULES.fitted(options.attributes, f"beginning the upload of {name_of(ref)}")
        number = secrets.token_hex(8)
        upload_id = number if run is None else f"{number}{_RUN_MARK}{run}"
        return PartUpload(ref, upload_id, datetime.now(UTC), run=run)

    def put_part(
        self, upload: PartUpload, number: int, body: Buffer, *, digests: Digests = NO_DIGESTS
    ) -> Part:
        """Store one part; Cloud Storage verifies its CRC32C."""
        doing = f"writing part {number} of {name_of(upload.ref)}"
        if not 1 <= number <= LIMITS.max_parts:
            raise _invalid(f"number: {number} is no part number; allowed: 1 to {LIMITS.max_parts}")
        sent = with_crc32c(digests, body)
        resource = {
            "name": f"{_parts_of(upload)}{number:05d}",
            "storageClass": "STANDARD",
            "metadata": {_KEY_NAME: upload.ref.key},
            **digest_fields(sent),
        }
        with translated(doing):
            part = _part(self._api.insert(upload.ref.bucket, resource, body, {}))
        check_reported(doing, sent, part.digests)
        return part

    def list_parts(self, upload: PartUpload) -> Sequence[Part]:
        """The parts stored, each with its CRC32C; none for an unknown upload."""
        with translated(f"listing the parts of {name_of(upload.ref)}"):
            # By number: listings are in the order of names.
            found = self._api.objects(upload.ref.bucket, _parts_of(upload))
            return [_part(resource) for resource in found if _is_part(resource)]

    def complete_upload(
        self,
        upload: PartUpload,
        parts: Sequence[Part],
        options: WriteOptions = NO_OPTIONS,
        *,
        late_metadata: Mapping[str, str] | None = None,
        digests: Digests = NO_DIGESTS,
    ) -> ObjectMeta:
        """Compose the parts, verify the whole's CRC32C, show it under its key, clean up.

        A clean-up that fails does not undo a complete object: it is logged as a warning, and
        :meth:`list_uploads` shows what is left until :meth:`abort_upload` deletes it.
        """
        doing = f"completing the upload of {name_of(upload.ref)}"
        metadata = {**options.attributes.metadata, **(late_metadata or {})}
        attributes = RULES.fitted(replace(options.attributes, metadata=metadata), doing)
        options = replace(options, attributes=attributes)
        if not parts:
            raise _invalid("parts: empty; an upload needs at least one part")
        with conditional(doing, options.condition), translated(doing):
            whole = _compose(self._api, upload, parts)
            check_reported(doing, replace(digests, md5=None), whole.digests)
            if whole.size != (size := sum(part.size for part in parts)):
                raise StorageError(
                    f"{doing}: the parts hold {size} bytes, what was composed {whole.size}",
                    kind=ErrorKind.INTEGRITY,
                    cloud=NAME,
                )
            source = ObjectRef(upload.ref.bucket, whole.key, whole.version)
            resource = resource_of(attributes, storage_class=options.storage_class)
            meta = rewrite(self._api, source, upload.ref, resource, options)
        try:
            self.abort_upload(upload)
        except CloudError as err:
            self.log.warning("%s: complete, but parts of it are left behind: %s", doing, err)
        return meta

    def abort_upload(self, upload: PartUpload) -> None:
        """Delete all that an upload has stored, noncurrent versions too.

        The parts go last: as long as anything is left, :meth:`list_uploads` finds the upload.
        """
        bucket = upload.ref.bucket
        with translated(f"aborting the upload of {name_of(upload.ref)}"):
            found = list(self._api.objects(bucket, _parts_of(upload), versions=True))
            with ThreadPoolExecutor(THREADS) as pool:
                for wanted in (False, True):
                    names = [r for r in found if _is_part(r) is wanted]
                    map_in_context(pool, lambda r: _delete(self._api, bucket, r), names)

    def list_uploads(self, bucket: str, prefix: str = "") -> Iterator[PartUpload]:
        """The uploads that have stored at least one part."""
        with translated(f"listing the uploads under gs://{bucket}/{prefix}"):
            for upload in _uploads(self._api, bucket, PARTS_PREFIX):
                if upload.ref.key.startswith(prefix):
                    yield upload

    def left_uploads(self, ref: ObjectRef, options: WriteOptions) -> Sequence[LeftUpload]:  # noqa: ARG002  # completion takes them
        """Every upload to this key: all that an object has is given when it is completed."""
        with translated(f"looking for uploads of {name_of(ref)}"):
            # Of this key only, whatever else is under way in the bucket.
            found = [
                upload
                for upload in _uploads(self._api, ref.bucket, _of_key(ref.key))
                if upload.ref.key == ref.key
            ]
        newest = sorted(found, key=lambda u: u.started or UNKNOWN_TIME, reverse=True)
        return [LeftUpload(upload, fits=True) for upload in newest]

    def take_up(self, upload: PartUpload, *, run: str) -> PartUpload:
        """Note the run in the name of an empty object beside the parts; it goes with them."""
        resource = {
            "name": f"{_parts_of(upload)}{_TAKEN_UP}{run}",
            "storageClass": "STANDARD",
            "metadata": {_KEY_NAME: upload.ref.key},
        }
        with translated(f"going on with the upload of {name_of(upload.ref)}"):
            self._api.insert(upload.ref.bucket, resource, b"", {})
        return replace(upload, run=run)

    def left_records(self, bucket: str) -> Sequence[ObjectRef]:  # noqa: ARG002
        """None: the parts say what there is to know of an upload."""
        return ()


def _compose(api: JsonApi, upload: PartUpload, parts: Sequence[Part]) -> ObjectMeta:
    """One object of exactly these parts, beside them; the parts stay."""
    sources = [(f"{_parts_of(upload)}{part.number:05d}", part.token) for part in parts]
    # Of a name of its own: where a retention policy keeps what an earlier try composed, it can't
    # be composed again.
    target = f"{_parts_of(upload)}compose-{secrets.token_hex(4)}"
    bucket = upload.ref.bucket
    return meta_of(bucket, compose_tree(api, bucket, target, sources))


def _uploads(api: JsonApi, bucket: str, below: str) -> Iterator[PartUpload]:
    for directory, found in groupby(api.objects(bucket, below), _directory):
        upload_id = unquote(directory.partition("-")[2])
        key: str | None = None
        started: datetime | None = None
        run = upload_id.partition(_RUN_MARK)[2] or None
        taken_up = UNKNOWN_TIME
        for resource in found:
            name = resource["name"].rpartition("/")[2]
            with well_formed(f"listing the uploads of {bucket!r}", NAME):
                created = moment(resource.get("timeCreated"))
                if key is None:
                    key = resource.get("metadata", {}).get(_KEY_NAME)
                    started = created
            if name.startswith(_TAKEN_UP) and created is not None and created >= taken_up:
                run, taken_up = name.removeprefix(_TAKEN_UP), created
        if key is not None:
            yield PartUpload(ObjectRef(bucket, key), upload_id, started, run=run)


def _directory(resource: dict[str, Any]) -> str:
    return str(resource["name"].removeprefix(PARTS_PREFIX).partition("/")[0])


def _delete(api: JsonApi, bucket: str, resource: dict[str, Any]) -> None:
    query = {"generation": resource["generation"]}
    try:
        api.ask("DELETE", object_path(bucket, resource["name"]), query)
    except NotFound:
        return  # already gone, which is what was wanted


def _parts_of(upload: PartUpload) -> str:
    return f"{_of_key(upload.ref.key)}{quote(upload.upload_id, safe='')}/"


def _of_key(key: str) -> str:
    return f"{PARTS_PREFIX}{sha256_of(key.encode())[:16]}-"


def _is_part(resource: dict[str, Any]) -> bool:
    return bool(resource["name"].rpartition("/")[2].isdigit())


def _part(resource: dict[str, Any]) -> Part:
    meta = meta_of("", resource)
    with well_formed("reading a part's resource", NAME):
        number = int(meta.key.rpartition("/")[2])
    return Part(number, meta.size, meta.etag, meta.digests, meta.last_modified)


def _invalid(message: str) -> StorageError:
    return StorageError(message, kind=ErrorKind.INVALID_ARGUMENT, cloud=NAME)
