"""Copies that the store makes by itself."""
# ruff: noqa: S101 - a test suite asserts, and compares with literal numbers

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.object_store import (
    ConditionalWrites,
    IfAbsent,
    ObjectAttributes,
    ObjectRef,
    ObjectVersions,
    ServerSideCopy,
    WriteOptions,
)
from airflow_multicloud.testing.contracts.object_store.checks import (
    ATTRIBUTES,
    contradictions,
    fails,
    keys_in,
    put,
    read,
)

if TYPE_CHECKING:
    from airflow_multicloud.testing.contracts.object_store.rigs import StoreRig


class ServerSideCopyContract:
    """The port's ``ServerSideCopy``."""

    needs: ClassVar[tuple[type, ...]] = (ServerSideCopy,)

    @pytest.mark.parametrize("key", ["copy", "dir/c opy+é%41?#"], ids=["plain", "awkward"])
    def test_copy(self, rig: StoreRig, key: str) -> None:
        """Content and attributes are the source's, which stays."""
        source = rig.ref("so urce+é%41?#")
        put(rig.store, source, b"content", WriteOptions(attributes=ATTRIBUTES))
        meta = rig.capability(ServerSideCopy).copy_within(source, rig.ref(key))
        stat = rig.store.stat_object(rig.ref(key))
        assert (meta.key, meta.size, meta.etag) == (key, 7, stat.etag)
        assert stat.attributes == rig.store.stat_object(source).attributes
        assert not contradictions(meta.digests, b"content")
        assert read(rig.store, rig.ref(key)) == read(rig.store, source) == b"content"

    def test_ignores_given_attributes(self, rig: StoreRig) -> None:
        """``options.attributes`` is not looked at."""
        put(rig.store, rig.ref("key"), b"content", WriteOptions(attributes=ATTRIBUTES))
        other = WriteOptions(attributes=ObjectAttributes(content_type="text/other"))
        rig.capability(ServerSideCopy).copy_within(rig.ref("key"), rig.ref("copy"), other)
        attributes = rig.store.stat_object(rig.ref("copy")).attributes
        assert attributes is not None
        assert attributes.content_type == ATTRIBUTES.content_type

    def test_missing_source(self, rig: StoreRig) -> None:
        """Nothing is written."""
        with fails(rig, ErrorKind.NOT_FOUND):
            rig.capability(ServerSideCopy).copy_within(rig.ref("absent"), rig.ref("copy"))
        assert keys_in(rig.store, rig.bucket) == []


class CopyVersionContract:
    """Copying an earlier version."""

    needs: ClassVar[tuple[type, ...]] = (ServerSideCopy, ObjectVersions)

    def test_copies_that_version(self, rig: StoreRig) -> None:
        """Not the newest one."""
        bucket = rig.versioned_bucket()
        old = put(rig.store, ObjectRef(bucket, "key"), b"old")
        put(rig.store, ObjectRef(bucket, "key"), b"new")
        source = ObjectRef(bucket, "key", old.version)
        rig.capability(ServerSideCopy).copy_within(source, ObjectRef(bucket, "copy"))
        assert read(rig.store, ObjectRef(bucket, "copy")) == b"old"


class ConditionalCopyContract:
    """Copying only when a condition holds."""

    needs: ClassVar[tuple[type, ...]] = (ServerSideCopy, ConditionalWrites)

    def test_copy_if_absent(self, rig: StoreRig) -> None:
        """Copies to a free key; else ``already_exists``, and the old object stays."""
        store = rig.capability(ServerSideCopy)
        options = WriteOptions(condition=IfAbsent())
        put(rig.store, rig.ref("key"), b"content")
        store.copy_within(rig.ref("key"), rig.ref("copy"), options)
        assert read(rig.store, rig.ref("copy")) == b"content"
        put(rig.store, rig.ref("taken"), b"old")
        with fails(rig, ErrorKind.ALREADY_EXISTS):
            store.copy_within(rig.ref("key"), rig.ref("taken"), options)
        assert read(rig.store, rig.ref("taken")) == b"old"
