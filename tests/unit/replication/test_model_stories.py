"""Stories by which the model found a fault, and that its checks still see one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace as replace_struct

from airflow_multicloud.core.ledger import reading
from airflow_multicloud.core.replication.options import ObjectFilter

from .test_model import Change, Intrusion, Machine, Order

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("way")

EVERYTHING = ObjectFilter()
YOUNG_LEFT_OUT = ObjectFilter(min_age=timedelta(seconds=3))


@pytest.fixture
def machine() -> Iterator[Machine]:
    """Two replicas that are as the source is."""
    made = Machine()
    made.begin(first=True)
    made.agree()
    yield made
    made.teardown()


@pytest.fixture
def untouched() -> Iterator[Machine]:
    """Two replicas of which nothing is known."""
    made = Machine()
    yield made
    made.teardown()


def gone(name: str) -> Change:
    return Change(name, 4, side=None, deleted=True)


def put(name: str) -> Change:
    return Change(name, 4, side=None, deleted=False)


def run(
    scope: str = "",
    chosen: ObjectFilter = EVERYTHING,
    *,
    deletes: bool = False,
) -> Order:
    return Order(scope, chosen, (0,), deletes, None)


def check_refused(machine: Machine, prefix: str = "") -> None:
    """The check does not believe a ledger that forgets what others have taken."""
    checked = machine.checked[0]
    head = reading.newest(checked.end)
    assert head is not None
    looks = tuple(replace_struct(look, displaced=0) for look in head.commit.looks)
    forged = replace(head, commit=replace_struct(head.commit, looks=looks))
    entries = {entry.key.removeprefix("copy/"): entry for entry in head.entries("copy/")}
    with pytest.raises(AssertionError, match="was there at"):
        checked._is_as_fresh_as_it_says(forged, entries, prefix)


class TestAnotherSource:
    def test_puts_its_own_where_the_source_has_nothing_any_more(self, machine: Machine) -> None:
        """The look at everything is older: of that time, the replica has what came later."""
        machine.run([gone("x/y/c")], run("x/", deletes=True), [])
        machine.agree()
        machine.intrude(Intrusion("x/y/c", 0, deletes=False), [])
        machine.agree()

    def test_replaces_what_the_source_has(self, machine: Machine) -> None:
        machine.intrude(Intrusion("x/y/c", 0, deletes=False), [])
        check_refused(machine)
        check_refused(machine, "x/")

    def test_takes_over_a_part_that_was_looked_at(self, untouched: Machine) -> None:
        untouched.run([], run("x/"), [])
        untouched.agree()
        untouched.intrude(Intrusion("x/", 0, deletes=False), [])
        untouched.agree()

    def test_takes_over_a_part_of_what_was_looked_at(self, machine: Machine) -> None:
        machine.run([], run("x/"), [])
        machine.intrude(Intrusion("x/", 0, deletes=False), [])
        check_refused(machine)

    def test_was_there_before_an_object_that_is_too_young(self, untouched: Machine) -> None:
        """When it was copied says nothing of what the source had then."""
        untouched.intrude(Intrusion("b.csv", 0, deletes=False), [])
        untouched.run([5, put("b.csv")], run(chosen=YOUNG_LEFT_OUT), [])
        untouched.agree()


class TestTheSourceLosesWhatIsCopied:
    """A run that began later has looked before what is gone by then is recorded."""

    def test_where_the_replica_has_it_from_before_the_source_moved(self, machine: Machine) -> None:
        machine.move()
        machine.run([], run(), [(6, (gone("a"), run()))])
        machine.agree()

    def test_where_it_had_been_gone_before(self, machine: Machine) -> None:
        machine.run([gone("a")], run(), [])
        machine.agree()
        machine.run([put("a")], run(), [(6, (gone("a"), run()))])
        machine.agree()

    def test_between_the_plan_and_a_shard(self, machine: Machine) -> None:
        machine.run_in_shards([put("x/a")], run("x/a"), [run(deletes=True)], [(2, gone("x/a"))])
        machine.agree()

    def test_or_replaces_it_by_one_that_is_too_young(self, machine: Machine) -> None:
        """It was not seen, and is not gone."""
        machine.move()
        meanwhile = (100, put("a"), run(chosen=YOUNG_LEFT_OUT))
        machine.run([100], run(), [(6, meanwhile)])
        machine.agree()
