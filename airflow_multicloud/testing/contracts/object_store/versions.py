"""Earlier versions of objects."""
# ruff: noqa: S101, PLR2004 - a test suite asserts, and compares with literal numbers

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.object_store import (
    ObjectRef,
    ObjectVersions,
)
from airflow_multicloud.testing.contracts.object_store.checks import (
    fails,
    keys_in,
    only,
    put,
    read,
)

if TYPE_CHECKING:
    from airflow_multicloud.testing.contracts.object_store.rigs import StoreRig


class ObjectVersionsContract:
    """The port's ``ObjectVersions``."""

    needs: ClassVar[tuple[type, ...]] = (ObjectVersions,)

    def test_lists_versions(self, rig: StoreRig) -> None:
        """Each write is a version; by it, the old content can be read."""
        bucket = rig.versioned_bucket()
        ref = ObjectRef(bucket, "key")
        written = [put(rig.store, ref, content) for content in (b"one", b"two!")]
        versions = list(rig.capability(ObjectVersions).list_versions(bucket))
        assert len(versions) == 2
        assert {v.version for v in versions} == {w.version for w in written}
        contents = {
            read(rig.store, ObjectRef(bucket, "key", version.version)) for version in versions
        }
        assert contents == {b"one", b"two!"}
        for version in versions:
            stat = rig.store.stat_object(ObjectRef(bucket, "key", version.version))
            assert (stat.size, stat.etag, stat.version) == (
                version.size,
                version.etag,
                version.version,
            )

    def test_by_prefix(self, rig: StoreRig) -> None:
        """Only keys that start with it."""
        bucket = rig.versioned_bucket()
        for key in ("a", "ab", "b"):
            put(rig.store, ObjectRef(bucket, key), b"content")
        versions = rig.capability(ObjectVersions).list_versions(bucket, "a")
        assert sorted(version.key for version in versions) == ["a", "ab"]

    def test_delete_keeps_versions(self, rig: StoreRig) -> None:
        """A deleted object is gone from listings; its version can still be read."""
        bucket = rig.versioned_bucket()
        ref = ObjectRef(bucket, "key")
        written = put(rig.store, ref, b"content")
        rig.store.delete_object(ref)
        assert keys_in(rig.store, bucket) == []
        with fails(rig, ErrorKind.NOT_FOUND):
            rig.store.stat_object(ref)
        version = only(rig.capability(ObjectVersions).list_versions(bucket))
        assert version.version == written.version
        assert read(rig.store, ObjectRef(bucket, "key", version.version)) == b"content"

    def test_delete_one_version(self, rig: StoreRig) -> None:
        """The others stay."""
        bucket = rig.versioned_bucket()
        ref = ObjectRef(bucket, "key")
        old, new = put(rig.store, ref, b"old"), put(rig.store, ref, b"new")
        rig.store.delete_object(ObjectRef(bucket, "key", old.version))
        version = only(rig.capability(ObjectVersions).list_versions(bucket))
        assert version.version == new.version
        assert read(rig.store, ref) == b"new"
        with fails(rig, ErrorKind.NOT_FOUND):
            read(rig.store, ObjectRef(bucket, "key", old.version))
