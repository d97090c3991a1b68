"""What a replication does when something moves, is refused, or lies there already."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.ledger import reading
from airflow_multicloud.core.ledger.names import commit_key
from airflow_multicloud.core.replication.closing import ReplicationFailedError
from airflow_multicloud.core.replication.engine import plan, replicate
from airflow_multicloud.core.replication.options import OnError
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    Digests,
    LeftUpload,
    ObjectRef,
    PartLimits,
    PartUpload,
    WriteOptions,
)
from airflow_multicloud.testing.memory_cloud import object_store

from .memory import (
    BUCKET,
    SMALL,
    Bare,
    Unversioned,
    World,
    conn_of,
    endpoint,
    fill,
    ledger,
    tree_of,
    uploads,
    world,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from typing_extensions import Buffer

    from airflow_multicloud.core.replication.progress import Snapshot
    from airflow_multicloud.core.replication.report import ReplicationReport
    from airflow_multicloud.ports.object_store import ObjectBody, ObjectMeta, Part

LARGE = bytes(range(100))
TREE = {"small": b"little", "large": LARGE}


def _failed(made: World, options=SMALL) -> ReplicationReport:
    with pytest.raises(ReplicationFailedError) as raised:
        replicate(made.replication(options))
    return raised.value.report


def _outcomes(report: ReplicationReport, index: int = 0) -> Mapping[Outcome, int]:
    return report.destinations[index].outcomes


class _Changing(Unversioned):
    """Replaces an object just before the n-th read of it."""

    def __init__(self, conn_id: str, *, before_read: int) -> None:
        super().__init__(conn_id)
        self._left = before_read
        self._lock = threading.Lock()

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        with self._lock:
            self._left -= 1
            if self._left == 0:
                self.put_object(replace(ref, version=None), bytes(reversed(LARGE)))
        return super().get_object(ref, start=start, end=end, if_etag=if_etag)


@pytest.mark.parametrize(("name", "read"), [("small", 1), ("large", 1), ("large", 3)])
def test_a_source_replaced_while_it_is_copied_is_not_written(name: str, read: int) -> None:
    made = world({name: TREE[name]})
    made = made.with_source(_Changing(conn_of(made.source), before_read=read))

    report = _failed(made)

    assert _outcomes(report) == {Outcome.SOURCE_CHANGED: 1}
    assert report.failures[0].kind is ErrorKind.SOURCE_CHANGED
    assert tree_of(made.destinations[0]) == {}
    assert uploads(made.destinations[0]) == []
    assert _outcomes(replicate(made.replication())) == {Outcome.COPIED: 1}
    assert tree_of(made.destinations[0]) == {name: bytes(reversed(LARGE))}


@pytest.mark.parametrize("name", TREE)
def test_a_source_deleted_after_the_listing_is_source_changed(name: str) -> None:
    class Deleting(Unversioned):
        def list_objects(self, bucket: str, prefix: str = ""):
            for meta in list(super().list_objects(bucket, prefix)):
                self.delete_object(ObjectRef(bucket, meta.key))
                yield meta

    made = world({name: TREE[name]})
    made = made.with_source(Deleting(conn_of(made.source)))

    assert _outcomes(_failed(made)) == {Outcome.SOURCE_CHANGED: 1}
    assert tree_of(made.destinations[0]) == {}


@pytest.mark.parametrize("name", TREE)
def test_a_pinned_version_is_copied_though_a_newer_one_appears(name: str) -> None:
    class Changing(object_store.Hook):
        def list_objects(self, bucket: str, prefix: str = ""):
            for meta in list(super().list_objects(bucket, prefix)):
                self.put_object(ObjectRef(bucket, meta.key), b"newer")
                yield meta

    made = world({name: TREE[name]})
    made = made.with_source(Changing(conn_of(made.source)))

    assert _outcomes(replicate(made.replication())) == {Outcome.COPIED: 1}
    assert tree_of(made.destinations[0]) == {name: TREE[name]}


class _Racing(object_store.Hook):
    """Another writer is always a moment faster."""

    rival = b"rival"

    def put_object(self, ref, body, options=WriteOptions(), *, digests=Digests()) -> ObjectMeta:
        self._race(ref)
        return super().put_object(ref, body, options, digests=digests)

    def complete_upload(self, upload, parts, options=WriteOptions(), **more) -> ObjectMeta:
        self._race(upload.ref)
        return super().complete_upload(upload, parts, options, **more)

    def _race(self, ref: ObjectRef) -> None:
        if not ref.key.startswith(".airflow-multicloud/"):
            super().put_object(ref, self.rival)


@pytest.mark.parametrize("there", [None, b"older"])
@pytest.mark.parametrize("name", TREE)
def test_a_write_that_another_writer_forestalled_is_a_conflict(
    name: str, there: bytes | None
) -> None:
    made = world({name: TREE[name]})
    if there is not None:
        fill(made.destinations[0], {name: there})
    made = made.with_destination(_Racing(conn_of(made.destinations[0])))

    report = _failed(made)

    assert _outcomes(report) == {Outcome.CONFLICT: 1}
    assert tree_of(made.destinations[0]) == {name: b"rival"}
    assert uploads(made.destinations[0]) == []


@pytest.mark.parametrize("name", TREE)
def test_a_write_that_finds_its_own_object_is_verified(name: str) -> None:
    """As after a lost answer: the SDK repeats the write, which meets the first one's object."""

    class Same(_Racing):
        rival = TREE[name]

    made = world({name: TREE[name]})
    made = made.with_destination(Same(conn_of(made.destinations[0])))

    assert _outcomes(replicate(made.replication())) == {Outcome.VERIFIED: 1}
    assert uploads(made.destinations[0]) == []
    assert _outcomes(replicate(made.replication())) == {Outcome.UNCHANGED: 1}


class _Counting(object_store.Hook):
    """Counts what is written and read."""

    def __init__(self, conn_id: str) -> None:
        super().__init__(conn_id)
        self.calls: list[str] = []

    def put_object(self, ref, body, options=WriteOptions(), *, digests=Digests()) -> ObjectMeta:
        if not ref.key.startswith(".airflow-multicloud/"):
            self.calls.append(f"put {ref.key}")
        return super().put_object(ref, body, options, digests=digests)

    def put_part(self, upload, number, body, *, digests=Digests()) -> Part:
        self.calls.append(f"part {number}")
        return super().put_part(upload, number, body, digests=digests)

    def get_object(self, ref, **options) -> ObjectBody:
        if not ref.key.startswith(".airflow-multicloud/"):
            self.calls.append(f"get {ref.key}")
        return super().get_object(ref, **options)


def test_identical_objects_that_no_manifest_knows_are_verified_without_content() -> None:
    made = world(TREE)
    fill(made.destinations[0], TREE)
    source, store = _Counting(conn_of(made.source)), _Counting(conn_of(made.destinations[0]))

    report = replicate(made.with_source(source).with_destination(store).replication())

    assert _outcomes(report) == {Outcome.VERIFIED: 2}
    assert (source.calls, store.calls) == ([], [])
    assert report.bytes_read == 0


@pytest.mark.parametrize("there", [b"older", bytes(100)])
def test_immutable_never_replaces(there: bytes) -> None:
    made = world({"large": LARGE})
    fill(made.destinations[0], {"large": there})

    report = _failed(made, replace(SMALL, immutable=True))

    assert _outcomes(report) == {Outcome.CONFLICT: 1}
    assert tree_of(made.destinations[0]) == {"large": there}


def test_a_failing_destination_does_not_hold_up_the_others() -> None:
    class Down(object_store.Hook):
        def put_object(self, ref, *args, **options):
            if ref.key.startswith(".airflow-multicloud/"):
                return super().put_object(ref, *args, **options)
            raise StorageError("down", kind=ErrorKind.UNAVAILABLE)

        def put_part(self, *args, **options):
            raise StorageError("down", kind=ErrorKind.THROTTLED)

    made = world(TREE, destinations=2)
    made = made.with_destination(Down(conn_of(made.destinations[0])))

    report = _failed(made)

    assert _outcomes(report, 0) == {Outcome.FAILED: 2}
    assert _outcomes(report, 1) == {Outcome.COPIED: 2}
    assert {f.kind for f in report.failures} == {ErrorKind.UNAVAILABLE, ErrorKind.THROTTLED}
    for end, reported in zip(made.destinations, report.destinations, strict=True):
        assert reported.commit == ledger(end).commit.number
        assert reported.ledger_root == ledger(end).root
    assert [entry.proof for entry in ledger(made.destinations[0]).entries()] == [None, None]
    assert tree_of(made.destinations[0]) == {}
    assert tree_of(made.destinations[1]) == TREE


class _NoLedger(object_store.Hook):
    """Nothing can be written below this package's own prefix, from some request on."""

    after = 0

    def put_object(self, ref, *args, **options):
        if ref.key.startswith(".airflow-multicloud/"):
            self.after -= 1
            if self.after < 0:
                raise StorageError("refused", kind=ErrorKind.PERMISSION_DENIED)
        return super().put_object(ref, *args, **options)


def test_where_nothing_can_be_recorded_nothing_is_written() -> None:
    made = world(TREE, destinations=2)
    made = made.with_destination(_NoLedger(conn_of(made.destinations[0])))

    report = _failed(made)

    assert _outcomes(report, 0) == {Outcome.FAILED: 2}
    assert _outcomes(report, 1) == {Outcome.COPIED: 2}
    assert "its ledger could not be written" in str(report.failures[0])
    assert report.destinations[0].commit is None
    assert tree_of(made.destinations[0]) == {}


def test_a_run_that_cannot_be_recorded_is_no_success() -> None:
    made = world(TREE)
    store = _NoLedger(conn_of(made.destinations[0]))
    store.after = 1  # The run's begin.
    made = made.with_destination(store)

    with pytest.raises(ReplicationFailedError, match="recorded") as raised:
        replicate(made.replication())

    assert raised.value.kind is ErrorKind.PERMISSION_DENIED
    assert _outcomes(raised.value.report) == {Outcome.COPIED: 2}


def test_on_error_fail_tries_no_more_and_counts_all() -> None:
    class Broken(object_store.Hook):
        def get_object(self, ref, **options):
            raise StorageError("broken", kind=ErrorKind.PERMISSION_DENIED)

    made = world({f"{n:03d}": b"x" for n in range(100)})
    made = made.with_source(Broken(conn_of(made.source)))

    report = _failed(made, replace(SMALL, on_error=OnError.FAIL, concurrency=1))

    assert _outcomes(report) == {Outcome.FAILED: 100}
    assert {f.kind for f in report.failures} <= {"permission_denied", "unavailable"}


class _Timeout(BaseException):
    """As Airflow stops a task: no Exception, and not about the object it happens to come at."""


@pytest.mark.parametrize("error", [_Timeout, SystemExit])
def test_what_ends_the_work_is_raised_after_the_others_are_recorded(
    error: type[BaseException],
) -> None:
    class Bug(object_store.Hook):
        def get_object(self, ref, **options):
            if ref.key.endswith("bad"):
                raise error("unknown code")
            return super().get_object(ref, **options)

    made = world({"a good": b"1", "bad": b"2"})
    made = made.with_source(Bug(conn_of(made.source)))

    with pytest.raises(error):
        replicate(made.replication())

    assert tree_of(made.destinations[0]) == {"a good": b"1"}
    begun = ledger(made.destinations[0]).commit
    assert [entry.key for entry in begun.recent] == ["copy/a good"]
    assert len(begun.open_runs) == 1
    made = made.with_source(object_store.Hook(conn_of(made.source)))
    assert _outcomes(replicate(made.replication())) == {Outcome.UNCHANGED: 1, Outcome.COPIED: 1}


class _Flipping(object_store.Hook):
    """Every read of content has one bit flipped."""

    def get_object(self, ref, **options) -> ObjectBody:
        body = super().get_object(ref, **options)
        if ref.key.startswith(".airflow-multicloud/"):
            return body
        return _Flipped(body)


class _Flipped:
    def __init__(self, body: ObjectBody) -> None:
        self.meta = replace(body.meta, digests=Digests())  # as obstore: it reports none
        self._body = body

    def read(self) -> Buffer:
        content = bytearray(self._body.read())
        content[-1] ^= 1
        return bytes(content)

    def __iter__(self) -> Iterator[Buffer]:
        yield self.read()


@pytest.mark.parametrize("reported", ["crc32c", "md5", "sha256"])
@pytest.mark.parametrize("name", TREE)
def test_a_flipped_bit_on_the_way_in_is_never_written(name: str, reported: str) -> None:
    class Reports(_Flipping):
        def list_objects(self, bucket: str, prefix: str = ""):
            return (self._less(m) for m in super().list_objects(bucket, prefix))

        def stat_object(self, ref):
            return self._less(super().stat_object(ref))

        def _less(self, meta):
            return replace(meta, digests=Digests(**{reported: getattr(meta.digests, reported)}))

    made = world({name: TREE[name]})
    report = _failed(made.with_source(Reports(conn_of(made.source))))

    assert _outcomes(report) == {Outcome.FAILED: 1}
    assert report.failures[0].kind == ErrorKind.INTEGRITY
    assert tree_of(made.destinations[0]) == {}
    assert _outcomes(replicate(made.replication())) == {Outcome.COPIED: 1}
    assert tree_of(made.destinations[0]) == {name: TREE[name]}
    assert uploads(made.destinations[0]) == []


def test_a_listing_whose_etag_only_looks_like_an_md5_is_not_believed() -> None:
    class Kms(object_store.Hook):
        def list_objects(self, bucket: str, prefix: str = ""):
            for meta in super().list_objects(bucket, prefix):
                yield replace(meta, digests=Digests(md5="0" * 32))

        def stat_object(self, ref):
            return replace(super().stat_object(ref), digests=Digests())

    made = world({"small": b"little"})
    made = made.with_source(Kms(conn_of(made.source)))

    assert _outcomes(replicate(made.replication())) == {Outcome.COPIED: 1}


@pytest.mark.parametrize("kind", [ErrorKind.UNAVAILABLE, ErrorKind.PERMISSION_DENIED])
def test_a_failure_at_the_destination_keeps_its_kind_and_its_parts_only_if_it_may_pass(
    kind: ErrorKind,
) -> None:
    class Fails(_Counting):
        broken = True

        def put_part(self, upload, number, body, *, digests=Digests()):
            if self.broken and number >= 3:
                raise StorageError("no", kind=kind)
            return super().put_part(upload, number, body, digests=digests)

    made = world({"large": LARGE})
    store = Fails(conn_of(made.destinations[0]))
    made = made.with_destination(store)

    report = _failed(made, replace(SMALL, concurrency=1))

    assert report.failures[0].kind == kind
    assert uploads(made.destinations[0]) == (["copy/large"] if kind.retryable else [])
    store.broken, store.calls = False, []
    assert _outcomes(replicate(made.replication())) == {Outcome.COPIED: 1}
    resent = [c for c in store.calls if c.startswith("part")]
    first = 3 if kind.retryable else 1
    assert sorted(resent) == [f"part {n}" for n in range(first, 8)]
    assert uploads(made.destinations[0]) == []
    assert tree_of(made.destinations[0]) == {"large": LARGE}


def _left_behind(made: World, content: bytes, *, part_size: int = 16) -> PartUpload:
    """An upload as a killed run leaves it: some parts, not completed."""
    end = made.destinations[0]
    store = object_store.Hook(conn_of(end))
    upload = store.begin_upload(end.ref("copy/large"))
    for number in (1, 2, 4):
        body = content[(number - 1) * part_size : number * part_size]
        store.put_part(upload, number, body, digests=_crc(body))
    return upload


def _crc(body: bytes) -> Digests:
    from airflow_multicloud.adapters.digests import crc32c_of

    return Digests(crc32c=crc32c_of(body))


def test_the_parts_of_a_killed_run_are_not_sent_again() -> None:
    made = world({"large": LARGE})
    _left_behind(made, LARGE)
    store = _Counting(conn_of(made.destinations[0]))

    replicate(made.with_destination(store).replication())

    assert sorted(store.calls) == ["part 3", "part 5", "part 6", "part 7"]
    assert uploads(made.destinations[0]) == []
    assert tree_of(made.destinations[0]) == {"large": LARGE}


class _Told(object_store.Hook):
    """Takes one part at a time, and none before those taken before it have been told of."""

    def __init__(self, conn_id: str, told: list[Snapshot]) -> None:
        super().__init__(conn_id)
        self._told, self._sent, self._one = told, 0, threading.Lock()

    def put_part(self, upload, number, body, *, digests=Digests()) -> Part:
        with self._one:
            deadline = time.monotonic() + 60
            while not any(snapshot.written >= self._sent for snapshot in self._told):
                assert time.monotonic() < deadline, f"{self._sent} bytes were never told of"
                time.sleep(0.001)
            self._sent += len(body)
            return super().put_part(upload, number, body, digests=digests)


def test_a_large_object_is_told_by_bytes_and_what_was_there_is_counted() -> None:
    made = world({"large": LARGE})
    _left_behind(made, LARGE)
    told: list[Snapshot] = []

    replicate(
        made.with_destination(_Told(conn_of(made.destinations[0]), told)).replication(
            replace(SMALL, memory_limit=64)
        ),
        listener=told.append,
        interval=1e-6,
    )

    assert told[0].resuming == "resuming: 48 of 100 bytes are there"
    assert (told[0].objects, told[0].written) == (0, 0)
    assert len({snapshot.done for snapshot in told if not snapshot.objects}) > 2
    last = told[-1]
    assert (last.objects, last.written, last.kept, last.done) == (1, 52, 48, 100)
    assert last.eta == 0


def test_parts_of_another_object_count_for_nothing() -> None:
    made = world({"large": LARGE})
    _left_behind(made, bytes(100))
    told: list[Snapshot] = []

    replicate(made.replication(), listener=told.append)

    assert (told[-1].kept, told[-1].eta) == (0, 0)


@pytest.mark.parametrize(
    ("content", "part_size"), [(bytes(100), 16), (LARGE[:48] + bytes(52), 16), (LARGE, 8)]
)
def test_parts_of_another_object_are_never_mixed_in(content: bytes, part_size: int) -> None:
    made = world({"large": LARGE})
    _left_behind(made, content, part_size=part_size)

    report = replicate(made.replication())

    assert _outcomes(report) == {Outcome.COPIED: 1}
    assert tree_of(made.destinations[0]) == {"large": LARGE}
    assert uploads(made.destinations[0]) == []


def test_an_upload_begun_before_the_source_was_written_is_not_continued() -> None:
    made = world({})
    _left_behind(made, LARGE)
    fill(made.source, {"large": LARGE})
    store = _Counting(conn_of(made.destinations[0]))

    replicate(made.with_destination(store).replication())

    assert len(store.calls) == 7
    assert uploads(made.destinations[0]) == []


def test_a_destination_without_parts_takes_no_large_object() -> None:
    made = world(TREE)
    made = made.with_destination(Bare(conn_of(made.destinations[0])))

    report = _failed(made)

    assert _outcomes(report) == {Outcome.COPIED: 1, Outcome.FAILED: 1}
    assert report.failures[0].kind == ErrorKind.UNSUPPORTED
    assert tree_of(made.destinations[0]) == {"small": b"little"}


def test_a_store_that_can_not_list_uploads_takes_large_objects_and_says_what_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Lacking(object_store.Hook):
        def list_uploads(self, bucket: str, prefix: str = "") -> Iterator[PartUpload]:
            raise StorageError("listing uploads: no such verb", kind=ErrorKind.UNSUPPORTED)

        def left_uploads(self, ref: ObjectRef, options: WriteOptions) -> list[LeftUpload]:
            return [LeftUpload(one, fits=True) for one in self.list_uploads(ref.bucket, ref.key)]

    made = world({"big": bytes(100)})
    made = made.with_destination(Lacking(conn_of(made.destinations[0])))
    report = replicate(made.replication())
    assert _outcomes(report) == {Outcome.COPIED: 1}
    assert tree_of(made.destinations[0]) == {"big": bytes(100)}
    assert "no such verb; what an earlier try sent of this object can't be found" in caplog.text


def test_stores_without_conditions_are_replicated_all_the_same() -> None:
    made = world({"a": b"1", "b": b"2"})
    made = made.with_source(Bare(conn_of(made.source)))
    made = made.with_destination(Bare(conn_of(made.destinations[0])))
    fill(made.destinations[0], {"b": b"old", "c": b"extra"})
    options = replace(SMALL, delete_extraneous=True, max_delete=1)

    report = replicate(made.replication(options))

    assert _outcomes(report) == {Outcome.COPIED: 1, Outcome.REPLACED: 1}
    assert report.destinations[0].deleted == 1
    assert tree_of(made.destinations[0]) == {"a": b"1", "b": b"2"}


def test_a_store_that_reports_no_digest_is_unverifiable_until_it_does() -> None:
    class Silent(object_store.Hook):
        listed = False

        def put_object(self, ref, *args, **options):
            return replace(super().put_object(ref, *args, **options), digests=Digests())

        def stat_object(self, ref):
            meta = super().stat_object(ref)
            return meta if self.listed else replace(meta, digests=Digests())

    made = world({"small": b"little"})
    store = Silent(conn_of(made.destinations[0]))
    made = made.with_destination(store)
    assert _outcomes(replicate(made.replication())) == {Outcome.UNVERIFIABLE: 1}

    store.listed = True
    assert _outcomes(replicate(made.replication())) == {Outcome.VERIFIED: 1}


@pytest.mark.parametrize("count", [3, 20])
def test_writes_without_a_digest_are_confirmed_afterwards(count: int) -> None:
    class Mute(object_store.Hook):
        def put_object(self, ref, *args, **options):
            meta = super().put_object(ref, *args, **options)
            if ref.key.endswith("lost"):
                self.delete_object(ref)
            return replace(meta, digests=Digests())

    made = world({**{str(n): b"x" for n in range(count)}, "lost": b"y"})
    made = made.with_destination(Mute(conn_of(made.destinations[0])))

    report = _failed(made)

    assert _outcomes(report) == {Outcome.COPIED: count, Outcome.CONFLICT: 1}


def test_what_a_destination_cannot_keep_is_reported() -> None:
    class Picky(object_store.Hook):
        def why_not_key(self, key: str) -> str | None:
            return "no question marks" if "?" in key else super().why_not_key(key)

        def why_not_metadata_name(self, name: str) -> str | None:
            return "no dots" if "." in name else None

    made = world({})
    fill(made.source, {"a": b"1", "b?": b"2", "c": LARGE}, metadata={"x.y": "1", "z": "2"})
    made = made.with_destination(Picky(conn_of(made.destinations[0])))

    report = _failed(made)

    assert _outcomes(report) == {Outcome.COPIED: 2, Outcome.FAILED: 1}
    assert report.failures[0].kind == ErrorKind.UNSUPPORTED
    assert report.destinations[0].not_kept == {"metadata:x.y": 2}
    for name in ("a", "c"):
        meta = made.destinations[0].store.stat_object(ObjectRef(BUCKET, f"copy/{name}"))
        assert meta.attributes is not None
        assert set(meta.attributes.metadata) == {"z", "multicloud_sha256"}


def test_too_many_deletions_change_nothing() -> None:
    made = world(TREE)
    fill(made.destinations[0], {"x": b"1", "y": b"2"})

    with pytest.raises(StorageError, match="max_delete: 2 objects") as raised:
        replicate(made.replication(replace(SMALL, delete_extraneous=True, max_delete=1)))

    assert raised.value.kind is ErrorKind.PRECONDITION_FAILED
    assert tree_of(made.destinations[0]) == {"x": b"1", "y": b"2"}


def test_nothing_is_deleted_where_an_object_failed() -> None:
    class Half(object_store.Hook):
        def put_object(self, ref, *args, **options):
            if ref.key.endswith("small"):
                raise StorageError("no", kind=ErrorKind.THROTTLED)
            return super().put_object(ref, *args, **options)

    made = world(TREE, destinations=2)
    for end in made.destinations:
        fill(end, {"extra": b"1"})
    made = made.with_destination(Half(conn_of(made.destinations[0])))

    report = _failed(made, replace(SMALL, delete_extraneous=True, max_delete=1))

    assert [d.deleted for d in report.destinations] == [0, 1]
    assert "extra" in tree_of(made.destinations[0])
    assert "extra" not in tree_of(made.destinations[1])


def test_a_plan_writes_nothing_and_says_what_a_run_does() -> None:
    made = world(TREE)
    fill(made.destinations[0], {"small": b"older!!", "extra": b"1"})
    options = replace(SMALL, delete_extraneous=True, max_delete=5)

    (planned,) = plan(made.replication(options))

    assert (planned.copy, planned.replace, planned.compare, planned.settled) == (1, 1, 0, 0)
    assert (planned.delete, planned.bytes) == (1, len(LARGE) + 6)
    assert planned.requests == 1 + 2 + 7
    assert tree_of(made.destinations[0]) == {"small": b"older!!", "extra": b"1"}


@pytest.mark.parametrize("create_buckets", [True, False])
def test_a_plan_names_the_destination_that_cant_be_looked_at(create_buckets: bool) -> None:
    class Denied(object_store.Hook):
        def stat_bucket(self, bucket: str):
            raise StorageError("stat bucket: no", kind=ErrorKind.PERMISSION_DENIED)

    made = world(TREE, destinations=2)
    made = made.with_destination(Denied(conn_of(made.destinations[1])), 1)
    with pytest.raises(StorageError) as raised:
        plan(made.replication(replace(SMALL, create_buckets=create_buckets)))
    assert str(raised.value) == f"destinations[1]: {made.destinations[1].location}: stat bucket: no"
    assert raised.value.kind is ErrorKind.PERMISSION_DENIED


def test_a_missing_destination_bucket_is_named_before_any_byte_moves() -> None:
    made = world(TREE, destinations=2)
    object_store.reset(conn_of(made.destinations[1]))

    with pytest.raises(StorageError, match=r"destinations\[1\].*create_buckets") as raised:
        replicate(made.replication())
    assert raised.value.kind is ErrorKind.NOT_FOUND
    assert tree_of(made.destinations[0]) == {}

    report = replicate(made.replication(replace(SMALL, create_buckets=True)))
    assert [d.sound for d in report.destinations] == [2, 2]


def test_no_bucket_is_made_for_a_source_that_is_none() -> None:
    made = world(TREE)
    for end in (made.source, made.destinations[0]):
        object_store.reset(conn_of(end))

    with pytest.raises(StorageError, match="source: "):
        replicate(made.replication(replace(SMALL, create_buckets=True)))

    with pytest.raises(StorageError) as raised:
        made.destinations[0].store.stat_bucket(made.destinations[0].bucket)
    assert raised.value.kind is ErrorKind.NOT_FOUND


def test_a_single_object_goes_by_its_name_or_to_a_name() -> None:
    made = world(TREE)
    source = replace(made.source, location=made.source.location.with_key("data/large"))
    end = made.destinations[0]
    other = endpoint()
    named = replace(other, location=other.location.with_key("there/renamed"))

    report = replicate(Replication(source, (end, named), SMALL))

    assert report.objects == 1
    assert tree_of(end) == {"large": LARGE}
    body = object_store.Hook(conn_of(named)).get_object(ObjectRef(BUCKET, "there/renamed"))
    assert bytes(body.read()) == LARGE


def test_the_same_prefix_in_two_accounts_is_proven_for_each() -> None:
    made = world({"small": b"little"}, destinations=2)
    fill(made.destinations[0], {"small": b"other!"})

    first = replicate(made.replication())
    second = replicate(made.replication())

    assert [d.outcomes for d in first.destinations] == [
        {Outcome.REPLACED: 1},
        {Outcome.COPIED: 1},
    ]
    assert [d.outcomes for d in second.destinations] == [{Outcome.UNCHANGED: 1}] * 2


def test_a_larger_part_size_is_taken_where_the_store_demands_it() -> None:
    made = world({"large": bytes(10_000)})
    object_store.reset(
        conn_of(made.destinations[0]),
        limits=PartLimits(
            put_limit=1 << 20, min_part=32, max_part=1 << 20, max_parts=10, max_object=1 << 20
        ),
    )
    made.destinations[0].store.ensure_bucket(BUCKET)
    store = _Counting(conn_of(made.destinations[0]))

    replicate(made.with_destination(store).replication())

    assert len(store.calls) <= 10
    assert tree_of(made.destinations[0]) == {"large": bytes(10_000)}


def test_a_damaged_ledger_is_started_over() -> None:
    """What it says is found out again, and the ledger says since when and why."""
    made = world(TREE)
    replicate(made.replication())
    end = made.destinations[0]
    key = commit_key(ledger(end).commit.number)

    for damaged in (b"\xff\xfe\n", b"", b"{}\n"):
        end.store.put_object(end.ref(key), damaged)
        report = replicate(made.replication())
        assert _outcomes(report) == {Outcome.VERIFIED: 2}
        (finding,) = report.destinations[0].findings
        assert finding.startswith("its ledger was damaged, and was started over: ")
        assert key in finding
        head = ledger(end)
        assert any(key in (one.commit.restarted or "") for one in reading.back_to(head, 1))
        assert len([*head.entries()]) == 2
        key = commit_key(head.commit.number)
    assert replicate(made.replication()).destinations[0].findings == ()
