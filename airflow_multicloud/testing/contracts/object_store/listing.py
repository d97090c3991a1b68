"""Listing objects."""
# ruff: noqa: S101 - a test suite asserts, and compares with literal numbers

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.ports.object_store import (
    WriteOptions,
)
from airflow_multicloud.testing.contracts.object_store.checks import (
    ATTRIBUTES,
    contradictions,
    in_threads,
    keys_in,
    only,
    put,
)

if TYPE_CHECKING:
    from airflow_multicloud.testing.contracts.object_store.rigs import StoreRig


class ListingContract:
    """The listings of :class:`~.objects.ObjectStoreContract`."""

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
