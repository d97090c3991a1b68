"""A replica is judged object by object against its ledger."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace as changed

from airflow_multicloud.adapters.digests import digests_of
from airflow_multicloud.core.ledger.commits import Step
from airflow_multicloud.core.ledger.entries import Behind, Entry, Origin
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.options import ObjectFilter
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.verification import (
    Depth,
    Finding,
    VerificationReport,
    verify,
)
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.ledger.made import at, commit, draft, entry, look

from .memory import SMALL, World, conn_of, fill, ledger, world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.ports.object_store import ObjectMeta, ObjectRef

TREE = {"a": b"1", "b": b"22", "c": b"333"}


def lab(tree: dict[str, bytes] = TREE) -> tuple[World, Endpoint]:
    made = world(tree)
    replicate(made.replication(), run_id="run")
    return made, made.destinations[0]


def findings(report: VerificationReport) -> dict[str, int]:
    assert sum(report.findings.values()) == report.objects
    return {str(finding): count for finding, count in report.findings.items()}


def put(there: Endpoint, name: str, content: bytes) -> None:
    there.store.put_object(there.ref(there.key_of(name)), content)


class Silent(object_store.Hook):
    """Tells no digests; counts what is read of objects."""

    only = Digests()
    reads = 0

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        for meta in super().list_objects(bucket, prefix):
            yield replace(meta, digests=self.told(meta))

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        meta = super().stat_object(ref)
        return replace(meta, digests=self.told(meta))

    def told(self, meta: ObjectMeta) -> Digests:
        return Digests()

    def get_object(self, ref, *, start=0, end=None, if_etag=None):  # type: ignore[no-untyped-def]
        self.reads += not ref.key.startswith(".airflow")
        return super().get_object(ref, start=start, end=end, if_etag=if_etag)


class OnlyCrc(Silent):
    """Tells the digest that guards transport, and no other."""

    def told(self, meta: ObjectMeta) -> Digests:
        return Digests(crc32c=meta.digests.crc32c)


class Rotten(Silent):
    """Gives other bytes under the same ETag; perhaps its listing tells."""

    tells = True

    def told(self, meta: ObjectMeta) -> Digests:
        return digests_of(b"?") if self.tells and meta.key.endswith("a") else Digests()

    def get_object(self, ref, *, start=0, end=None, if_etag=None):  # type: ignore[no-untyped-def]
        rotten = replace(ref, key="rotten", version=None) if ref.key.endswith("a") else ref
        return super().get_object(rotten, start=start, end=end, if_etag=if_etag)  # type: ignore[no-untyped-call]


def with_store(there: Endpoint, kind: type[Silent]) -> tuple[Endpoint, Silent]:
    store = kind(conn_of(there))
    return replace(there, store=store), store


@pytest.mark.parametrize("depth", Depth)
def test_a_sound_replica(depth: Depth) -> None:
    made, there = lab()
    report = verify(there, depth=depth)
    assert findings(report) == {"verified": 3}
    assert report.proven
    head = ledger(there)
    assert (report.commit, report.ledger_root) == (head.commit.number, head.root)
    assert (report.run_id, report.commit_uri) == ("run", head.uri)
    assert report.bytes_read == (6 if depth is Depth.READ else 0)
    assert report.as_of == head.commit.looks[0].as_of
    assert report.content == replicate(made.replication()).root
    assert (report.open_runs, report.newer_commit, report.age_unknown) == ((), None, None)


@pytest.mark.parametrize("depth", Depth)
def test_the_object_of_the_proven_write_is_read_by_read_only(depth: Depth) -> None:
    _, there = lab()
    silent, store = with_store(there, Silent)
    assert verify(silent, depth=depth).proven
    assert store.reads == (3 if depth is Depth.READ else 0)


@pytest.mark.parametrize("depth", Depth)
def test_what_was_written_again_is_changed_unless_its_content_is_the_same(depth: Depth) -> None:
    _, there = lab()
    put(there, "a", b"x")
    put(there, "b", b"longer")
    put(there, "c", TREE["c"])
    report = verify(there, depth=depth)
    assert findings(report) == {"changed": 2, "verified": 1}
    assert [found.name for found in report.found] == ["a", "b"]
    assert "it was written again" in report.found[0].reason


@pytest.mark.parametrize("kind", [Silent, OnlyCrc])
def test_a_checksum_of_transport_proves_no_identity(kind: type[Silent]) -> None:
    _, there = lab()
    put(there, "a", TREE["a"])
    silent, store = with_store(there, kind)
    report = verify(silent, depth=Depth.CHECKSUMS)
    assert findings(report) == {"changed": 1, "verified": 2}
    assert "no digest to compare" in report.found[0].reason
    assert verify(silent, depth=Depth.AUTO).proven
    assert store.reads == 1


def test_a_listing_that_contradicts_the_proven_write_is_damage() -> None:
    _, there = lab()
    there.store.put_object(there.ref("rotten"), b"?")
    rotten, _ = with_store(there, Rotten)
    report = verify(rotten, depth=Depth.CHECKSUMS)
    assert findings(report) == {"damaged": 1, "verified": 2}
    assert report.found[0].reason == "the store's sha256 differs from the ledger's"
    silent = Rotten(conn_of(there))
    silent.tells = False
    assert verify(replace(there, store=silent)).proven  # Nobody looked.
    read = verify(replace(there, store=silent), depth=Depth.READ)
    assert findings(read) == {"damaged": 1, "verified": 2}


def test_one_digest_that_differs_outweighs_one_that_agrees() -> None:
    _, there = lab()
    put(there, "a", TREE["a"])

    class Forged(Silent):
        def told(self, meta: ObjectMeta) -> Digests:
            return replace(meta.digests, crc32c="00000000")

    forged, _ = with_store(there, Forged)
    assert findings(verify(forged)) == {"changed": 1, "damaged": 2}


def test_what_is_not_there_is_missing_and_what_is_besides_is_extraneous() -> None:
    _, there = lab()
    there.store.delete_object(there.ref(there.key_of("b")))
    put(there, "stray", b"")
    report = verify(there)
    assert findings(report) == {"missing": 1, "verified": 2}
    assert (report.extraneous, report.gone) == (1, 0)
    assert str(report.found[0]) == "'b' is missing: there is no object of this key"


def test_what_the_source_has_no_more_is_no_damage() -> None:
    made, there = lab()
    made.source.store.delete_object(made.source.ref(made.source.key_of("b")))
    replicate(made.replication())
    put(there, "b", b"whatever")
    report = verify(there)
    assert findings(report) == {"verified": 2}
    assert (report.proven, report.extraneous, report.gone) == (True, 1, 1)


def test_an_object_that_never_arrived() -> None:
    made, there = lab()
    put(there, "d", b"theirs")
    fill(made.source, {"d": b"ours!!"})
    replicate(made.replication(replace(SMALL, immutable=True, min_success_ratio=0)))
    report = verify(there)
    assert findings(report) == {"not_replicated": 1, "verified": 3}
    assert report.found[0].reason.startswith("conflict: ")
    assert not report.proven


def behind(there: Endpoint, key: str, known: Entry | None) -> Entry:
    origin = Origin("mem://lab/s", etag="new")
    return Entry(
        key,
        known.proof if known else None,
        Behind(
            Outcome.FAILED, "late", origin, 9, at(60), ErrorKind.TIMEOUT, "too late", since=at(30)
        ),
    )


def test_the_last_copy_of_what_is_behind_is_judged_and_its_age_named() -> None:
    _, there = lab()
    keys = [there.key_of(name) for name in "abc"]
    head = ledger(there)
    entries = [behind(there, key, head.entry(key)) for key in keys]
    commit(there, entries, this=draft(step=Step.END, prefix="copy/"), known=head.entry)
    put(there, "b", b"x")
    there.store.delete_object(there.ref(keys[2]))
    report = verify(there)
    assert findings(report) == {"not_replicated": 1, "changed": 1, "missing": 1}
    for found in report.found:
        assert "2026-01-01T12:30:00+00:00" in found.reason
        assert "failed: too late" in found.reason
    assert "what is there is proven, as of" in report.found[0].reason


def test_one_that_was_written_but_not_confirmed_is_read() -> None:
    _, there = lab({"a": b"1"})
    key = there.key_of("a")
    head = ledger(there)
    known = head.entry(key)
    assert known is not None
    assert known.proof is not None
    proof = changed(known.proof, outcome=Outcome.UNVERIFIABLE, confirmed=None)
    commit(there, [Entry(key, proof)], this=draft(prefix="copy/"), known=head.entry)
    silent, _ = with_store(there, Silent)
    told = verify(silent, depth=Depth.CHECKSUMS)
    assert findings(told) == {"unverifiable": 1}
    assert verify(silent).proven


def test_a_part_and_a_wider_place_and_one_object_are_verified_by_the_same_ledger() -> None:
    _, there = lab({"x/a": b"1", "x/b": b"2", "y": b"3"})
    part = replace(there, location=there.location.with_key("copy/x/"))
    bucket = replace(there, location=there.location.with_key(""))
    one = replace(there, location=there.location.with_key("copy/y"))
    assert (verify(part).objects, verify(bucket).objects, verify(one).objects) == (2, 3, 1)
    put(there, "y", b"?")
    assert verify(part).proven
    assert findings(verify(one)) == {"changed": 1}


@pytest.mark.parametrize("key", ["copy/no/", "copy/no", "cop/", "copy"])
def test_a_place_that_the_ledger_does_not_know_is_not_proven(key: str) -> None:
    """Of nothing, everything is proven."""
    _, there = lab()
    wrong = replace(there, location=there.location.with_key(key))
    with pytest.raises(StorageError, match=r"is in no ledger: .*; did you mean .*/copy") as raised:
        verify(wrong)
    assert raised.value.kind is ErrorKind.NOT_FOUND


def test_a_filtered_run_leaves_the_rest_verified() -> None:
    made, there = lab()
    fill(made.source, {"a": b"new"})
    options = replace(SMALL, filter=ObjectFilter(include=("b",)))
    replicate(made.replication(options))
    assert findings(verify(there)) == {"verified": 3}


def test_an_earlier_run_is_verified_against_its_last_state() -> None:
    made, there = lab()
    fill(made.source, {"a": b"new", "d": b"4"})
    replicate(made.replication(), run_id="second")
    assert findings(verify(there)) == {"verified": 4}
    earlier = verify(there, run_id="run")
    assert findings(earlier) == {"changed": 1, "verified": 2}
    assert (earlier.extraneous, earlier.run_id) == (1, "run")
    assert verify(there, run_id="second").ledger_root == verify(there).ledger_root
    with pytest.raises(StorageError, match=r"no run 'rum' is recorded .*; did you mean run\?"):
        verify(there, run_id="rum")


def test_many_objects_are_named_up_to_a_hundred() -> None:
    _, there = lab({f"{n:03}": b"1" for n in range(150)})
    for n in range(150):
        there.store.delete_object(there.ref(there.key_of(f"{n:03}")))
    report = verify(there)
    assert findings(report) == {"missing": 150}
    assert len(report.found) == 100


def test_an_uploaded_object_has_no_age_and_says_why() -> None:
    made = world({})
    there = made.destinations[0]
    put(there, "a", b"1")
    meta = there.store.stat_object(there.ref("copy/a"))
    known = entry("copy/a", b"1", etag=meta.etag)
    commit(there, [known], this=draft(step=Step.UPLOAD, prefix="copy/a"))
    report = verify(there)
    assert report.proven
    assert report.as_of is None
    assert report.age_unknown == "no replication to it has ended"
    commit(there, [], this=draft("t2", Step.END, prefix="copy/", found=look("copy/")))
    assert verify(there).as_of == at(0)
    assert "copy/ (all objects), by run run-0" in (verify(there).oldest or "")


def test_a_reserved_key_fails_nothing() -> None:
    _, there = lab()
    left_out = Entry(
        "copy/.airflow-multicloud/x",
        None,
        Behind(Outcome.RESERVED, "r", Origin("mem://lab/s"), 1, at(0), None, "kept"),
    )
    commit(there, [left_out], this=draft(prefix="copy/"))
    report = verify(there)
    assert findings(report) == {"reserved": 1, "verified": 3}
    assert report.proven
    assert report.findings[Finding.RESERVED] == 1


def test_a_replica_whose_first_replication_was_killed_is_not_proven() -> None:
    """What was recorded is there; what was to come is not known."""
    there = world({}).destinations[0]
    put(there, "a", b"1")
    known = entry("copy/a", b"1", etag=there.store.stat_object(there.ref("copy/a")).etag)
    commit(there, [], this=draft("first", Step.BEGIN, prefix="copy/"))
    commit(there, [known], this=draft("first", Step.PROGRESS, prefix="copy/"))
    report = verify(there)
    assert findings(report) == {"verified": 1}
    assert not report.proven
    assert (report.unfinished or "").startswith("the first replication to it has not ended: run")
    ended = draft("second", Step.END, prefix="copy/", found=look("copy/"))
    commit(there, [], this=ended)
    report = verify(there)
    assert (report.proven, report.unfinished, len(report.open_runs)) == (True, None, 1)
    one = replace(there, location=there.location.with_key("copy/a"))
    assert verify(one).proven
