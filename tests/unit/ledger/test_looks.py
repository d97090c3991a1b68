"""How fresh a replica is, by what was looked at and when."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from airflow_multicloud.core.ledger import looks, selections, soundness
from airflow_multicloud.core.ledger.commits import Look, Selection
from airflow_multicloud.core.ledger.entries import Behind, Entry, Origin
from airflow_multicloud.core.ledger.looks import freshness, with_look
from airflow_multicloud.core.replication.outcomes import Outcome

from .made import NOON, at, entry, look, proof

if TYPE_CHECKING:
    from datetime import datetime

CSV, TXT = Selection(include=("*.csv",)), Selection(include=("*.txt",))


@pytest.mark.parametrize(
    ("selection", "admitted"),
    [
        (Selection(), "a.csv b.csv b.txt"),
        (Selection(include=("*.csv",)), "a.csv b.csv"),
        (Selection(include=("*.txt", "a*")), "a.csv b.txt"),
        (Selection(exclude=("*.csv",)), "b.txt"),
        (Selection(exclude=("*.txt", "a*")), "b.csv"),
        (Selection(include=("*.csv",), exclude=("a*",)), "b.csv"),
        (Selection(include=("A*",)), ""),
    ],
)
def test_globs_admit_names(selection: Selection, admitted: str) -> None:
    names = ("a.csv", "b.csv", "b.txt")
    assert " ".join(name for name in names if selections.admits(selection, name)) == admitted


@pytest.mark.parametrize(
    "glob", ["a[!b]c", "[a-c]?.x|y", "*.*", "a.b", "(a", "", "[]a]", "a\\*", "*"]
)
def test_many_globs_are_each_as_one_alone(glob: str) -> None:
    names = ("abc", "axc", "b1.x|y", "a.b", "aXb", "(a", "", "]", "a\\b", "a\nb", "a.b\n")
    many = Selection(include=("no", glob, "none"))
    other = Selection(exclude=("no", glob, "none"))
    for name in names:
        assert selections.admits(many, name) is fnmatchcase(name, glob)
        assert selections.admits(other, name) is not fnmatchcase(name, glob)


@pytest.mark.parametrize(("globs", "size"), [(1000, 5), (125, 8192)])
def test_so_many_globs_are_remembered(globs: int, size: int) -> None:
    """No more than a reader takes: the commit would be none."""
    known: tuple[Look, ...] = ()
    for number in range(12):
        chosen = Selection(exclude=(f"{number:0{size}}",) * globs)
        known = with_look(known, look(f"p{number}/", number, selection=chosen))
        found = [glob for one in known for glob in soundness.globs_of(one)]
        assert len(found) <= 10_000
        assert sum(map(len, found)) <= 1 << 20
    assert len(known) == (10 if globs == 1000 else 1)
    assert "p11/" in {one.prefix for one in known}


def test_a_prefix_that_nobody_looked_at_has_no_age() -> None:
    found = freshness([], "d/")
    assert (found.as_of, found.oldest, found.covered) == (None, None, False)


def test_a_look_at_everything_replaces_older_ones_below_it() -> None:
    known = with_look(with_look((), look("d/x/", 0)), look("d/", 1, selection=CSV))
    assert with_look(known, look("d/", 2)) == (look("d/", 2),)
    assert with_look(known, look("d/x/", 2)) == (look("d/", 1, selection=CSV), look("d/x/", 2))


def test_a_look_that_began_earlier_takes_nothing_back() -> None:
    known = with_look((), look("d/", 5))
    assert with_look(known, look("d/", 3)) == known
    assert with_look(known, look("d/", 3, selection=CSV)) == (*known, look("d/", 3, selection=CSV))
    # Of two that began at once, the one that ends last counts.
    assert with_look(known, look("d/", 5, objects=7)) == (look("d/", 5, objects=7),)
    moved = look("d/", 3, source="mem://other/")
    assert with_look(known, moved) == (*known, moved)


def test_one_at_all_takes_no_look_away_that_began_later_or_lies_elsewhere() -> None:
    known = (look("c/", 0), look("d/", 4, selection=CSV), look("d/x/", 5))
    wide = look("d/", 4)
    assert with_look(known, wide) == (look("c/", 0), wide, look("d/x/", 5))
    part = look("d/", 9, selection=Selection(include=("*.txt",)))
    assert with_look(known, part) == (look("c/", 0), known[1], part, look("d/x/", 5))


def test_looks_are_kept_in_one_order_whatever_order_they_came_in() -> None:
    one, other = look("d/", 3, selection=CSV), look("d/", 3, selection=Selection(exclude=("x",)))
    source = look("d/", 3, selection=CSV, source="mem://a/", strangers=1)
    narrow = look("d/x/", 3)
    wanted = (other, source, one, narrow)
    for known in (wanted, wanted[::-1]):
        assert with_look(known, look("a/", 9)) == (look("a/", 9), *wanted)


def test_a_look_from_the_future_counts_as_of_now_at_most() -> None:
    """A forged one, or one by a clock that is ahead, would keep every later one out."""
    known = with_look((look("d/", 99), look("e/", 99)), look("d/", 5))
    assert known == (look("d/", 5), replace(look("e/", 99), as_of=at(65)))
    # One of the very moment that the other ended is not from the future.
    assert with_look((look("d/", 65),), look("d/", 5)) == (look("d/", 65),)


def test_a_newer_look_at_a_part_that_found_something_behind_counts() -> None:
    known = [look("d/", 5), look("d/x/", 8, behind=1, since=at(4)), look("d/y/", 9)]
    assert freshness(known, "d/").as_of == at(4)
    assert freshness([look("d/", 5), look("d/x/", 8, behind=1)], "d/").as_of is None


def test_the_oldest_selection_decides() -> None:
    known = [look("d/", 0), look("d/", 5, selection=CSV)]
    found = freshness(known, "d/")
    assert (found.as_of, found.oldest) == (at(0), look("d/", 0))
    assert found.covered
    # The selection that a replica is made of is all that it has, and not all that there is.
    found = freshness([look("d/", 5, selection=CSV)], "d/")
    assert (found.as_of, found.around, found.covered) == (at(5), True, False)


def test_a_selection_is_covered_by_looks_at_it_and_at_everything() -> None:
    other = Selection(include=("*.parquet",))
    known = [look("d/", 3, selection=other), look("d/", 5, selection=CSV)]
    found = freshness(known, "d/", CSV)
    assert (found.as_of, found.covered, found.looks) == (at(5), True, (known[1],))
    assert freshness([*known, look("d/", 4)], "d/", CSV).as_of == at(5)
    assert freshness([*known, look("d/", 6)], "d/", CSV).as_of == at(6)
    # What another one found to be behind may be among what is asked for.
    behind = look("d/", 7, selection=other, behind=1, since=at(1))
    assert freshness([*known, behind], "d/", CSV).as_of == at(1)
    # The same globs mean something else below another prefix.
    assert not freshness(known, "d/x/", CSV).covered
    assert not freshness(known, "d/", Selection(include=("*.json",))).covered


@pytest.mark.parametrize(
    ("selections", "covered"),
    [
        ([CSV, Selection(exclude=("*.csv",))], True),
        ([CSV, Selection(exclude=("*.parquet",))], False),
        ([CSV, Selection(include=("*.parquet",))], False),
        ([CSV, Selection(exclude=("*.csv",), min_size=1)], False),
        ([Selection(), Selection(exclude=("*.csv",))], True),
        # An object that grows or shrinks may go from one to the other between two looks.
        ([Selection(max_size=9), Selection(min_size=10)], False),
    ],
)
def test_several_selections_make_up_all_if_one_leaves_out_what_the_other_takes(
    selections: list[Selection], covered: bool
) -> None:
    known = [look("d/", 5 + n, selection=one) for n, one in enumerate(selections)]
    found = freshness(known, "d/x/")
    assert (found.as_of, found.covered) == (at(5), covered)
    assert freshness(known[:1], "d/x/").covered is (selections[0] == Selection())


def test_looks_at_two_places_do_not_make_up_one() -> None:
    known = [look("d/", 5, selection=CSV), look("", 6, selection=Selection(exclude=("*.csv",)))]
    assert not freshness(known, "d/").covered


def test_a_look_at_all_is_as_good_for_what_lies_in_it() -> None:
    known = [look("d/", 0), look("d/x/", 5), look("e/", -9)]
    assert freshness(known, "d/x/").as_of == at(5)
    assert freshness(known, "d/").as_of == at(0)
    assert freshness(known, "d/y/").as_of == at(0)
    assert freshness(known, "").as_of == at(-9)
    assert not freshness(known, "").covered


def test_an_object_that_is_behind_holds_back_the_whole() -> None:
    assert freshness([look("d/", 5, behind=1, since=at(2))], "d/").as_of == at(2)
    found = freshness([look("d/", 5, behind=1)], "d/")
    assert found.as_of is None
    assert found.oldest is not None
    assert (found.objects, found.proven) == (10, 9)


def test_parts_are_not_counted_twice() -> None:
    found = freshness([look("d/", 0, objects=7), look("d/x/", 3, objects=2)], "d/")
    assert (found.objects, found.proven) == (7, 7)


def test_a_source_that_moved_replaces_the_old_one_unless_it_lacks_some_of_its_objects() -> None:
    moved = look("d/", 5, source="mem://new/")
    assert with_look((look("d/", 0),), moved) == (moved,)
    some = replace(moved, strangers=2)
    assert set(with_look((look("d/", 0),), some)) == {look("d/", 0), some}
    assert freshness(with_look((look("d/", 0),), some), "d/").covered


def test_an_object_is_as_fresh_as_the_last_look_at_it() -> None:
    one = entry("d/a.csv", minutes=0)
    assert looks.as_of(one, []) == NOON
    assert looks.as_of(one, [look("d/", 3)]) == at(3)
    assert looks.as_of(one, [look("d/", 3), look("d/", 5, selection=CSV)]) == at(5)
    assert looks.as_of(one, [look("e/", 3), look("d/b", 3)]) == NOON
    other = Selection(include=("*.parquet",))
    assert looks.as_of(one, [look("d/", 3, selection=other)]) == NOON
    assert looks.as_of(one, [look("d/", 3, selection=Selection(exclude=("a*",)))]) == NOON


@pytest.mark.parametrize(
    ("selection", "inside"),
    [
        (Selection(min_size=1), True),
        (Selection(min_size=2), False),
        (Selection(max_size=1), True),
        (Selection(max_size=0), False),
        (Selection(max_age=180.0), True),
        (Selection(max_age=179.0), False),
    ],
)
def test_sizes_and_ages_are_part_of_a_selection(selection: Selection, inside: bool) -> None:
    found = looks.as_of(entry("d/a"), [look("d/", 3, selection=selection)])
    assert found == (at(3) if inside else NOON)


def test_what_is_behind_is_as_old_as_when_it_was_not() -> None:
    behind = Behind(Outcome.FAILED, "run", Origin("mem://lab/a"), 1, at(5), since=at(2))
    assert looks.as_of(Entry("d/a", proof(), behind), [look("d/", 9)]) == at(2)
    assert looks.as_of(Entry("d/a", None, replace(behind, since=None)), [look("d/", 9)]) is None


def test_only_so_many_looks_are_remembered() -> None:
    known = tuple(look(f"p{number}/", number) for number in range(1000))
    assert len(with_look(known[1:], look("new/", 2000))) == 1000
    few = with_look(known, look("new/", 2000))
    # Of what was looked at the longest ago nothing is said any more.
    assert set(few) == {*known[1:], look("new/", 2000)}
    assert freshness(few, known[0].prefix).oldest is None
    assert not freshness(few, "").covered
    # The one that was just had stays, also when it began before all others.
    early = tuple(look(f"p{number}/", number / 20) for number in range(1000))
    assert set(with_look(early, look("new/", -1))) == {*early[1:], look("new/", -1)}


def test_of_many_siblings_each_has_a_look_as_long_as_it_is_looked_at() -> None:
    known = tuple(look(f"p{number}/", number) for number in range(1000))
    for minutes in range(1000, 1010):
        known = with_look(known, look("new/" if minutes % 2 else "p999/", minutes))
    assert freshness(known, "new/").as_of == at(1009)
    assert freshness(known, "p999/").as_of == at(1008)


def test_the_widest_looks_are_remembered_before_their_parts() -> None:
    parts = tuple(look(f"p{number}/", number / 20) for number in range(1000))
    few = with_look((*parts, look("", 55)), look("", 56, selection=CSV))
    assert set(few) == {look("", 55), look("", 56, selection=CSV), *parts[:998]}


def test_only_so_much_of_selections_is_remembered() -> None:
    """The text of a thousand selections would be more than a commit takes."""

    def long(minutes: float, *, include: int = 0, exclude: int = 0) -> Look:
        selection = Selection(include=("i" * include,), exclude=("e" * exclude,))
        return look("d/", minutes, selection=selection)

    half = 1 << 19
    known = (long(0, include=half - 1, exclude=1), long(1, exclude=half - 8, include=4))
    short = long(9, include=4)
    assert set(with_look(known, short)) == {*known, short}
    assert set(with_look(known, long(9, include=5))) == {known[1], long(9, include=5)}
    # Those within a look at everything: what is older than it, and stays, counts.
    whole = look("d/", 8, source="mem://other/", strangers=1)
    every = (*known, whole)
    assert set(with_look(every, short)) == {*every, short}
    assert set(with_look(every, long(9, include=5))) == {known[0], whole, long(9, include=5)}


def test_what_a_later_run_could_not_copy_stays_known() -> None:
    """Though it is no fresher than the look that was there: with a ``min_age``, say."""
    fresh, late = look("d/", 5), replace(look("d/", 3, behind=1, since=at(1)), finished=at(90))
    assert freshness(with_look((fresh,), late), "d/").as_of == at(1)
    assert freshness(with_look((fresh,), replace(late, finished=at(60))), "d/").as_of == at(5)


FRESH = look("d/", 5)
LATE = replace(look("d/", 3, behind=3, since=at(1)), finished=at(90))


@pytest.mark.parametrize(
    ("fresh", "late", "wanted"),
    [
        # All that failed, and since when, is taken over; the look itself stays.
        (FRESH, LATE, replace(FRESH, behind=3, proven=7, since=at(1))),
        (FRESH, replace(LATE, since=None), replace(FRESH, behind=3, proven=7, since=None)),
        (
            replace(FRESH, behind=1, proven=9, since=at(2)),
            LATE,
            replace(FRESH, behind=3, proven=7, since=at(1)),
        ),
        (
            replace(FRESH, behind=1, proven=9, since=at(0)),
            LATE,
            replace(FRESH, behind=3, proven=7, since=at(0)),
        ),
        # One that was never up to date is that still.
        (replace(FRESH, behind=1, proven=9), LATE, replace(FRESH, behind=3, proven=7)),
        (replace(FRESH, proven=2), LATE, replace(FRESH, behind=3, proven=0, since=at(1))),
        # As many were known already, it ended earlier, or nothing failed.
        (
            replace(FRESH, behind=3, proven=7, since=at(2)),
            LATE,
            replace(FRESH, behind=3, proven=7, since=at(2)),
        ),
        (FRESH, replace(LATE, finished=FRESH.finished), FRESH),
        (FRESH, replace(LATE, behind=0), FRESH),
    ],
)
def test_of_two_looks_the_failures_of_the_one_that_ended_later_count(
    fresh: Look, late: Look, wanted: Look
) -> None:
    assert with_look((fresh,), late) == (wanted,)


def test_what_failed_is_said_of_the_same_prefix_selection_and_source_only() -> None:
    others = (look("d/", 2, selection=CSV), look("d/x/", 5), look("e/", 5))
    moved = look("d/", 4, source="mem://other/", strangers=1)
    wanted = replace(FRESH, behind=3, proven=7, since=at(1))
    assert set(with_look((*others, FRESH, moved), LATE)) == {*others, wanted, moved}


def test_a_look_at_another_source_below_stays_while_it_has_objects_of_its_own() -> None:
    below = look("d/x/", 0, source="mem://other/")
    wide = look("d/", 5, strangers=1)
    assert below in with_look((below,), wide)
    assert freshness(with_look((below,), wide), "d/x/").as_of == at(0)
    assert freshness(with_look((below,), wide), "d/").as_of == at(0)
    assert with_look((below,), look("d/", 5)) == (look("d/", 5),)


def test_a_look_at_another_source_says_nothing_of_an_object() -> None:
    one = entry("d/a.csv")
    assert looks.as_of(one, [look("d/", 3, source="mem://moved/d/", strangers=1)]) == NOON


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        # Neither parts nor a selection are all of it.
        ([look("d/x/", 5), look("d/y/", 3)], (at(3), False)),
        ([look("d/", 5, selection=CSV), look("d/x/", 3)], (at(3), False)),
        # The newest look at all counts, however wide it is; older parts say nothing any more.
        ([look("", 7), look("d/", 5), look("d/", 6, selection=CSV)], (at(7), True)),
        ([look("", 5), look("d/", 7), look("d/", 6, selection=CSV)], (at(7), True)),
        ([look("d/", 7), look("d/x/", 7, behind=1, since=at(1))], (at(7), True)),
        ([look("d/", 7), look("d/x/", 8, behind=1, since=at(1))], (at(1), True)),
        # What is behind is behind since then, or since the look at all if that was earlier.
        ([look("d/", 7, behind=1, since=at(9))], (at(7), True)),
        ([look("d/", 7, behind=1, since=at(2)), look("d/x/", 8, behind=1)], (None, True)),
        # Neighbours and what is around a neighbour are others'.
        ([look("d", 7), look("e/", 1), look("dd/", 2)], (at(7), True)),
    ],
)
def test_how_fresh_a_prefix_is(known: list[Look], wanted: tuple[datetime | None, bool]) -> None:
    for order in (known, known[::-1]):
        found = freshness(order, "d/")
        assert (found.as_of, found.covered) == wanted
        assert found.oldest is not None
        assert found.oldest.holds == found.as_of


def test_a_freshness_is_made_of_looks_the_oldest_first() -> None:
    known = [look("d/x/", 8), look("d/", 5), look("d/y/", 9, behind=1, since=at(4))]
    assert freshness(known, "d/").looks == (known[2], known[1], known[0])
    assert freshness(known, "d/").oldest == known[2]
    assert freshness(known, "d/x/").looks == (known[0],)


def test_objects_are_counted_once_though_several_looks_were_at_them() -> None:
    parts = [look("d/x/", 3, objects=2), look("d/y/", 4, objects=3, behind=1)]
    found = freshness(parts, "d/")
    assert (found.objects, found.proven) == (5, 4)
    # Two selections of one prefix are apart, one within a look at all of it is not.
    two = [look("d/", 3, objects=2, selection=CSV), look("d/", 4, objects=3, selection=TXT)]
    assert freshness(two, "d/").objects == 5
    assert freshness([look("d/", 2, objects=9), *two], "d/").objects == 9
    # Two sources of one prefix count both.
    other = look("d/", 1, objects=4, source="mem://other/", strangers=1)
    both = [replace(look("d/", 2, objects=9), strangers=1), other]
    assert freshness(both, "d/").objects == 13
    # So they do when one lies within the other, whichever was looked at later.
    wide, nested = replace(look("d/", 2, objects=9), strangers=1), look("d/x/", 1, objects=4)
    for source, minutes, count in (
        ("mem://other/", 1, 13),
        ("mem://other/", 3, 13),
        ("mem://lab/d/x/", 3, 9),
        ("mem://lab/x/", 3, 13),
        ("", 3, 13),
    ):
        inner = replace(nested, source=source, as_of=at(minutes), proven=1)
        found = freshness([wide, inner], "d/")
        assert (found.objects, found.proven) == (count, 10 if count == 13 else 9)
    left = replace(look("d/", 2, objects=9), left_out=2)
    assert freshness([left], "d/").objects == 7


class TestStrangers:
    """Objects of a source that was replaced, which the new one does not have."""

    WIDE = look("d/", 5, source="mem://new/d/", strangers=1)

    @pytest.mark.parametrize(
        ("prefix", "source", "stays"),
        [
            ("d/", "mem://old/d/", True),
            ("d/x/", "mem://old/d/x/", True),
            ("d/x/", "mem://new/d/", True),
            # The same source's, below a narrower prefix.
            ("d/", "mem://new/d/", False),
            ("d/x/", "mem://new/d/x/", False),
        ],
    )
    def test_only_another_sources_look_stays(self, prefix: str, source: str, stays: bool) -> None:
        old = look(prefix, 1, source=source)
        assert (old in with_look((old,), self.WIDE)) is stays
        found = freshness([old, self.WIDE], "d/")
        assert found.as_of == (at(1) if stays else at(5))
        assert (old in found.looks) is stays

    def test_a_look_without_objects_of_its_own_goes(self) -> None:
        """Though others have some below the prefix."""
        old, nested = look("d/", 1, source="mem://old/d/"), look("d/x/", 1, source="mem://x/")
        around, later = look("", 1, source="mem://old/"), look("d/y/", 9, source="mem://y/")
        known = (around, old, nested, later)
        kept = with_look(known, self.WIDE, lambda one: one == nested)
        assert kept == (around, self.WIDE, nested, later)
        part = replace(self.WIDE, selection=CSV)
        assert set(with_look(known, part, lambda _: False)) == {*known, part}

    def test_once_there_are_none_the_old_look_goes(self) -> None:
        old = look("d/", 1, source="mem://old/d/")
        assert freshness([old, replace(self.WIDE, strangers=0)], "d/").as_of == at(5)

    @pytest.mark.parametrize(
        ("source", "strangers", "minutes"),
        [
            ("mem://old/", 1, 1),
            ("mem://new/d/", 1, 1),
            ("mem://old/", 0, 5),
            # The same source's, above: what it found here is looked at again.
            ("mem://new/", 1, 5),
        ],
    )
    def test_a_wider_look_at_another_source_counts_as_well(
        self, source: str, strangers: int, minutes: int
    ) -> None:
        around, narrow = look("", 1, source=source), replace(self.WIDE, strangers=strangers)
        for known in ([around, narrow], [narrow, around]):
            found = freshness(known, "d/")
            assert (found.as_of, found.covered) == (at(minutes), True)
            assert (around in found.looks) is (minutes == 1)
            assert freshness(known, "d/x/").as_of == at(minutes)
            assert freshness(known, "").as_of == at(1)


def behind(since: datetime | None = None) -> Behind:
    return Behind(Outcome.CONFLICT, "r", Origin("mem://lab/d/a"), 1, at(5), since=since)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (look("d/", 5), look("d/", 5, behind=1, since=at(2))),
        (look("d/", 5, behind=2, since=at(3)), look("d/", 5, behind=3, since=at(2))),
        (look("d/", 5, behind=2, since=at(1)), look("d/", 5, behind=3, since=at(1))),
        (look("d/", 5, behind=2), look("d/", 5, behind=3)),
        (look("d/", 2), look("d/", 2)),
        (look("e/", 5), look("e/", 5)),
        (look("d/", 5, selection=TXT), look("d/", 5, selection=TXT)),
    ],
)
def test_what_an_older_run_wrote_over_holds_a_look_back(before: Look, after: Look) -> None:
    entry = Entry("d/a.csv", proof(), behind(at(2)))
    (found,) = looks.moved_back([before], entry)
    assert (found.behind, found.since) == (after.behind, after.since)
    assert replace(found, behind=0, since=None) == replace(before, behind=0, since=None)
    for nothing in (
        Entry("d/a.csv", proof()),
        Entry("d/a.csv", None, behind(at(2))),
        Entry("d/a.csv", proof(), behind()),
    ):
        assert looks.moved_back([before], nothing) == (before,)


def test_an_object_of_unknown_age_is_in_no_selection_by_age() -> None:
    aged = look("d/", 3, selection=Selection(max_age=600))
    one = replace(proof(), origin=Origin("mem://lab/d/a"))
    assert not looks.within(one, "d/a", aged)
    assert looks.within(proof(), "d/a", aged)
    assert looks.within(one, "d/a", look("d/", 3))


def test_the_newest_look_at_an_object_counts_in_any_order() -> None:
    one = entry("d/a.csv", minutes=2)
    seen = [look("d/", 3), look("d/", 9), look("d/", 5), look("d/", 1)]
    assert looks.as_of(one, seen) == looks.as_of(one, seen[::-1]) == at(9)
    assert looks.as_of(one, seen[3:]) == at(2)
    assert looks.as_of(Entry("d/a.csv"), seen) is None
