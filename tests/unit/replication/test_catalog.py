"""What a run keeps of its objects on disk, and gives back in order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.replication import catalog as catalogs
from airflow_multicloud.core.replication.catalog import SOURCE, Catalog, Listed, Rest
from airflow_multicloud.core.replication.items import Item, Replica, Untouched
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.ports.object_store import Digests

if TYPE_CHECKING:
    from collections.abc import Iterator

THEN = datetime(2026, 1, 1, 12, 30, 15, tzinfo=UTC)
LATER = THEN + timedelta(microseconds=1)


@pytest.fixture
def catalog() -> Iterator[Catalog]:
    with Catalog() as made:
        yield made


def listed(name: str, **given: str) -> Listed:
    digests = Digests(crc32c="c", md5="m", sha256="s")
    return Listed(name, 5, "etag", "version", THEN, digests, **given)


def item(name: str, size: int, *outcomes: Outcome | None) -> Item:
    return Item(name, size, "etag", None, THEN, tuple(Replica(outcome=one) for one in outcomes))


def test_a_listing_survives(catalog: Catalog) -> None:
    """By the bytes of the names, whatever the order it came in."""
    told = [listed("b", attributes="a", declared="d"), listed("ä"), listed("a"), listed("B")]
    catalog.add_listing(SOURCE, told)
    catalog.add_listing(0, [listed("a")])
    assert list(catalog.listing(SOURCE)) == [told[3], told[2], told[0], told[1]]
    assert [catalog.count_listed(side) for side in (SOURCE, 0, 1)] == [4, 1, 0]


def test_what_only_a_destination_has(catalog: Catalog) -> None:
    catalog.add_listing(SOURCE, [listed("a")])
    catalog.add_listing(0, [listed("c"), listed("a"), listed("b")])
    catalog.add_listing(1, [listed("a"), listed("d")])
    assert [one.name for one in catalog.extraneous(0)] == ["b", "c"]
    assert [one.name for one in catalog.extraneous(1)] == ["d"]


def test_what_is_known_is_a_destinations(catalog: Catalog) -> None:
    entries = [(name, Entry(f"copy/{name}", gone=THEN)) for name in ("b", "a")]
    catalog.add_known(1, entries)
    assert list(catalog.known(1)) == entries[::-1]
    assert list(catalog.known(0)) == []
    assert catalog.entry(1, "a") == entries[1][1]
    assert catalog.entry(0, "a") is None
    catalog.add_known(1, [("a", Entry("copy/a", gone=None))])
    assert catalog.entry(1, "a") == Entry("copy/a")
    catalog.forget_known(1)
    assert list(catalog.known(1)) == []


def test_what_more_is_to_be_said_of(catalog: Catalog) -> None:
    """Of items, and of what is known: at the source only, at the destination, nowhere."""
    catalog.add_known(0, [(name, Entry(name)) for name in ("same", "left", "gone", "lost", "done")])
    catalog.add_listing(SOURCE, [listed(one) for one in ("same", "left", "unknown", "done", "new")])
    catalog.add_listing(0, [listed("same"), listed("gone")])
    done, new = item("done", 5, Outcome.COPIED), item("new", 5, None)
    catalog.put_items([listed("same"), new, done])
    assert list(catalog.rest(0)) == [
        Rest("done", done),
        Rest("gone", None, there=True),
        Rest("left", None, listed("left")),
        Rest("lost", None),
        Rest("new", new),
    ]
    assert list(catalog.rest(1)) == [Rest("done", done), Rest("new", new)]
    catalog.drop_items(["same", "new"])
    assert [one.name for one in catalog.rest(0)] == ["done", "gone", "left", "lost", "same"]
    assert list(catalog.items()) == [done]


def test_what_is_untouched_is_only_counted(catalog: Catalog) -> None:
    assert catalog.untouched() == Untouched()
    catalog.put_items([listed("b"), item("c", 20, None), replace(listed("a"), modified=LATER)])
    assert catalog.untouched() == Untouched(2, 10, LATER)
    assert [one.name for one in catalog.items()] == ["c"]
    assert [one.name for one in catalog.open_items()] == ["c"]
    assert len(list(catalog.items())) == 1
    assert (catalog.totals(), catalog.work_left()) == ((3, 30), (1, 20))
    assert [catalog.is_untouched(name) for name in "abcd"] == [True, True, False, False]
    assert catalog.item("a") is None
    again = item("a", 5, Outcome.FAILED)
    catalog.put_items([again])
    assert catalog.item("a") == again
    assert catalog.untouched() == Untouched(1, 5, THEN)


def test_items_are_replaced_and_added_up(catalog: Catalog) -> None:
    assert catalog.totals() == catalog.work_left() == (0, 0)
    catalog.put_items([item("b", 20, None, None), item("a", 3, Outcome.COPIED, None)])
    assert catalog.totals() == (2, 23)
    assert catalog.work_left() == (2, 43)
    done = item("a", 3, Outcome.COPIED, Outcome.COPIED)
    catalog.put_items([done])
    assert catalog.totals() == (2, 23)
    assert catalog.work_left() == (1, 40)
    assert list(catalog.items()) == [done, item("b", 20, None, None)]
    assert len(list(catalog.items())) == 2


def test_open_items_by_size(catalog: Catalog) -> None:
    sizes = {"a": 0, "b": 5, "c": 6, "d": (1 << 63) - 1}
    catalog.put_items(item(name, size, None) for name, size in sizes.items())
    catalog.put_items([item("e", 5, Outcome.FAILED)])

    def names(**limits: int) -> str:
        return "".join(one.name for one in catalog.open_items(**limits))

    assert names() == "abcd"
    assert names(larger_than=5) == "cd"
    assert names(up_to=5) == "ab"
    assert names(larger_than=5, up_to=5) == ""


def test_items_may_end_while_they_are_read(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batch by batch: each is seen once."""
    monkeypatch.setattr(catalogs, "_BATCH", 2)
    catalog.put_items(item(f"{number}", number, None) for number in range(6))
    catalog.put_items([item("", 1, None)])
    assert [one.name for one in catalog.open_items()] == ["", *map(str, range(6))]
    seen = []
    for one in catalog.open_items():
        seen.append(one.name)
        catalog.put_items([item(one.name, one.size, Outcome.COPIED)])
    assert seen == ["", "0", "1", "2", "3", "4", "5"]
    assert catalog.work_left() == (0, 0)


@pytest.mark.parametrize("which", ["open_items", "items_as_they_are"])
def test_reading_them_in_steps_costs_each_the_same(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    """Counted in SQLite's own steps: a million items take a hundred times what ten thousand do."""
    monkeypatch.setattr(catalogs, "_BATCH", 8)

    def steps() -> int:
        counted = 0

        def count() -> int:
            nonlocal counted
            counted += 1
            return 0

        catalog._db.set_progress_handler(count, 10)
        found = sum(1 for _ in getattr(catalog, which)())
        catalog._db.set_progress_handler(None, 0)
        assert found == added
        return counted

    added = 200
    catalog.put_items(item(f"{number:06}", 1, None) for number in range(added))
    few = steps()
    added = 2000
    catalog.put_items(item(f"{number:06}", 1, None) for number in range(added))
    assert steps() < 15 * few
