"""Whoever may write at one replica, and knows the format, gets nothing elsewhere by it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace as changed

from airflow_multicloud.adapters.digests import digests_of
from airflow_multicloud.core.ledger import commits, reading
from airflow_multicloud.core.ledger.commits import Commit, Identity, OpenRun, Sibling
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.ledger.names import commit_key, place_of
from airflow_multicloud.core.replication import shards
from airflow_multicloud.core.replication.closing import ReplicationFailedError
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.verification import verify
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests
from airflow_multicloud.testing.memory_cloud import object_store

from .living import contents
from .memory import SMALL, World, conn_of, endpoint, fill, ledger, own, world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.replication.report import ReplicationReport
    from airflow_multicloud.ports.object_store import ObjectMeta

pytestmark = pytest.mark.usefixtures("way")

TREE = {name: name.encode() * 5 for name in ("a", "b", "c/d", "e")}
#: What a run may do anywhere, where the attack is not to make use of it.
BOUNDED = replace(SMALL, delete_extraneous=True, max_delete=1, max_replace=1)
FORGED = digests_of(b"the bytes of someone else")


def elsewhere() -> Endpoint:
    """A place in a bucket of another name."""
    made = endpoint("copy/")
    object_store.Hook(conn_of(made)).ensure_bucket("other")
    return replace(made, location=replace(made.location, bucket="other"))


@pytest.fixture
def lab() -> World:
    """Two replicas of two runs; the first is in an attacker's hands."""
    made = world({**TREE, "a": b"before"})
    made = replace(made, destinations=(*made.destinations, elsewhere()))
    replicate(made.replication(), run_id="1")
    fill(made.source, {"a": TREE["a"]})
    replicate(made.replication(), run_id="2")
    return made


def write(end: Endpoint, commit: Commit, number: int | None = None) -> None:
    """Put a commit there, well-formed as to what does not belong to the attack."""
    commit = changed(commit, number=number or commit.number)
    body = commits.write(commit) + b"\n"
    end.store.put_object(end.ref(commit_key(commit.number)), body)


def follow(end: Endpoint, **fields: Any) -> None:
    """Add a commit to the log that follows on the newest, with hashes that are right."""
    head = ledger(end)
    number = head.commit.number + 1
    write(end, changed(head.commit, number=number, previous=head.mark, **fields))


def edit(end: Endpoint, **fields: Any) -> None:
    """Write the newest commit over."""
    write(end, changed(ledger(end).commit, **fields))


def entries(end: Endpoint, change: Callable[[Entry], Entry]) -> tuple[Entry, ...]:
    return tuple(change(entry) for entry in ledger(end).entries())


def proving(digests: Digests) -> Callable[[Entry], Entry]:
    """An entry that proves something else of the very object that lies there."""

    def forged(entry: Entry) -> Entry:
        assert entry.proof is not None
        return changed(entry, proof=changed(entry.proof, digests=digests))

    return forged


def forge_digests(end: Endpoint) -> None:
    edit(end, recent=entries(end, proving(FORGED)))


def forge_digests_in_a_new_commit(end: Endpoint) -> None:
    follow(end, recent=entries(end, proving(FORGED)))


def roll_back(end: Endpoint) -> None:
    end.store.put_object(end.ref("copy/a"), b"before")
    for number in range(3, ledger(end).commit.number + 1):
        end.store.delete_object(end.ref(commit_key(number)))


def omit(end: Endpoint) -> None:
    follow(end, recent=())


def reorder(end: Endpoint) -> None:
    edit(end, recent=entries(end, lambda entry: entry)[::-1])


def garbage(end: Endpoint) -> None:
    end.store.put_object(end.ref(commit_key(ledger(end).commit.number)), b"\x00{]" * 99)


def another_release(end: Endpoint) -> None:
    follow(end, version=99)


def last_number(end: Endpoint) -> None:
    head = ledger(end)
    write(end, changed(head.commit, previous=head.mark), number=10**12 - 2)


def number_of_no_commit(end: Endpoint) -> None:
    end.store.put_object(end.ref(commit_key(10**12 - 2)), b"none")


def look_from_the_future(end: Endpoint) -> None:
    (look,) = ledger(end).commit.looks
    later = look.as_of + timedelta(days=5000)
    follow(end, looks=(changed(look, as_of=later, started=later, finished=later),))


def runs_under_way(end: Endpoint) -> None:
    commit = ledger(end).commit
    later = commit.made_at + timedelta(days=5000)
    follow(
        end,
        open_runs=tuple(
            OpenRun(Identity("x", f"{n}"), "", commit.made_at, later) for n in range(5000)
        ),
    )


def siblings_that_lie(end: Endpoint) -> None:
    others = ledger(end).commit.siblings
    later = ledger(end).commit.made_at + timedelta(days=5000)
    follow(end, siblings=tuple(Sibling(o.place, 10**9, "0" * 64, later) for o in others))


def all_is_gone(end: Endpoint) -> None:
    now = ledger(end).commit.made_at
    follow(end, recent=entries(end, lambda entry: changed(entry, gone=now)))


def all_was_removed(end: Endpoint) -> None:
    follow(end, recent=entries(end, lambda entry: Entry(entry.key, removed=True)))


def keys_elsewhere(end: Endpoint) -> None:
    (first, *_) = ledger(end).entries()
    keys = [".airflow-multicloud/x", "../x", "copy/", "copy/../y", "copy/\x00", "copy/zz"]
    follow(end, recent=tuple(changed(first, key=key) for key in sorted(keys)))


def other_origins(end: Endpoint) -> None:
    def moved(entry: Entry) -> Entry:
        assert entry.proof is not None
        origin = changed(entry.proof.origin, uri="mem://elsewhere/x")
        return changed(entry, proof=changed(entry.proof, origin=origin))

    follow(end, recent=entries(end, moved))


def other_bytes(end: Endpoint) -> None:
    """All objects replaced, and proven as what they are now."""
    fill(end, {name: b"!" * len(content) for name, content in TREE.items()})

    def proven(entry: Entry) -> Entry:
        meta = end.store.stat_object(end.ref(entry.key))
        assert entry.proof is not None
        proof = changed(
            entry.proof, etag=meta.etag, version=meta.version, digests=meta.digests, size=meta.size
        )
        return changed(entry, proof=proof)

    follow(end, recent=entries(end, proven))


def no_digests(end: Endpoint) -> None:
    """Other bytes of which nothing is said that could be contradicted."""
    other_bytes(end)
    edit(end, recent=entries(end, proving(Digests())))


def delete_all(end: Endpoint) -> None:
    for meta in [*end.store.list_objects(end.bucket, "copy/")]:
        end.store.delete_object(end.ref(meta.key))


ATTACKS = [
    forge_digests,
    forge_digests_in_a_new_commit,
    roll_back,
    omit,
    reorder,
    garbage,
    another_release,
    last_number,
    number_of_no_commit,
    look_from_the_future,
    runs_under_way,
    siblings_that_lie,
    all_is_gone,
    all_was_removed,
    keys_elsewhere,
    other_origins,
    delete_all,
]
attacks = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)


def run(lab: World, **how: Any) -> ReplicationReport:
    """A replication that may fail at the replica in the attacker's hands."""
    try:
        return replicate(lab.replication(replace(BOUNDED, **how)))
    except ReplicationFailedError as err:
        return err.report


@attacks
def test_the_others_go_on(lab: World, attack: Callable[[Endpoint], None]) -> None:
    captured, other = lab.destinations
    before = [meta.etag for meta in other.store.list_objects(other.bucket, "copy/")]
    kept = {mark.number: mark for mark in _marks(other)}
    attack(captured)

    report = run(lab)

    assert report.destinations[1].outcomes == {Outcome.UNCHANGED: len(TREE)}
    assert [meta.etag for meta in other.store.list_objects(other.bucket, "copy/")] == before
    assert report.destinations[1].deleted == 0
    assert contents(lab.source) == TREE
    now = {mark.number: mark for mark in _marks(other)}
    assert kept.items() <= now.items()
    assert verify(other).proven
    fill(lab.source, {"new": b"new"})
    run(lab)
    assert contents(other) == {**TREE, "new": b"new"}
    assert verify(other).proven


def _marks(end: Endpoint) -> Iterator[commits.Mark]:
    head = ledger(end)
    yield head.mark
    yield from (earlier.mark for earlier in reading.back_to(head, 0))


#: Nothing can be written to such a ledger: its replica is failed, until somebody mends it.
CLOSED = (another_release, last_number, number_of_no_commit)


@pytest.mark.parametrize("attack", CLOSED)
def test_a_ledger_that_takes_no_more_fails_its_own_replica(
    lab: World, attack: Callable[[Endpoint], None]
) -> None:
    attack(lab.destinations[0])
    before = contents(lab.destinations[0])
    fill(lab.source, {"new": b"new"})
    with pytest.raises(ReplicationFailedError) as raised:
        replicate(lab.replication(BOUNDED))
    assert raised.value.kind in (ErrorKind.UNSUPPORTED, ErrorKind.INTEGRITY)
    assert commit_key(10**12 - 2) in str(raised.value) or "version 99" in str(raised.value)
    assert contents(lab.destinations[0]) == before
    assert contents(lab.destinations[1]) == {**TREE, "new": b"new"}


def test_so_do_shards(lab: World) -> None:
    another_release(lab.destinations[0])
    fill(lab.source, {"new": b"new"})
    plan = shards.plan_shards(lab.replication(), shards=2, run_id="r")
    for shard in plan.shards:
        shards.replicate_shard(lab.replication(), run_id="r", shard=shard)
    with pytest.raises(ReplicationFailedError):
        shards.close_shards(lab.replication(), run_id="r")
    assert contents(lab.destinations[1]) == {**TREE, "new": b"new"}
    assert verify(lab.destinations[1]).proven


@pytest.mark.parametrize("attack", [one for one in ATTACKS if one not in CLOSED])
def test_its_own_replica_is_what_its_store_says(
    lab: World, attack: Callable[[Endpoint], None]
) -> None:
    captured = lab.destinations[0]
    attack(captured)
    run(lab, max_replace=None)
    assert contents(captured) == TREE
    assert verify(captured).proven
    for entry in ledger(captured).entries("copy/"):
        if entry.owed and entry.proof:
            there = captured.store.stat_object(captured.ref(entry.key))
            assert (entry.proof.etag, entry.proof.size) == (there.etag, there.size)
            assert entry.proof.digests.sha256 == there.digests.sha256


@attacks
def test_no_more_is_overwritten_than_is_allowed(
    lab: World, attack: Callable[[Endpoint], None]
) -> None:
    attack(lab.destinations[0])
    fill(lab.destinations[1], dict.fromkeys(TREE, b"damaged"))
    before = contents(lab.destinations[1])
    with pytest.raises(StorageError, match="max_replace"):
        replicate(lab.replication(BOUNDED))
    assert contents(lab.destinations[1]) == before


class Silent(object_store.Hook):
    """A store whose listing tells no digest, as most do for objects that came in parts."""

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        return (replace(m, digests=Digests()) for m in super().list_objects(bucket, prefix))


@pytest.fixture
def silent(lab: World) -> World:
    """The same where no listing tells a digest: ledgers are all there is to go by."""
    quiet = lab.with_source(Silent(conn_of(lab.source)))
    for index, end in enumerate(quiet.destinations):
        quiet = quiet.with_destination(Silent(conn_of(end)), index)
    return quiet


@pytest.mark.parametrize(
    "attack", [forge_digests, forge_digests_in_a_new_commit, other_bytes, no_digests]
)
def test_what_two_ledgers_contradict_each_other_about_is_compared(
    silent: World, attack: Callable[[Endpoint], None], caplog: pytest.LogCaptureFixture
) -> None:
    captured, other = silent.destinations
    untouched = [meta.etag for meta in other.store.list_objects(other.bucket, "copy/")]
    attack(captured)

    report = run(silent, max_replace=None)

    assert "contradict each other" in caplog.text or attack is no_digests
    assert [meta.etag for meta in other.store.list_objects(other.bucket, "copy/")] == untouched
    assert report.destinations[1].outcomes.keys() <= {Outcome.VERIFIED, Outcome.UNCHANGED}
    for end in silent.destinations:
        assert contents(end) == TREE
        assert {entry.proof and entry.proof.digests.sha256 for entry in ledger(end).entries()} == {
            digests_of(content).sha256 for content in TREE.values()
        }
    caplog.clear()
    assert run(silent).destinations[0].outcomes == {Outcome.UNCHANGED: len(TREE)}
    assert "contradict each other" not in caplog.text


def test_alone_it_is_noticed_by_the_root_that_is_remembered(silent: World) -> None:
    """And by nothing else: the log is well-formed, and says what nobody can refute."""
    captured = silent.destinations[0]
    remembered = ledger(captured).root
    alone = World(silent.source, (captured,))
    forge_digests_in_a_new_commit(captured)
    assert replicate(alone.replication()).destinations[0].outcomes == {Outcome.UNCHANGED: len(TREE)}
    with pytest.raises(StorageError, match="was expected"):
        verify(captured, expected_root=remembered)


@pytest.mark.parametrize("attack", [roll_back, forge_digests])
def test_a_sibling_contradicts_what_it_has_seen(
    lab: World, attack: Callable[[Endpoint], None]
) -> None:
    captured, other = lab.destinations
    replicate(lab.replication())  # Which sees what the one before it has written.
    attack(captured)
    report = verify(captured, siblings=[other])
    assert any(place_of(other) in one for one in report.contradictions)
    assert verify(other).proven


class TestShards:
    """Whoever has the first destination has the plan."""

    @pytest.fixture
    def planned(self, lab: World) -> tuple[World, shards.ShardedPlan]:
        fill(lab.source, {"new": b"new", "other": b"other"})
        return lab, shards.plan_shards(lab.replication(), shards=1, run_id="r")

    @pytest.mark.parametrize("name", ["shard-00000.jsonl", "plan.json"])
    def test_a_file_that_was_edited_changes_nothing_elsewhere(
        self, planned: tuple[World, shards.ShardedPlan], name: str
    ) -> None:
        lab, plan = planned
        home, other = lab.destinations
        (key,) = [key for key in own(home, "runs/") if key.endswith(name)]
        body = bytes(home.store.get_object(home.ref(key)).read())
        edited = body.replace(b'"name":"new"', b'"name":"a"').replace(b'"plan":1', b'"plan":"x"')
        assert edited != body
        home.store.put_object(home.ref(key), edited)
        before = contents(other)
        with pytest.raises(StorageError) as raised:
            shards.replicate_shard(lab.replication(), run_id="r", shard=plan.shards[0])
        assert raised.value.kind in (ErrorKind.INTEGRITY, ErrorKind.UNSUPPORTED)
        assert contents(other) == before
        # Planned anew, it goes on.
        plan = shards.plan_shards(lab.replication(), shards=1, run_id="r")
        shards.replicate_shard(lab.replication(), run_id="r", shard=plan.shards[0])
        shards.close_shards(lab.replication(), run_id="r")
        assert contents(other) == contents(lab.source)

    @pytest.mark.parametrize("line", [b"{]", b'{"lines":1}\n{"name":"new"}\n', b""])
    def test_outcomes_that_are_forged_prove_nothing(
        self, planned: tuple[World, shards.ShardedPlan], line: bytes
    ) -> None:
        lab, plan = planned
        home, other = lab.destinations
        shards.replicate_shard(lab.replication(), run_id="r", shard=plan.shards[0])
        (key,) = [key for key in own(home, "runs/") if "done" in key]
        home.store.put_object(home.ref(key), line)
        report = shards.close_shards(lab.replication(), run_id="r")
        assert report.destinations[1].outcomes == {
            Outcome.COPIED: 2,
            Outcome.UNCHANGED: len(TREE),
        }
        assert verify(other).proven
