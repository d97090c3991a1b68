"""Copies that race each other for one object: who is tried, who is told, and what is dropped."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.core.failover.attempts import Try
from airflow_multicloud.core.failover.copies import Copies
from airflow_multicloud.core.failover.fetch import fetch
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import FailoverError
from airflow_multicloud.core.failover.references import Contract, Reference
from airflow_multicloud.core.failover.targets import FileTarget, TargetError
from airflow_multicloud.core.failover.tree import fetch_tree
from airflow_multicloud.core.replication.progress import Progress, Snapshot
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.failover.stores import CONTENT, Body, candidates, files_below, put, replicas
from tests.unit.replication.memory import endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from typing_extensions import Buffer

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.failover.candidates import Candidate
    from airflow_multicloud.ports.object_store import ObjectBody, ObjectRef

#: Nothing that goes well takes so long.
LONG = 20.0


class Store(object_store.Hook):
    """Fails as it is told; counts how often it was asked for an object."""

    asked = 0
    err: Exception | None = None
    before_chunk: Callable[[], object] | None = None

    def get_object(self, ref: ObjectRef, **limits: Any) -> ObjectBody:
        self.asked += 1
        if self.err is not None:
            raise self.err
        body = super().get_object(ref, **limits)
        if self.before_chunk is None:
            return body
        content = bytes(body.read())

        def chunks() -> Iterable[bytes]:
            yield content[:1]
            assert self.before_chunk is not None
            self.before_chunk()
            yield content[1:]

        return Body(body.meta, chunks())


def holding(number: int) -> list[Endpoint]:
    """So many copies of one object."""
    ends = [endpoint(hook=Store) for _ in range(number)]
    for end in ends:
        put(end, "a")
    return [end.below("a") for end in ends]


def store_of(end: Endpoint) -> Store:
    assert isinstance(end.store, Store)
    return end.store


class Target:
    """Takes bytes as often as it is asked; notes what became of each lot."""

    def __init__(self) -> None:
        self.staged: list[Lot] = []
        self.when_staged: dict[int, Callable[[], object]] = {}
        self.when_put: Callable[[], object] = lambda: None
        self._lock = threading.Lock()

    def stage(self, chunks: Iterable[Buffer]) -> Lot:
        content = b"".join(map(bytes, chunks))
        with self._lock:
            lot = Lot(self, content)
            self.staged.append(lot)
            number = len(self.staged)
        self.when_staged.get(number, lambda: None)()
        return lot


class Lot:
    def __init__(self, target: Target, content: bytes) -> None:
        self.target, self.content = target, content
        self.thread = threading.current_thread()
        self.committed = False
        self.discarded = threading.Event()

    def commit(self) -> None:
        self.target.when_put()
        self.committed = True

    def discard(self) -> None:
        self.discarded.set()


class TestBytesThatNobodyWants:
    """They are dropped, whenever they come."""

    def check(self, target: Target, *, kept: int) -> None:
        dropped = [lot for lot in target.staged if lot is not target.staged[kept]]
        assert [lot.committed for lot in target.staged].count(True) == 1
        assert target.staged[kept].committed
        assert not target.staged[kept].discarded.is_set()
        assert all(lot.discarded.wait(LONG) for lot in dropped)
        assert len(dropped) == 1

    def test_after_another_one_served(self) -> None:
        first, second = holding(2)
        target, served = Target(), threading.Event()
        target.when_staged[1] = lambda: served.wait(LONG)
        policy = FailoverPolicy(hedge_after=timedelta(milliseconds=50))
        found = fetch(candidates(first, second), target, policy)  # type: ignore[arg-type]
        served.set()
        assert found.served_by == str(second.location)
        self.check(target, kept=1)
        assert all(lot.thread.daemon for lot in target.staged)  # no process waits for them

    def test_after_they_were_given_up(self) -> None:
        """While another one is under way."""
        first, second = holding(2)
        target, started = Target(), threading.Event()
        target.when_staged[1] = lambda: started.wait(LONG)

        def second_staged() -> None:
            started.set()
            assert target.staged[0].discarded.wait(LONG)

        target.when_staged[2] = second_staged
        policy = FailoverPolicy(attempt_timeout=timedelta(seconds=1))
        found = fetch(candidates(first, second), target, policy)  # type: ignore[arg-type]
        assert [attempt.kind for attempt in found.attempts] == [ErrorKind.TIMEOUT, None]
        self.check(target, kept=1)

    def test_while_another_one_is_put_in_place(self) -> None:
        first, second = holding(2)
        target, both = Target(), threading.Barrier(2)
        for number in (1, 2):
            target.when_staged[number] = lambda: both.wait(LONG)
        target.when_put = lambda: time.sleep(0.1)  # until the other one has arrived
        policy = FailoverPolicy(hedge_after=timedelta(milliseconds=50))
        found = fetch(candidates(first, second), target, policy)  # type: ignore[arg-type]
        assert found.attempts[0].overtaken
        assert [lot.committed for lot in target.staged].count(True) == 1
        (other,) = [lot for lot in target.staged if not lot.committed]
        assert other.discarded.wait(LONG)

    def test_when_they_can_not_be_put_in_place(self) -> None:
        target = Target()

        def fails() -> None:
            raise StorageError("no room", kind=ErrorKind.QUOTA)

        target.when_put = fails
        with pytest.raises(StorageError, match=r"^no room$"):
            fetch(candidates(*holding(1)), target)  # type: ignore[arg-type]
        assert target.staged[0].discarded.is_set()


class TestOrder:
    def test_the_next_one_is_asked_only_when_it_is_needed(self, tmp_path: Path) -> None:
        ends = holding(3)
        store_of(ends[0]).err = StorageError("down", kind=ErrorKind.UNAVAILABLE)
        served = fetch(candidates(*ends), FileTarget(tmp_path / "a"))
        assert [attempt.kind for attempt in served.attempts] == [ErrorKind.UNAVAILABLE, None]
        assert [store_of(end).asked for end in ends] == [1, 1, 0]
        assert served.served_by == str(ends[1].location)

    def test_one_that_takes_long_is_not_failed_by_another(self, tmp_path: Path) -> None:
        """It may still serve when the one that was to hedge it has failed."""
        first, second = holding(2)
        failed = threading.Event()
        store_of(first).before_chunk = lambda: failed.wait(LONG)

        def fails(ref: ObjectRef, **limits: Any) -> ObjectBody:
            failed.set()
            raise StorageError("down", kind=ErrorKind.UNAVAILABLE)

        second.store.get_object = fails  # type: ignore[method-assign]
        policy = FailoverPolicy(hedge_after=timedelta(milliseconds=50))
        served = fetch(candidates(first, second), FileTarget(tmp_path / "a"), policy)
        assert served.served_by == str(first.location)
        assert [attempt.kind for attempt in served.attempts] == [ErrorKind.UNAVAILABLE, None]

    def test_all_fail(self, tmp_path: Path) -> None:
        ends = holding(2)
        for end in ends:
            store_of(end).err = StorageError("down", kind=ErrorKind.BUSY)
        with pytest.raises(FailoverError, match=r"^no candidate served: 1\. ") as caught:
            fetch(candidates(*ends), FileTarget(tmp_path / "a"))
        assert caught.value.kind is ErrorKind.BUSY
        assert len(caught.value.attempts) == 2

    def test_a_race_against_who_never_answers_ends(self, tmp_path: Path) -> None:
        let_go = threading.Event()
        ends = holding(2)
        for end in ends:
            store_of(end).before_chunk = lambda: let_go.wait(LONG)
        policy = FailoverPolicy(
            hedge_after=timedelta(milliseconds=50), attempt_timeout=timedelta(milliseconds=400)
        )
        started = time.monotonic()
        try:
            with pytest.raises(FailoverError) as caught:
                fetch(candidates(*ends), FileTarget(tmp_path / "a"), policy)
        finally:
            let_go.set()
        assert 0.4 <= time.monotonic() - started < LONG
        assert [a.reason for a in caught.value.attempts] == ["took longer than attempt_timeout"] * 2
        assert all(400 <= a.milliseconds < 1000 * LONG for a in caught.value.attempts)


class TestWhoIsTold:
    def test_of_one_object_the_calling_thread_tells_while_it_waits(self, tmp_path: Path) -> None:
        (end,) = holding(1)
        told: list[tuple[Snapshot, threading.Thread]] = []
        heard = threading.Event()

        def listener(seen: Snapshot) -> None:
            told.append((seen, threading.current_thread()))
            heard.set()

        store_of(end).before_chunk = lambda: heard.wait(LONG / 4)
        progress = Progress(listener, interval=0)
        fetch(candidates(end), FileTarget(tmp_path / "a"), progress=progress)
        assert [(seen.written, seen.to_write) for seen, _ in told] == [(1, len(CONTENT))]
        assert {thread for _, thread in told} == {threading.current_thread()}

    def test_not_more_often_than_asked_for(self, tmp_path: Path) -> None:
        (end,) = holding(1)
        told: list[Snapshot] = []
        store_of(end).before_chunk = lambda: time.sleep(0.5)
        progress = Progress(told.append, interval=3600)
        fetch(candidates(end), FileTarget(tmp_path / "a"), progress=progress)
        assert told == []

    def test_of_a_prefix_it_is_told_at_the_end_as_well(self, tmp_path: Path) -> None:
        """By the calling thread, of all objects and bytes."""
        end = endpoint(hook=Store)
        names = [f"{number}" for number in range(5)]
        for name in (*names, "x" * 300):
            put(end, name)
        threads: set[threading.Thread] = set()
        told: list[Snapshot] = []

        def listener(seen: Snapshot) -> None:
            told.append(seen)
            threads.add(threading.current_thread())

        store_of(end).before_chunk = lambda: time.sleep(0.25)
        with pytest.raises(FailoverError):
            fetch_tree(
                candidates(end), FileTarget(tmp_path), progress=Progress(listener, interval=0)
            )
        assert threads == {threading.current_thread()}
        assert (told[-1].objects, told[-1].to_copy) == (6, 6)
        assert (told[-1].written, told[-1].to_write) == (5 * len(CONTENT), 0)
        assert sorted(files_below(tmp_path)) == names
        seldom: list[Snapshot] = []
        with pytest.raises(FailoverError):
            fetch_tree(
                candidates(end),
                FileTarget(tmp_path),
                progress=Progress(seldom.append, interval=3600),
            )
        assert [seen.objects for seen in seldom] == [6]


class TestReadingAgain:
    """An object that is not what is known of it, as a run may have written it meanwhile."""

    def tried(
        self,
        newer: Callable[..., Reference | None],
        err: CloudError,
        target: FileTarget,
    ) -> tuple[CloudError, int, list[bool]]:
        """The error, how often was read, and for which failures was waited."""
        (end,) = holding(1)
        copy = Copies(replicas(end), FailoverPolicy()).all[1]
        waited: list[bool] = []

        def noted(
            name: str, known: Reference, cancelled: threading.Event, *, wait: bool
        ) -> Reference | None:
            assert (name, cancelled) == ("", attempt.cancelled)
            waited.append(wait)
            return newer()

        copy.newer = noted  # type: ignore[method-assign]
        attempt = Try(0, copy, "", time.monotonic())
        store_of(end).asked = 0
        store_of(end).err = err
        with pytest.raises(CloudError) as caught:
            attempt.take(target, FailoverPolicy(), None)
        return caught.value, store_of(end).asked, waited

    @pytest.mark.parametrize(
        ("kind", "wait"),
        [
            (ErrorKind.INTEGRITY, True),
            (ErrorKind.NOT_FOUND, True),
            (ErrorKind.PRECONDITION_FAILED, False),  # what is stale stays so
        ],
    )
    def test_three_times_at_most(self, tmp_path: Path, kind: ErrorKind, *, wait: bool) -> None:
        err = StorageError("not what it was", kind=kind)
        found = self.tried(Reference, err, FileTarget(tmp_path / "a"))
        assert found == (err, 3, [wait, wait])

    def test_nothing_newer_is_known(self, tmp_path: Path) -> None:
        err = StorageError("not what it was", kind=ErrorKind.INTEGRITY)
        assert self.tried(lambda: None, err, FileTarget(tmp_path / "a")) == (err, 1, [True])

    def test_what_newer_can_not_be_asked(self, tmp_path: Path) -> None:
        """Then the first error is the one to tell."""

        def down() -> None:
            raise StorageError("down", kind=ErrorKind.UNAVAILABLE)

        err = StorageError("not what it was", kind=ErrorKind.INTEGRITY)
        assert self.tried(down, err, FileTarget(tmp_path / "a")) == (err, 1, [True])

    def test_an_outage_is_no_contradiction(self, tmp_path: Path) -> None:
        err = StorageError("down", kind=ErrorKind.UNAVAILABLE)
        assert self.tried(Reference, err, FileTarget(tmp_path / "a")) == (err, 1, [])

    def test_nor_is_a_target_that_fails(self, tmp_path: Path) -> None:
        err = TargetError("not there", kind=ErrorKind.NOT_FOUND)
        assert self.tried(Reference, err, FileTarget(tmp_path / "a")) == (err, 1, [])

    def test_what_is_known_by_then_counts(self, tmp_path: Path) -> None:
        (end,) = holding(1)
        copy = Copies(replicas(end), FailoverPolicy()).all[1]
        wrong = Reference(contract=Contract(Digests(sha256="0" * 64), None, "ledger"))
        copy.reference = lambda _: wrong  # type: ignore[method-assign]
        copy.newer = lambda *_, **__: Reference()  # type: ignore[method-assign]
        attempt = Try(0, copy, "", time.monotonic())
        arrival = attempt.take(FileTarget(tmp_path / "a"), FailoverPolicy(), None)
        arrival.staged.discard()
        assert arrival.verified_by == "store"


class TestOutages:
    """Of a candidate, while a prefix is read from it."""

    def served(self, tmp_path: Path, found: list[Candidate]) -> dict[str, int]:
        served = fetch_tree(found, FileTarget(tmp_path), concurrency=1)
        assert len(files_below(tmp_path)) == 20
        return dict(served.served)

    def pair(self) -> tuple[Endpoint, Endpoint]:
        ends = endpoint(hook=Store), endpoint(hook=Store)
        for end in ends:
            for number in range(20):
                put(end, f"{number:02}")
        return ends

    @pytest.mark.parametrize(
        "kind",
        [ErrorKind.UNAVAILABLE, ErrorKind.BUSY, ErrorKind.TIMEOUT, ErrorKind.THROTTLED],
    )
    def test_one_that_is_down_is_asked_last_from_then_on(
        self, tmp_path: Path, kind: ErrorKind
    ) -> None:
        one, other = self.pair()
        store_of(one).err = StorageError("down", kind=kind)
        assert self.served(tmp_path, candidates(one, other)) == {str(other.location): 20}
        assert store_of(one).asked <= 4  # those that were under way

    @pytest.mark.parametrize("kind", [ErrorKind.NOT_FOUND, ErrorKind.INTEGRITY])
    def test_one_object_says_nothing_of_the_others(self, tmp_path: Path, kind: ErrorKind) -> None:
        one, other = self.pair()
        store_of(one).err = StorageError("not this one", kind=kind)
        assert self.served(tmp_path, candidates(one, other)) == {str(other.location): 20}
        assert store_of(one).asked >= 20

    @pytest.fixture
    def let_go(self) -> Iterator[threading.Event]:
        """What slow copies wait for, until the test is over."""
        event = threading.Event()
        yield event
        event.set()

    def test_one_that_is_slow_once_is_not_slow(
        self, tmp_path: Path, let_go: threading.Event
    ) -> None:
        one, other = self.pair()
        slow = iter([LONG])
        store_of(one).before_chunk = lambda: let_go.wait(next(slow, 0))
        policy = FailoverPolicy(hedge_after=timedelta(seconds=0.5))
        served = fetch_tree(candidates(one, other), FileTarget(tmp_path), policy, concurrency=1)
        assert served.served == {str(one.location): 19, str(other.location): 1}

    def test_one_that_is_slow_twice_in_a_row_is_asked_last(
        self, tmp_path: Path, let_go: threading.Event
    ) -> None:
        one, other = self.pair()
        store_of(one).before_chunk = lambda: let_go.wait(LONG)
        policy = FailoverPolicy(hedge_after=timedelta(seconds=0.1))
        served = fetch_tree(candidates(one, other), FileTarget(tmp_path), policy, concurrency=1)
        assert served.served == {str(other.location): 20}
        assert 2 <= served.failed_attempts <= 10

    def test_only_in_a_row_counts(self, tmp_path: Path, let_go: threading.Event) -> None:
        one, other = self.pair()
        slow = iter([LONG, 0, 0, LONG])
        store_of(one).before_chunk = lambda: let_go.wait(next(slow, 0))
        policy = FailoverPolicy(hedge_after=timedelta(seconds=0.5))
        served = fetch_tree(candidates(one, other), FileTarget(tmp_path), policy, concurrency=1)
        assert served.served == {str(one.location): 18, str(other.location): 2}


def test_only_few_objects_of_a_prefix_are_prepared_ahead(tmp_path: Path) -> None:
    """Twice as many as are read at once: memory does not grow with their number."""
    end = endpoint(hook=Store)
    for number in range(20):
        put(end, f"{number}")
    prepared: list[str] = []
    hanging, let_go = threading.Event(), threading.Event()

    class Counting(FileTarget):
        def below(self, name: str, among: Any = None) -> FileTarget:
            prepared.append(name)
            return super().below(name, among)

    def hangs() -> None:
        if not let_go.is_set():
            hanging.set()
            let_go.wait(LONG)

    store_of(end).before_chunk = hangs
    fetching = threading.Thread(
        target=fetch_tree, args=(candidates(end), Counting(tmp_path)), kwargs={"concurrency": 2}
    )
    fetching.start()
    assert hanging.wait(LONG)
    time.sleep(0.3)
    ahead = len(prepared)
    let_go.set()
    fetching.join(LONG)
    assert ahead == 4
    assert len(files_below(tmp_path)) == 20
