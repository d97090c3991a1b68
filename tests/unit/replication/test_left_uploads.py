"""Uploads whose run is over are discarded, whatever became of the object; others never are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.adapters.digests import crc32c_of
from airflow_multicloud.core import left_uploads, run_tokens
from airflow_multicloud.core.cleanup import Left, cleanup
from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint
from airflow_multicloud.core.left_uploads import clear_left_uploads
from airflow_multicloud.core.replication import leftovers
from airflow_multicloud.core.replication.catalog import Catalog
from airflow_multicloud.core.replication.engine import new_job, prepare, replicate
from airflow_multicloud.core.replication.execution import execute
from airflow_multicloud.core.replication.progress import Progress
from airflow_multicloud.core.replication.recording import Recorder
from airflow_multicloud.core.replication.run import new_run
from airflow_multicloud.core.run_tokens import current, under_way
from airflow_multicloud.core.streams import put_stream, stage_stream
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests, ObjectRef, PartLimits, WriteOptions
from airflow_multicloud.testing.memory_cloud import object_store
from airflow_multicloud.testing.memory_cloud.object_store.space import space

from .memory import BUCKET, SMALL, conn_of, endpoint, tree_of, uploads, world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.ports.object_store import Part, PartUpload

LARGE = bytes(100)


def token(run_id: str) -> str:
    """Of a run of this process that is over."""
    with under_way(run_id):
        return current()


def elsewhere(run_id: str) -> str:
    """Of a run on another machine."""
    return token(run_id)[:10] + "AAAABBBB" + "AAAAAAAAAA"


def begin(end: Endpoint, key: str, run: str | None, parts: int = 1) -> PartUpload:
    store = end.store
    assert isinstance(store, object_store.Hook)
    upload = store.begin_upload(end.ref(key), run=run)
    for number in range(1, parts + 1):
        body = LARGE[:16]
        store.put_part(upload, number, body, digests=Digests(crc32c=crc32c_of(body)))
    return upload


class Aged(object_store.Hook):
    """All uploads of runs on other machines are as old as this."""

    age = timedelta(0)

    def list_uploads(self, bucket: str, prefix: str = "") -> Iterator[PartUpload]:
        for one in super().list_uploads(bucket, prefix):
            assert one.started is not None
            yield replace(one, started=one.started - self.age)

    def list_parts(self, upload: PartUpload) -> list[Part]:
        parts = super().list_parts(upload)
        return [replace(part, sent=part.sent and part.sent - self.age) for part in parts]


def aged(age: timedelta) -> Endpoint:
    end = endpoint("copy/", Aged)
    assert isinstance(end.store, Aged)
    end.store.age = age
    return end


def grow_old(end: Endpoint) -> None:
    """Its objects were written two days ago."""
    held = space(conn_of(end))
    for stored in list(held.bucket(BUCKET).current.values()):
        before = stored.meta.last_modified - timedelta(days=2)
        held.replace(stored, replace(stored, meta=replace(stored.meta, last_modified=before)))


def test_those_of_runs_that_are_over_go_and_no_others() -> None:
    end = endpoint("copy/")
    begin(end, "copy/over", token("over"))
    begin(end, "copy/elsewhere", elsewhere("over"))
    begin(end, "copy/nobody", None)
    begin(end, "beside/over", token("over"))
    begin(end, f"{RESERVED_PREFIX}ledger/1", token("over"))
    with under_way("now"):
        begin(end, "copy/now", current())
        assert clear_left_uploads(end) == 1
        rest = {"copy/elsewhere", "copy/nobody", "copy/now", "beside/over"}
        assert set(uploads(end)) == rest | {f"{RESERVED_PREFIX}ledger/1"}
        assert clear_left_uploads(end, own_files=True) == 1
        assert set(uploads(end)) == rest


def test_an_earlier_try_on_another_machine_is_over() -> None:
    end = endpoint("copy/")
    begin(end, "copy/a", elsewhere("task"))
    begin(end, "copy/b", elsewhere("other"))
    with under_way("task"):
        assert clear_left_uploads(end) == 1
    assert uploads(end) == ["copy/b"]


@pytest.mark.parametrize(
    ("age", "wanted", "gone"),
    [
        (timedelta(hours=23), False, 0),
        (timedelta(hours=25), False, 1),
        (timedelta(hours=25), True, 0),
        (timedelta(days=6), True, 0),
        (timedelta(days=8), True, 1),
    ],
)
@pytest.mark.parametrize("parts", [0, 2])
def test_what_is_idle_for_long_is_over(age: timedelta, wanted: bool, gone: int, parts: int) -> None:
    end = aged(age)
    begin(end, "copy/a", elsewhere("over"), parts)
    assert clear_left_uploads(end, wanted=lambda key: wanted) == gone


def test_a_run_elsewhere_that_sends_parts_is_not() -> None:
    class Begun(object_store.Hook):
        def list_uploads(self, bucket: str, prefix: str = "") -> Iterator[PartUpload]:
            long_ago = datetime.now(UTC) - timedelta(days=30)
            return (replace(one, started=long_ago) for one in super().list_uploads(bucket, prefix))

    end = endpoint("copy/", Begun)
    begin(end, "copy/a", elsewhere("over"))
    assert clear_left_uploads(end) == 0
    begin(end, "copy/b", elsewhere("over"), parts=0)
    assert clear_left_uploads(end) == 1
    assert uploads(end) == ["copy/a"]


def test_what_lives_is_never_too_idle() -> None:
    end = aged(timedelta(days=100))
    with under_way("now"):
        begin(end, "copy/a", current())
        assert clear_left_uploads(end) == 0
        (kept,) = cleanup([end], older_than=timedelta(0)).named
        assert (kept.kind, kept.removed, kept.reason) == (
            Left.UPLOAD, False, "its run is under way",
        )  # fmt: skip
    assert cleanup([end], older_than=timedelta(0)).removed == {Left.UPLOAD: 1}


def test_a_single_object_is_not_what_begins_like_it() -> None:
    end = endpoint("copy/a")
    begin(end, "copy/a", token("over"))
    begin(end, "copy/ab", token("over"))
    assert clear_left_uploads(end) == 1
    assert uploads(end) == ["copy/ab"]


def test_another_programs_is_left() -> None:
    class Foreign(object_store.Hook):
        def list_uploads(self, bucket: str, prefix: str = "") -> Iterator[PartUpload]:
            return (replace(one, ours=False) for one in super().list_uploads(bucket, prefix))

    end = endpoint("copy/", Foreign)
    begin(end, "copy/a", token("over"))
    assert clear_left_uploads(end, idle=timedelta(0)) == 0


@pytest.mark.parametrize("kind", [ErrorKind.PERMISSION_DENIED, ErrorKind.UNSUPPORTED])
def test_what_can_not_be_cleared_ends_no_run(
    kind: ErrorKind, caplog: pytest.LogCaptureFixture
) -> None:
    class Closed(object_store.Hook):
        def list_uploads(self, bucket: str, prefix: str = "") -> Iterator[PartUpload]:
            raise StorageError("no", kind=kind)

    assert clear_left_uploads(endpoint("copy/", Closed)) == 0
    assert ("are still there: no" in caplog.text) == (kind is ErrorKind.PERMISSION_DENIED)


def test_a_store_that_can_not_discard_is_not_asked() -> None:
    class Unasked(object_store.Hook):
        def list_uploads(self, bucket: str, prefix: str = "") -> Iterator[PartUpload]:
            raise AssertionError

    end = endpoint("copy/", Unasked)
    limits = replace(Unasked(conn_of(end)).part_limits, expiry=timedelta(days=7))
    object_store.reset(conn_of(end), limits=limits)
    assert clear_left_uploads(end) == 0


def test_a_record_of_an_upload_that_is_over_goes() -> None:
    class Noted(object_store.Hook):
        def left_records(self, bucket: str) -> list[ObjectRef]:
            return [ObjectRef(bucket, "record")] if "record" in tree_of(whole) else []

    whole = endpoint("", Noted)
    whole.store.put_object(whole.ref("record"), b"")
    seen = cleanup([whole, replace(whole, location=whole.location.with_key("copy/"))],
                   older_than=timedelta(0), dry_run=True)  # fmt: skip
    assert seen.found == {Left.RECORD: 1}
    assert clear_left_uploads(whole) == 0
    assert tree_of(whole) == {}


class TestReplication:
    """An upload goes when its object did; it stays when a later run may go on with it."""

    def test_what_is_kept(self) -> None:
        lab = world({"same": b"1", "shrunk": b"1", "later": LARGE, "filtered": LARGE})
        (there,) = lab.destinations
        for name in ("gone", "same", "shrunk", "later", "filtered"):
            begin(there, f"copy/{name}", token("over"))
        replication = lab.replication(
            replace(SMALL, filter=replace(SMALL.filter, exclude=("filtered",)))
        )
        with Catalog() as catalog, under_way("now"):
            run = new_run(replication, None)
            bases = prepare(catalog, replication, run)
            leftovers.clear_left(catalog, replication, [0])
            assert set(uploads(there)) == {"copy/same", "copy/shrunk", "copy/later",
                                           "copy/filtered"}  # fmt: skip
            recorder = Recorder(run, replication.destinations, bases, catalog)
            execute(new_job(replication, Progress()), catalog, recorder)
            assert set(uploads(there)) == {"copy/same", "copy/shrunk", "copy/filtered"}
            assert leftovers.clear_left(catalog, replication, [0]) == 2
        assert uploads(there) == ["copy/filtered"]

    def test_an_upload_under_way_is_neither_taken_up_nor_aborted(self) -> None:
        lab = world({"large": LARGE})
        (there,) = lab.destinations
        with under_way("other"):
            live = begin(there, "copy/large", current())
        run_tokens._under_way[live.run[:10]] += 1  # type: ignore[index]
        try:
            replicate(lab.replication())
        finally:
            run_tokens._under_way[live.run[:10]] -= 1  # type: ignore[index]
        assert tree_of(there) == {"large": LARGE}
        assert uploads(there) == ["copy/large"]
        assert isinstance(there.store, object_store.Hook)
        assert len(there.store.list_parts(live)) == 1

    @pytest.mark.parametrize(
        ("age", "sent"), [(timedelta(minutes=50), 7), (timedelta(minutes=70), 6)]
    )
    def test_one_of_another_machine_is_taken_up_when_it_is_quiet(
        self, age: timedelta, sent: int
    ) -> None:
        class Counting(Aged):
            parts = 0

            def put_part(self, *args, **more):  # type: ignore[no-untyped-def]
                self.parts += 1
                return super().put_part(*args, **more)

            def take_up(self, upload: PartUpload, *, run: str) -> PartUpload:
                taken.append(run)
                return super().take_up(upload, run=run)

        taken: list[str] = []
        lab = world({"large": LARGE})
        begin(lab.destinations[0], "copy/large", elsewhere("over"))
        store = Counting(conn_of(lab.destinations[0]))
        store.age = age

        def left(ref: ObjectRef, options: WriteOptions):  # type: ignore[no-untyped-def]
            found = object_store.Hook.left_uploads(store, ref, options)
            old = datetime.now(UTC) - age
            return [replace(f, upload=replace(f.upload, started=old)) for f in found]

        store.left_uploads = left  # type: ignore[method-assign]
        grow_old(lab.source)
        replicate(lab.with_destination(store).replication())
        assert store.parts == sent
        assert len(taken) == 7 - sent


def test_a_stream_clears_what_an_earlier_try_left_at_its_key() -> None:
    end = endpoint("copy/")
    begin(end, "copy/a", token("over"))
    begin(end, "copy/b", token("over"))
    put_stream(end, "copy/a", [bytes(30)], part_size=10)
    assert uploads(end) == ["copy/b"]
    with under_way("now"):
        staged = stage_stream(end, "copy/c", [bytes(30)], part_size=10)
        assert isinstance(end.store, object_store.Hook)
        (upload,) = end.store.list_uploads(BUCKET, "copy/c")
        assert upload.run == current()
        staged.discard()


def test_the_limits_of_time() -> None:
    """As the documentation says."""
    assert (
        timedelta(hours=1), timedelta(days=1), timedelta(days=7),
    ) == (left_uploads.QUIET, left_uploads.IDLE, left_uploads.KEPT)  # fmt: skip
    assert PartLimits(put_limit=1, min_part=1, max_part=1, max_parts=1, max_object=1).expiry is None
