"""Ledgers that are not believed: what a caller remembers, other ledgers and signatures say."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from airflow_multicloud.core.failover import anchors
from airflow_multicloud.core.failover.fetch import fetch
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import FailoverError
from airflow_multicloud.core.failover.targets import FileTarget
from airflow_multicloud.core.failover.tree import fetch_tree
from airflow_multicloud.core.ledger import commits, reading
from airflow_multicloud.core.ledger.commits import Commit, Sibling
from airflow_multicloud.core.ledger.memory import Remembered
from airflow_multicloud.core.ledger.names import COMMITS, commit_key, number_of, place_of
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.failover.ledgers import damage, write
from tests.unit.failover.stores import (
    candidates,
    files_below,
    named,
    put,
    replicas,
    stop_the_clock,
)
from tests.unit.ledger.made import NOON

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.ledger.reading import Head
    from airflow_multicloud.ports.object_store import ObjectRef


def newest(end: Endpoint) -> Head:
    head = reading.newest(end)
    assert head is not None
    return head


def rewrite(end: Endpoint, change: Callable[[Commit], Commit], number: int | None = None) -> None:
    """Write one commit anew, as who may write to the bucket can."""
    head = newest(end) if number is None else reading.at(end, number)
    line = commits.write(change(head.commit))
    end.store.put_object(end.ref(commit_key(head.commit.number)), line + b"\n")


def roll_back(end: Endpoint, to: int) -> None:
    for meta in list(end.store.list_objects(end.bucket, COMMITS)):
        if (number_of(meta.key) or 0) > to:
            end.store.delete_object(end.ref(meta.key))


def forge(end: Endpoint, name: str, content: bytes) -> None:
    """Other content, and a ledger that proves it."""
    meta = end.store.put_object(end.ref(end.key_of(name)), content)

    def changed(commit: Commit) -> Commit:
        (entry,) = commit.recent
        assert entry.proof is not None
        proof = msgspec.structs.replace(
            entry.proof,
            size=len(content),
            digests=meta.digests,
            etag=meta.etag,
            version=meta.version,
        )
        return msgspec.structs.replace(
            commit, recent=(msgspec.structs.replace(entry, proof=proof),)
        )

    rewrite(end, changed)


def forged(commit: Commit) -> Commit:
    return msgspec.structs.replace(commit, why="forged")


def before_last(end: Endpoint) -> int:
    return newest(end).commit.number - 1


def older(end: Endpoint) -> ObjectRef:
    return end.ref(commit_key(before_last(end)))


@dataclass(frozen=True)
class Lab:
    """Three replicas that know of each other; run twice."""

    source: Endpoint
    a: Endpoint
    b: Endpoint
    c: Endpoint
    first: int

    def served(self, where: Path, *ends: Endpoint, **policy: Any) -> Any:
        return fetch_tree(replicas(*ends), FileTarget(where), FailoverPolicy(**policy))


@pytest.fixture
def lab() -> Lab:
    source, a, b, c = (named(bucket) for bucket in ("p", "ra", "rb", "rc"))
    put(source, "x", b"1")
    replicate(Replication(source, (a, b, c)))
    first = newest(a).commit.number
    put(source, "x", b"2")
    replicate(Replication(source, (a, b, c)))
    # The next run sees what the last one wrote everywhere.
    replicate(Replication(source, (a, b, c)))
    return Lab(source, a, b, c, first)


class TestOtherLedgers:
    def test_all_is_well(self, lab: Lab, tmp_path: Path) -> None:
        served = lab.served(tmp_path, lab.a, lab.b, lab.c)
        assert (served.findings, served.served) == ((), {str(lab.a.location): 1})

    def test_one_that_two_contradict_is_refused(self, lab: Lab, tmp_path: Path) -> None:
        roll_back(lab.a, lab.first)
        served = lab.served(tmp_path, lab.a, lab.b, lab.c)
        assert served.served == {str(lab.b.location): 1}
        refused = served.attempts[-1]
        assert refused.kind is ErrorKind.INTEGRITY
        assert "is not believed, as 2 or more other" in refused.reason

    def test_one_that_one_contradicts_serves_and_it_is_said_who_says_what(
        self, lab: Lab, tmp_path: Path
    ) -> None:
        before = newest(lab.a).commit.number
        roll_back(lab.a, lab.first)
        old = newest(lab.a).commit.looks[0].as_of
        served = lab.served(tmp_path, lab.a, lab.b)
        assert served.served == {str(lab.a.location): 1}
        assert served.as_of <= old  # An older proven copy, and its age says so.
        (finding, *rest) = [one for one in served.findings if "has seen commit" in one]
        assert rest == []
        assert finding.startswith(f"the ledger of {place_of(lab.b)} has seen commit ")
        assert f"in the ledger of {place_of(lab.a)}, which ends with commit {lab.first}" in finding
        assert "can't be told from them alone" in finding
        assert before > lab.first

    @pytest.mark.parametrize(
        ("kind", "attack"),
        [
            ("none left", lambda lab: roll_back(lab.a, 0)),
            ("newest", lambda lab: rewrite(lab.a, forged)),
            ("older", lambda lab: rewrite(lab.a, forged, before_last(lab.a))),
            ("deleted", lambda lab: lab.a.store.delete_object(older(lab.a))),
            ("malformed", lambda lab: lab.a.store.put_object(older(lab.a), b"{")),
            ("content", lambda lab: forge(lab.a, "x", b"evil")),
        ],
    )
    def test_every_rewriting_of_what_others_have_seen(
        self, lab: Lab, tmp_path: Path, kind: str, attack: Callable[[Lab], object]
    ) -> None:
        seen = newest(lab.a).commit.number - (kind in ("older", "deleted", "malformed"))
        for other in (lab.b, lab.c):
            rewrite(other, lambda c: with_sibling(c, reading.at(lab.a, seen)))
        attack(lab)
        served = lab.served(tmp_path, lab.a, lab.b, lab.c)
        assert served.served == {str(lab.b.location): 1}
        assert files_below(tmp_path) == {"x": b"2"}

    def test_a_commit_that_may_be_deleted_by_now_is_no_contradiction(
        self, lab: Lab, tmp_path: Path
    ) -> None:
        long_ago = datetime.now(UTC) - timedelta(days=31)
        number = before_last(lab.a)
        for other in (lab.b, lab.c):
            rewrite(other, lambda c: with_sibling(c, reading.at(lab.a, number), at=long_ago))
        lab.a.store.delete_object(lab.a.ref(commit_key(number)))
        assert lab.served(tmp_path, lab.a, lab.b, lab.c).findings == ()

    def test_who_hangs_is_not_waited_for_long(self, lab: Lab, tmp_path: Path) -> None:
        """Nor asked again for every object."""
        let_go = threading.Event()

        class Hanging(object_store.Hook):
            def list_objects(self, bucket: str, prefix: str = "") -> Any:
                let_go.wait(60)
                return super().list_objects(bucket, prefix)

        hanging = replace(lab.b, store=Hanging(lab.b.location.conn_id or ""))
        for number in range(20):
            put(lab.source, f"more{number}", b"x")
        replicate(Replication(lab.source, (lab.a,)))
        started = time.monotonic()
        try:
            served = lab.served(tmp_path, lab.a, hanging)
        finally:
            let_go.set()
        assert time.monotonic() - started < 10
        assert served.served == {str(lab.a.location): 21}


def with_sibling(commit: Commit, seen: Head, at: datetime | None = None) -> Commit:
    one = Sibling(seen.commit.place, seen.commit.number, seen.root, at or datetime.now(UTC))
    others = [s for s in commit.siblings if s.place != one.place]
    return msgspec.structs.replace(commit, siblings=(*others, one))


class TestDigests:
    """Of one version of one object at the source."""

    def lie(self, end: Endpoint) -> None:
        def lied(commit: Commit) -> Commit:
            (entry,) = commit.recent
            assert entry.proof is not None
            proof = msgspec.structs.replace(entry.proof, digests=Digests(sha256="0" * 64))
            return msgspec.structs.replace(
                commit, recent=(msgspec.structs.replace(entry, proof=proof),), siblings=()
            )

        rewrite(end, lied)

    def test_two_against_one(self, tmp_path: Path) -> None:
        source, *three = (named(bucket) for bucket in ("p", "ra", "rb", "rc"))
        put(source, "x", b"1")
        for one in three:  # None has seen another.
            replicate(Replication(source, (one,)))
        a, b, c = three
        lab = Lab(source, a, b, c, 0)
        forge(a, "x", b"9")
        served = lab.served(tmp_path, a, b, c)
        assert files_below(tmp_path) == {"x": b"1"}
        assert "different digests of the same object" in served.attempts[-1].reason

    def test_one_against_one(self, tmp_path: Path) -> None:
        source, a, b = (named(bucket) for bucket in ("p", "ra", "rb"))
        put(source, "x", b"1")
        for one in (a, b):
            replicate(Replication(source, (one,)))
        self.lie(b)
        served = Lab(source, a, b, b, 0).served(tmp_path, a, b)
        assert served.served == {str(a.location): 1}
        assert "one of the two is wrong" in served.findings[0]


class TestExpectations:
    def test_the_newest_root(self, lab: Lab, tmp_path: Path) -> None:
        a = str(lab.a.location)
        good = {a: newest(lab.a).root}
        assert lab.served(tmp_path, lab.a, expected_roots=good).objects == 1
        roll_back(lab.a, lab.first)
        served = lab.served(tmp_path, lab.a, lab.b, expected_roots=good)
        assert served.served == {str(lab.b.location): 1}
        assert served.attempts[-1].kind is ErrorKind.INTEGRITY
        assert "one of root" in served.attempts[-1].reason

    def test_a_commit_at_least(self, lab: Lab, tmp_path: Path) -> None:
        a = f"{lab.a.location.scheme}://{lab.a.bucket}/"  # any URI in its bucket
        head = newest(lab.a)
        numbers = {a: head.commit.number}
        assert lab.served(tmp_path, lab.a, at_least_commits=numbers).objects == 1
        put(lab.source, "x", b"3")
        replicate(Replication(lab.source, (lab.a,)))
        both = {"at_least_commits": numbers, "expected_roots": {a: head.root}}
        assert lab.served(tmp_path, lab.a, **both).objects == 1
        roll_back(lab.a, lab.first)
        with pytest.raises(FailoverError, match="rolled back") as caught:
            lab.served(tmp_path, lab.a, at_least_commits=numbers)
        assert caught.value.attempts[-1].kind is ErrorKind.INTEGRITY

    def test_no_ledger_where_one_is_expected(self, lab: Lab, tmp_path: Path) -> None:
        roll_back(lab.a, 0)
        with pytest.raises(FailoverError, match="there is no ledger in this bucket"):
            lab.served(tmp_path, lab.a, at_least_commits={str(lab.a.location): 1})

    def test_the_live_primary_is_held_to_it_as_well(self, lab: Lab, tmp_path: Path) -> None:
        ends = candidates(lab.source)
        policy = FailoverPolicy(at_least_commits={str(lab.source.location): 1})
        with pytest.raises(FailoverError, match="there is no ledger"):
            fetch_tree(ends, FileTarget(tmp_path), policy)

    def test_an_expectation_of_nobody_is_refused(self, lab: Lab, tmp_path: Path) -> None:
        with pytest.raises(StorageError, match=r"^expected_roots: 'mem://other/' given") as caught:
            lab.served(tmp_path, lab.a, expected_roots={"mem://other/": "0" * 64})
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT

    @pytest.mark.parametrize(
        "wrong",
        [
            {"expected_roots": "{'mem://a/': 'x'}"},
            {"at_least_commits": [1]},
            {"expected_roots": {"mem://a/": "x"}},
            {"expected_roots": {"mem://a/": None}},
            {"at_least_commits": {"mem://a/": 0}},
            {"at_least_commits": {"mem://a/": True}},
            {"at_least_commits": {"mem://a/": "1"}},
        ],
    )
    def test_what_names_no_commit_is_refused(self, wrong: Any) -> None:
        (name,) = wrong
        with pytest.raises(StorageError, match=f"^{name}: ") as caught:
            FailoverPolicy(**wrong)
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


@dataclass(frozen=True)
class Keys:
    """Counts only commits of these roots as signed."""

    roots: frozenset[str]

    def verify(self, envelope: bytes) -> Any:
        root = envelope.decode()
        if root not in self.roots:
            raise StorageError("no allowed key has made it", kind=ErrorKind.INTEGRITY)

        @dataclass(frozen=True)
        class Signed:
            sha256: str

        return Signed(root)

    def signers(self, envelope: bytes) -> tuple[str, ...]:
        return ("key",)


class TestSignatures:
    def sign(self, end: Endpoint, root: str) -> None:
        head = newest(end)
        body = commits.write(head.commit) + b"\n" + root.encode() + b"\n"
        end.store.put_object(end.ref(commit_key(head.commit.number)), body)

    def test_only_a_signed_ledger_counts(self, lab: Lab, tmp_path: Path) -> None:
        head = newest(lab.b)
        self.sign(lab.b, head.root)
        served = lab.served(tmp_path, lab.a, lab.b, public_keys=Keys(frozenset({head.root})))
        assert served.served == {str(lab.b.location): 1}
        assert "it is not signed" in served.attempts[-1].reason

    def test_a_signature_of_another_commit_is_none(self, lab: Lab, tmp_path: Path) -> None:
        other = newest(lab.a).root
        self.sign(lab.b, other)
        with pytest.raises(FailoverError, match="its signature is about"):
            lab.served(tmp_path, lab.b, public_keys=Keys(frozenset({other})))

    def test_a_replica_without_a_ledger_has_no_signature(self, tmp_path: Path) -> None:
        end = named("plain")
        put(end, "x", b"1")
        with pytest.raises(FailoverError, match="public_keys are given"):
            fetch(
                replicas(end.below("x")),
                FileTarget(tmp_path / "x"),
                FailoverPolicy(public_keys=Keys(frozenset())),
            )

    def test_the_live_primary_need_not_be_signed(self, lab: Lab, tmp_path: Path) -> None:
        policy = FailoverPolicy(public_keys=Keys(frozenset()))
        served = fetch_tree(candidates(lab.source), FileTarget(tmp_path), policy)
        assert served.objects == 1

    def test_not_even_where_its_ledger_is_expected(self, lab: Lab, tmp_path: Path) -> None:
        write(lab.source)
        policy = FailoverPolicy(
            at_least_commits={str(lab.source.location): 1}, public_keys=Keys(frozenset())
        )
        assert fetch_tree(candidates(lab.source), FileTarget(tmp_path), policy).objects == 1


class TestRemembered:
    """What Airflow has seen: an earlier commit, and when."""

    def seen(self, end: Endpoint, *, days: float = 0, number: int | None = None) -> Remembered:
        head = newest(end) if number is None else reading.at(end, number)
        ago = datetime.now(UTC) - timedelta(days=days)
        return Remembered(place_of(end), head.commit.number, head.root, ago)

    def test_a_ledger_that_has_gone_on(self, lab: Lab, tmp_path: Path) -> None:
        memory = (self.seen(lab.a), self.seen(lab.b))
        put(lab.source, "x", b"3")
        replicate(Replication(lab.source, (lab.a,)))
        served = lab.served(tmp_path, lab.a, lab.b, remembered=memory)
        assert (served.served, served.findings) == ({str(lab.a.location): 1}, ())

    def test_one_that_was_rolled_back_is_passed_over(self, lab: Lab, tmp_path: Path) -> None:
        memory = (self.seen(lab.a), self.seen(lab.b))
        roll_back(lab.a, lab.first)
        served = lab.served(tmp_path, lab.a, lab.b, remembered=memory)
        assert served.served == {str(lab.b.location): 1}
        assert "is not the one that is remembered" in served.attempts[-1].reason
        assert served.attempts[-1].kind is ErrorKind.INTEGRITY

    def test_one_that_is_gone_is_passed_over(self, lab: Lab, tmp_path: Path) -> None:
        memory = (self.seen(lab.a),)
        roll_back(lab.a, 0)
        served = lab.served(tmp_path, lab.a, lab.b, remembered=memory)
        assert served.served == {str(lab.b.location): 1}
        assert "now there is none" in served.attempts[-1].reason

    def test_old_commits_that_were_deleted_are_a_finding(self, lab: Lab, tmp_path: Path) -> None:
        memory = (self.seen(lab.a, days=90, number=1),)
        lab.a.store.delete_object(lab.a.ref(commit_key(1)))
        served = lab.served(tmp_path, lab.a, remembered=memory)
        assert served.served == {str(lab.a.location): 1}
        assert "can't be compared" in served.findings[0]

    def test_what_is_expected_goes_before_it(self, lab: Lab, tmp_path: Path) -> None:
        memory = (self.seen(lab.a),)
        roll_back(lab.a, lab.first)
        expected = {str(lab.a.location): newest(lab.a).root}
        served = lab.served(tmp_path, lab.a, remembered=memory, expected_roots=expected)
        assert served.served == {str(lab.a.location): 1}


class TestWhatOneLedgerSaysOfAnother:
    @pytest.fixture
    def accused(self) -> Endpoint:
        return named("accused")

    def said(
        self, end: Endpoint, head: Head | None, by: Endpoint | None = None, **seen: Any
    ) -> list[str]:
        """The accusations by a ledger that has seen this commit."""
        facts = {"place": place_of(end), "number": 1, "root": "0" * 64, "seen": datetime.now(UTC)}
        other = write(by or named("other"), siblings=(Sibling(**(facts | seen)),))
        found = list(anchors.accusations(end, head, [other]))
        assert all(one.by == other.commit.place for one in found)
        number = (facts | seen)["number"]
        start = f"the ledger of {other.commit.place} has seen commit {number} of root "
        assert all(one.reason.startswith(start) for one in found)
        return [one.reason.partition(f"in the ledger of {place_of(end)}, ")[2] for one in found]

    def test_what_is_so(self, accused: Endpoint) -> None:
        first, second = write(accused), write(accused, number=2)
        for head, seen in ((first, first), (second, second), (second, first)):
            assert self.said(accused, head, number=seen.commit.number, root=seen.root) == []

    def test_another_commit_of_this_number(self, accused: Endpoint) -> None:
        head = write(accused)
        assert self.said(accused, head) == [f"which has the root {head.root} now"]

    def test_one_that_was_made_after_this_ledger_was_read(self, accused: Endpoint) -> None:
        before = write(accused)
        newer = write(accused, number=2)
        for head in (before, None):
            assert self.said(accused, head, number=2, root=newer.root) == []
            assert self.said(accused, head, number=2) == [f"which has the root {newer.root} now"]
            assert self.said(accused, head, number=3) == ["which ends with commit 2 now"]

    def test_there_is_no_ledger(self, accused: Endpoint) -> None:
        assert self.said(accused, None) == ["where there is no ledger now"]

    @pytest.mark.parametrize(
        ("seconds", "said"), [(0, ["which is not there now"]), (1, [])], ids=["30 days", "longer"]
    )
    def test_a_commit_is_gone(
        self, accused: Endpoint, monkeypatch: pytest.MonkeyPatch, seconds: int, said: list[str]
    ) -> None:
        head = write(accused, number=2)
        stop_the_clock(monkeypatch, anchors, NOON)
        seen = NOON - timedelta(days=30, seconds=seconds)
        assert self.said(accused, head, seen=seen) == said

    @pytest.mark.parametrize("other_release", [True, False])
    def test_a_commit_can_not_be_read(self, accused: Endpoint, *, other_release: bool) -> None:
        line = commits.write(write(accused).commit)
        head = write(accused, number=2)
        newer = line.replace(b'"version":1', b'"version":2', 1)
        damage(accused, 1, newer + b"\n" if other_release else b"{")
        assert self.said(accused, head) == ["which can't be read now"]

    def test_an_outage_is_no_word_against_it(self, accused: Endpoint) -> None:
        class Down(object_store.Hook):
            def get_object(self, ref: ObjectRef, **limits: Any) -> Any:
                raise StorageError("down", kind=ErrorKind.UNAVAILABLE)

        head = write(accused)
        down = replace(accused, store=Down(accused.location.conn_id or ""))
        with pytest.raises(StorageError, match="down"):
            self.said(down, head)

    def test_only_another_ledger_speaks_of_it(self, accused: Endpoint) -> None:
        """Not of a third one, and none of itself."""
        head = write(accused)
        assert self.said(accused, head, place="mem://third/") == []
        assert self.said(accused, head, by=accused) == []

    def test_one_ledger_that_is_reached_in_two_ways_is_one(self, accused: Endpoint) -> None:
        head = write(accused)
        seen = Sibling(place_of(accused), 1, "0" * 64, datetime.now(UTC))
        b, c = named("b"), named("c")
        first, third = write(b, siblings=(seen,)), write(c, siblings=(seen,))
        others = [first, first, third]
        one, other = anchors.check_others(accused, head, others[:2])
        assert one == other
        with pytest.raises(StorageError) as caught:
            anchors.check_others(accused, head, others)
        assert caught.value.kind is ErrorKind.INTEGRITY
        assert caught.value.cloud == "memory"
        assert str(caught.value).count("has seen commit 1 of root") == 3

    def test_without_a_ledger_only_what_is_expected_is_missed(self, accused: Endpoint) -> None:
        assert anchors.check(accused, None, FailoverPolicy()) == ()
        assert anchors.check(accused, write(accused), FailoverPolicy()) == ()
