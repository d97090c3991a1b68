"""``python -m tests.benchmarks.objects``: fill, clear and check the stand-ins' buckets.

fill PREFIX COUNT BYTES CLOUD… · clear BUCKET CLOUD… · check CLOUD PREFIX BUCKET CLOUD…
"""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING

import google_crc32c

from airflow_multicloud import registry
from airflow_multicloud.locations import parse_location
from airflow_multicloud.ports.object_store import BucketCreation, ObjectRef
from tests.benchmarks.endpoints import CONNECTIONS, SCHEMES
from tests.benchmarks.tools import SOURCE

if TYPE_CHECKING:
    from airflow_multicloud.ports.object_store import ObjectStore


def main() -> None:
    """Do what is asked."""
    match sys.argv[1:]:
        case ["fill", prefix, count, size, *clouds]:
            for cloud in clouds:
                store = _store(cloud, SOURCE)
                for number in range(int(count)):
                    body = random.Random(number).randbytes(int(size))
                    store.put_object(ObjectRef(SOURCE, f"{prefix}/{number:05d}.bin"), body)
        case ["clear", bucket, *clouds]:
            for cloud in clouds:
                store = _store(cloud, bucket)
                for meta in list(store.list_objects(bucket)):
                    store.delete_object(ObjectRef(bucket, meta.key))
        case ["check", source, prefix, bucket, *clouds]:
            wanted = _digests(_store(source, SOURCE), SOURCE, prefix)
            for cloud in clouds:
                if _digests(_store(cloud, bucket), bucket, prefix) != wanted:
                    sys.exit(f"{bucket} at {cloud} is not {SOURCE} at {source}")


def _store(cloud: str, bucket: str) -> ObjectStore:
    uri = f"{SCHEMES[cloud]}://{CONNECTIONS[cloud]}@{bucket}/"
    _, store = registry.resolve_location(parse_location(uri, parameter="uri"), parameter="uri")
    assert isinstance(store, BucketCreation)
    store.ensure_bucket(bucket)
    return store


def _digests(store: ObjectStore, bucket: str, prefix: str) -> dict[str, int]:
    return {
        meta.key: _crc32c(store, ObjectRef(bucket, meta.key))
        for meta in store.list_objects(bucket, f"{prefix}/")
    }


def _crc32c(store: ObjectStore, ref: ObjectRef) -> int:
    crc = 0
    for chunk in store.get_object(ref):
        crc = google_crc32c.extend(crc, bytes(chunk))
    return int(crc)


if __name__ == "__main__":
    main()
