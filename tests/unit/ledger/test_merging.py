"""Two runs that changed what is known of one object."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace as replace_struct

from airflow_multicloud.core.ledger import looks, merging, reading
from airflow_multicloud.core.ledger.base import base_of
from airflow_multicloud.core.ledger.commits import Selection, Step
from airflow_multicloud.core.ledger.entries import Behind, Entry, Origin
from airflow_multicloud.core.ledger.merging import merge
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind
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
    assert merge(failed(1.5, proven=OLD), NEW, there("new")) == NEW
    assert merge(failed(3, proven=OLD), NEW, there("new")) == NEW
    later = failed(3, proven=NEW)
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
    assert base_of(end).entry("k") == newer


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


def failed(minutes: float, *, proven: Entry | None = None, since: float | None = None) -> Entry:
    behind = Behind(
        Outcome.FAILED,
        "r",
        Origin("mem://lab/k", etag="newest"),
        9,
        at(minutes),
        since=None if since is None else at(since),
    )
    return Entry("k", proven.proof if proven else None, behind)


def gone(minutes: float, proven: Entry) -> Entry:
    return Entry("k", proven.proof, gone=at(minutes))


class TestOursIsThereAndTheirsLookedLater:
    """An older run has written over what a later one has found out."""

    def test_what_the_source_had_later_is_what_it_is_behind(self) -> None:
        assert NEW.proof is not None
        assert merge(OLD, NEW, there("old")).behind == Behind(
            outcome=Outcome.CONFLICT,
            run_id="run",
            origin=NEW.proof.origin,
            size=NEW.proof.size,
            at=at(2),
            kind=ErrorKind.PRECONDITION_FAILED,
            reason="a run that had begun earlier wrote it after another one",
            since=at(1),
        )

    def test_of_the_same_object_at_the_source_it_is_not_behind(self) -> None:
        assert OLD.proof is not None
        same = Entry("k", replace_struct(OLD.proof, etag="other", as_of=at(9)))
        assert merge(OLD, same, there("old")) == OLD

    def test_that_the_source_has_it_no_more_stays_known(self) -> None:
        assert merge(OLD, gone(3, NEW), there("old")) == gone(3, OLD)

    def test_what_failed_since_stays_known(self) -> None:
        assert merge(OLD, failed(3), there("old")) == failed(3, proven=OLD, since=1)
        wanted = failed(3, proven=OLD, since=1)
        assert merge(OLD, failed(3, proven=NEW, since=2), there("old")) == wanted

    def test_what_looked_no_later_says_nothing(self) -> None:
        for theirs in (failed(1), failed(0.5), gone(0.5, failed(0))):
            assert merge(OLD, theirs, there("old")) == OLD

    def test_a_removed_key_looked_at_nothing(self) -> None:
        assert merge(OLD, Entry("k", removed=True), there("old")) == OLD


class TestNeitherOrBothAreThere:
    @pytest.mark.parametrize("now", [None, there("another"), there("old", size=9)])
    def test_who_looked_later_counts(self, now: ObjectMeta | None) -> None:
        for earlier, later in (
            (OLD, NEW),
            (OLD, failed(1.5, proven=OLD)),
            (failed(3), gone(4, OLD)),
            (gone(2, OLD), failed(3)),
        ):
            assert merge(earlier, later, now) == later
            assert merge(later, earlier, now) == later

    def test_what_is_not_there_any_more_is_removed_though_the_other_had_looked_later(self) -> None:
        removed = Entry("k", removed=True)
        assert merge(removed, OLD, None) == removed
        assert merge(OLD, removed, None) == OLD
        assert merge(removed, failed(3, proven=OLD), None) == failed(3)

    def test_of_two_that_looked_at_once_ours_counts(self) -> None:
        assert merge(failed(3), gone(3, OLD), None) == failed(3)
        assert merge(gone(3, OLD), failed(3), None) == gone(3, OLD)

    def test_of_both_that_mean_what_is_there_the_later_counts(self) -> None:
        assert OLD.proof is not None
        again = Entry("k", replace_struct(OLD.proof, as_of=at(2)))
        assert merge(OLD, again, there("old")) == merge(again, OLD, there("old")) == again


def test_an_entry_is_as_old_as_the_latest_look_that_it_tells_of() -> None:
    moments = [
        (OLD, at(1)),
        (gone(4, OLD), at(4)),
        (failed(5, proven=OLD), at(5)),
        (failed(0.5, proven=OLD), at(1)),
        (replace_struct(failed(5), gone=at(6)), at(6)),
    ]
    for entry_, moment in moments:
        assert merging.looked(entry_) == moment.timestamp()
    assert merging.looked(Entry("k", removed=True)) == 0


class TestWhatALaterLookDidNotSee:
    OURS = entry("a", minutes=3)

    def made(self, minutes: float) -> Entry:
        """The same object, that was made at the source then."""
        assert self.OURS.proof is not None
        origin = replace_struct(self.OURS.proof.origin, modified=at(minutes))
        return replace_struct(self.OURS, proof=replace_struct(self.OURS.proof, origin=origin))

    def test_is_gone_since_the_first_of_them(self) -> None:
        known = [look(minutes=9), look(minutes=5), look(minutes=7)]
        assert merging.seen_gone(self.OURS, known) == replace_struct(self.OURS, gone=at(5))

    @pytest.mark.parametrize("minutes", [2, 3])
    def test_is_there_for_a_look_that_was_no_later(self, minutes: float) -> None:
        assert merging.seen_gone(self.made(1), [look(minutes=minutes)]) == self.made(1)

    def test_is_there_if_it_was_made_since(self) -> None:
        """The source was read after the other run had begun."""
        assert merging.seen_gone(self.made(5), [look(minutes=5)]) == self.made(5)
        assert merging.seen_gone(self.made(6), [look(minutes=5)]) == self.made(6)
        assert merging.seen_gone(self.made(4.9), [look(minutes=5)]).gone == at(5)

    def test_is_gone_though_nothing_tells_when_it_was_made(self) -> None:
        assert self.OURS.proof is not None
        unknown = replace_struct(self.OURS.proof, origin=Origin("mem://lab/a"))
        ours = replace_struct(self.OURS, proof=unknown)
        assert merging.seen_gone(ours, [look(minutes=5)]).gone == at(5)

    def test_is_left_as_it_is_if_it_was_gone_or_never_proven(self) -> None:
        known = [look(minutes=5)]
        for ours in (replace_struct(self.OURS, gone=at(4)), failed(1), Entry("a", removed=True)):
            assert merging.seen_gone(ours, known) == ours

    def test_says_nothing_if_it_was_not_looked_at(self) -> None:
        part = look(minutes=5, selection=Selection(exclude=("a",)))
        assert merging.seen_gone(self.OURS, [part]) == self.OURS


def failed_again(proven: Entry) -> Entry:
    """The source has an object anew, which could not be copied."""
    behind = Behind(Outcome.FAILED, "r", Origin(f"mem://lab/{proven.key}"), 1, at(4))
    return replace_struct(proven, behind=behind)


class TestWhatWasLookedAtMeanwhile:
    """A later run has looked, and left alone what was known of the key before our run."""

    OURS = entry("a", etag="new", minutes=3)
    OTHERS = Entry("a", proof(source="other"))
    NEVER = Behind(Outcome.FAILED, "r", Origin("mem://lab/other"), 1, at(0))

    def merged(self, theirs: Entry, ours: Entry, *, started: float = 5) -> Entry | None:
        end = endpoint("")
        first = commit(end, [theirs])
        later = replace_struct(look(minutes=5), started=at(started))
        commit(end, [], this=draft("later", Step.END, found=later))
        this = replace(draft("ours"), started=at(4))
        head = commit(end, [ours], first, this=this, known=lambda _: theirs).head
        assert head is not None
        return head.entry("a")

    @pytest.mark.parametrize(
        "theirs",
        [
            OTHERS,
            replace_struct(OTHERS, gone=at(1)),
            Entry("a", None, NEVER),
            replace_struct(entry("a"), gone=at(1)),
        ],
    )
    def test_it_has_not_seen_our_object(self, theirs: Entry) -> None:
        assert self.merged(theirs, self.OURS) == replace_struct(self.OURS, gone=at(5))

    def test_it_has_if_it_began_earlier(self) -> None:
        assert self.merged(self.OTHERS, self.OURS, started=4) == self.OURS
        assert self.merged(self.OTHERS, self.OURS, started=4.1) != self.OURS

    def test_it_has_if_it_would_have_said_so(self) -> None:
        """Else it would have marked its own source's object as gone."""
        assert self.merged(entry("a"), self.OURS) == self.OURS
        own = replace_struct(self.NEVER, origin=Origin("mem://lab/a"))
        assert self.merged(Entry("a", None, own), self.OURS) == self.OURS

    def test_what_could_not_be_copied_is_behind_all_the_same(self) -> None:
        ours = Entry("a", proof(source="other"), self.NEVER)
        assert self.merged(self.OTHERS, ours) == ours
        assert self.merged(replace_struct(self.OTHERS, gone=at(1)), ours) == ours
        again = failed_again(self.OURS)
        assert self.merged(replace_struct(self.OURS, gone=at(1)), again) == again
        assert self.merged(self.OTHERS, Entry("a", None, self.NEVER)) == Entry(
            "a", None, self.NEVER
        )

    @pytest.mark.parametrize(
        ("began", "selection"),
        [(6, Selection()), (5, Selection(min_size=1)), (5, Selection(max_size=9))],
    )
    def test_it_may_have_passed_over_what_the_source_has_since(
        self, began: float, selection: Selection
    ) -> None:
        """Too young for it, or too large: that is not gone, nor ours up to date."""
        assert self.OURS.proof is not None
        later = replace_struct(look(minutes=5, selection=selection), started=at(began))
        merged = merging.seen_gone(self.OURS, [later])
        assert merged == replace_struct(self.OURS, behind=merged.behind)
        assert merged.behind is not None
        assert (merged.behind.since, merged.behind.at) == (at(3), at(5))
        assert merged.behind.origin == self.OURS.proof.origin
        assert merging.seen_gone(self.OURS, [later, look(minutes=5)]).gone == at(5)
        again = failed_again(self.OURS)
        assert merging.seen_gone(again, [later]) == again

    def test_then_it_is_no_fresher_than_ours(self) -> None:
        end = endpoint("")
        first = commit(end, [self.OTHERS])
        later = replace_struct(look(minutes=5), started=at(6))
        commit(end, [], this=draft("later", Step.END, found=later))
        this = replace(draft("ours"), started=at(4))
        head = commit(end, [self.OURS], first, this=this, known=lambda _: self.OTHERS).head
        assert head is not None
        (found,) = head.commit.looks
        assert (found.behind, found.holds) == (1, at(3))
