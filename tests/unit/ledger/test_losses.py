"""What a run of one source deletes or replaces of others."""

from __future__ import annotations

import time
from dataclasses import replace as altered
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from airflow_multicloud.core.ledger import looks, losses, merging, reading
from airflow_multicloud.core.ledger.base import base_of
from airflow_multicloud.core.ledger.commits import Loss, Selection, Step
from airflow_multicloud.core.ledger.entries import Behind, Entry, Origin
from airflow_multicloud.core.replication.outcomes import Outcome
from tests.unit.replication.memory import endpoint

from .made import at, commit, draft, entry, look, proof

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.ledger.commits import Look
    from airflow_multicloud.core.ledger.state import Draft

OTHER = "mem://other/"


def foreign(key: str, **made: str) -> Entry:
    """An entry of an object of another source."""
    one = entry(key, b"9", etag="theirs", **made)  # type: ignore[arg-type]
    assert one.proof is not None
    return replace(one, proof=replace(one.proof, origin=Origin(f"{OTHER}{key}")))


def from_other(
    token: str, prefix: str = "", *, deleted: int = 0, found: Look | None = None
) -> Draft:
    step = Step.END if found else Step.PROGRESS
    made = draft(token, step, prefix=prefix, found=found)
    return altered(made, source=f"{OTHER}{prefix}", deleted=deleted, started=at(9))


@pytest.fixture
def end() -> Endpoint:
    """A replica that one source was looked at for, with two objects."""
    made = endpoint("")
    commit(made, [entry("d/a"), entry("d/x/b")], this=draft(prefix="d/"))
    commit(made, [], this=draft(step=Step.END, prefix="d/", found=look("d/", 5, objects=2)))
    return made


def the_look(end: Endpoint) -> Look:
    head = reading.newest(end)
    assert head is not None
    (found,) = [one for one in head.commit.looks if one.source == "mem://lab/d/"]
    return found


@pytest.mark.parametrize("prefix", ["d/x/b", "d/x/", "d/"])
@pytest.mark.parametrize("others_between", [False, True])
def test_a_look_does_not_vouch_for_what_another_source_wrote_over(
    end: Endpoint, prefix: str, others_between: bool
) -> None:
    base = base_of(end)
    if others_between:
        commit(end, [entry("z")], this=draft("z", prefix="z"))
    known = base.entry
    commit(end, [foreign("d/x/b")], base, this=from_other("o", prefix), known=known)
    found = the_look(end)
    assert (found.displaced, found.holds) == (1, None)
    fresh = looks.freshness([found], "d/")
    assert (fresh.as_of, fresh.objects, fresh.proven) == (None, 2, 1)
    # Once it is another's, it is not taken again.
    commit(end, [foreign("d/x/b")], this=from_other("o", prefix), known=base_of(end).entry)
    assert the_look(end).displaced == 1


def test_nor_for_what_it_deleted(end: Endpoint) -> None:
    base = base_of(end)
    gone = Entry("d/x/b", removed=True)
    commit(end, [gone], base, this=from_other("o", "d/x/"), known=base.entry)
    assert the_look(end).displaced == 1


@pytest.mark.parametrize(
    "change",
    [
        foreign("d/new"),  # The other source has it, and this one never did.
        foreign("e/x"),
        Entry("d/a", proof(source="d/a"), Behind(Outcome.FAILED, "o", Origin(OTHER), 1, at(9))),
    ],
)
def test_what_a_source_never_had_or_still_has_is_not_taken_from_it(
    end: Endpoint, change: Entry
) -> None:
    base = base_of(end)
    commit(end, [change], base, this=from_other("o"), known=base.entry)
    assert the_look(end).displaced == 0


def test_a_source_takes_nothing_from_itself(end: Endpoint) -> None:
    base = base_of(end)
    later = draft("again", prefix="d/x/")
    changes = [entry("d/x/b", etag="f", minutes=9)]
    this = altered(later, source="mem://lab/d/x/", started=at(9))
    commit(end, changes, base, this=this, known=base.entry)
    commit(end, [Entry("d/x/b", removed=True)], this=this, known=base_of(end).entry)
    assert the_look(end).displaced == 0
    # But what a run deletes that had begun before the look was there then.
    old = altered(this, started=at(1))
    commit(end, [Entry("d/a", removed=True)], this=old, known=base_of(end).entry)
    assert the_look(end).displaced == 1


def test_a_source_that_takes_over_leaves_the_old_one_what_only_that_has(end: Endpoint) -> None:
    base = base_of(end)
    moved = look("d/", 9, source=f"{OTHER}d/", objects=1, strangers=1)
    base = commit(end, [foreign("d/a")], base, this=from_other("o", "d/"), known=base.entry)
    assert the_look(end).holds is None
    commit(end, [], base, this=from_other("o", "d/", found=moved), known=base.entry)
    assert (the_look(end).displaced, the_look(end).holds) == (0, at(5))


def test_the_next_look_of_the_source_sees_for_itself(end: Endpoint) -> None:
    base = base_of(end)
    commit(end, [foreign("d/a")], base, this=from_other("o", "d/a"), known=base.entry)
    commit(end, [entry("d/a")], this=draft(step=Step.END, prefix="d/", found=look("d/", 20)))
    assert the_look(end).displaced == 0


def ours(step: Step = Step.PROGRESS, found: Look | None = None) -> Draft:
    made = draft("ours", step, prefix="d/", found=found)
    return altered(made, source="mem://lab/d/")


def test_a_look_that_comes_after_the_loss_does_not_vouch_either() -> None:
    """A run has recorded an object, another source writes over it, and then the run ends."""
    end = endpoint("")
    base = commit(end, [entry("d/a"), entry("d/b")], this=ours())
    commit(end, [], this=draft(step=Step.END, prefix="d/", found=look("d/", 1)))
    there = base_of(end)
    commit(end, [foreign("d/a")], this=from_other("o", "d/a"), known=there.entry)
    commit(end, [], base, this=ours(Step.END, look("d/", 20)))
    assert the_look(end).holds is None


@pytest.mark.parametrize("looked_at", [False, True])
def test_what_another_source_deletes_of_its_own_takes_nothing_from_a_run_that_goes_on(
    looked_at: bool,
) -> None:
    end = endpoint("")
    base = commit(end, [entry("d/a"), foreign("d/x/b")], this=ours())
    if looked_at:
        commit(end, [], this=draft(step=Step.END, prefix="d/", found=look("d/", 1)))
    gone = [Entry("d/x/b", removed=True), Entry("d/x/unknown", removed=True)]
    this = from_other("o", "d/x/", deleted=2)
    made = commit(end, gone, this=this, known=base_of(end).entry)
    assert made.head is not None
    assert made.head.commit.losses == (Loss("d/x/", f"{OTHER}d/x/", made.number),)
    commit(end, [], base, this=ours(Step.END, look("d/", 20)))
    assert the_look(end).displaced == 0


def test_what_it_deletes_of_others_does_though_it_was_not_looked_at_yet() -> None:
    end = endpoint("")
    base = commit(end, [entry("d/a")], this=ours())
    this = from_other("o", "d/", deleted=1)
    commit(end, [Entry("d/a", removed=True)], this=this, known=base_of(end).entry)
    # Another deletion of the same source, of its own, does not make up for it.
    commit(end, [], this=this)
    commit(end, [], base, this=ours(Step.END, look("d/", 20)))
    assert the_look(end).displaced == 1


@pytest.mark.parametrize("count", [1, 100])
def test_what_another_run_deleted_meanwhile_is_not_recorded(end: Endpoint, count: int) -> None:
    """It need not have known the object, so there is no entry of its own to tell."""
    keys = [f"d/n/{n:03}" for n in range(count)]
    etags = {key: end.store.put_object(end.ref(key), b"1").etag for key in keys}
    changes = [entry(key, etag=etags[key]) for key in keys]
    base = base_of(end)
    commit(end, [], this=from_other("o", "d/", deleted=1))
    end.store.delete_object(end.ref(keys[0]))
    base = commit(end, changes, base, this=ours())
    assert {one.key for one in base.entries("d/n/")} == set(keys[1:])
    # The run does not say that it is there, though it had been copied.
    commit(end, [], base, this=ours(Step.END, look("d/", 20)), known=lambda _: None)
    assert the_look(end).displaced == 1


def test_elsewhere_and_earlier_deletions_cost_no_request(
    end: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(end, [], this=from_other("o", "d/", deleted=1))
    base = base_of(end)
    commit(end, [], this=from_other("p", "e/", deleted=1))

    def refuse(*_: object) -> None:
        raise AssertionError("nothing is to be asked")

    monkeypatch.setattr(merging, "stat", refuse)
    made = commit(end, [entry("d/n")], base, this=ours())
    assert made.entry("d/n") is not None


def test_a_deletion_is_recorded_over_what_another_run_has_recorded(end: Endpoint) -> None:
    """The object was there when that run looked, and it is not there any more."""
    base = base_of(end)
    known = base.entry
    again = entry("d/a", minutes=7)
    commit(end, [again, entry("d/n")], this=ours())
    removed = [Entry("d/a", removed=True), Entry("d/n", removed=True), Entry("d/o", removed=True)]
    made = commit(end, removed, base, this=from_other("o", "d/", deleted=3), known=known)
    assert [one.key for one in made.entries("d/")] == ["d/x/b"]
    assert made.head is not None
    assert made.head.commit.losses == (Loss("d/", f"{OTHER}d/", made.number, taken=True),)


def test_so_it_is_not_while_another_object_is_there(end: Endpoint) -> None:
    base = base_of(end)
    etag = end.store.put_object(end.ref("d/a"), b"1").etag
    again = entry("d/a", etag=etag, minutes=7)
    commit(end, [again], this=ours())
    removed = [Entry("d/a", removed=True)]
    made = commit(end, removed, base, this=from_other("o", "d/", deleted=1), known=base.entry)
    assert made.entry("d/a") == again


def test_what_was_to_be_copied_stays_known_when_its_old_copy_is_deleted() -> None:
    behind = Behind(Outcome.FAILED, "r", Origin("mem://lab/k"), 1, at(3))
    failed = Entry("k", proof(), behind)
    assert merging.merge(Entry("k", removed=True), failed, None) == replace(failed, proof=None)


def remembered(*found: Loss) -> tuple[Loss, ...]:
    known: tuple[Loss, ...] = ()
    for one in found:
        known = losses.with_loss(known, one)
    assert len(known) <= 100
    assert [one.number for one in known] == sorted(one.number for one in known)
    return known


@pytest.mark.parametrize("taken", [False, True])
def test_old_losses_of_one_source_are_remembered_together(taken: bool) -> None:
    """So a mapped task of the same source is not told that another one took something."""
    known = remembered(
        Loss("copy/x", None, 1, taken=True),
        Loss("other/", f"{OTHER}d/", 2, taken=taken),
        *(Loss(f"copy/p{n}/", f"{OTHER}data/p{n}/", n, taken=taken) for n in range(3, 301)),
    )
    assert known[:3] == (
        Loss("copy/x", None, 1, taken=True),
        Loss("other/", f"{OTHER}d/", 2, taken=taken),
        Loss("copy/p", f"{OTHER}data/p", 203, taken=taken),
    )
    assert known[-1] == Loss("copy/p300/", f"{OTHER}data/p300/", 300, taken=taken)
    assert losses.is_same(known[2].prefix, known[2].source, "copy/", f"{OTHER}data/")
    assert losses.is_same(known[2].prefix, known[2].source, "copy/p7/", f"{OTHER}data/p7/")
    again = losses.with_loss(known, replace(known[-1], number=301))
    assert (len(again), again[-1].number) == (100, 301)


def test_so_are_those_of_many_sources_but_those_that_took_nothing_first() -> None:
    many = [
        Loss(f"d/{n}/", f"mem://{n}/data/", n, taken=n % 2 == 0 and n <= 100) for n in range(1, 201)
    ]
    known = remembered(*many)
    assert known[-1] == many[-1]
    assert [one for one in known if one.taken] == [one for one in many if one.taken]
    taken = [replace(one, taken=True) for one in many]
    assert remembered(*taken)[0] == Loss("d/", None, 101, taken=True)


def test_a_forged_lot_of_losses_takes_no_time() -> None:
    forged = [Loss(f"{n:01000}", f"s{n:01000}", n, taken=n % 2 == 0) for n in range(1, 1001)]
    started = time.monotonic()
    assert len(losses.with_loss(forged, Loss("d/", "s", 1001))) == 100
    assert time.monotonic() - started < 5


def test_a_lot_of_globs_takes_little_time() -> None:
    """Looks at other sources are passed over, and the globs of one are made a pattern once."""
    known = [
        look(
            "d/",
            source="mem://lab/d/" if place < 2 else f"mem://{place}/",
            selection=Selection(include=tuple(f"*{n:x}/{place}" for n in range(1000))),
        )
        for place in range(36)
    ]
    counted = losses.Losses(known, "", OTHER, at(9))
    started = time.monotonic()
    for number in range(20):
        counted.add(entry(f"d/{number}/1"), foreign(f"d/{number}/1"))
    assert time.monotonic() - started < 5
    assert [one.displaced for one in counted.looks()] == [0, 20, *[0] * 34]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("d/", "s://b/d/"), ("d/x/", "s://b/d/x/"), True),
        (("d/x/", "s://b/d/x/"), ("d/", "s://b/d/"), True),
        (("d/x/", "s://b/y/"), ("d/", "s://b/d/"), False),
        (("d/", "s://b/d/"), ("d/x/", "s://b/y/"), False),
        (("d/x", "file:x"), ("d/", "s://b/d/"), False),
        (("d/", None), ("d/", "s://b/d/"), False),
    ],
)
def test_which_places_are_from_one_source(
    one: tuple[str, str | None], other: tuple[str, str | None], same: bool
) -> None:
    assert losses.is_same(*one, *other) is same
