"""What a run leaves out by size or age, and what that makes of the freshness that it states."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.ledger import looks
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.options import ObjectFilter

from .living import Clock, Source, living
from .memory import SMALL, World, endpoint, ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

YOUNG = ObjectFilter(min_age=timedelta(seconds=10))
SMALLER = ObjectFilter(max_size=5)


@pytest.fixture
def clock() -> Iterator[Clock]:
    with living() as made:
        yield made


@pytest.fixture
def source(clock: Clock) -> Source:
    made = Source(clock)
    made.put("steady", b"1")
    made.put("hot", b"1")
    clock.tick(60)
    return made


@pytest.fixture
def lab(source: Source) -> World:
    return World(source.end, (endpoint("copy/"),))


def as_of(lab: World, chosen: ObjectFilter) -> datetime | None:
    """What a run states, by its selection."""
    replicate(lab.replication(replace(SMALL, filter=chosen)))
    return looks.freshness(ledger(lab.destinations[0]).commit.looks, "copy/").as_of


def test_an_object_that_changes_all_the_time_is_as_old_as_its_copy(
    clock: Clock, source: Source, lab: World
) -> None:
    first = as_of(lab, YOUNG)
    assert first == clock.now() - timedelta(seconds=10)
    source.put("hot", b"2")
    clock.tick(30)
    source.put("hot", b"3")  # The copy is of neither.
    clock.tick()
    assert as_of(lab, YOUNG) == first
    entry = ledger(lab.destinations[0]).entry("copy/hot")
    assert entry is not None
    assert looks.as_of(entry, ledger(lab.destinations[0]).commit.looks) == first
    clock.tick(60)
    assert as_of(lab, YOUNG) == clock.now() - timedelta(seconds=10)


def test_one_that_outgrew_the_selection_is_as_old_as_its_copy(
    clock: Clock, source: Source, lab: World
) -> None:
    first = as_of(lab, SMALLER)
    clock.tick(30)
    source.put("hot", b"too large now")
    clock.tick(30)
    as_of(lab, SMALLER)
    now = ledger(lab.destinations[0])
    entry = now.entry("copy/hot")
    assert entry is not None
    assert looks.as_of(entry, now.commit.looks) == first


def test_what_is_the_same_or_new_holds_nothing_back(
    clock: Clock, source: Source, lab: World
) -> None:
    as_of(lab, YOUNG)
    clock.tick(30)
    source.put("new", b"1")
    clock.tick()
    assert as_of(lab, YOUNG) == clock.now() - timedelta(seconds=10)


def test_one_that_never_arrived_is_not_forgotten_when_it_is_too_young(
    clock: Clock, source: Source, lab: World
) -> None:
    replicate(lab.replication())
    source.put("hot", b"2")
    lab.destinations[0].store.put_object(lab.destinations[0].ref("copy/hot"), b"of others")
    clock.tick(60)
    options = replace(SMALL, immutable=True, min_success_ratio=0)
    replicate(lab.replication(options))
    source.put("hot", b"3")
    clock.tick()
    replicate(lab.replication(replace(options, filter=YOUNG)))
    (look,) = ledger(lab.destinations[0]).commit.looks
    assert look.behind == 1
