"""Objects that need nothing special, at the least cost: done exactly, or declined."""
# ruff: noqa: S101 - a test suite asserts, and compares with literal numbers

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import pytest

from airflow_multicloud.ports.object_store import (
    IfAbsent,
    IfUnchanged,
    KeyRules,
    ObjectAttributes,
    PlainAsked,
    PlainBucket,
    PlainObjects,
    PlainWrite,
    WriteOptions,
)
from airflow_multicloud.testing.contracts.object_store.checks import (
    ATTRIBUTES,
    content_of,
    contradictions,
    in_threads,
    keys_in,
    only,
    put,
    read,
)

if TYPE_CHECKING:
    from airflow_multicloud.ports.object_store import PlainRead, PlainWritten, WriteCondition
    from airflow_multicloud.testing.contracts.object_store.rigs import StoreRig

_NONE = ObjectAttributes()
_DIGEST = {"multicloud_sha256": "ab" * 32}


def _bucket(rig: StoreRig) -> PlainBucket:
    assert isinstance(rig.store, PlainObjects)
    found = rig.store.plain_bucket(rig.bucket)
    assert found is not None
    return found


def _write(
    rig: StoreRig,
    body: bytes,
    *,
    key: str = "key",
    attributes: ObjectAttributes = _NONE,
    condition: WriteCondition | None = None,
) -> PlainWritten | None:
    write = PlainWrite(rig.ref(key).key, body, attributes, _DIGEST, condition)
    return only(_bucket(rig).write_all([write]))


def _read(rig: StoreRig, size: int, etag: str, version: str | None) -> PlainRead | None:
    return only(_bucket(rig).read_all([PlainAsked("key", size, etag, version)]))


class PlainObjectsContract:
    """``PlainObjects``."""

    needs: ClassVar[tuple[type, ...]] = (PlainObjects,)

    @pytest.mark.parametrize("attributes", [_NONE, ATTRIBUTES], ids=["none", "all"])
    def test_plain_write(self, rig: StoreRig, attributes: ObjectAttributes) -> None:
        """The content, the attributes and the metadata; identified as the listing does."""
        written = _write(rig, b"content", attributes=attributes)
        assert written is not None
        assert read(rig.store, rig.ref("key")) == b"content"
        listed = only(rig.store.list_objects(rig.bucket))
        assert (written.etag, listed.size) == (listed.etag, 7)
        assert written.version in (None, rig.store.stat_object(rig.ref("key")).version)
        assert not contradictions(written.digests, b"content")
        there = rig.store.stat_object(rig.ref("key")).attributes
        assert there is not None
        assert dict(there.metadata) == {**attributes.metadata, **_DIGEST}
        if attributes is ATTRIBUTES:
            assert replace(there, metadata=ATTRIBUTES.metadata) == ATTRIBUTES

    def test_plain_write_is_confirmed(self, rig: StoreRig) -> None:
        """By the MD5 or the CRC32C that the service computed, in the answer or in the listing."""
        content = content_of(70_000)
        written = _write(rig, content)
        listed = only(rig.store.list_objects(rig.bucket))
        assert written is not None
        for told in (listed.digests, listed.declared):
            assert not contradictions(told, content)
        assert listed.digests.md5 or listed.declared.md5 or listed.digests.crc32c

    def test_plain_read(self, rig: StoreRig) -> None:
        """The bytes, and all attributes."""
        content = content_of(70_000)
        put(rig.store, rig.ref("key"), content, WriteOptions(attributes=ATTRIBUTES))
        listed = only(rig.store.list_objects(rig.bucket))
        found = _read(rig, listed.size, listed.etag, listed.version)
        there = rig.store.stat_object(rig.ref("key")).attributes
        if found is not None:  # Some stores' answers do not tell all attributes.
            assert bytes(found.body) == content
            assert found.attributes == there

    def test_plain_read_without_attributes(self, rig: StoreRig) -> None:
        """The same twice: what is kept of the first read is right for the second."""
        written = _write(rig, b"content")
        assert written is not None
        for _ in range(2):
            found = _read(rig, 7, written.etag, written.version)
            assert found is not None
            assert bytes(found.body) == b"content"
            assert found.attributes == rig.store.stat_object(rig.ref("key")).attributes

    def test_plain_some_at_a_time(self, rig: StoreRig) -> None:
        """One after the other, each for itself: one that is declined costs itself only."""
        bodies = {f"n{number}": f"number {number}".encode() for number in range(5)}
        writes = [PlainWrite(key, body, _NONE, {}, IfAbsent()) for key, body in bodies.items()]
        put(rig.store, rig.ref("n2"), b"is there")
        written = _bucket(rig).write_all(writes)
        assert [one is None for one in written] == [False, False, True, False, False]
        asked = [
            PlainAsked(key, len(bodies[key]), one.etag if one else "none", one and one.version)
            for key, one in zip(bodies, written, strict=True)
        ]
        found = [one and bytes(one.body) for one in _bucket(rig).read_all(asked)]
        assert found == [None if key == "n2" else body for key, body in bodies.items()]

    @pytest.mark.parametrize("what", ["size", "content", "gone"])
    def test_plain_read_of_another(self, rig: StoreRig, what: str) -> None:
        """What is not the object that was listed is declined."""
        put(rig.store, rig.ref("key"), b"content")
        listed = only(rig.store.list_objects(rig.bucket))
        if what == "content":
            put(rig.store, rig.ref("key"), b"CONTENT")
        if what == "gone":
            rig.store.delete_object(rig.ref("key"))
        size = 6 if what == "size" else 7
        assert _read(rig, size, listed.etag, None) is None

    def test_plain_write_if_absent(self, rig: StoreRig) -> None:
        """Declined when something is there, which stays."""
        assert _write(rig, b"first", condition=IfAbsent()) is not None
        assert _write(rig, b"second", condition=IfAbsent()) is None
        assert read(rig.store, rig.ref("key")) == b"first"

    def test_plain_write_if_unchanged(self, rig: StoreRig) -> None:
        """Declined when another object is there by now."""
        first = _write(rig, b"first")
        assert first is not None
        same = IfUnchanged(first.etag, first.version)
        second = _write(rig, b"second", condition=same)
        assert second is not None
        assert second.etag != first.etag
        assert _write(rig, b"third", condition=same) is None
        assert read(rig.store, rig.ref("key")) == b"second"

    @pytest.mark.parametrize(
        "key", ["a//b", "a/", "/a", "a/../b", "a/./b", "a\nb", "a%2Fb", "a b", "ä/ö", "a\\b"]
    )
    def test_plain_key(self, rig: StoreRig, key: str) -> None:
        """Exactly this one, or none; those that the store can't hold are not asked for."""
        if isinstance(rig.store, KeyRules) and rig.store.why_not_key(rig.ref(key).key):
            return
        written = _write(rig, b"content", key=key)
        assert keys_in(rig.store, rig.bucket) == ([] if written is None else [rig.ref(key).key])

    @pytest.mark.parametrize("value", ["ümlaut", " outer blanks ", "=?UTF-8?Q?a?=", "a\nb"])
    def test_plain_attribute(self, rig: StoreRig, value: str) -> None:
        """Exactly this one, or nothing is written."""
        attributes = ObjectAttributes(metadata={"odd": value})
        if _write(rig, b"content", attributes=attributes) is None:
            assert keys_in(rig.store, rig.bucket) == []
            return
        there = rig.store.stat_object(rig.ref("key")).attributes
        assert there is not None
        assert there.metadata["odd"] == value

    def test_plain_in_threads(self, rig: StoreRig) -> None:
        """One bucket, from many threads."""
        bucket = _bucket(rig)

        def copy(number: int) -> bytes | None:
            body = f"number {number}".encode()
            key = f"n{number}"
            (written,) = bucket.write_all([PlainWrite(key, body, _NONE, {}, None)])
            if written is None:
                return None
            asked = PlainAsked(key, len(body), written.etag, written.version)
            (found,) = bucket.read_all([asked])
            return None if found is None else bytes(found.body)

        expected = [f"number {number}".encode() for number in range(40)]
        assert in_threads(copy, range(40), threads=8) == expected
