"""What the contract classes share: content, digests, and errors that must come."""

from __future__ import annotations

import hashlib
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import pytest
from awscrt.checksums import crc32c  # type: ignore[import-untyped]

from airflow_multicloud.errors import StorageError
from airflow_multicloud.ports.object_store import (
    Digests,
    ObjectAttributes,
    ObjectMeta,
    Part,
    PartUpload,
    PartUploads,
    WriteOptions,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from airflow_multicloud.errors import ErrorKind
    from airflow_multicloud.ports.object_store import ObjectRef, ObjectStore
    from airflow_multicloud.testing.contracts.object_store.rigs import StoreRig

T = TypeVar("T")
R = TypeVar("R")

ATTRIBUTES = ObjectAttributes(
    content_type="text/x-contract",
    content_encoding="identity",
    content_language="en-GB",
    content_disposition='attachment; filename="a b.txt"',
    cache_control="no-cache, max-age=0",
    metadata={"team": "Search & Rescue", "weird": "a=b; c/d?e%20f+g"},
)
WRONG = Digests(crc32c="0badcafe", md5="0bad" * 8, sha256="0bad" * 16)


def content_of(size: int, seed: str = "") -> bytes:
    """Bytes that do not repeat, the same for the same arguments."""
    return random.Random(f"{size}:{seed}").randbytes(size)  # noqa: S311 - test data


def digests_of(content: bytes) -> Digests:
    """Every digest of ``content``."""
    return Digests(
        crc32c=f"{crc32c(content):08x}",
        md5=hashlib.md5(content, usedforsecurity=False).hexdigest(),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def contradictions(reported: Digests, content: bytes) -> list[str]:
    """The digests reported that are not those of ``content``."""
    actual = digests_of(content)
    return [
        f"{name}: reported {getattr(reported, name)}, computed {getattr(actual, name)}"
        for name in ("crc32c", "md5", "sha256")
        if getattr(reported, name) not in (None, getattr(actual, name))
    ]


def put(
    store: ObjectStore, ref: ObjectRef, content: bytes, options: WriteOptions | None = None
) -> ObjectMeta:
    """Write with every digest given."""
    return store.put_object(ref, content, options or WriteOptions(), digests=digests_of(content))


def read(store: ObjectStore, ref: ObjectRef) -> bytes:
    """The whole object."""
    return bytes(store.get_object(ref).read())


def keys_in(store: ObjectStore, bucket: str, prefix: str = "") -> list[str]:
    """The keys listed, sorted."""
    return sorted(meta.key for meta in store.list_objects(bucket, prefix))


def only(items: Iterable[T]) -> T:
    """The one item there is; the test fails when there are none or more."""
    found = list(items)
    if len(found) != 1:
        pytest.fail(f"{len(found)} items, not 1: {found}")
    return found[0]


def part_contents(rig: StoreRig, count: int, seed: str = "") -> list[bytes]:
    """Parts that the store accepts: all but the last as small as allowed."""
    size = max(rig.capability(PartUploads).part_limits.min_part, 1000)
    sizes = [size] * (count - 1) + [777]
    return [content_of(size, f"{seed}{number}") for number, size in enumerate(sizes)]


def send_part(store: PartUploads, upload: PartUpload, number: int, content: bytes) -> Part:
    """One part, with every digest given."""
    return store.put_part(upload, number, content, digests=digests_of(content))


@contextmanager
def fails(rig: StoreRig, *kinds: ErrorKind) -> Iterator[pytest.ExceptionInfo[StorageError]]:
    """The block must raise this cloud's storage error, of one of the kinds if any is given."""
    with pytest.raises(StorageError) as caught:
        yield caught
    error = caught.value
    if kinds and error.kind not in kinds:
        pytest.fail(f"kind {error.kind}, not {' or '.join(kinds)}: {error}")
    if error.cloud != rig.cloud:
        pytest.fail(f"cloud {error.cloud}, not {rig.cloud}: {error}")


def in_threads(call: Callable[[T], R], items: Iterable[T], threads: int = 16) -> list[R]:
    """``call`` on every item, at once; the results in order."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(call, items))
