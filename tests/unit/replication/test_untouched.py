"""Objects of which a run has nothing to say are only counted, and nothing that is said is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.replication import leftovers
from airflow_multicloud.core.replication.catalog import Catalog
from airflow_multicloud.core.replication.engine import plan, prepare, replicate
from airflow_multicloud.core.replication.options import CompareAttributes, ObjectFilter
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.run import new_run
from airflow_multicloud.core.run_tokens import current, under_way
from airflow_multicloud.ports.object_store import ObjectAttributes
from airflow_multicloud.testing.memory_cloud import object_store

from .memory import SMALL, World, endpoint, fill, ledger, uploads, world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.ports.object_store import FittedAttributes, PartUpload

#: Else those of objects that were written a moment ago are looked at.
PLAIN = replace(SMALL, compare_attributes=CompareAttributes.NEVER)
TREE = {"a": b"1", "b/c": b"22", "d": bytes(100)}


@pytest.fixture
def lab() -> World:
    made = world(TREE, destinations=2)
    replicate(made.replication())
    return made


@pytest.fixture
def catalog() -> Iterator[Catalog]:
    with Catalog() as made:
        yield made


def prepared(catalog: Catalog, lab: World, run_id: str | None = None) -> list[str]:
    """The names that are more than counted."""
    replication = lab.replication(PLAIN)
    prepare(catalog, replication, new_run(replication, run_id))
    return [item.name for item in catalog.items()]


def test_they_are_counted_everywhere(lab: World, catalog: Catalog) -> None:
    assert prepared(catalog, lab) == []
    assert catalog.totals() == (3, 103)
    assert {one.settled for one in plan(lab.replication(PLAIN))} == {3}
    before = ledger(lab.destinations[0]).commit.looks
    report = replicate(lab.replication(PLAIN))
    assert (report.objects, report.bytes) == (3, 103)
    assert [one.outcomes for one in report.destinations] == [{Outcome.UNCHANGED: 3}] * 2
    (look,), (earlier,) = ledger(lab.destinations[0]).commit.looks, before
    told = ("objects", "proven", "bytes", "behind", "newest", "left_out", "strangers")
    assert [getattr(look, one) for one in told] == [getattr(earlier, one) for one in told]
    assert report.newest_source == look.newest


def test_the_content_is_as_before(lab: World) -> None:
    first = replicate(lab.replication(PLAIN))
    fill(lab.source, {"aa": b"new", "d": b"another"})
    second = replicate(lab.replication(PLAIN))
    again = replicate(lab.replication(PLAIN))
    assert second.root == again.root != first.root
    alone = world(TREE | {"aa": b"new", "d": b"another"})
    assert replicate(alone.replication()).root == again.root


def test_one_that_is_missing_anywhere_is_no_such(lab: World, catalog: Catalog) -> None:
    end = lab.destinations[1]
    end.store.delete_object(end.ref("copy/a"))
    assert prepared(catalog, lab) == ["a"]
    assert catalog.untouched().objects == 2


def test_what_this_very_run_has_proven_is_still_reported(catalog: Catalog) -> None:
    lab = world(TREE)
    replicate(lab.replication(), run_id="the same")
    assert prepared(catalog, lab, "the same") == sorted(TREE)


def test_what_was_behind_is_so_no_more(lab: World, catalog: Catalog) -> None:
    """Its entry changes though the object is unchanged."""
    end, source = lab.destinations[0], lab.source
    others, only = ObjectFilter(exclude=("a",)), ObjectFilter(include=("a",))
    source.store.delete_object(source.ref("data/a"))
    replicate(lab.replication())
    gone = ledger(end).entry("copy/a")
    assert gone is not None
    assert gone.gone is not None
    replicate(lab.replication(replace(PLAIN, filter=others)))
    fill(source, {"a": b"1"})
    replicate(lab.replication(replace(PLAIN, filter=only)))
    back = ledger(end).entry("copy/a")
    assert back is not None
    assert back.current


class Plain(object_store.Hook):
    """A destination that keeps no metadata."""

    def fit_attributes(self, attributes: ObjectAttributes) -> FittedAttributes:
        fitted = super().fit_attributes(attributes)
        lost = tuple(f"metadata:{name}" for name in attributes.metadata)
        return replace(fitted, attributes=replace(fitted.attributes, metadata={}), not_kept=lost)


def test_what_could_not_be_kept_is_told_again() -> None:
    lab = World(endpoint(), (endpoint("copy/", Plain),))
    fill(lab.source, {"a": b"1"}, metadata={"x": "y"})
    fill(lab.source, {"b": b"1"})
    first, second = (replicate(lab.replication()).destinations[0] for _ in range(2))
    assert first.not_kept == second.not_kept == {"metadata:x": 1}
    assert second.outcomes == {Outcome.UNCHANGED: 2}


class Aged(object_store.Hook):
    """All uploads were begun 25 hours ago: too long, but for one that may be taken up again."""

    def list_uploads(self, bucket: str, prefix: str = "") -> Iterator[PartUpload]:
        for one in super().list_uploads(bucket, prefix):
            yield replace(one, started=datetime.now(UTC) - timedelta(hours=25))


def test_an_upload_that_was_left_of_one_goes(catalog: Catalog) -> None:
    end = endpoint("copy/", Aged)
    assert isinstance(end.store, Aged)
    lab = World(endpoint(), (end,))
    fill(lab.source, TREE)
    replicate(lab.replication())
    with under_way("elsewhere"):
        of_another_machine = current()[:10] + "AAAABBBB" + "AAAAAAAAAA"
    for name in ("d", "new"):
        end.store.begin_upload(end.ref(f"copy/{name}"), run=of_another_machine)
    fill(lab.source, {"new": bytes(100)})
    prepared(catalog, lab)
    leftovers.clear_left(catalog, lab.replication(), [0])
    assert uploads(end) == ["copy/new"]
