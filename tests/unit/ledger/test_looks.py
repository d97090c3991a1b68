"""How fresh a replica is, by what was looked at and when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from airflow_multicloud.core.ledger import looks
from airflow_multicloud.core.ledger.commits import Look, Selection
from airflow_multicloud.core.ledger.entries import Behind, Entry, Origin
from airflow_multicloud.core.ledger.looks import freshness, with_look
from airflow_multicloud.core.replication.outcomes import Outcome

from .made import NOON, at, entry, look, proof

CSV = Selection(include=("*.csv",))


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
    assert with_look(known, look("d/", 3, source="mem://other/")) != ()


def test_a_look_from_the_future_counts_as_of_now_at_most() -> None:
    """A forged one, or one by a clock that is ahead, would keep every later one out."""
    known = with_look((look("d/", 99), look("e/", 99)), look("d/", 5))
    assert known == (look("d/", 5), replace(look("e/", 99), as_of=at(65)))


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
    known: tuple[Look, ...] = ()
    for number in range(looks.MOST + 5):
        known = with_look(known, look(f"p{number}/", number))
    assert len(known) == looks.MOST
    # The oldest stay, and the one that was just had: nothing is fresher for what is forgotten.
    assert freshness(known, "").as_of == NOON
    assert max(one.as_of for one in known) == NOON + timedelta(minutes=looks.MOST + 4)


def test_the_widest_looks_are_remembered_before_their_parts() -> None:
    known = with_look((), look("", 0))
    for number in range(looks.MOST + 5):
        known = with_look(known, look(f"p{number}/", number + 1))
    assert freshness(known, "").as_of == NOON


def test_what_a_later_run_could_not_copy_stays_known() -> None:
    """Though it is no fresher than the look that was there: with a ``min_age``, say."""
    fresh, late = look("d/", 5), replace(look("d/", 3, behind=1, since=at(1)), finished=at(90))
    assert freshness(with_look((fresh,), late), "d/").as_of == at(1)
    assert freshness(with_look((fresh,), replace(late, finished=at(60))), "d/").as_of == at(5)


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
