"""The data the demo replicates: real files, some of them large, always the same."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import airflow_multicloud
from airflow_multicloud.core.streams import put_stream
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.ports.object_store import BucketCreation

MIB = 1 << 20
LARGE_OBJECTS = {"models/weights.bin": 64 * MIB, "backups/orders.dump": 24 * MIB}


def seed(primary: str, replicas: Sequence[str]) -> tuple[int, int]:
    """Make the buckets, and write this package's own files and two large objects.

    Returns the number of objects and bytes.
    """
    for uri in (primary, *replicas):
        end = open_endpoint(uri, parameter="demo")
        if isinstance(end.store, BucketCreation):
            end.store.ensure_bucket(end.bucket)
    source = open_endpoint(primary, parameter="primary")
    root = Path(airflow_multicloud.__file__).parent
    objects = size = 0
    for file in sorted(root.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            key = source.key_of(f"source/{file.relative_to(root).as_posix()}")
            size += put_stream(source, key, [file.read_bytes()]).size
            objects += 1
    for name, length in LARGE_OBJECTS.items():
        size += put_stream(source, source.key_of(name), _bytes(name, length)).size
        objects += 1
    return objects, size


def _bytes(name: str, length: int) -> Iterator[bytes]:
    # Reproducible, incompressible and not secret: no cryptographic generator is called for.
    source = random.Random(name)  # noqa: S311
    for _ in range(length // MIB):
        yield source.randbytes(MIB)
