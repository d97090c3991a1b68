"""Writes that happen only when a condition holds."""
# ruff: noqa: S101, PLR2004 - a test suite asserts, and compares with literal numbers

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    ConditionalWrites,
    ConditionKind,
    IfAbsent,
    IfUnchanged,
    ObjectMeta,
    PartUploads,
    WriteOptions,
)
from airflow_multicloud.testing.contracts.object_store.checks import (
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

    from airflow_multicloud.testing.contracts.object_store.rigs import StoreRig

_IF_ABSENT = WriteOptions(condition=IfAbsent())


def _if_unchanged(meta: ObjectMeta) -> WriteOptions:
    return WriteOptions(condition=_same(meta))


def _same(meta: ObjectMeta) -> IfUnchanged:
    return IfUnchanged(meta.etag, meta.version)


def _one_wins(rig: StoreRig, write: Callable[[int], object], loses: ErrorKind) -> None:
    """8 threads write at once: one succeeds, the others fail with the kind."""

    def attempt(number: int) -> ErrorKind | None:
        try:
            write(number)
        except StorageError as error:
            return error.kind
        return None

    outcomes = in_threads(attempt, range(8), threads=8)
    assert outcomes.count(None) == 1, outcomes
    assert outcomes.count(loses) == 7, outcomes
    assert read(rig.store, rig.ref("key")) == f"writer {outcomes.index(None)}".encode()


class ConditionalWritesContract:
    """The port's ``ConditionalWrites``; an honoured condition never changes anything else."""

    needs: ClassVar[tuple[type, ...]] = (ConditionalWrites,)

    def test_honours_both(self, rig: StoreRig) -> None:
        """Replication needs both kinds."""
        assert rig.capability(ConditionalWrites).write_conditions == frozenset(ConditionKind)

    def test_if_absent(self, rig: StoreRig) -> None:
        """Writes when there is no object; else ``already_exists``, and the old one stays."""
        old = put(rig.store, rig.ref("key"), b"old", _IF_ABSENT)
        with fails(rig, ErrorKind.ALREADY_EXISTS):
            put(rig.store, rig.ref("key"), b"new", _IF_ABSENT)
        assert rig.store.stat_object(rig.ref("key")).etag == old.etag
        assert read(rig.store, rig.ref("key")) == b"old"

    def test_if_absent_after_delete(self, rig: StoreRig) -> None:
        """A deleted object is absent."""
        put(rig.store, rig.ref("key"), b"old")
        rig.store.delete_object(rig.ref("key"))
        put(rig.store, rig.ref("key"), b"new", _IF_ABSENT)
        assert read(rig.store, rig.ref("key")) == b"new"

    def test_if_unchanged(self, rig: StoreRig) -> None:
        """Writes over this very object; a stale one fails with ``precondition_failed``."""
        first = put(rig.store, rig.ref("key"), b"first")
        second = put(rig.store, rig.ref("key"), b"second", _if_unchanged(first))
        with fails(rig, ErrorKind.PRECONDITION_FAILED):
            put(rig.store, rig.ref("key"), b"third", _if_unchanged(first))
        assert rig.store.stat_object(rig.ref("key")).etag == second.etag
        assert read(rig.store, rig.ref("key")) == b"second"

    def test_if_unchanged_by_stat(self, rig: StoreRig) -> None:
        """What stat and a listing say of the object will do as well, and the ETag alone."""
        put(rig.store, rig.ref("key"), b"first")
        stat = rig.store.stat_object(rig.ref("key"))
        put(rig.store, rig.ref("key"), b"second", _if_unchanged(stat))
        listed = only(rig.store.list_objects(rig.bucket))
        third = put(rig.store, rig.ref("key"), b"third", _if_unchanged(listed))
        alone = WriteOptions(condition=IfUnchanged(third.etag))
        put(rig.store, rig.ref("key"), b"fourth", alone)
        assert read(rig.store, rig.ref("key")) == b"fourth"
        with fails(rig, ErrorKind.PRECONDITION_FAILED):
            put(rig.store, rig.ref("key"), b"fifth", alone)

    def test_if_unchanged_when_gone(self, rig: StoreRig) -> None:
        """An object that is gone is not unchanged, and does not come back."""
        old = put(rig.store, rig.ref("key"), b"old")
        rig.store.delete_object(rig.ref("key"))
        with fails(rig, ErrorKind.PRECONDITION_FAILED):
            put(rig.store, rig.ref("key"), b"new", _if_unchanged(old))
        assert keys_in(rig.store, rig.bucket) == []

    def test_one_of_many_creates(self, rig: StoreRig) -> None:
        """8 threads racing to create: exactly one wins."""
        _one_wins(
            rig,
            lambda n: put(rig.store, rig.ref("key"), f"writer {n}".encode(), _IF_ABSENT),
            ErrorKind.ALREADY_EXISTS,
        )

    def test_one_of_many_replaces(self, rig: StoreRig) -> None:
        """8 threads racing to replace the same object: exactly one wins."""
        unchanged = _if_unchanged(put(rig.store, rig.ref("key"), b"old"))
        _one_wins(
            rig,
            lambda n: put(rig.store, rig.ref("key"), f"writer {n}".encode(), unchanged),
            ErrorKind.PRECONDITION_FAILED,
        )

    def test_delete_if_unchanged(self, rig: StoreRig) -> None:
        """Deletes this very object; a stale one fails and deletes nothing."""
        first = put(rig.store, rig.ref("key"), b"first")
        second = put(rig.store, rig.ref("key"), b"second")
        with fails(rig, ErrorKind.PRECONDITION_FAILED):
            rig.store.delete_object(rig.ref("key"), condition=_same(first))
        assert read(rig.store, rig.ref("key")) == b"second"
        rig.store.delete_object(rig.ref("key"), condition=_same(second))
        assert keys_in(rig.store, rig.bucket) == []


class ConditionalPartsContract:
    """Conditions on the completion of an upload in parts."""

    needs: ClassVar[tuple[type, ...]] = (ConditionalWrites, PartUploads)

    def test_complete_if_absent(self, rig: StoreRig) -> None:
        """Creates the object when there is still none."""
        self._upload(rig, b"new", _IF_ABSENT)
        assert read(rig.store, rig.ref("key")) == b"new"

    def test_complete_if_absent_too_late(self, rig: StoreRig) -> None:
        """An object that appeared meanwhile stays: ``already_exists``."""
        with fails(rig, ErrorKind.ALREADY_EXISTS):
            self._upload(rig, b"new", _IF_ABSENT, meanwhile=b"meanwhile")
        assert read(rig.store, rig.ref("key")) == b"meanwhile"

    def test_complete_if_unchanged(self, rig: StoreRig) -> None:
        """Replaces this very object."""
        old = put(rig.store, rig.ref("key"), b"old")
        self._upload(rig, b"new", _if_unchanged(old))
        assert read(rig.store, rig.ref("key")) == b"new"

    def test_complete_if_unchanged_too_late(self, rig: StoreRig) -> None:
        """An object that changed meanwhile stays: ``precondition_failed``."""
        old = put(rig.store, rig.ref("key"), b"old")
        with fails(rig, ErrorKind.PRECONDITION_FAILED):
            self._upload(rig, b"new", _if_unchanged(old), meanwhile=b"meanwhile")
        assert read(rig.store, rig.ref("key")) == b"meanwhile"

    def _upload(
        self, rig: StoreRig, content: bytes, options: WriteOptions, meanwhile: bytes | None = None
    ) -> ObjectMeta:
        parts = rig.capability(PartUploads)
        upload = parts.begin_upload(rig.ref("key"), options)
        part = parts.put_part(upload, 1, content, digests=digests_of(content))
        if meanwhile is not None:
            put(rig.store, rig.ref("key"), meanwhile)
        return parts.complete_upload(upload, [part], options, digests=digests_of(content))
