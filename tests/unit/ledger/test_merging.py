"""Two runs that changed what is known of one object."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec.structs import replace as replace_struct

from airflow_multicloud.core.ledger import looks, merging, reading, writing
from airflow_multicloud.core.ledger.entries import Behind, Entry, Origin
from airflow_multicloud.core.ledger.merging import merge
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.ports.object_store import ObjectMeta
from tests.unit.replication.memory import endpoint

from .made import at, commit, draft, entry, look, proof

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint


def there(etag: str, size: int = 1, version: str | None = None) -> ObjectMeta:
    return ObjectMeta(
        bucket="lab", key="k", size=size, etag=etag, last_modified=at(0), version=version
    )


OLD, NEW = entry("k", etag="old", minutes=1), entry("k", etag="new", minutes=2)


def test_what_is_there_decides_and_not_who_ends_last() -> None:
    assert merge(OLD, NEW, there("new")) == NEW
    assert merge(NEW, OLD, there("new")) == NEW
    assert merge(NEW, OLD, there("old")).proof == OLD.proof


def test_an_earlier_run_that_wrote_last_is_behind_what_the_later_one_saw() -> None:
    merged = merge(OLD, NEW, there("old"))
    assert merged.proof == OLD.proof
    assert merged.behind is not None
    assert (merged.behind.since, merged.behind.outcome) == (at(1), Outcome.CONFLICT)
    assert OLD.proof is not None
    assert NEW.proof is not None
    assert merged.behind.origin == NEW.proof.origin


def test_when_neither_is_there_any_more_the_later_look_counts() -> None:
    for now in (there("another"), there("old", size=9), None):
        assert merge(OLD, NEW, now) == NEW
        assert merge(NEW, OLD, now) == NEW


def test_a_failure_counts_only_if_it_looked_later() -> None:
    def failed(minutes: float) -> Entry:
        behind = Behind(Outcome.FAILED, "r", Origin("mem://lab/k"), 1, at(minutes))
        return Entry("k", proof(etag="old", minutes=1), behind)

    assert merge(failed(1.5), NEW, there("new")) == NEW
    assert merge(failed(3), NEW, there("new")) == NEW
    later = replace_struct(failed(3), proof=NEW.proof)
    assert merge(later, NEW, there("new")) == later


def test_a_version_tells_two_writes_of_the_same_content_apart() -> None:
    assert OLD.proof is not None
    one = Entry("k", replace_struct(OLD.proof, etag="same", version="1"))
    two = Entry("k", replace_struct(OLD.proof, etag="same", version="2"))
    assert merge(one, two, there("same", version="2")) == two
    assert merge(two, one, there("same", version="2")).proof == two.proof


def put(end: Endpoint, content: bytes) -> str:
    return end.store.put_object(end.ref("k"), content).etag


def test_a_run_that_ends_last_takes_nothing_back() -> None:
    """Whatever it knew when it began: what another has found out since stays, if it is there."""
    end = endpoint("")
    first = entry("k", b"1", etag=put(end, b"1"))
    base = commit(end, [first])
    newer = entry("k", b"2", etag=put(end, b"2"), minutes=5)
    commit(end, [newer, entry("z")], base, this=draft("B"))
    ours = replace_struct(first, behind=Behind(Outcome.FAILED, "A", Origin("s"), 1, at(1)))
    made = commit(end, [entry("a"), ours], base, this=draft("A"), known={"k": first}.get)
    head = reading.newest(end)
    assert head is not None
    assert {one.key: one for one in head.entries()} == {
        "a": entry("a"),
        "k": newer,
        "z": entry("z"),
    }
    assert not made.alone


def test_so_it_is_with_many_changes() -> None:
    end = endpoint("")
    base = commit(end, [])
    keys = [f"{n:03}" for n in range(200)]
    etags = {key: end.store.put_object(end.ref(key), b"2").etag for key in keys}
    commit(end, [entry(key, b"2", etag=etags[key], minutes=5) for key in keys[::2]], base)
    commit(end, [entry(key, b"1", etag="gone", minutes=1) for key in keys], base)
    head = reading.newest(end)
    assert head is not None
    for number, one in enumerate(head.entries()):
        assert one.proof is not None
        assert one.proof.etag == (etags[one.key] if number % 2 == 0 else "gone")


def test_a_later_commit_of_the_same_run_still_asks_what_is_there() -> None:
    """What came between is known from the first commit on, but what the run knows of it is not."""
    end = endpoint("")
    first = entry("k", b"1", etag=put(end, b"1"))
    base = commit(end, [first])
    newer = entry("k", b"2", etag=put(end, b"2"), minutes=5)
    commit(end, [newer], base, this=draft("B"))
    mine = commit(end, [entry("a")], base, this=draft("A"), known={"k": first}.get)
    commit(
        end,
        [entry("k", b"1", etag="mine", minutes=1)],
        replace(mine),
        this=draft("A"),
        known={"k": first}.get,
    )
    assert writing.base_of(end).entry("k") == newer


def test_what_a_later_look_did_not_see_is_gone_at_the_source() -> None:
    """A run that had begun earlier has copied it all the same."""
    ours = entry("a", minutes=1)
    known = [look(minutes=5)]
    assert merging.seen_gone(ours, known).gone == at(5)
    assert merging.seen_gone(ours, [look(minutes=0)]) == ours
    assert merging.seen_gone(ours, [look(minutes=5, source="mem://other/")]) == ours
    assert merging.seen_gone(ours, [look("b/", minutes=5)]) == ours


def test_a_look_is_as_old_as_what_was_written_over_what_it_found() -> None:
    (made,) = looks.moved_back(
        [look(minutes=5)],
        Entry(
            "a",
            proof(minutes=1),
            Behind(Outcome.CONFLICT, "r", Origin("s"), 1, at(5), since=at(1)),
        ),
    )
    assert (made.behind, made.holds) == (1, at(1))
