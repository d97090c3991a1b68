"""Two runs of one large object at once: the later one finds it there, and says so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.verification import Depth, verify
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests, ObjectAttributes, WriteOptions
from airflow_multicloud.testing.memory_cloud import object_store

from . import memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Buffer

    from airflow_multicloud.ports.object_store import (
        ObjectBody,
        ObjectMeta,
        ObjectRef,
        Part,
        PartUpload,
    )

LARGE = b"large" * 4000
_OURS = "copy/a"


class _Chunks:
    """A body that is read piece by piece, never as a whole."""

    def __init__(self, body: ObjectBody) -> None:
        self.meta = replace(body.meta, digests=Digests())
        self._content = body.read()
        self.largest = 0

    def __iter__(self) -> Iterator[Buffer]:
        for start in range(0, len(self._content), 64):
            yield memoryview(self._content)[start : start + 64]

    def read(self) -> Buffer:
        raise AssertionError("a large object is not held in memory")


class Late(object_store.Hook):
    """A store without digests, where another run's upload of the object is completed first.

    :param content: what the other run has written.
    """

    def __init__(self, conn_id: str, content: bytes, kind: ErrorKind) -> None:
        super().__init__(conn_id)
        self._faster, self._kind = content, kind

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        found = super().stat_object(ref)
        return replace(found, digests=Digests()) if ref.key == _OURS else found

    def get_object(self, ref: ObjectRef, **limits):  # type: ignore[no-untyped-def]
        body = super().get_object(ref, **limits)
        return _Chunks(body) if ref.key == _OURS else body

    def complete_upload(self, upload: PartUpload, parts: list[Part], *rest, **more):  # type: ignore[no-untyped-def]
        if upload.ref.key != _OURS:
            return super().complete_upload(upload, parts, *rest, **more)
        super().put_object(upload.ref, self._faster, WriteOptions(attributes=ObjectAttributes()))
        super().abort_upload(upload)
        raise StorageError("another writer was faster", kind=self._kind)


KINDS = pytest.mark.parametrize(
    "kind",
    [
        ErrorKind.ALREADY_EXISTS,
        ErrorKind.PRECONDITION_FAILED,
        ErrorKind.NOT_FOUND,
        ErrorKind.UNAVAILABLE,
    ],
)


@KINDS
def test_the_object_of_the_faster_run_is_verified(kind: ErrorKind) -> None:
    world = memory.world({"a": LARGE})
    there = world.destinations[0]
    late = world.with_destination(Late(memory.conn_of(there), LARGE, kind))
    report = replicate(late.replication())
    assert report.destinations[0].outcomes == {Outcome.VERIFIED: 1}
    assert report.failures == ()
    assert memory.uploads(there) == []
    assert verify(there, depth=Depth.READ).proven


@KINDS
def test_another_object_is_not(kind: ErrorKind) -> None:
    world = memory.world({"a": LARGE})
    late = world.with_destination(Late(memory.conn_of(world.destinations[0]), LARGE[::-1], kind))
    report = replicate(late.replication(replace(memory.SMALL, min_success_ratio=0)))
    (outcome,) = report.destinations[0].outcomes
    assert not outcome.sound
