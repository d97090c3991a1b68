"""What every object store must do."""
# ruff: noqa: S101, PLR2004 - a test suite asserts, and compares with literal numbers

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

import pytest

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.object_store import Digests, ObjectAttributes, ObjectRef, WriteOptions
from airflow_multicloud.testing.contracts.object_store.checks import (
    WRONG,
    content_of,
    contradictions,
    digests_of,
    fails,
    in_threads,
    keys_in,
    only,
    put,
    read,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_multicloud.ports.object_store import ObjectStore
    from airflow_multicloud.testing.contracts.object_store.rigs import StoreRig

ATTRIBUTES = ObjectAttributes(
    content_type="text/x-contract",
    content_encoding="identity",
    content_language="en-GB",
    content_disposition='attachment; filename="a b.txt"',
    cache_control="no-cache, max-age=0",
    metadata={"team": "Search & Rescue", "weird": "a=b; c/d?e%20f+g"},
)

_MISSING = "no-such-bucket-0b2f6a1d"
_ON_MISSING_BUCKET: dict[str, Callable[[ObjectStore], object]] = {
    "list": lambda store: list(store.list_objects(_MISSING)),
    "stat": lambda store: store.stat_object(ObjectRef(_MISSING, "key")),
    "get": lambda store: read(store, ObjectRef(_MISSING, "key")),
    "put": lambda store: put(store, ObjectRef(_MISSING, "key"), b"content"),
    "delete": lambda store: store.delete_object(ObjectRef(_MISSING, "key")),
    "stat_bucket": lambda store: store.stat_bucket(_MISSING),
}


class ObjectStoreContract:
    """The port's ``ObjectStore``."""

    needs: ClassVar[tuple[type, ...]] = ()

    # Listing

    def test_lists_all_pages(self, rig: StoreRig) -> None:
        """1,100 objects are more than a page (S3 and Cloud Storage: 1,000; Azure: 5,000)."""
        keys = [f"many/{number:04}" for number in range(1100)]
        in_threads(lambda key: rig.store.put_object(rig.ref(key), key.encode()), keys)
        assert keys_in(rig.store, rig.bucket, "many/") == keys
        assert keys_in(rig.store, rig.bucket, "many/10") == keys[1000:1100]

    def test_lists_lazily(self, rig: StoreRig) -> None:
        """An iterator, which can be left."""
        put(rig.store, rig.ref("a"), b"1")
        put(rig.store, rig.ref("b"), b"2")
        listing = rig.store.list_objects(rig.bucket)
        assert iter(listing) is listing
        assert next(listing).key in ("a", "b")

    @pytest.mark.parametrize(
        ("prefix", "expected"),
        [
            pytest.param("", ["a", "a-/b", "ab", "b/a"], id="empty"),
            pytest.param("a", ["a", "a-/b", "ab"], id="text"),
            pytest.param("a-/", ["a-/b"], id="slash"),
            pytest.param("ab", ["ab"], id="whole"),
            pytest.param("c", [], id="none"),
        ],
    )
    def test_lists_by_prefix(self, rig: StoreRig, prefix: str, expected: list[str]) -> None:
        """A prefix is one of text, not of path segments."""
        for key in ("a", "ab", "a-/b", "b/a"):
            put(rig.store, rig.ref(key), b"x")
        assert keys_in(rig.store, rig.bucket, prefix) == expected

    def test_listing_agrees_with_stat(self, rig: StoreRig) -> None:
        """What a listing says of an object is true; ``attributes`` may be left out."""
        put(rig.store, rig.ref("key"), b"content", WriteOptions(attributes=ATTRIBUTES))
        listed = only(rig.store.list_objects(rig.bucket))
        stat = rig.store.stat_object(rig.ref("key"))
        assert (listed.bucket, listed.key, listed.size) == (rig.bucket, "key", 7)
        assert listed.etag == stat.etag
        assert listed.version in (None, stat.version)
        assert listed.attributes in (None, stat.attributes)
        assert not contradictions(listed.digests, b"content")
        assert abs(listed.last_modified - stat.last_modified) < timedelta(seconds=2)

    # What is not there

    @pytest.mark.parametrize("call", _ON_MISSING_BUCKET)
    def test_missing_bucket(self, rig: StoreRig, call: str) -> None:
        """Every call says ``not_found``."""
        with fails(rig, ErrorKind.NOT_FOUND):
            _ON_MISSING_BUCKET[call](rig.store)

    def test_missing_object(self, rig: StoreRig) -> None:
        """Stat, get and delete say ``not_found`` and name the object."""
        put(rig.store, rig.ref("absent-not"), b"content")
        ref = rig.ref("absent")
        for call in (
            lambda: rig.store.stat_object(ref),
            lambda: read(rig.store, ref),
            lambda: rig.store.delete_object(ref),
        ):
            with fails(rig, ErrorKind.NOT_FOUND) as caught:
                call()
            assert "absent" in str(caught.value)

    def test_stat_bucket(self, rig: StoreRig) -> None:
        """The bucket under its name."""
        assert rig.store.stat_bucket(rig.bucket).name == rig.bucket

    # Writing

    def test_attributes_travel(self, rig: StoreRig) -> None:
        """All of them, and the metadata, exactly."""
        put(rig.store, rig.ref("key"), b"content", WriteOptions(attributes=ATTRIBUTES))
        stat = rig.store.stat_object(rig.ref("key"))
        assert stat.attributes is not None
        assert dict(stat.attributes.metadata) == dict(ATTRIBUTES.metadata)
        assert replace(stat.attributes, metadata=ATTRIBUTES.metadata) == ATTRIBUTES
        body = rig.store.get_object(rig.ref("key"))
        assert bytes(body.read()) == b"content"

    def test_no_metadata(self, rig: StoreRig) -> None:
        """An object written without metadata has none."""
        put(rig.store, rig.ref("key"), b"content")
        attributes = rig.store.stat_object(rig.ref("key")).attributes
        assert attributes is not None
        assert not attributes.metadata

    def test_calls_agree(self, rig: StoreRig) -> None:
        """Put, stat and get tell the same size, ETag and version."""
        written = put(rig.store, rig.ref("key"), b"content")
        stat = rig.store.stat_object(rig.ref("key"))
        body = rig.store.get_object(rig.ref("key"))
        assert bytes(body.read()) == b"content"
        for meta in (written, body.meta):
            assert (meta.bucket, meta.key) == (rig.bucket, "key")
            assert meta.size == stat.size == 7
            assert meta.etag == stat.etag
            assert meta.version in (None, stat.version)
        assert stat.etag
        assert '"' not in stat.etag

    def test_last_modified(self, rig: StoreRig) -> None:
        """Aware, UTC, now."""
        put(rig.store, rig.ref("key"), b"content")
        modified = rig.store.stat_object(rig.ref("key")).last_modified
        assert modified.utcoffset() == timedelta(0)
        assert abs(datetime.now(UTC) - modified) < timedelta(minutes=5)

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_takes_any_buffer(
        self, rig: StoreRig, kind: type[bytes | bytearray | memoryview]
    ) -> None:
        """Bytes, a bytearray, a memoryview."""
        content = content_of(70_000)
        rig.store.put_object(rig.ref("key"), kind(content), digests=digests_of(content))
        assert read(rig.store, rig.ref("key")) == content

    def test_no_bytes(self, rig: StoreRig) -> None:
        """An object may be empty, and reads as no bytes."""
        put(rig.store, rig.ref("empty"), b"")
        stat = rig.store.stat_object(rig.ref("empty"))
        assert stat.size == 0
        assert not contradictions(stat.digests, b"")
        assert read(rig.store, rig.ref("empty")) == b""
        assert b"".join(map(bytes, rig.store.get_object(rig.ref("empty")))) == b""
        listed = only(rig.store.list_objects(rig.bucket))
        assert listed.size == 0

    def test_overwrite(self, rig: StoreRig) -> None:
        """The new object replaces content, ETag and attributes."""
        old = put(rig.store, rig.ref("key"), b"old", WriteOptions(attributes=ATTRIBUTES))
        new = put(rig.store, rig.ref("key"), b"new!")
        stat = rig.store.stat_object(rig.ref("key"))
        assert new.etag != old.etag
        assert (stat.etag, stat.size) == (new.etag, 4)
        assert stat.attributes is not None
        assert not stat.attributes.metadata
        assert stat.attributes.cache_control != ATTRIBUTES.cache_control
        assert read(rig.store, rig.ref("key")) == b"new!"
        assert keys_in(rig.store, rig.bucket) == ["key"]

    # Digests

    def test_reported_digests_are_true(self, rig: StoreRig) -> None:
        """Whatever put, stat, get and listing report is what the content has."""
        content = content_of(100_000)
        written = put(rig.store, rig.ref("key"), content)
        body = rig.store.get_object(rig.ref("key"))
        assert bytes(body.read()) == content
        listed = only(rig.store.list_objects(rig.bucket))
        for meta in (written, rig.store.stat_object(rig.ref("key")), body.meta, listed):
            assert not contradictions(meta.digests, content)

    def test_small_object_is_verifiable(self, rig: StoreRig) -> None:
        """After a put with every digest given, its answer or a stat reports at least one."""
        written = put(rig.store, rig.ref("key"), b"content")
        stat = rig.store.stat_object(rig.ref("key"))
        assert (written.digests, stat.digests) != (Digests(), Digests())

    def test_wrong_digest_writes_nothing(self, rig: StoreRig) -> None:
        """Kind ``integrity``; no object appears."""
        with fails(rig, ErrorKind.INTEGRITY):
            rig.store.put_object(rig.ref("key"), b"content", digests=WRONG)
        assert keys_in(rig.store, rig.bucket) == []

    def test_wrong_digest_keeps_the_old_object(self, rig: StoreRig) -> None:
        """Kind ``integrity``; the old object stays."""
        old = put(rig.store, rig.ref("key"), b"old")
        with fails(rig, ErrorKind.INTEGRITY):
            rig.store.put_object(rig.ref("key"), b"content", digests=WRONG)
        assert rig.store.stat_object(rig.ref("key")).etag == old.etag
        assert read(rig.store, rig.ref("key")) == b"old"

    # Reading

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

    # Deleting

    def test_delete(self, rig: StoreRig) -> None:
        """The object is gone, and no other."""
        put(rig.store, rig.ref("a"), b"a")
        put(rig.store, rig.ref("ab"), b"ab")
        rig.store.delete_object(rig.ref("a"))
        assert keys_in(rig.store, rig.bucket) == ["ab"]
        with fails(rig, ErrorKind.NOT_FOUND):
            rig.store.stat_object(rig.ref("a"))

    def test_delete_twice(self, rig: StoreRig) -> None:
        """The second time there is nothing to delete."""
        put(rig.store, rig.ref("key"), b"content")
        rig.store.delete_object(rig.ref("key"))
        with fails(rig, ErrorKind.NOT_FOUND):
            rig.store.delete_object(rig.ref("key"))

    # Threads

    def test_threads_share_an_instance(self, rig: StoreRig) -> None:
        """16 threads write and read 64 objects of their own through one hook."""

        def one(number: int) -> bool:
            content = content_of(10_000 + number, "threads")
            put(rig.store, rig.ref(f"key-{number}"), content)
            return read(rig.store, rig.ref(f"key-{number}")) == content

        assert all(in_threads(one, range(64)))
        assert len(keys_in(rig.store, rig.bucket)) == 64
