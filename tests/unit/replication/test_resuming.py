"""Shards that are tried again, and runs that are closed again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace as changed

from airflow_multicloud.adapters.digests import digests_of
from airflow_multicloud.core.endpoints import RESERVED_PREFIX
from airflow_multicloud.core.ledger import commits
from airflow_multicloud.core.ledger.base import base_or_refusal
from airflow_multicloud.core.ledger.commits import Step
from airflow_multicloud.core.ledger.entries import Entry, Origin, Proof
from airflow_multicloud.core.replication import execution, run_files, shards
from airflow_multicloud.core.replication.catalog import Catalog
from airflow_multicloud.core.replication.closing import ReplicationFailedError
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.options import ObjectFilter
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.recording import Recorder
from airflow_multicloud.core.replication.resuming import resume
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests, IfUnchanged
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.ledger.made import commit, draft
from tests.unit.ledger.made import proof as a_proof

from .memory import SMALL, World, conn_of, fill, own, world
from .runs import SOURCE, a_run, an_item

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.replication.report import ReplicationReport
    from airflow_multicloud.core.replication.run import Run
    from airflow_multicloud.ports.object_store import ObjectMeta, ObjectRef

RUN = a_run(minutes=60)
FIRST = replace(RUN, identity=changed(RUN.identity, try_number=1))
LARGE = bytes(65)


@pytest.fixture
def catalog() -> Iterator[Catalog]:
    with Catalog() as opened:
        yield opened


@pytest.fixture
def lab() -> World:
    return world({}, destinations=2)


def put(end: Endpoint, name: str, content: bytes) -> ObjectMeta:
    return end.store.put_object(end.ref(end.key_of(name)), content)


def recorded(end: Endpoint, there: ObjectMeta, content: bytes = b"1", **changes: Any) -> Proof:
    """What an earlier try has put into a ledger about an object that it wrote."""
    name = there.key.rpartition("/")[2]
    proof = changed(
        a_proof(content, etag=there.etag),
        run_id="run",
        version=there.version,
        origin=Origin(f"{SOURCE}{name}", "s-e"),
        not_kept=("tags",),
    )
    proof = changed(proof, **changes)
    commit(end, [Entry(there.key, proof)])
    return proof


def resumed(
    catalog: Catalog, lab: World, *items: Item, run: Run = FIRST
) -> dict[str, tuple[Replica, ...]]:
    """The items that are not as they were planned, with their states."""
    catalog.put_items(items)
    bases = [base_or_refusal(end) for end in lab.destinations]
    resume(catalog, lab.replication(), run, bases)
    before = {item.name: item for item in items}
    return {item.name: item.replicas for item in catalog.items() if item != before[item.name]}


def twice(name: str = "a", state: Replica = Replica(), content: bytes = b"1") -> Item:
    return an_item(name, state, state, content=content)


class TestRecorded:
    """What an earlier try of the shard has recorded."""

    def test_an_object_that_is_there_is_not_copied(self, catalog: Catalog, lab: World) -> None:
        first, _ = lab.destinations
        proof = recorded(first, put(first, "a", b"1"))
        assert resumed(catalog, lab, twice(), twice("b")) == {
            "a": (
                Replica(
                    outcome=Outcome.COPIED,
                    etag=proof.etag,
                    version=proof.version,
                    confirmed="sha256",
                    not_kept=("tags",),
                    digests=digests_of(b"1"),
                ),
                Replica(),
            )
        }

    def test_each_destination_is_looked_at(self, catalog: Catalog, lab: World) -> None:
        for end in lab.destinations:
            recorded(end, put(end, "a", b"1"))
        (states,) = resumed(catalog, lab, twice()).values()
        assert [state.outcome for state in states] == [Outcome.COPIED] * 2

    def test_one_that_was_written_again_is_compared(self, catalog: Catalog, lab: World) -> None:
        first, _ = lab.destinations
        recorded(first, put(first, "a", b"1"))
        now = put(first, "a", b"2")
        (states,) = resumed(catalog, lab, twice()).values()
        assert states == (
            Replica(prior=IfUnchanged(now.etag, now.version), doubtful=True),
            Replica(),
        )

    def test_one_of_another_size_than_recorded_is_compared(
        self, catalog: Catalog, lab: World
    ) -> None:
        class Torn(object_store.Hook):
            def stat_object(self, ref: ObjectRef) -> ObjectMeta:
                return replace(super().stat_object(ref), size=2)

        first, _ = lab.destinations
        recorded(first, put(first, "a", b"1"))
        torn = lab.with_destination(Torn(conn_of(first)))
        (states,) = resumed(catalog, torn, twice()).values()
        assert (states[0].outcome, states[0].doubtful) == (None, True)

    def test_one_that_is_gone_is_written_anew(self, catalog: Catalog, lab: World) -> None:
        first, _ = lab.destinations
        recorded(first, put(first, "a", b"1"))
        first.store.delete_object(first.ref("copy/a"))
        planned = Replica(prior=IfUnchanged("before"), doubtful=True)
        (states,) = resumed(catalog, lab, twice(state=planned)).values()
        assert states == (Replica(doubtful=True), planned)

    @pytest.mark.parametrize("content", [b"1", LARGE])
    def test_where_the_store_can_not_be_asked_the_plan_holds(
        self, catalog: Catalog, lab: World, content: bytes
    ) -> None:
        class Away(object_store.Hook):
            def stat_object(self, ref: ObjectRef) -> ObjectMeta:
                raise StorageError("not today", kind=ErrorKind.TIMEOUT)

        first, _ = lab.destinations
        recorded(first, put(first, "a", content), content)
        away = lab.with_destination(Away(conn_of(first)))
        assert resumed(catalog, away, twice(content=content)) == {}

    @pytest.mark.parametrize(
        "changes",
        [
            {"run_id": "another"},
            {"origin": Origin(f"{SOURCE}a", "another")},
            {"origin": Origin("mem://moved/a", "s-e")},
            {"etag": ""},
        ],
    )
    def test_what_another_run_has_recorded_or_of_another_object_is_none_of_it(
        self, catalog: Catalog, lab: World, changes: dict[str, Any]
    ) -> None:
        first, _ = lab.destinations
        recorded(first, put(first, "a", b"1"), **changes)
        assert resumed(catalog, lab, twice()) == {}

    def test_what_is_not_proven_is_none_of_it(self, catalog: Catalog, lab: World) -> None:
        first, _ = lab.destinations
        put(first, "a", b"1")
        commit(first, [Entry("copy/a", None)])
        assert resumed(catalog, lab, twice()) == {}

    def test_what_is_settled_is_left(self, catalog: Catalog, lab: World) -> None:
        first, _ = lab.destinations
        recorded(first, put(first, "a", b"1"))
        done = Replica(outcome=Outcome.UNCHANGED)
        assert resumed(catalog, lab, an_item("a", done, Replica())) == {}

    def test_only_what_the_shard_has_is_read_of_a_ledger(
        self, catalog: Catalog, lab: World
    ) -> None:
        first, _ = lab.destinations
        for name in "abcd":
            recorded(first, put(first, name, b"1"))
        states = resumed(catalog, lab, twice("b"), twice("c"))
        assert {name: found[0].outcome for name, found in states.items()} == {
            "b": Outcome.COPIED,
            "c": Outcome.COPIED,
        }
        assert [name for name, _ in catalog.known(0)] == ["b", "c"]

    def test_a_shard_without_objects_asks_nobody(self, catalog: Catalog, lab: World) -> None:
        assert resumed(catalog, lab) == {}

    def test_a_ledger_that_is_damaged_costs_what_it_said(
        self, catalog: Catalog, lab: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(commits, "MOST_RECENT", 1)
        first, _ = lab.destinations
        for end in lab.destinations:
            proofs = [
                Entry(there.key, changed(recorded(end, there), at=RUN.started))
                for there in (put(end, name, b"1") for name in "ab")
            ]
            commit(end, proofs)
        for key in own(first, "ledger/segments/"):
            first.store.put_object(first.ref(key), b"?")
        states = resumed(catalog, lab, twice("a"), twice("b"))
        for name in "ab":
            assert [state.outcome for state in states[name]] == [None, Outcome.COPIED]
        assert list(catalog.known(0)) == []

    def test_a_store_that_can_not_be_read_ends_the_try(
        self, catalog: Catalog, lab: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Away(object_store.Hook):
            def get_object(self, ref: ObjectRef, **limits: Any) -> Any:
                if "/segments/" in ref.key:
                    raise StorageError("not today", kind=ErrorKind.TIMEOUT)
                return super().get_object(ref, **limits)

        monkeypatch.setattr(commits, "MOST_RECENT", 1)
        first, _ = lab.destinations
        commit(first, [Entry("copy/a", a_proof()), Entry("copy/b", a_proof())])
        with pytest.raises(StorageError, match="not today"):
            resumed(catalog, lab.with_destination(Away(conn_of(first))), twice())


class TestLost:
    """A try that was killed has not recorded what it wrote last."""

    def test_one_that_is_there_is_compared_before_it_is_sent(
        self, catalog: Catalog, lab: World
    ) -> None:
        now = put(lab.destinations[1], "a", LARGE)
        (states,) = resumed(catalog, lab, twice(content=LARGE)).values()
        assert states == (
            Replica(),
            Replica(prior=IfUnchanged(now.etag, now.version), doubtful=True),
        )

    @pytest.mark.parametrize("content", [bytes(66), bytes(64) + b"1", bytes(1)])
    def test_another_object_is_another_writers(
        self, catalog: Catalog, lab: World, content: bytes
    ) -> None:
        put(lab.destinations[0], "a", content)
        assert resumed(catalog, lab, twice(content=LARGE)) == {}

    @pytest.mark.parametrize("known", [Digests(), Digests(crc32c=digests_of(LARGE).crc32c)])
    def test_what_is_not_known_of_the_source_tells_nothing(
        self, catalog: Catalog, lab: World, known: Digests
    ) -> None:
        put(lab.destinations[0], "a", LARGE)
        assert resumed(catalog, lab, changed(twice(content=LARGE), digests=known)) == {}

    def test_small_ones_are_not_looked_for_on_the_first_try(
        self, catalog: Catalog, lab: World
    ) -> None:
        put(lab.destinations[0], "a", bytes(64))
        assert resumed(catalog, lab, twice(content=bytes(64))) == {}

    @pytest.mark.parametrize("tried", [2, None])
    def test_small_ones_are_looked_for_on_a_later_try(
        self, catalog: Catalog, lab: World, tried: int | None
    ) -> None:
        now = put(lab.destinations[0], "a", bytes(64))
        put(lab.destinations[1], "a", b"another writer's")
        run = replace(RUN, identity=changed(RUN.identity, try_number=tried))
        (states,) = resumed(catalog, lab, twice(content=bytes(64)), run=run).values()
        assert states == (
            Replica(prior=IfUnchanged(now.etag, now.version), doubtful=True),
            Replica(),
        )


TREE = {f"k{n:02}": bytes([n]) for n in range(30)}


class Picky(object_store.Hook):
    """Refuses some objects."""

    refused = frozenset[str]()

    def put_object(self, ref: ObjectRef, *given: Any, **named: Any) -> ObjectMeta:
        if ref.key.removeprefix("copy/") in self.refused:
            raise StorageError(f"{ref.key}: not today", kind=ErrorKind.TIMEOUT)
        return super().put_object(ref, *given, **named)


def picky(lab: World, refused: set[str], index: int = 0) -> World:
    store = Picky(conn_of(lab.destinations[index]))
    store.refused = frozenset(refused)
    return lab.with_destination(store, index)


def finished(lab: World, run_id: str = "r", **options: Any) -> ReplicationReport:
    """A run that was planned, copied and closed."""
    replication = lab.replication(replace(SMALL, min_success_ratio=0, **options))
    for shard in shards.plan_shards(replication, shards=2, run_id=run_id).shards:
        shards.replicate_shard(replication, run_id=run_id, shard=shard)
    return shards.close_shards(replication, run_id=run_id)


def again(lab: World, run_id: str = "r") -> ReplicationReport:
    return shards.close_shards(lab.replication(replace(SMALL, min_success_ratio=0)), run_id=run_id)


class TestClosedBefore:
    def test_it_is_reported_as_it_was(self) -> None:
        lab = world(TREE, destinations=2)
        first = finished(picky(lab, {f"k{n:02}" for n in range(5)}))
        assert [one.sound for one in first.destinations] == [25, 30]
        assert len(first.failures) == 5
        assert first.root is None
        expected = replace(first, seconds=0.0, bytes_read=0)
        assert again(lab) == expected

    def test_the_first_failures_are_named(self) -> None:
        lab = world(TREE)
        first = finished(picky(lab, set(TREE) - {"k29"}))
        assert len(again(lab).failures) == 20
        assert again(lab).failures == first.failures
        assert again(lab).destinations == first.destinations

    def test_what_was_there_before_and_what_was_left_out_are_told_apart(self) -> None:
        lab = world({"a": b"1", "b": b"2", "c": b"3"})
        finished(lab, "before")
        fill(lab.source, {"b": b"new", "d": b"4", ".airflow-multicloud/x": b"5"})
        (there,) = lab.destinations
        bucket = replace(lab, destinations=(replace(there, location=there.location.with_key("")),))
        first = finished(lab)
        second = again(lab)
        assert first.destinations[0].outcomes[Outcome.UNCHANGED] == 2
        assert second == replace(first, seconds=0.0, bytes_read=0)
        reserved = finished(bucket, "bucket")
        assert [failure.name for failure in reserved.left_out] == [".airflow-multicloud/x"]
        assert reserved.failures == ()
        # Though a replica lies within it.
        assert again(bucket, "bucket") == replace(reserved, seconds=0.0, bytes_read=0)

    @pytest.mark.parametrize(
        "chosen", [ObjectFilter(include=("a", "c")), ObjectFilter(max_size=1), ObjectFilter()]
    )
    def test_what_the_run_was_not_to_look_at_is_not_counted(self, chosen: ObjectFilter) -> None:
        lab = world({"a": b"1", "b": b"22", "d": b"4"})
        finished(picky(lab, {"b", "d"}), "before")
        finished(lab, "between", filter=ObjectFilter(include=("b",)))
        fill(lab.source, {"c": b"3"})
        first = finished(picky(lab, {"c"}), filter=chosen)
        assert again(lab) == replace(first, seconds=0.0, bytes_read=0)

    def test_a_single_object_is_reported_again(self) -> None:
        lab = world({"a": b"1", "b": b"2"})
        one = replace(lab.source, location=lab.source.location.with_key("data/b"))
        lab = replace(lab, source=one)
        first = finished(lab)
        assert again(lab).destinations == first.destinations

    def test_what_the_source_has_no_more_is_not_counted(self) -> None:
        lab = world({"a": b"1", "b": b"2"})
        finished(lab, "before")
        lab.source.store.delete_object(lab.source.ref("data/b"))
        fill(lab.source, {"c": b"3"})
        first = finished(lab)
        assert again(lab).destinations == first.destinations

    def test_what_could_not_be_kept_is_counted(self) -> None:
        lab = world({})
        fill(lab.source, {"a": b"1", "b": b"2"}, metadata={"with-dash": "x"})
        first = finished(lab)
        assert again(lab).destinations[0].not_kept == first.destinations[0].not_kept

    def test_other_runs_may_have_come_since(self) -> None:
        lab = world({"a": b"1", "b": b"2"})
        first = finished(lab)
        finished(lab, "later")
        told = again(lab)
        assert told.destinations == first.destinations
        assert (told.objects, told.bytes) == (2, 2)

    @pytest.mark.parametrize("step", [Step.BEGIN, Step.PROGRESS])
    def test_one_that_was_planned_again_is_not_closed(self, step: Step) -> None:
        lab = world({"a": b"1"}, destinations=2)
        finished(lab)
        this = draft("again", step, prefix="copy/")
        identity = changed(this.identity, run_id="r")
        commit(lab.destinations[1], [], this=replace(this, identity=identity))
        with pytest.raises(StorageError, match="has no plan") as raised:
            again(lab)
        assert raised.value.kind is ErrorKind.NOT_FOUND

    def test_where_it_has_not_ended_its_objects_have_failed(self) -> None:
        lab = world({"a": b"1"}, destinations=2)
        finished(replace(lab, destinations=lab.destinations[:1]))
        (there,) = lab.destinations[1:]
        this = draft("r", Step.UPLOAD, prefix="copy/")
        for _ in range(2):
            assert [one.outcomes for one in again(lab).destinations] == [
                {Outcome.COPIED: 1},
                {Outcome.FAILED: 1},
            ]
            with pytest.raises(ReplicationFailedError, match="1 of 2 copies failed"):
                shards.close_shards(lab.replication(), run_id="r")
            commit(there, [], this=replace(this, identity=changed(this.identity, run_id="r")))

    def test_one_that_has_ended_nowhere_is_not_closed(self) -> None:
        lab = world({"a": b"1"}, destinations=2)
        with pytest.raises(StorageError, match="the run has no plan") as raised:
            again(lab)
        assert raised.value.cloud == "memory"
        assert str(raised.value).startswith(run_files.uri(lab.destinations[0], "r", ""))

    def test_files_that_a_killed_close_left_go(self) -> None:
        lab = world({"a": b"1"})
        finished(lab)
        run_files.write_items(lab.destinations[0], "r", run_files.shard(0), [])
        again(lab)
        assert own(lab.destinations[0], "runs/") == []


@pytest.mark.parametrize("content", [b"1", LARGE])
def test_a_try_that_was_killed_sends_nothing_twice(content: bytes) -> None:
    lab = world({"a": content, "b": content})
    replication = lab.replication()
    plan = shards.plan_shards(replication, shards=1, run_id="r")
    first = shards.replicate_shard(replication, run_id="r", shard=plan.shards[0])
    second = shards.replicate_shard(replication, run_id="r", shard=plan.shards[0])
    assert (first["bytes_read"], second["bytes_read"]) == (2 * len(content), 0)


class Counting(object_store.Hook):
    """Tells no digest of what it was sent until it is asked; counts what it is asked."""

    written: Counter[str]
    requests: int

    def put_object(self, ref: ObjectRef, *given: Any, **named: Any) -> ObjectMeta:
        meta = super().put_object(ref, *given, **named)
        if own_file(ref.key):
            return meta
        self.requests += 1
        self.written[ref.key] += 1
        return replace(meta, digests=Digests())

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        self.requests += not own_file(ref.key)
        return super().stat_object(ref)

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        self.requests += not own_file(prefix)
        return super().list_objects(bucket, prefix)


def own_file(key: str) -> bool:
    return key.startswith(RESERVED_PREFIX)


def counting(lab: World) -> tuple[World, Counting]:
    store = Counting(conn_of(lab.destinations[0]))
    store.written, store.requests = Counter(), 0
    return lab.with_destination(store), store


class Killed(BaseException):
    """What is raised where a try is killed."""


class TestRequests:
    @pytest.mark.parametrize("recorded", [True, False])
    def test_a_try_that_was_killed_before_its_writes_were_confirmed(
        self, monkeypatch: pytest.MonkeyPatch, recorded: bool
    ) -> None:
        lab, store = counting(world(TREE))
        replication = lab.replication()
        (shard,) = shards.plan_shards(replication, shards=1, run_id="r").shards

        def die(*_: object) -> Any:
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(execution, "confirm", die)
            if not recorded:
                patch.setattr(Recorder, "flush", lambda _: None)
            with pytest.raises(Killed):
                shards.replicate_shard(replication, run_id="r", shard=shard)
        store.requests = 0
        monkeypatch.setenv("AIRFLOW_CTX_TRY_NUMBER", "2")
        again = shards.replicate_shard(replication, run_id="r", shard=shard)
        assert (again["objects"], again["failures"]) == (len(TREE), 0)
        assert store.written == {f"copy/{name}": 1 for name in TREE}
        # Listings; what is not recorded is besides looked at once more before it is believed.
        assert store.requests <= (3 if recorded else 3 + len(TREE))
        report = shards.close_shards(replication, run_id="r")
        (outcomes,) = [one.outcomes for one in report.destinations]
        assert outcomes == {Outcome.COPIED if recorded else Outcome.VERIFIED: len(TREE)}

    def test_a_try_that_was_killed_after_its_small_objects(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lab, _ = counting(world({**TREE, "large": LARGE}))
        (shard,) = shards.plan_shards(lab.replication(), shards=1, run_id="r").shards

        def die(*_: object) -> Any:
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(execution, "copy_large", die)
            with pytest.raises(Killed):
                shards.replicate_shard(lab.replication(), run_id="r", shard=shard)
        shards.replicate_shard(lab.replication(), run_id="r", shard=shard)
        report = shards.close_shards(lab.replication(), run_id="r")
        assert [one.outcomes for one in report.destinations] == [{Outcome.COPIED: len(TREE) + 1}]

    def test_large_objects_are_recorded_before_much_more_is_sent(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lab = world(dict.fromkeys("abcd", LARGE))
        (shard,) = shards.plan_shards(lab.replication(), shards=1, run_id="r").shards
        copied = execution.copy_large

        def die_at_the_last(job: Any, item: Item, *given: Any) -> Item:
            if item.name == "d":
                raise Killed
            return copied(job, item, *given)

        monkeypatch.setattr(execution, "_UNRECORDED", 2 * len(LARGE))
        monkeypatch.setattr(execution, "copy_large", die_at_the_last)
        flush = Recorder.flush
        flushed: list[int] = []

        def counted(recorder: Recorder) -> None:
            flushed.append(len(recorder._finished))
            flush(recorder)

        monkeypatch.setattr(Recorder, "flush", counted)
        with pytest.raises(Killed):
            shards.replicate_shard(lab.replication(), run_id="r", shard=shard)
        # Before the first, before the third, and as the error is no kill, at the end.
        assert flushed[:3] == [0, 2, 1]
