"""What is asked at the same time before the first byte of a large object is read, and after."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.core.endpoints import RESERVED_PREFIX
from airflow_multicloud.core.replication import engine
from airflow_multicloud.core.replication.budget import MemoryBudget
from airflow_multicloud.core.replication.closing import ReplicationFailedError
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.options import CompareAttributes
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.testing.memory_cloud import object_store

from .memory import SMALL, Unversioned, World, conn_of, fill, tree_of, uploads, world

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_multicloud.core.replication.report import ReplicationReport
    from airflow_multicloud.ports.object_store import (
        BucketMeta,
        LeftUpload,
        ObjectBody,
        ObjectMeta,
        ObjectRef,
        PartUpload,
    )

#: Seven parts; there is memory for four.
LARGE = bytes(range(100))
FEW = replace(
    SMALL, memory_limit=64, min_success_ratio=0, compare_attributes=CompareAttributes.NEVER
)
#: Only a test that fails waits so long.
PATIENCE = 20.0


class Waves:
    """Requests wait until all that are expected at the same time are under way."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: Counter[str] = Counter()
        self._let_go: Counter[str] = Counter()
        self._open = False

    def asked(self, name: str) -> None:
        with self._changed:
            self._waiting[name] += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._open or self._let_go[name])
            self._let_go[name] -= 1

    def expect(self, *names: str) -> None:
        """Let these be answered, once they are all under way, and nothing else is."""
        with self._changed:
            expected = Counter(names)
            self._changed.wait_for(lambda: self._waiting >= expected, PATIENCE)
            assert self._waiting == expected
            self._waiting.clear()
            self._let_go += expected
            self._changed.notify_all()

    def end(self) -> None:
        with self._changed:
            self._open = True
            self._changed.notify_all()


class Gated(object_store.Hook):
    waves: Waves
    name: str

    def _ask(self, what: str, key: str = "") -> None:
        own = " of ledger" if key.startswith(RESERVED_PREFIX) else ""
        self.waves.asked(f"{self.name}: {what}{own}")

    def stat_bucket(self, bucket: str) -> BucketMeta:
        self._ask("bucket")
        return super().stat_bucket(bucket)

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        self._ask("list", prefix)
        yield from super().list_objects(bucket, prefix)

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        self._ask("stat", ref.key)
        return super().stat_object(ref)

    def get_object(self, ref: ObjectRef, **more: Any) -> ObjectBody:
        self._ask("get", ref.key)
        return super().get_object(ref, **more)

    def put_object(self, ref: ObjectRef, *given: Any, **named: Any) -> ObjectMeta:
        self._ask("put", ref.key)
        return super().put_object(ref, *given, **named)

    def left_uploads(self, *given: Any) -> Sequence[LeftUpload]:
        self._ask("left")
        return super().left_uploads(*given)

    def begin_upload(self, *given: Any, **named: Any) -> PartUpload:
        self._ask("begin")
        return super().begin_upload(*given, **named)


@contextmanager
def gated(made: World) -> Iterator[Waves]:
    """A run whose requests are let go wave by wave."""
    waves, ended = Waves(), []
    for number, end in enumerate((made.source, *made.destinations)):
        store = Gated(conn_of(end))
        store.waves, store.name = waves, "from" if number == 0 else "to"
        made = made.with_destination(store, number - 1) if number else made.with_source(store)
    one = threading.Thread(target=lambda: ended.append(replicate(made.replication(FEW))))
    one.start()
    try:
        yield waves
    finally:
        waves.end()
        one.join()
    assert [report.success_ratio for report in ended] == [1.0]


#: What is then asked at the same time as the first parts.
BESIDE = ("from: stat", "to: put of ledger")


class TestFirstByte:
    """It is asked for after so many waits, one for each wave before it."""

    def test_of_a_first_run_after_two(self) -> None:
        with gated(world({"large": LARGE})) as waves:
            waves.expect("from: bucket", "to: bucket", "to: list of ledger")
            waves.expect("from: list", "to: list")
            waves.expect(*BESIDE, *["from: get"] * 4)
            waves.expect("to: left")
            waves.expect("to: begin")

    def test_of_a_later_run_after_three(self) -> None:
        made = world({"large": LARGE})
        replicate(made.replication())
        fill(made.source, {"new": LARGE})
        with gated(made) as waves:
            waves.expect("from: bucket", "to: bucket", "to: list of ledger")
            waves.expect("to: get of ledger")
            waves.expect("from: list", "to: list")
            waves.expect(*BESIDE, *["from: get"] * 4)

    def test_nothing_is_asked_again_for_another_destination(self) -> None:
        with gated(world({"large": LARGE}, destinations=2)) as waves:
            waves.expect("from: bucket", *["to: bucket", "to: list of ledger"] * 2)
            waves.expect("from: list", *["to: list"] * 2)


class Store(object_store.Hook):
    """Some verb fails; tells what was asked of it, in this order."""

    def __init__(self, conn_id: str) -> None:
        super().__init__(conn_id)
        self.fails: dict[str, ErrorKind] = {}
        self.asked: list[str] = []

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if what in self.fails:
            raise StorageError(f"{what} failed", kind=self.fails[what])

    def stat_bucket(self, bucket: str) -> BucketMeta:
        self._ask("bucket")
        return super().stat_bucket(bucket)

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        self._ask("ledger" if prefix.startswith(RESERVED_PREFIX) else "list")
        return super().list_objects(bucket, prefix)

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        self._ask("stat")
        return super().stat_object(ref)

    def get_object(self, ref: ObjectRef, **more: Any) -> ObjectBody:
        self._ask("get")
        return super().get_object(ref, **more)

    def put_object(self, ref: ObjectRef, *given: Any, **named: Any) -> ObjectMeta:
        self._ask("commit" if ref.key.startswith(RESERVED_PREFIX) else "put")
        return super().put_object(ref, *given, **named)

    def left_uploads(self, *given: Any) -> Sequence[LeftUpload]:
        self._ask("left")
        return super().left_uploads(*given)

    def begin_upload(self, *given: Any, **named: Any) -> PartUpload:
        self._ask("begin")
        return super().begin_upload(*given, **named)


class Source(Store, Unversioned):
    """Only ETags pin its objects."""


class Lab:
    """A source and two destinations, the first of which may fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = world({"large 1": LARGE, "large 2": LARGE[::-1]}, destinations=2)
        self.source, self.first = Source(conn_of(made.source)), Store(conn_of(made.destinations[0]))
        self.second = Store(conn_of(made.destinations[1]))
        made = made.with_source(self.source).with_destination(self.first)
        self.world = made.with_destination(self.second, 1)
        self.budgets: list[MemoryBudget] = []

        def budget(limit: int) -> MemoryBudget:
            self.budgets.append(MemoryBudget(limit))
            return self.budgets[-1]

        monkeypatch.setattr(engine, "MemoryBudget", budget)

    def run(self, **options: Any) -> ReplicationReport:
        try:
            report = replicate(self.world.replication(replace(FEW, **options)))
        except ReplicationFailedError as failed:  # As the last commit failed, too.
            report = failed.report
        assert self.budgets[-1].fits(FEW.memory_limit)  # All of it was given back.
        return report

    def left(self) -> list[str]:
        return [key for end in self.world.destinations for key in uploads(end)]


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Lab:
    return Lab(monkeypatch)


WHOLE = {"large 1": LARGE, "large 2": LARGE[::-1]}


@pytest.mark.parametrize("concurrency", [1, 2, 8])
@pytest.mark.parametrize("memory", [64, 100, 1000])
def test_a_pool_and_a_memory_of_any_size_come_to_an_end(
    lab: Lab, concurrency: int, memory: int
) -> None:
    report = lab.run(concurrency=concurrency, memory_limit=memory)
    assert report.success_ratio == 1
    assert report.bytes_read == 200
    assert [tree_of(end) for end in lab.world.destinations] == [WHOLE, WHOLE]


def test_nothing_is_written_before_the_ledger_says_so(lab: Lab) -> None:
    lab.run()
    writes = [what for what in lab.first.asked if what not in ("bucket", "list", "ledger")]
    assert writes == ["commit", "left", "begin", "left", "begin", "commit"]


class TestFailing:
    """What is asked beside something else has the outcome that it has alone."""

    def test_of_a_ledger_that_cant_be_written(self, lab: Lab) -> None:
        lab.first.fails = {"commit": ErrorKind.PERMISSION_DENIED}
        lab.world = replace(lab.world, destinations=lab.world.destinations[:1])
        report = lab.run()
        assert report.destinations[0].outcomes == {Outcome.FAILED: 2}
        assert "its ledger could not be written" in str(report.failures[0].reason)
        assert not {"left", "begin"} & set(lab.first.asked)

    def test_of_one_of_two_ledgers(self, lab: Lab) -> None:
        lab.first.fails = {"commit": ErrorKind.UNAVAILABLE}
        report = lab.run()
        assert report.destinations[0].outcomes == {Outcome.FAILED: 2}
        assert report.destinations[1].outcomes == {Outcome.COPIED: 2}
        assert not {"left", "begin"} & set(lab.first.asked)
        assert [tree_of(end) for end in lab.world.destinations] == [{}, WHOLE]

    @pytest.mark.parametrize("verb", ["left", "begin"])
    def test_of_beginning(self, lab: Lab, verb: str) -> None:
        lab.first.fails = {verb: ErrorKind.PERMISSION_DENIED}
        report = lab.run()
        assert report.destinations[0].outcomes == {Outcome.FAILED: 2}
        assert {(f.kind, f.reason) for f in report.failures} == {
            (ErrorKind.PERMISSION_DENIED, f"{verb} failed")
        }
        assert report.destinations[1].outcomes == {Outcome.COPIED: 2}
        assert lab.left() == []

    @pytest.mark.parametrize("verb", ["left", "begin"])
    def test_of_beginning_anywhere(self, lab: Lab, verb: str) -> None:
        lab.first.fails = lab.second.fails = {verb: ErrorKind.QUOTA}
        report = lab.run()
        assert report.destinations[1].outcomes == {Outcome.FAILED: 2}
        assert {f.kind for f in report.failures} == {ErrorKind.QUOTA}
        assert report.bytes_read <= 2 * FEW.memory_limit
        assert lab.left() == []

    @pytest.mark.parametrize("kind", [ErrorKind.UNAVAILABLE, ErrorKind.PERMISSION_DENIED])
    def test_of_asking_for_the_source(self, lab: Lab, kind: ErrorKind) -> None:
        lab.source.fails = {"stat": kind}
        report = lab.run()
        assert {(f.outcome, f.kind, f.reason) for f in report.failures} == {
            (Outcome.FAILED, kind, "stat failed")
        }
        assert "begin" not in lab.first.asked
        assert lab.left() == []

    def test_of_reading(self, lab: Lab) -> None:
        lab.source.fails = {"get": ErrorKind.PERMISSION_DENIED}
        report = lab.run()
        assert {(f.outcome, f.kind, f.reason) for f in report.failures} == {
            (Outcome.FAILED, ErrorKind.PERMISSION_DENIED, "get failed")
        }
        assert lab.left() == []
        assert [tree_of(end) for end in lab.world.destinations] == [{}, {}]

    def test_of_a_source_that_changes_meanwhile(self, lab: Lab) -> None:
        listed = lab.source.list_objects

        def change(bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
            yield from list(listed(bucket, prefix))
            fill(replace(lab.world.source, store=object_store.Hook(conn_of(lab.world.source))),
                 {"large 1": b"another" * 20})  # fmt: skip

        lab.source.list_objects = change  # type: ignore[method-assign]
        report = lab.run()
        assert report.destinations[0].outcomes == {Outcome.SOURCE_CHANGED: 1, Outcome.COPIED: 1}
        assert lab.first.asked.count("begin") == 1
        assert lab.left() == []

    def test_of_a_bucket(self, lab: Lab) -> None:
        lab.first.fails = {"bucket": ErrorKind.NOT_FOUND, "ledger": ErrorKind.PERMISSION_DENIED}
        with pytest.raises(StorageError, match="no bucket") as raised:
            lab.run()
        assert raised.value.kind is ErrorKind.NOT_FOUND
        assert "destinations[0]" in str(raised.value)
        assert "list" not in lab.first.asked + lab.second.asked + lab.source.asked

    def test_of_a_ledger(self, lab: Lab) -> None:
        lab.first.fails = {"ledger": ErrorKind.PERMISSION_DENIED}
        with pytest.raises(StorageError, match="ledger failed"):
            lab.run()
        assert "commit" not in lab.second.asked

    def test_of_a_bucket_out_of_reach(self, lab: Lab) -> None:
        lab.first.fails = {"bucket": ErrorKind.UNAVAILABLE, "ledger": ErrorKind.PERMISSION_DENIED}
        report = lab.run()
        assert report.destinations[0].outcomes == {Outcome.FAILED: 2}
        assert "bucket failed" in str(report.failures[0].reason)
        assert report.destinations[1].outcomes == {Outcome.COPIED: 2}

    def test_of_a_bucket_before_one_that_is_to_be_made(self, lab: Lab) -> None:
        lab.first.fails = {"bucket": ErrorKind.PERMISSION_DENIED}
        with pytest.raises(StorageError, match="bucket failed"):
            lab.run(create_buckets=True)
        assert lab.second.asked == []
        assert "ledger" not in lab.first.asked
