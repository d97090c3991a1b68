"""What a run writes into the ledgers of its destinations, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace as changed

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.ledger import writing
from airflow_multicloud.core.ledger.base import Base, base_of, base_or_refusal
from airflow_multicloud.core.ledger.commits import Step
from airflow_multicloud.core.ledger.entries import Entry, Origin
from airflow_multicloud.core.ledger.names import place_of
from airflow_multicloud.core.replication import recording
from airflow_multicloud.core.replication.catalog import SOURCE, Catalog, Listed
from airflow_multicloud.core.replication.closing import ReplicationFailedError
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.recording import Recorder
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.ledger.made import at, commit, draft, entry, look, proof

from .memory import World, conn_of, ledger, tree_of, world
from .runs import a_run, an_item

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.ports.object_store import ObjectMeta, ObjectRef

RUN = a_run()


@dataclass
class Time:
    """The time as the recorder asks for it."""

    seconds: float = 0.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(recording, "time", SimpleNamespace(monotonic=made.monotonic))
    return made


@dataclass
class Lab:
    """A recorder, and all that it works on."""

    world: World
    catalog: Catalog
    recorder: Recorder = field(init=False)

    def __post_init__(self) -> None:
        ends = self.world.destinations
        bases = [base_or_refusal(end) for end in ends]
        self.recorder = Recorder(RUN, ends, bases, self.catalog)

    def done(self, name: str, outcome: Outcome = Outcome.COPIED, etag: str = "e") -> Item:
        """An item that came to its end at every destination."""
        state = Replica(outcome=outcome, etag=etag, reason=None if outcome.sound else "why")
        item = an_item(name, *[state] * len(self.world.destinations))
        self.catalog.put_items([item])
        return item

    def numbers(self) -> list[int]:
        """How many commits each ledger has."""
        return [base_or_refusal(end).number for end in self.world.destinations]


@pytest.fixture
def lab(time: Time) -> Iterator[Lab]:
    with Catalog() as catalog:
        yield Lab(world({}, destinations=2), catalog)


def keys(end: Endpoint) -> list[str]:
    return [found.key for found in ledger(end).entries()]


class Refusing(object_store.Hook):
    """Takes no commits for now."""

    kind = ErrorKind.TIMEOUT
    error: type[Exception] | None = None

    def put_object(self, ref: ObjectRef, *given: Any, **named: Any) -> ObjectMeta:
        if "/ledger/" in ref.key:
            raise self.error("odd") if self.error else StorageError("not today", kind=self.kind)
        return super().put_object(ref, *given, **named)


def refusing(lab: World, index: int = 0) -> tuple[World, Refusing]:
    store = Refusing(conn_of(lab.destinations[index]))
    return lab.with_destination(store, index), store


class TestBegin:
    def test_each_ledger_says_that_the_run_begins(self, lab: Lab) -> None:
        lab.recorder.begin()
        for end in lab.world.destinations:
            said = ledger(end).commit
            assert (said.step, said.prefix, said.source) == (Step.BEGIN, "copy/", RUN.source)
            assert (said.identity, said.started) == (RUN.identity, RUN.started)
            assert (said.changed, said.deleted, said.looks) == (0, 0, ())
            assert [run.identity for run in said.open_runs] == [RUN.identity]

    def test_where_that_can_not_be_written_nothing_is(self, time: Time) -> None:
        made, _ = refusing(world({}, destinations=2))
        with Catalog() as catalog:
            lab = Lab(made, catalog)
            unchanged = Replica(outcome=Outcome.UNCHANGED)
            catalog.put_items([an_item("a", Replica(), Replica())])
            catalog.put_items([an_item("b", unchanged, Replica())])
            lab.recorder.begin()
            a, b = catalog.items()
        failed, other = a.replicas
        assert (failed.outcome, failed.kind) == (Outcome.FAILED, ErrorKind.TIMEOUT)
        assert failed.reason == "its ledger could not be written: not today"
        assert other == Replica()
        assert b.replicas == (unchanged, Replica())


class TestNowAndThen:
    def test_finished_objects_are_recorded_less_and_less_often(self, lab: Lab, time: Time) -> None:
        times = []
        written = lab.numbers()
        for number in range(110):
            time.seconds += 1
            lab.recorder.add([lab.done(f"{number:03}")])
            if lab.numbers() != written:
                written = lab.numbers()
                times.append(time.seconds)
        assert times[0] == 5
        pauses = [later - earlier for earlier, later in pairwise(times)]
        assert pauses == sorted(pauses)
        assert pauses[:2] == [8, 12]
        assert set(pauses[4:]) == {20}

    def test_each_ledger_gets_what_is_new_to_it(self, lab: Lab) -> None:
        lab.recorder.add([lab.done("b"), lab.done("a")])
        lab.recorder.flush()
        for end in lab.world.destinations:
            assert keys(end) == ["copy/a", "copy/b"]
            assert (ledger(end).commit.step, ledger(end).commit.changed) == (Step.PROGRESS, 2)
        assert lab.numbers() == [1, 1]
        lab.recorder.flush()
        assert lab.numbers() == [1, 1]
        lab.recorder.add([lab.done("a")])  # The same once more.
        lab.recorder.flush()
        assert lab.numbers() == [1, 1]

    def test_a_ledger_that_can_not_be_written_is_written_later(
        self, time: Time, caplog: pytest.LogCaptureFixture
    ) -> None:
        made = world({}, destinations=2)
        refused, store = refusing(made)
        with Catalog() as catalog:
            lab = Lab(refused, catalog)
            lab.recorder.add([lab.done("a")])
            lab.recorder.flush()
            assert lab.numbers() == [0, 1]
            assert f"{made.destinations[0].location}: not recorded for now: timeout" in caplog.text
            assert catalog.entry(0, "a") is None
            assert catalog.entry(1, "a") is not None
            store.__class__ = object_store.Hook  # type: ignore[assignment]
            lab.recorder.end(0, ())
            assert keys(made.destinations[0]) == ["copy/a"]

    def test_it_is_recorded_also_when_the_work_is_told_to_stop(self, lab: Lab) -> None:
        lab.recorder.add([lab.done("a")])
        with cancellation.cancellable() as work:
            work.cancel("the task was marked as failed")
            lab.recorder.flush()
        assert lab.numbers() == [1, 1]


class TestRecordAll:
    def test_every_item_is_recorded(self, lab: Lab) -> None:
        lab.done("a")
        lab.done("b", Outcome.FAILED)
        lab.recorder.record_all()
        for end in lab.world.destinations:
            assert keys(end) == ["copy/a", "copy/b"]
            assert ledger(end).commit.step is Step.PROGRESS

    def test_where_nothing_is_new_nothing_is_written(self, lab: Lab) -> None:
        lab.recorder.record_all()
        assert lab.numbers() == [0, 0]

    def test_what_was_finished_before_is_not_recorded_twice(self, lab: Lab) -> None:
        lab.recorder.add([lab.done("a")])
        lab.recorder.record_all()
        lab.recorder.flush()
        assert lab.numbers() == [1, 1]

    def test_one_that_can_not_be_written_is_told_after_the_others_are(self, time: Time) -> None:
        made, _ = refusing(world({}, destinations=2))
        with Catalog() as catalog:
            lab = Lab(made, catalog)
            lab.done("a")
            with pytest.raises(StorageError, match="not today"):
                lab.recorder.record_all()
            assert lab.numbers() == [0, 1]

    def test_where_nothing_is_proven_nothing_is_lost(self, time: Time) -> None:
        made, _ = refusing(world({}, destinations=2))
        with Catalog() as catalog:
            lab = Lab(made, catalog)
            lab.done("a", Outcome.FAILED)
            lab.recorder.record_all()
            assert lab.numbers() == [0, 1]

    def test_the_first_of_several_errors_is_told(self, time: Time) -> None:
        made, _ = refusing(world({}, destinations=2))
        made, second = refusing(made, 1)
        second.kind = ErrorKind.QUOTA
        with Catalog() as catalog:
            lab = Lab(made, catalog)
            lab.done("a")
            with pytest.raises(StorageError) as raised:
                lab.recorder.record_all()
        assert raised.value.kind is ErrorKind.TIMEOUT


class TestSiblings:
    def test_each_ledger_has_seen_the_others(self, lab: Lab) -> None:
        lab.recorder.begin()
        lab.recorder.end(0, ())
        first, second = lab.world.destinations
        (seen,) = ledger(first).commit.siblings
        now = ledger(second)
        assert (seen.place, seen.number, seen.root) == (place_of(second), 1, now.root)

    def test_one_that_is_damaged_was_not_seen(self, time: Time) -> None:
        made = world({}, destinations=2)
        commit(made.destinations[1], [entry("copy/a")])
        with Catalog() as catalog:
            lab = Lab(made, catalog)
            damaged = [Base(), base_of(made.destinations[1]).without_state("?")]
            recorder = Recorder(RUN, made.destinations, damaged, catalog)
            recorder.end(0, ())
            assert recorder.findings(0) == ()
            assert recorder.findings(1) == ("its ledger was damaged, and was started over: ?",)
        assert ledger(made.destinations[0]).commit.siblings == ()
        assert lab.recorder.findings(1) == ()

    def test_of_one_bucket_there_is_one_ledger(self, time: Time) -> None:
        made = world({})
        (one,) = made.destinations
        other = replace(one, location=one.location.with_key("other/"))
        with Catalog() as catalog:
            lab = Lab(replace(made, destinations=(one, other)), catalog)
            lab.recorder.begin()
            lab.recorder.end(0, ())
        assert ledger(one).commit.siblings == ()


class TestSince:
    """A new object that failed was not there when all was looked at."""

    @pytest.mark.parametrize("last", [False, True])
    def test_it_is_behind_since_then(self, time: Time, last: bool) -> None:
        made = world({})
        (there,) = made.destinations
        known = look("copy/", -5, source=RUN.source)
        commit(there, [], this=draft(step=Step.END, prefix="copy/", found=known))
        with Catalog() as catalog:
            lab = Lab(made, catalog)
            lab.done("a", Outcome.FAILED)
            if last:
                lab.recorder.end(0, ())
            else:
                lab.recorder.record_all()
        entry = ledger(there).entry("copy/a")
        assert entry is not None
        assert entry.behind is not None
        assert entry.behind.since == at(-5)


class TestAbsent:
    """What the ledger knows and the source does not have, in a run's last commit."""

    def ended(self, deleted: tuple[str, ...] = (), *, tidy: bool = False) -> list[Entry]:
        made = world({})
        (there,) = made.destinations
        names = ("deleted", "lost", "there")
        known = [entry(f"copy/{name}") for name in names]
        origins = [Origin(f"{RUN.source}{name}", "s-e") for name in names]
        known = [
            changed(one, proof=changed(one.proof, origin=origin))
            for one, origin in zip(known, origins, strict=True)
        ]
        commit(there, known, this=draft(prefix="copy/"))
        with Catalog() as catalog:
            lab = Lab(made, catalog)
            catalog.add_known(0, zip(names, known, strict=True))
            there_ = Listed("there", 1, "e", None, at(0), Digests())
            catalog.add_listing(0, [there_, changed(there_, name="deleted")])
            catalog.add_listing(SOURCE, [changed(there_, name="young")])
            lab.done("a")
            lab.recorder.end(0, deleted, tidy=tidy)
        return [one for one in ledger(there).entries() if one.key != "copy/a"]

    def test_what_is_there_is_gone_and_what_was_deleted_is_forgotten(self) -> None:
        found = self.ended(("deleted",))
        assert [(one.key, one.gone) for one in found] == [
            ("copy/lost", RUN.as_of),
            ("copy/there", RUN.as_of),
        ]

    def test_once_all_was_deleted_what_others_had_deleted_is_forgotten_too(self) -> None:
        found = self.ended(("deleted",), tidy=True)
        assert [one.key for one in found] == ["copy/there"]

    def test_what_was_deleted_is_said_though_nothing_was_known_of_it(self) -> None:
        """Another run may have recorded it since."""
        made = world({})
        (there,) = made.destinations
        with Catalog() as catalog:
            lab = Lab(made, catalog)
            commit(there, [entry("copy/new")], this=draft("another", prefix="copy/"))
            lab.done("a")
            lab.recorder.end(0, ("new", "b"))
        assert keys(there) == ["copy/a"]


def test_what_is_lost_of_a_ledger_is_a_finding(time: Time) -> None:
    made = world({}, destinations=3)
    bases = [
        Base(damaged="all of it"),
        Base(partly="some of it"),
        Base(refused=StorageError("of another release", kind=ErrorKind.UNSUPPORTED)),
    ]
    with Catalog() as catalog:
        recorder = Recorder(RUN, made.destinations, bases, catalog)
        assert [recorder.findings(index) for index in range(3)] == [
            ("its ledger was damaged, and was started over: all of it",),
            ("its ledger was damaged: some of it",),
            ("nothing can be written there: of another release",),
        ]
        assert recorder.writable == (0, 1)
        assert recorder.why_not_written(0) is None
        assert recorder.why_not_written(2) is bases[2].refused


def test_the_last_commit_names_what_was_deleted(lab: Lab) -> None:
    lab.done("a")
    recorded = lab.recorder.end(0, ("x", "y"))
    assert (recorded.head.commit.step, recorded.head.commit.deleted) == (Step.END, 2)
    assert recorded.head.mark == ledger(lab.world.destinations[0]).mark
    (look,) = recorded.head.commit.looks
    assert (look.objects, look.proven) == (1, 1)
    assert len(recorded.content) == 64


class TestBlame:
    """Whatever breaks the writing of one ledger is that destination's failure."""

    @pytest.mark.parametrize("error", [ValueError, RecursionError, KeyError, RuntimeError])
    def test_what_nobody_foresaw_costs_one_destination(
        self, error: type[Exception], time: Time
    ) -> None:
        made, store = refusing(world({"a": b"1"}, destinations=2))
        store.error = error
        with Catalog() as catalog:
            lab = Lab(made, catalog)
            lab.done("a")
            with pytest.raises(StorageError) as raised:
                lab.recorder.end(0, ())
            lab.recorder.end(1, ())
        assert raised.value.kind is ErrorKind.INTEGRITY
        assert raised.value.cloud == "memory"
        assert str(raised.value).startswith(
            f"{made.destinations[0].location}: its ledger could not be written: {error.__name__}: "
        )

    def test_a_run_goes_on_at_the_others(self) -> None:
        made, store = refusing(world({"a": b"1"}, destinations=2))
        store.error = ValueError
        with pytest.raises(ReplicationFailedError) as raised:
            replicate(made.replication())
        first, second = raised.value.report.destinations
        assert (dict(first.outcomes), dict(second.outcomes)) == (
            {Outcome.FAILED: 1},
            {Outcome.COPIED: 1},
        )
        assert tree_of(made.destinations[1]) == {"a": b"1"}

    @pytest.mark.parametrize(
        "error",
        [
            StorageError("not today", kind=ErrorKind.TIMEOUT),
            cancellation.WorkCancelledError("stop"),
            MemoryError("full"),
        ],
    )
    def test_what_is_no_fault_of_a_ledger_stays_what_it_is(
        self, lab: Lab, error: Exception, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(*given: object, **named: object) -> None:
            raise error

        monkeypatch.setattr(writing, "commit", fails)
        with pytest.raises(type(error)) as raised:
            lab.recorder.end(0, ())
        assert raised.value is error


@pytest.mark.parametrize(
    ("partly", "meanwhile", "stays"),
    [(None, False, False), ("some of it", False, True), (None, True, True)],
)
def test_an_old_look_goes_only_if_all_that_it_found_is_known(
    partly: str | None, *, meanwhile: bool, stays: bool
) -> None:
    """What is lost, or came while the run went on, may be of the look's source."""
    (there,) = (made := world({})).destinations
    third = Entry("copy/s", changed(proof(), origin=Origin("mem://third/s")))
    commit(there, [third], this=draft("third", prefix="copy/"))
    before = base_of(there)
    old = draft("old", Step.END, prefix="copy/", found=look("copy/", -1, source="mem://old/"))
    commit(there, [], this=old)
    base = before if meanwhile else replace(base_of(there), partly=partly)
    with Catalog() as catalog:
        catalog.add_known(0, [("s", third)])
        recorder = Recorder(RUN, made.destinations, [base], catalog)
        recorder.begin()
        recorder.end(0, ())
    sources = [one.source for one in ledger(there).commit.looks]
    assert ("mem://old/" in sources) is stays
