"""Listing objects by pages."""
# ruff: noqa: S101 - a test suite asserts, and compares with literal numbers

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest

from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.object_store import ObjectRef, PagedListings, WriteOptions
from airflow_multicloud.testing.contracts.object_store.checks import ATTRIBUTES, in_threads, put

if TYPE_CHECKING:
    from airflow_multicloud.ports.object_store import ListedPage, ObjectMeta
    from airflow_multicloud.testing.contracts.object_store.rigs import StoreRig


def _pages(rig: StoreRig, prefix: str = "") -> list[ListedPage]:
    assert isinstance(rig.store, PagedListings)
    return list(rig.store.list_pages(rig.bucket, prefix))


def _metas(pages: list[ListedPage]) -> list[ObjectMeta]:
    return [page.meta(n) for page in pages for n in range(len(page.keys))]


class PagedListingsContract:
    """``PagedListings``."""

    needs: ClassVar[tuple[type, ...]] = (PagedListings,)

    def test_pages_have_what_a_listing_has(self, rig: StoreRig) -> None:
        """The same objects in the same order, with all that is told of them; of any form."""
        put(rig.store, rig.ref("a/plain"), b"1")
        put(rig.store, rig.ref("a/empty"), b"")
        put(rig.store, rig.ref("a/b & c+d e\u00e9"), b"22")
        put(rig.store, rig.ref("a/told"), b"333", WriteOptions(attributes=ATTRIBUTES))
        put(rig.store, rig.ref("b"), b"4")
        for prefix in ("", "a/", "a/e", "c"):
            listed = list(rig.store.list_objects(rig.bucket, prefix))
            assert _metas(_pages(rig, prefix)) == listed

    def test_columns_say_what_the_objects_say(self, rig: StoreRig) -> None:
        """A column that is empty says that no object has it."""
        in_threads(lambda key: put(rig.store, rig.ref(key), key.encode()), ["x", "y", "z", "é"])
        for page in _pages(rig):
            metas = _metas([page])
            assert list(page.keys) == [meta.key for meta in metas]
            assert list(page.sizes) == [meta.size for meta in metas]
            assert list(page.etags) == [meta.etag for meta in metas]
            assert list(page.modified) == [meta.last_modified for meta in metas]
            for column, expected in (
                (page.md5s, [meta.digests.md5 for meta in metas]),
                (page.declared_md5s, [meta.declared.md5 for meta in metas]),
                (page.crc32cs, [meta.digests.crc32c for meta in metas]),
                (page.sha256s, [meta.digests.sha256 for meta in metas]),
                (page.versions, [meta.version for meta in metas]),
            ):
                assert list(column) in ([], expected)
                assert column or set(expected) == {None}
            told = any(meta.attributes is not None for meta in metas)
            assert page.tells_attributes is told

    def test_pages_follow_each_other(self, rig: StoreRig) -> None:
        """1,100 objects are more than a page (S3 and Cloud Storage: 1,000; Azure: 5,000)."""
        keys = [f"many/{number:04}" for number in range(1100)]
        in_threads(lambda key: rig.store.put_object(rig.ref(key), key.encode()), keys)
        assert [key for page in _pages(rig, "many/") for key in page.keys] == keys

    def test_a_bucket_that_is_not_there(self, rig: StoreRig) -> None:
        """Kind ``not_found``, as of ``list_objects``."""
        missing = ObjectRef(f"{rig.bucket}-missing", "x")
        assert isinstance(rig.store, PagedListings)
        with pytest.raises(CloudError) as raised:
            list(rig.store.list_pages(missing.bucket))
        assert raised.value.kind is ErrorKind.NOT_FOUND
