"""Reading objects."""
# ruff: noqa: S101, PLR2004 - a test suite asserts, and compares with literal numbers

from __future__ import annotations

import gzip
import os
from typing import TYPE_CHECKING, ClassVar

import pytest

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.object_store import (
    CheckedReads,
    ObjectAttributes,
    PartUploads,
    WriteOptions,
)
from airflow_multicloud.testing.contracts.object_store.checks import (
    content_of,
    fails,
    put,
    read,
)

if TYPE_CHECKING:
    from airflow_multicloud.testing.contracts.object_store.rigs import StoreRig


class ReadingContract:
    """The reads of :class:`~.objects.ObjectStoreContract`."""

    @pytest.mark.parametrize(
        ("start", "end"),
        [(0, 1), (0, 10), (5, 10), (5, 5), (99, 100), (50, None), (90, 1000), (0, 1000)],
    )
    def test_range(self, rig: StoreRig, start: int, end: int | None) -> None:
        """From ``start`` up to, not including, ``end`` or the object's end."""
        content = content_of(100)
        put(rig.store, rig.ref("key"), content)
        body = rig.store.get_object(rig.ref("key"), start=start, end=end)
        assert bytes(body.read()) == content[start:end]
        assert body.meta.size == 100
        chunks = rig.store.get_object(rig.ref("key"), start=start, end=end)
        assert b"".join(map(bytes, chunks)) == content[start:end]

    @pytest.mark.parametrize(("start", "end"), [(7, 9), (7, None), (100, 101)])
    def test_range_past_the_end(self, rig: StoreRig, start: int, end: int | None) -> None:
        """A range that starts where the object ends, or later, is no range of it."""
        put(rig.store, rig.ref("key"), b"content")
        with fails(rig, ErrorKind.INVALID_ARGUMENT):
            rig.store.get_object(rig.ref("key"), start=start, end=end).read()

    def test_chunks(self, rig: StoreRig) -> None:
        """The chunks are the content, none of them large."""
        content = content_of(1 << 20)
        put(rig.store, rig.ref("key"), content)
        chunks = [bytes(chunk) for chunk in rig.store.get_object(rig.ref("key"))]
        assert b"".join(chunks) == content
        assert all(chunks)

    def test_if_etag(self, rig: StoreRig) -> None:
        """Reads this very object, or fails with ``precondition_failed``."""
        old = put(rig.store, rig.ref("key"), b"old")
        body = rig.store.get_object(rig.ref("key"), if_etag=old.etag)
        assert bytes(body.read()) == b"old"
        put(rig.store, rig.ref("key"), b"new")
        with fails(rig, ErrorKind.PRECONDITION_FAILED):
            rig.store.get_object(rig.ref("key"), if_etag=old.etag).read()
        with fails(rig, ErrorKind.PRECONDITION_FAILED):
            rig.store.get_object(rig.ref("key"), start=1, end=2, if_etag=old.etag).read()

    def test_reads_as_stored(self, rig: StoreRig) -> None:
        """Never decompressed, whatever ``Content-Encoding`` says."""
        stored = gzip.compress(b"content " * 1000)
        attributes = ObjectAttributes(content_type="text/plain", content_encoding="gzip")
        put(rig.store, rig.ref("key.gz"), stored, WriteOptions(attributes=attributes))
        assert read(rig.store, rig.ref("key.gz")) == stored
        assert b"".join(map(bytes, rig.store.get_object(rig.ref("key.gz")))) == stored
        body = rig.store.get_object(rig.ref("key.gz"), start=2, end=20)
        assert bytes(body.read()) == stored[2:20]
        stat = rig.store.stat_object(rig.ref("key.gz"))
        assert stat.size == len(stored)
        assert stat.attributes is not None
        assert stat.attributes.content_encoding == "gzip"


class CheckedReadsContract:
    """The port's ``CheckedReads``."""

    needs: ClassVar[tuple[type, ...]] = (CheckedReads,)

    @pytest.mark.parametrize("size", [0, 1, (4 << 20) + 1])
    def test_whole_object(self, rig: StoreRig, size: int) -> None:
        """All bytes, in order, however many requests it takes."""
        store = rig.store
        limit = store.part_limits.put_limit if isinstance(store, PartUploads) else size
        content = os.urandom(min(size, limit))
        put(rig.store, rig.ref("key"), content)
        chunks = rig.capability(CheckedReads).get_checked(rig.ref("key"))
        assert b"".join(bytes(chunk) for chunk in chunks) == content

    def test_another_object(self, rig: StoreRig) -> None:
        """An object replaced meanwhile is not read."""
        old = put(rig.store, rig.ref("key"), b"old")
        put(rig.store, rig.ref("key"), b"new")
        with fails(rig, ErrorKind.PRECONDITION_FAILED):
            list(rig.capability(CheckedReads).get_checked(rig.ref("key"), if_etag=old.etag))

    def test_no_object(self, rig: StoreRig) -> None:
        """What is not there is not found."""
        with fails(rig, ErrorKind.NOT_FOUND):
            list(rig.capability(CheckedReads).get_checked(rig.ref("absent")))
