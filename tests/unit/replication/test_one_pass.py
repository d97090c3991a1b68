"""What is settled as it is read, and what comes into the catalog, in whatever order."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_multicloud.core.ledger import commits
from airflow_multicloud.core.ledger.names import SEGMENTS
from airflow_multicloud.core.replication import engine, following, stock
from airflow_multicloud.core.replication.catalog import SOURCE, Catalog
from airflow_multicloud.core.replication.engine import plan, prepare, replicate
from airflow_multicloud.core.replication.options import CompareAttributes, ObjectFilter
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.run import new_run
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.testing.memory_cloud import object_store

from .memory import SMALL, World, conn_of, fill, ledger, own, world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.core.replication.report import ReplicationReport
    from airflow_multicloud.ports.object_store import ObjectMeta, ObjectRef

PLAIN = replace(SMALL, compare_attributes=CompareAttributes.NEVER)
TREE = {name: name.encode() for name in ("a", "a-b", "a/b", "a/c", "b", "z")}


class Odd(object_store.Hook):
    """Lists as it is told to."""

    order: tuple[int, ...] = ()
    again: tuple[str, ...] = ()
    fails_after: int | None = None
    kind = ErrorKind.UNAVAILABLE
    listings = 0

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        found = list(super().list_objects(bucket, prefix))
        if prefix.startswith(".airflow"):
            yield from found
            return
        self.listings += 1
        rank = dict(enumerate(self.order))
        found = [one for _, one in sorted(enumerate(found), key=lambda n: rank.get(n[0], n[0]))]
        twice = [one for one in found if one.key.endswith(self.again)] if self.again else []
        for number, one in enumerate(chain(found, twice)):
            if number == self.fails_after:
                self.fails_after = None
                raise StorageError("it broke off", kind=self.kind, cloud="mem")
            yield one


def odd(lab: World, side: int, **how: Any) -> Odd:
    end = lab.source if side == SOURCE else lab.destinations[side]
    store = Odd(conn_of(end))
    for name, value in how.items():
        setattr(store, name, value)
    return store


def with_odd(lab: World, side: int, store: Odd) -> World:
    if side == SOURCE:
        return lab.with_source(store)
    ends = list(lab.destinations)
    ends[side] = replace(ends[side], store=store)
    return replace(lab, destinations=tuple(ends))


@pytest.fixture
def lab() -> World:
    made = world(TREE, destinations=2)
    replicate(made.replication())
    return made


def prepared(lab: World, **options: Any) -> Catalog:
    catalog = Catalog()
    replication = lab.replication(replace(PLAIN, **options))
    prepare(catalog, replication, new_run(replication, None))
    return catalog


def everything(catalog: Catalog) -> set[str]:
    """All names that the catalog has rows of."""
    names = {one.name for side in (SOURCE, 0, 1) for one in catalog.listing(side)}
    return names | {name for side in (0, 1) for name, _ in catalog.known(side)}


def test_nothing_of_what_is_untouched_comes_into_the_catalog(lab: World) -> None:
    catalog = prepared(lab)
    assert everything(catalog) == set()
    assert catalog.settled.numbers.objects == len(TREE)
    assert catalog.totals() == (len(TREE), sum(map(len, TREE.values())))
    assert all(catalog.is_untouched(name) for name in TREE)
    assert not catalog.is_untouched("c")


def test_all_of_what_differs_anywhere_does(lab: World) -> None:
    first, second = lab.destinations
    fill(lab.source, {"b": b"another"})
    second.store.delete_object(second.ref("copy/a/b"))
    lab.source.store.delete_object(lab.source.ref("data/z"))
    fill(first, {"extra": b"1"})
    catalog = prepared(lab)
    assert everything(catalog) == {"b", "a/b", "z", "extra"}
    assert [[one.name for one in catalog.listing(side)] for side in (SOURCE, 0, 1)] == [
        ["a/b", "b"],
        ["a/b", "b", "extra", "z"],
        ["b", "z"],
    ]
    assert [[name for name, _ in catalog.known(side)] for side in (0, 1)] == [["a/b", "b", "z"]] * 2
    assert {item.name for item in catalog.items()} == {"b", "a/b"}


def test_what_does_not_take_part_is_not_settled(lab: World) -> None:
    catalog = prepared(lab, filter=ObjectFilter(exclude=("a/*",)))
    assert everything(catalog) == {"a/b", "a/c"}
    assert catalog.totals()[0] == 4


def same_end(lab: World) -> tuple[Any, ...]:
    """What a run says and records, but for times and names."""
    report: ReplicationReport = replicate(
        lab.replication(replace(PLAIN, delete_extraneous=True, max_delete=9))
    )
    told = [(one.outcomes, one.deleted, one.content) for one in report.destinations]
    kept = ["objects", "proven", "behind", "bytes", "strangers", "left_out"]
    looks = [
        [[getattr(look, name) for name in kept] for look in ledger(end).commit.looks]
        for end in lab.destinations
    ]
    entries = [
        [(e.key, e.proof, e.gone) for e in ledger(end).entries()] for end in lab.destinations
    ]
    return report.root, told, looks, entries


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    side=st.sampled_from([SOURCE, 0, 1]),
    order=st.permutations(range(len(TREE))),
    again=st.sampled_from([(), ("a",), ("b",), ("z",)]),
)
def test_the_order_of_a_listing_makes_no_difference(
    side: int, order: list[int], again: tuple[str, ...]
) -> None:
    made = world(TREE, destinations=2)
    replicate(made.replication())
    wanted = same_end(made)
    store = odd(made, side, order=tuple(order), again=again)
    assert same_end(with_odd(made, side, store)) == wanted
    fill(made.source, {"a/b": b"another", "new": b"1"})
    made.source.store.delete_object(made.source.ref("data/a"))
    run = same_end(with_odd(made, side, store))
    assert run[1][0][0] == {
        Outcome.UNCHANGED: 4,
        Outcome.COPIED: 1,
        Outcome.REPLACED: 1,
    }
    assert [one[1] for one in run[1]] == [1, 1]
    assert same_end(made)[0] == run[0]


@pytest.mark.parametrize("side", [SOURCE, 0, 1])
def test_a_name_that_comes_twice_counts_once(lab: World, side: int) -> None:
    store = odd(lab, side, again=("a",))
    catalog = prepared(with_odd(lab, side, store))
    assert store.listings == 2
    assert catalog.totals()[0] == len(TREE)
    assert catalog.settled.numbers.objects == 0
    assert catalog.untouched().objects == len(TREE)


def test_who_breaks_off_in_the_middle_is_left_out_and_not_asked_again(lab: World) -> None:
    store = odd(lab, 1, fails_after=3)
    report = replicate(with_odd(lab, 1, store).replication(replace(PLAIN, min_success_ratio=0)))
    assert store.listings == 1
    first, second = report.destinations
    assert first.outcomes == {Outcome.UNCHANGED: len(TREE)}
    assert second.outcomes == {Outcome.FAILED: len(TREE)}
    assert "it broke off" in second.findings[0]
    assert replicate(lab.replication(PLAIN)).destinations[1].outcomes == first.outcomes


@pytest.mark.parametrize(
    ("side", "kind"),
    [
        (SOURCE, ErrorKind.UNAVAILABLE),
        (SOURCE, ErrorKind.INTEGRITY),
        (1, ErrorKind.PERMISSION_DENIED),
    ],
)
def test_other_errors_end_the_run(lab: World, side: int, kind: ErrorKind) -> None:
    store = odd(lab, side, fails_after=3, kind=kind)
    with pytest.raises(StorageError, match="it broke off"):
        prepared(with_odd(lab, side, store))
    assert store.listings == 1


def test_of_a_ledger_that_is_damaged_in_the_middle_nothing_is_settled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commits, "MOST_RECENT", 1)
    monkeypatch.setattr("airflow_multicloud.core.ledger.segments.ENTRIES", 2)
    lab = world(TREE, destinations=2)
    replicate(lab.replication())
    end = lab.destinations[0]
    last = [ref for run in ledger(end).commit.segments for ref in run][-1]
    for key in own(end, SEGMENTS.partition("/")[2]):
        if last.sha256 in key:
            end.store.put_object(end.ref(key), b"?")
    catalog = prepared(lab)
    assert catalog.settled.numbers.objects == 0
    assert {item.name for item in catalog.items()} == {"b", "z"}
    assert catalog.untouched().objects == len(TREE) - 2
    report = replicate(lab.replication(PLAIN))
    assert "its ledger was damaged" in report.destinations[0].findings[0]
    assert report.root == replicate(world(TREE).replication()).root


def test_a_ledger_that_knows_too_much_is_as_damaged(
    lab: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stock, "_FEW", 0)
    monkeypatch.setattr(stock, "_TIMES", 1)
    for name in "abcdefghijklm":
        fill(lab.source, {f"gone-{name}": b"1"})
    replicate(lab.replication(PLAIN))
    for name in "abcdefghijklm":
        for end, prefix in ((lab.source, "data"), (lab.destinations[0], "copy")):
            end.store.delete_object(end.ref(f"{prefix}/gone-{name}"))
    assert replicate(lab.replication(PLAIN)).destinations[0].findings != ()


def test_what_max_replace_is_a_share_of_has_what_is_settled(lab: World) -> None:
    fill(lab.source, {"a": b"x"})
    assert prepared(lab, max_replace=0.2).work_left()[0] == 1
    with pytest.raises(StorageError, match="1 of the 6 objects"):
        prepared(lab, max_replace=0.1)


def test_a_run_that_others_overtake_counts_the_same(
    lab: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last commit is tried again: what is settled is gone through for each try."""
    fill(lab.source, {"m": b"1"})
    replicate(lab.replication(PLAIN))
    fill(lab.source, {"m": b"2", "n": b"3"})
    close = engine.close

    def later(*given: Any, **named: Any) -> Any:
        monkeypatch.setattr(engine, "close", close)
        others = replace(PLAIN, filter=ObjectFilter(include=("b",)))
        replicate(lab.replication(others))
        return close(*given, **named)

    monkeypatch.setattr(engine, "close", later)
    report = replicate(lab.replication(PLAIN))
    alone = replicate(world(TREE | {"m": b"2", "n": b"3"}).replication())
    assert report.root == alone.root
    assert replicate(lab.replication(PLAIN)).root == alone.root


def test_a_plan_counts_what_is_settled(lab: World) -> None:
    fill(lab.source, {"a": b"x"})
    assert {(one.settled, one.compare) for one in plan(lab.replication(PLAIN))} == {(5, 1)}


def test_many_are_stored_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airflow_multicloud.core.replication.settled._BATCH", 3)
    monkeypatch.setattr(following, "_BATCH", 2)
    tree = {f"{number:03}": b"1" for number in range(50)}
    lab = world(tree)
    replicate(lab.replication())
    for number in (0, 1, 7, 20, 21, 22, 49):
        tree[f"{number:03}"] = b"another"
        fill(lab.source, {f"{number:03}": b"another"})
    catalog = prepared(lab)
    assert catalog.settled.numbers.objects == 43
    assert [name for name in tree if not catalog.is_untouched(name)] == [
        item.name for item in catalog.items()
    ]
    report = replicate(lab.replication(PLAIN))
    assert report.root == replicate(world(tree).replication()).root


class Gone(object_store.Hook):
    def get_object(self, ref: ObjectRef, **limits: Any) -> Any:
        if "/segments/" in ref.key:
            raise StorageError("not today", kind=ErrorKind.TIMEOUT)
        return super().get_object(ref, **limits)


def test_a_ledger_out_of_reach_in_the_middle_is_its_destinations_matter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commits, "MOST_RECENT", 1)
    lab = world(TREE, destinations=2)
    replicate(lab.replication())
    first, second = lab.destinations
    lab = replace(lab, destinations=(first, replace(second, store=Gone(conn_of(second)))))
    report = replicate(lab.replication(replace(PLAIN, min_success_ratio=0)))
    assert report.destinations[0].outcomes == {Outcome.UNCHANGED: len(TREE)}
    assert report.destinations[1].outcomes == {Outcome.FAILED: len(TREE)}
