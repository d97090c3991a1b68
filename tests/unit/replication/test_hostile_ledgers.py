"""A writer of one replica who knows the format: each try is noticed, and costs no other replica."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec.structs import replace as changed

from airflow_multicloud.adapters.digests import digests_of, sha256_of
from airflow_multicloud.core.ledger import commits, entries, reading
from airflow_multicloud.core.ledger.names import SEGMENTS, commit_key, place_of, segment_key
from airflow_multicloud.core.ledger.refs import SegmentRef
from airflow_multicloud.core.replication import history
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.freshness import freshness
from airflow_multicloud.core.replication.status import status
from airflow_multicloud.core.replication.verification import Depth, verify
from airflow_multicloud.errors import ErrorKind, StorageError

from .memory import World, fill, ledger, own, world

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_multicloud.core.endpoints import Endpoint

TREE = {name: name.encode() for name in ("a", "b", "c", "d")}
READERS: dict[str, Callable[[Endpoint], object]] = {
    "verify": verify,
    "freshness": freshness,
    "status": status,
    "runs": lambda end: history.runs(end, limit=1),
}


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> World:
    """Two replicas in buckets of their own names, with segments."""
    monkeypatch.setattr(commits, "MOST_RECENT", 2)
    made = world(TREE, destinations=2)
    other = made.destinations[1]
    other.store.ensure_bucket("other")  # type: ignore[attr-defined]
    other = replace(other, location=replace(other.location, bucket="other"))
    made = replace(made, destinations=(made.destinations[0], other))
    replicate(made.replication(), run_id="first")
    fill(made.source, {"e": b"e"})
    replicate(made.replication(), run_id="second")
    return made


def newest_key(there: Endpoint) -> str:
    return commit_key(ledger(there).commit.number)


def document(**change: object) -> bytes:
    """A commit's line with another value in it."""
    return msgspec.json.encode(change)


GARBAGE: dict[str, Callable[[dict[str, object]], bytes]] = {
    "nothing": lambda _: b"",
    "cut off": lambda found: msgspec.json.encode(found)[:-9],
    "no end": msgspec.json.encode,
    "no text": lambda _: b"\xff\xfe\n",
    "a list": lambda _: b"[]\n",
    "a number": lambda _: b"5\n",
    "nested": lambda _: b"[" * 100_000 + b"\n",
    "no version": lambda f: msgspec.json.encode({**f, "version": None, "format": 1}) + b"\n",
    "another number": lambda f: msgspec.json.encode({**f, "number": 999}) + b"\n",
    "another place": lambda f: msgspec.json.encode({**f, "place": "mem://other/"}) + b"\n",
    "no zone": lambda f: msgspec.json.encode({**f, "made_at": "2026-01-01T00:00:00"}) + b"\n",
    "no time": lambda f: msgspec.json.encode({**f, "made_at": "0001-01-01T00:00:00+14:00"}) + b"\n",
    "a huge number": lambda f: msgspec.json.encode({**f, "changed": 1 << 60}) + b"\n",
    "half a pair": lambda f: msgspec.json.encode(f).replace(b"first", b"\\ud800") + b"\n",
    "three lines": lambda f: msgspec.json.encode(f) + b"\n\n\n",
    "a segment of another form": lambda f: msgspec.json.encode({**f, "segments": [[{}]]}) + b"\n",
    "keys twice": lambda f: msgspec.json.encode({**f, "recent": [{"key": "a"}] * 2}) + b"\n",
}


def refused(read: Callable[[Endpoint], object], there: Endpoint) -> str:
    with pytest.raises(StorageError) as raised:
        read(there)
    assert raised.value.kind is ErrorKind.INTEGRITY
    return str(raised.value)


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("reader", READERS)
def test_a_malformed_commit(lab: World, garbage: str, reader: str) -> None:
    there, other = lab.destinations
    key = newest_key(there)
    line = bytes(there.store.get_object(there.ref(key)).read()).split(b"\n")[0]
    there.store.put_object(there.ref(key), GARBAGE[garbage](msgspec.json.decode(line)))
    said = refused(READERS[reader], there)
    assert key in said
    assert "it is damaged" in said
    assert "delete it and replicate" in said
    READERS[reader](other)
    assert verify(other).proven


def test_a_commit_that_is_too_large(lab: World, monkeypatch: pytest.MonkeyPatch) -> None:
    there, other = lab.destinations
    there.store.put_object(there.ref(commit_key(999)), b" " * 9999 + b"\n")
    monkeypatch.setattr(commits, "LARGEST_COMMIT", 9000)
    for read in READERS.values():
        assert "larger than 9000 bytes" in refused(read, there)
        read(other)


def packed(found: list[entries.Entry]) -> bytes:
    return gzip.compress(b"".join(entries.write_line(one) + b"\n" for one in found), mtime=0)


SEGMENT: dict[str, Callable[[bytes], bytes | None]] = {
    "omitted": lambda _: None,
    "empty": lambda _: b"",
    "cut off": lambda body: body[:-5],
    "longer": lambda body: body + b"x",
    "one bit": lambda body: bytes([body[0] ^ 1]) + body[1:],
    "other entries": lambda _: packed([entries.Entry("copy/a"), entries.Entry("copy/b")]),
}


@pytest.mark.parametrize("edit", SEGMENT)
def test_a_segment_that_is_not_the_one_that_was_named(lab: World, edit: str) -> None:
    there, other = lab.destinations
    for key in own(there, SEGMENTS.partition("/")[2]):
        body = SEGMENT[edit](bytes(there.store.get_object(there.ref(key)).read()))
        there.store.delete_object(there.ref(key))
        if body is not None:
            there.store.put_object(there.ref(key), body)
    assert "it is damaged" in refused(verify, there)
    assert verify(other).proven


INSIDE: dict[str, bytes] = {
    "a bomb": b"\n" * (300 << 20),
    "no entries": b"",
    "no JSON": b"{\n",
    "no key": b"{}\n",
    "another order": b'{"key":"copy/b"}\n{"key":"copy/a"}\n',
    "a size below nothing": b'{"key":"copy/a","proof":{"size":-1}}\n',
}


@pytest.mark.parametrize("inside", INSIDE)
def test_a_forged_segment_in_a_forged_commit(lab: World, inside: str) -> None:
    there, other = lab.destinations
    head = ledger(there)
    body = gzip.compress(INSIDE[inside], mtime=0)
    sha256 = sha256_of(body)
    there.store.put_object(there.ref(segment_key(sha256)), body)
    ref = SegmentRef(sha256, len(body), 2, "copy/a", "copy/b")
    forge(there, head, segments=((ref,),), recent=())
    assert "it is damaged" in refused(verify, there)
    assert verify(other).proven


def forge(there: Endpoint, head: reading.Head, **changes: object) -> None:
    """A well-formed commit that follows on another one."""
    number = head.commit.number + 1
    forged = changed(head.commit, number=number, previous=head.mark, **changes)
    there.store.put_object(there.ref(commit_key(number)), commits.write(forged) + b"\n")


def poison(there: Endpoint, content: bytes) -> None:
    """Other bytes, and a ledger that proves them."""
    key = there.key_of("a")
    etag = there.store.put_object(there.ref(key), content).etag
    known = ledger(there).entry(key)
    assert known is not None
    assert known.proof is not None
    proof = changed(
        known.proof, size=len(content), etag=etag, digests=digests_of(content), version=None
    )
    forge(there, ledger(there), recent=(changed(known, proof=proof),))


def test_forged_digests_are_noticed_by_whoever_remembers_and_by_the_other_replica(
    lab: World,
) -> None:
    there, other = lab.destinations
    remembered = ledger(there)
    assert verify(there, siblings=[other]).proven
    poison(there, b"evil")
    assert verify(there, depth=Depth.READ).proven  # Nothing here can tell.
    with pytest.raises(StorageError, match="rolled back, written anew or restarted") as raised:
        verify(there, expected_root=remembered.root)
    assert raised.value.kind is ErrorKind.INTEGRITY
    for one, sibling in ((there, other), (other, there)):
        report = verify(one, siblings=[sibling])
        assert (report.unproven, report.proven) == (0, False)
        assert "different contents of the same object at the source" in report.contradictions[0]
        assert "for 1 of 4 objects ('a'); which is right is told by" in report.contradictions[0]
    assert verify(other).proven


def test_another_replica_whose_ledger_is_damaged_is_said_and_costs_no_judgement(
    lab: World,
) -> None:
    there, other = lab.destinations
    for key in own(other, SEGMENTS.partition("/")[2]):
        other.store.delete_object(other.ref(key))
    report = verify(there, siblings=[other])
    assert report.proven
    assert "can't be read: integrity: " in report.not_compared[0]
    refused(verify, other)


def test_a_ledger_rolled_back_and_forged_is_contradicted_by_the_other_replica(lab: World) -> None:
    there, other = lab.destinations
    number = ledger(there).commit.number
    for back in range(2):
        there.store.delete_object(there.ref(commit_key(number - back)))
    poison(there, b"evil")
    for _ in range(4):
        forge(there, ledger(there))
    report = verify(there, siblings=[other])
    assert not report.proven
    assert f"the ledger of {place_of(other)} has seen commit" in report.contradictions[0]
    assert "which of the two is right can't be told" in report.contradictions[0]
    assert not verify(other, siblings=[there]).proven
    assert verify(other).proven


@pytest.mark.parametrize("keep", [0, 1])
def test_a_ledger_that_was_rolled_back(lab: World, keep: int) -> None:
    there, other = lab.destinations
    remembered = ledger(there)
    for number in range(keep + 1, remembered.commit.number + 1):
        there.store.delete_object(there.ref(commit_key(number)))
    for given in (
        {"at_least_commit": remembered.commit.number},
        {"expected_root": remembered.root},
        {"expected_root": remembered.root, "at_least_commit": remembered.commit.number},
    ):
        with pytest.raises(StorageError, match="was expected") as raised:
            verify(there, **given)
        assert raised.value.kind is ErrorKind.INTEGRITY
    if keep:
        report = verify(other, siblings=[there])
        assert not report.proven
        assert "which now ends with commit 1" in report.contradictions[0]


def test_an_age_that_was_made_up_is_a_finding_when_it_lies_ahead(lab: World) -> None:
    there, _ = lab.destinations
    head = ledger(there)
    (look,) = head.commit.looks
    ahead = datetime.now(UTC) + timedelta(days=900)
    forge(there, head, looks=(changed(look, as_of=ahead),))
    found = freshness(there)
    assert not found.within(timedelta(days=9999))
    assert "ahead of this machine's clock" in (found.finding or "")
    assert any("in the future" in finding for finding in status(there).findings)
