"""Uploads in parts to one destination: begun, taken up, completed, and what is left of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.adapters.digests import crc32c_of
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests, ObjectRef
from airflow_multicloud.testing.memory_cloud import object_store

from .memory import BUCKET, SMALL, Bare, World, conn_of, tree_of, uploads, world
from .test_left_uploads import elsewhere, grow_old

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from airflow_multicloud.core.replication.report import Failure, ReplicationReport
    from airflow_multicloud.ports.object_store import (
        LeftUpload,
        ObjectMeta,
        Part,
        PartUpload,
        WriteOptions,
    )

LARGE = bytes(range(100))  # seven parts
#: One thread, so that parts are sent in their order, after all of them were read.
IN_ORDER = replace(SMALL, concurrency=1, min_success_ratio=0)


class Store(object_store.Hook):
    """Does as it is told: some verb fails; uploads that are left were begun at some time."""

    def __init__(self, conn_id: str) -> None:
        super().__init__(conn_id)
        self.fails: dict[str, ErrorKind] = {}
        self.done_all_the_same = False
        self.sent: list[int] = []
        self.begun_at: Callable[[datetime], datetime | None] = lambda moment: moment - self.age
        self.age = timedelta(0)

    def _may_fail(self, verb: str) -> None:
        if verb in self.fails:
            raise StorageError(f"{verb} failed", kind=self.fails[verb])

    def begin_upload(self, *given: Any, **named: Any) -> PartUpload:
        self._may_fail("begin_upload")
        return super().begin_upload(*given, **named)

    def left_uploads(self, ref: ObjectRef, options: WriteOptions) -> Sequence[LeftUpload]:
        self._may_fail("left_uploads")
        found: list[LeftUpload] = []
        for left in super().left_uploads(ref, options):
            assert left.upload.started is not None
            started = self.begun_at(left.upload.started)
            found.append(replace(left, upload=replace(left.upload, started=started)))
        return found

    def list_parts(self, upload: PartUpload) -> list[Part]:
        parts = super().list_parts(upload)
        return [replace(part, sent=part.sent and part.sent - self.age) for part in parts]

    def put_part(self, upload: PartUpload, number: int, *given: Any, **named: Any) -> Part:
        self.sent.append(number)
        self._may_fail(f"part {number}")
        return super().put_part(upload, number, *given, **named)

    def complete_upload(self, *given: Any, **named: Any) -> ObjectMeta:
        if self.done_all_the_same:
            super().complete_upload(*given, **named)
        self._may_fail("complete_upload")
        return super().complete_upload(*given, **named)

    def abort_upload(self, upload: PartUpload) -> None:
        self._may_fail("abort_upload")
        super().abort_upload(upload)


def lab() -> tuple[World, Store]:
    made = world({"large": LARGE})
    store = Store(conn_of(made.destinations[0]))
    return made.with_destination(store), store


def left(store: Store, content: bytes = LARGE, run: str | None = None) -> PartUpload:
    """An upload whose first part was sent by a run that is over."""
    key = ObjectRef(BUCKET, "copy/large")
    upload = object_store.Hook.begin_upload(store, key, run=run)
    body = content[:16]
    object_store.Hook.put_part(store, upload, 1, body, digests=Digests(crc32c=crc32c_of(body)))
    return upload


def run(made: World) -> tuple[ReplicationReport, Outcome]:
    report = replicate(made.replication(IN_ORDER))
    (outcome,) = report.destinations[0].outcomes
    return report, outcome


def failure(made: World) -> Failure:
    report, _ = run(made)
    (only,) = report.failures
    return only


@pytest.mark.parametrize("verb", ["begin_upload", "left_uploads"])
def test_an_upload_that_cant_be_begun_is_a_failure_of_the_destination(verb: str) -> None:
    made, store = lab()
    store.fails = {verb: ErrorKind.NOT_FOUND}
    failed = failure(made)
    assert (failed.outcome, failed.kind) == (Outcome.FAILED, ErrorKind.NOT_FOUND)
    assert failed.reason == f"{verb} failed"
    assert store.sent == []


class TestParts:
    def test_after_one_that_failed_none_is_sent(self) -> None:
        made, store = lab()
        store.fails = {"part 2": ErrorKind.THROTTLED}
        failed = failure(made)
        assert (failed.kind, failed.reason) == (ErrorKind.THROTTLED, "part 2 failed")
        assert store.sent == [1, 2]

    def test_after_one_of_another_object_the_upload_begins_anew(self) -> None:
        made, store = lab()
        left(store, bytes(100))
        assert run(made)[1] is Outcome.COPIED
        assert sorted(store.sent) == [1, 2, 3, 4, 5, 6, 7]
        assert uploads(made.destinations[0]) == []

    @pytest.mark.parametrize(
        ("begun", "sent"),
        [
            (timedelta(0), 6),
            (timedelta(microseconds=-1), 7),  # What it has are parts of an earlier object.
            (timedelta(seconds=1), 6),
            (None, 6),
        ],
    )
    def test_an_upload_is_taken_up_unless_the_object_is_newer(
        self, begun: timedelta | None, sent: int
    ) -> None:
        made, store = lab()
        left(store)
        (meta,) = made.source.store.list_objects(made.source.bucket)
        moment = None if begun is None else meta.last_modified + begun
        store.begun_at = lambda _: moment
        assert run(made)[1] is Outcome.COPIED
        assert len(store.sent) == sent


class TestCompleting:
    PERHAPS = pytest.mark.parametrize(
        "kind", [ErrorKind.UNAVAILABLE, ErrorKind.BUSY, ErrorKind.TIMEOUT]
    )

    @PERHAPS
    def test_what_was_done_though_the_answer_was_lost_is_found(self, kind: ErrorKind) -> None:
        made, store = lab()
        store.fails, store.done_all_the_same = {"complete_upload": kind}, True
        assert run(made)[1] is Outcome.VERIFIED

    @PERHAPS
    def test_what_was_not_done_can_be_done_by_the_next_run(self, kind: ErrorKind) -> None:
        made, store = lab()
        store.fails = {"complete_upload": kind}
        assert failure(made).kind is kind
        assert uploads(made.destinations[0]) == ["copy/large"]
        store.fails, store.sent = {}, []
        assert run(made)[1] is Outcome.COPIED
        assert store.sent == []

    def test_a_refusal_is_final(self) -> None:
        made, store = lab()
        store.fails = {"complete_upload": ErrorKind.PERMISSION_DENIED}
        store.done_all_the_same = True
        assert failure(made).kind is ErrorKind.PERMISSION_DENIED


class TestLeft:
    """What stays of an upload, and what is said of it."""

    def test_one_that_cant_be_aborted_is_said(self) -> None:
        made, store = lab()
        store.fails = {
            "part 1": ErrorKind.PERMISSION_DENIED,
            "abort_upload": ErrorKind.THROTTLED,
        }
        assert failure(made).reason == (
            "part 1 failed; an upload was left behind, as aborting it failed: throttled"
        )

    def test_a_copy_is_one_though_an_older_upload_cant_be_aborted(self) -> None:
        made, store = lab()
        left(store)
        left(store)
        store.fails = {"abort_upload": ErrorKind.THROTTLED}
        assert run(made)[1] is Outcome.COPIED
        assert tree_of(made.destinations[0]) == {"large": LARGE}

    @pytest.mark.parametrize("kind", [None, ErrorKind.THROTTLED])
    def test_older_ones_go_once_there_is_the_object(self, kind: ErrorKind | None) -> None:
        made, store = lab()
        older, _ = left(store), left(store)
        of_another = left(store, run=elsewhere("under way, maybe"))
        if kind is not None:
            store.fails = {"part 3": kind}
        run(made)
        there = {one.upload_id for one in store.list_uploads(BUCKET)}
        assert (older.upload_id in there) is (kind is not None)
        assert of_another.upload_id in there

    def test_one_of_a_run_elsewhere_that_may_go_on_is_never_aborted(self) -> None:
        made, store = lab()
        grow_old(made.source)
        upload = left(store, run=elsewhere("over"))
        store.age = timedelta(minutes=70)
        store.fails = {"part 2": ErrorKind.PERMISSION_DENIED}
        assert failure(made).kind is ErrorKind.PERMISSION_DENIED
        assert [one.upload_id for one in store.list_uploads(BUCKET)] == [upload.upload_id]
        assert store.sent == [2]  # It was taken up.


class Partly(Bare):
    """Takes uploads in parts, and can't tell which of those that are left are ours."""

    def __init__(self, conn_id: str) -> None:
        super().__init__(conn_id)
        self.part_limits = self._hook.part_limits
        self.begin_upload = self._hook.begin_upload
        self.put_part = self._hook.put_part
        self.list_parts = self._hook.list_parts
        self.complete_upload = self._hook.complete_upload
        self.abort_upload = self._hook.abort_upload
        self.list_uploads = self._hook.list_uploads


def test_a_store_that_cant_tell_what_is_left_begins_anew() -> None:
    made, store = lab()
    upload = left(store)
    made = made.with_destination(Partly(conn_of(made.destinations[0])))
    assert run(made)[1] is Outcome.COPIED
    assert tree_of(made.destinations[0]) == {"large": LARGE}
    assert [one.upload_id for one in store.list_uploads(BUCKET)] == [upload.upload_id]
