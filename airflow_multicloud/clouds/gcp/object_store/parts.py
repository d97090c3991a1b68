"""Uploads in parts, as part objects that are composed at the end.

A resumable session would not do: its URI lets anyone write without credentials, and takes its
bytes only in order. So each part is an object of its own under :data:`PARTS_PREFIX`, of storage
class STANDARD (which may be deleted at any age for nothing), carrying the key it is for.
Completion composes the parts into one object beside them, compares the checksum that the store
computed for it, and only then rewrites it to its key, in one atomic step that also sets its
metadata, storage class and encryption key and checks its condition.

A composed object has its sources' storage class, and composing takes 1 to 32 sources, see
https://cloud.google.com/storage/docs/composite-objects
"""

from __future__ import annotations

import hashlib
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from google.api_core.exceptions import NotFound

from airflow_multicloud.adapters.answers import moment, well_formed
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.object_store.client import JsonApi, object_path
from airflow_multicloud.clouds.gcp.object_store.fields import (
    check_digests,
    digest_fields,
    meta_of,
    resource_of,
    write_query,
)
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    Digests,
    ObjectMeta,
    ObjectRef,
    Part,
    PartLimits,
    PartUpload,
    WriteOptions,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Reserved in every bucket: parts lie here until their upload is completed or aborted.
PARTS_PREFIX = ".airflow-multicloud/parts/"

_TIB = 1 << 40
#: https://cloud.google.com/storage/quotas: 5 TiB per object and per upload request. Cloud
#: Storage limits neither the parts of a composed object nor their smallest size; 10,000 is
#: this package's own limit, and keeps the tree of compositions at three levels.
LIMITS = PartLimits(
    put_limit=5 * _TIB, min_part=1, max_part=5 * _TIB, max_parts=10_000, max_object=5 * _TIB
)

_COMPOSE_LIMIT = 32
_THREADS = 16
_KEY_NAME = "airflow-multicloud-key"


def begin(ref: ObjectRef) -> PartUpload:
    """A new upload; nothing is stored before its first part."""
    return PartUpload(ref, secrets.token_hex(8), datetime.now(UTC))


def put_part(api: JsonApi, upload: PartUpload, number: int, content: Any, digests: Digests) -> Part:
    """Store one part."""
    if not 1 <= number <= LIMITS.max_parts:
        raise StorageError(
            f"number: {number} is no part number; allowed: 1 to {LIMITS.max_parts}",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=NAME,
        )
    resource = {
        "name": f"{_parts_of(upload)}{number:05d}",
        "storageClass": "STANDARD",
        "metadata": {_KEY_NAME: upload.ref.key},
        **digest_fields(digests),
    }
    return _part(api.insert(upload.ref.bucket, resource, content, {}))


def list_parts(api: JsonApi, upload: PartUpload) -> Sequence[Part]:
    """The parts stored, by number (listings are in the order of names)."""
    found = api.objects(upload.ref.bucket, _parts_of(upload))
    return [_part(resource) for resource in found if _is_part(resource)]


def complete(
    api: JsonApi, upload: PartUpload, parts: Sequence[Part], options: WriteOptions, digests: Digests
) -> ObjectMeta:
    """Make the object from exactly these parts; the parts stay, see :func:`discard`."""
    if not parts:
        raise StorageError(
            "parts: empty; an upload needs at least one part",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=NAME,
        )
    bucket = upload.ref.bucket
    sources = [(f"{_parts_of(upload)}{part.number:05d}", part.token) for part in parts]
    # Of a name of its own: where a retention policy keeps what an earlier try composed, it can't
    # be composed again.
    target = f"{_parts_of(upload)}compose-{secrets.token_hex(4)}"
    whole = _compose_tree(api, bucket, target, sources)
    composed = meta_of(bucket, whole)
    doing = f"complete_upload of {upload.ref.key!r} in {bucket!r}"
    check_digests(doing, replace(digests, md5=None), composed.digests)
    if composed.size != (size := sum(part.size for part in parts)):
        raise StorageError(
            f"{doing}: the parts hold {size} bytes, what was composed {composed.size}",
            kind=ErrorKind.INTEGRITY,
            cloud=NAME,
        )
    source = ObjectRef(bucket, composed.key, composed.version)
    resource = resource_of(options.attributes, storage_class=options.storage_class)
    return rewrite(api, source, upload.ref, resource, options)


def discard(api: JsonApi, upload: PartUpload) -> None:
    """Delete all that an upload has stored, noncurrent versions too.

    The parts go last: as long as anything is left, :func:`list_uploads` finds the upload.
    """
    found = list(api.objects(upload.ref.bucket, _parts_of(upload), versions=True))
    with ThreadPoolExecutor(_THREADS) as pool:
        for wanted in (False, True):
            names = [r for r in found if _is_part(r) is wanted]
            list(pool.map(lambda r: _delete(api, upload.ref.bucket, r), names))


def list_uploads(api: JsonApi, bucket: str, prefix: str) -> Iterator[PartUpload]:
    """The uploads that have parts, for keys under ``prefix``."""
    found = _uploads(api, bucket, PARTS_PREFIX)
    return (upload for upload in found if upload.ref.key.startswith(prefix))


def uploads_to(api: JsonApi, ref: ObjectRef) -> Iterator[PartUpload]:
    """The uploads to this very key that have parts, whatever else is under way in the bucket."""
    found = _uploads(api, ref.bucket, _of_key(ref.key))
    return (upload for upload in found if upload.ref.key == ref.key)


def _uploads(api: JsonApi, bucket: str, below: str) -> Iterator[PartUpload]:
    seen = ""
    for resource in api.objects(bucket, below):
        directory = resource["name"].removeprefix(PARTS_PREFIX).partition("/")[0]
        with well_formed(f"listing the uploads of {bucket!r}", NAME):
            key = resource.get("metadata", {}).get(_KEY_NAME)
            started = moment(resource.get("timeCreated"))
        if key is None or directory == seen:
            continue
        seen = directory
        yield PartUpload(ObjectRef(bucket, key), directory.rpartition("-")[2], started)


def rewrite(
    api: JsonApi,
    source: ObjectRef,
    destination: ObjectRef,
    resource: dict[str, Any] | None,
    options: WriteOptions,
) -> ObjectMeta:
    """Copy within Cloud Storage, atomically at the destination.

    :param resource: the new object's metadata; ``None`` keeps the source's.
    """
    path = f"{object_path(source.bucket, source.key)}/rewriteTo" + object_path(
        destination.bucket, destination.key
    )
    query = write_query(options, key_parameter="destinationKmsKeyName")
    if source.version:
        query["sourceGeneration"] = source.version
    # Between locations or storage classes one call copies only some of the bytes.
    while True:
        answer = api.call("POST", path, query, resource)
        with well_formed(f"rewriting to {destination.key!r}", NAME):
            if answer["done"]:
                return meta_of(destination.bucket, answer["resource"])
            query["rewriteToken"] = answer["rewriteToken"]


def _compose_tree(
    api: JsonApi, bucket: str, target: str, sources: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Compose (name, generation) pairs in their order, level by level."""
    with ThreadPoolExecutor(_THREADS) as pool:
        level = 0
        while True:
            level += 1
            groups = [
                sources[at : at + _COMPOSE_LIMIT] for at in range(0, len(sources), _COMPOSE_LIMIT)
            ]
            names = [f"{target}-{level}-{index:05d}" for index in range(len(groups))]
            composed = list(
                pool.map(lambda name, group: _compose(api, bucket, name, group), names, groups)
            )
            if len(composed) == 1:
                return composed[0]
            with well_formed(f"composing {target!r}", NAME):
                sources = [(made["name"], made["generation"]) for made in composed]


def _compose(
    api: JsonApi, bucket: str, name: str, sources: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    pinned = [
        {
            "name": source,
            "generation": generation,
            "objectPreconditions": {"ifGenerationMatch": generation},
        }
        for source, generation in sources
    ]
    return api.call(
        "POST",
        f"{object_path(bucket, name)}/compose",
        None,
        {"kind": "storage#composeRequest", "sourceObjects": pinned, "destination": {}},
    )


def _delete(api: JsonApi, bucket: str, resource: dict[str, Any]) -> None:
    try:
        api.call(
            "DELETE",
            object_path(bucket, resource["name"]),
            {"generation": resource["generation"]},
        )
    except NotFound:
        return  # already gone, which is what was wanted


def _parts_of(upload: PartUpload) -> str:
    return f"{_of_key(upload.ref.key)}{quote(upload.upload_id, safe='')}/"


def _of_key(key: str) -> str:
    return f"{PARTS_PREFIX}{hashlib.sha256(key.encode()).hexdigest()[:16]}-"


def _is_part(resource: dict[str, Any]) -> bool:
    return bool(resource["name"].rpartition("/")[2].isdigit())


def _part(resource: dict[str, Any]) -> Part:
    meta = meta_of("", resource)
    with well_formed("reading a part's resource", NAME):
        number = int(meta.key.rpartition("/")[2])
    return Part(number, meta.size, meta.etag, meta.digests, meta.last_modified)
