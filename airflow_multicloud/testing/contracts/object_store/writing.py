"""Writing and deleting objects."""
# ruff: noqa: S101, PLR2004 - a test suite asserts, and compares with literal numbers

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.object_store import (
    Digests,
    ObjectAttributes,
    WriteOptions,
)
from airflow_multicloud.testing.contracts.object_store.checks import (
    ATTRIBUTES,
    WRONG,
    content_of,
    contradictions,
    digests_of,
    fails,
    keys_in,
    only,
    put,
    read,
)

if TYPE_CHECKING:
    from airflow_multicloud.testing.contracts.object_store.rigs import StoreRig


class WritingContract:
    """The writes of :class:`~.objects.ObjectStoreContract`."""

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

    def test_reported_digests_are_true(self, rig: StoreRig) -> None:
        """Whatever put, stat, get and listing report is what the content has."""
        content = content_of(100_000)
        written = put(rig.store, rig.ref("key"), content)
        body = rig.store.get_object(rig.ref("key"))
        assert bytes(body.read()) == content
        listed = only(rig.store.list_objects(rig.bucket))
        for meta in (written, rig.store.stat_object(rig.ref("key")), body.meta, listed):
            assert not contradictions(meta.digests, content)

    def test_metadata_is_no_digest(self, rig: StoreRig) -> None:
        """What a writer claims of the content in metadata is not reported as the store's digest."""
        claim = ObjectAttributes(metadata={"multicloud_sha256": WRONG.sha256 or ""})
        written = put(rig.store, rig.ref("key"), b"content", WriteOptions(attributes=claim))
        listed = only(rig.store.list_objects(rig.bucket))
        for meta in (written, rig.store.stat_object(rig.ref("key")), listed):
            assert not contradictions(meta.digests, b"content")
            assert not contradictions(meta.declared, b"content")

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
