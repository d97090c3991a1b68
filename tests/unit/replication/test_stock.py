"""Taking stock: what lies where, and what ledgers know of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.core import attributes
from airflow_multicloud.core.ledger import commits
from airflow_multicloud.core.ledger.base import Base
from airflow_multicloud.core.ledger.names import SEGMENTS, commit_key
from airflow_multicloud.core.replication import pages, stock
from airflow_multicloud.core.replication.catalog import SOURCE, Catalog
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectAttributes
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.ledger.made import commit, entry

from .memory import World, conn_of, endpoint, endpoint_with, fill, ledger, own, world

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.ports.object_store import ObjectMeta, ObjectRef

ATTRIBUTES = ObjectAttributes(content_type="text/plain")


@pytest.fixture
def catalog() -> Iterator[Catalog]:
    with Catalog() as opened:
        yield opened


def taken(catalog: Catalog, lab: World, **given: Any) -> tuple[Base, ...]:
    return stock.take_stock(catalog, lab.source, lab.destinations, **given)


class Telling(object_store.Hook):
    """Its listing tells attributes, and an MD5 that a writer declared."""

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        return (replace(m, attributes=ATTRIBUTES) for m in super().list_objects(bucket, prefix))


class TestListing:
    def test_what_lies_below_a_prefix_without_what_is_our_own(self) -> None:
        end = endpoint_with({"a": b"1", "x/b": b"22"})
        end.store.put_object(end.ref(".airflow-multicloud/x"), b"ours")
        end.store.put_object(end.ref("other"), b"other")
        found = list(pages.listing(end))
        assert [(one.name, one.size) for one in found] == [("a", 1), ("x/b", 2)]
        there = end.store.stat_object(end.ref("data/a"))
        assert (found[0].etag, found[0].version) == (there.etag, there.version)
        assert (found[0].modified, found[0].digests) == (there.last_modified, there.digests)
        bucket = replace(end, location=end.location.with_key(""))
        assert [one.name for one in pages.listing(bucket)] == ["data/a", "data/x/b", "other"]

    def test_a_single_object_has_the_empty_name(self) -> None:
        end = endpoint_with({"a": b"1"})
        (one,) = pages.listing(end.below("a"))
        assert (one.name, one.size) == ("", 1)
        assert list(pages.listing(end.below("b"))) == []

    def test_one_that_can_not_be_asked_for_is_another_matter(self) -> None:
        class Away(object_store.Hook):
            def stat_object(self, ref: ObjectRef) -> ObjectMeta:
                raise StorageError("not today", kind=ErrorKind.TIMEOUT)

        end = endpoint("data/a", hook=Away)
        with pytest.raises(StorageError, match="not today"):
            list(pages.listing(end))

    def test_attributes_are_noted_when_they_are_asked_for(self) -> None:
        end = endpoint_with({"a": b"1"})
        end = replace(end, store=Telling(conn_of(end)))
        for place in (end, end.below("a")):
            (plain,) = pages.listing(place)
            assert plain.attributes is None
            (noted,) = pages.listing(place, attributes=True)
            assert noted.attributes is not None
        (noted,) = pages.listing(end, attributes=True)
        assert noted.attributes == attributes.fingerprint(ATTRIBUTES)


class TestTakeStock:
    def test_each_side_is_listed_and_each_ledger_read(self, catalog: Catalog) -> None:
        lab = world({"a": b"1", "b": b"2"}, destinations=2)
        first, second = lab.destinations
        fill(second, {"c": b"3"})
        commit(first, [entry("copy/k"), entry("other/k")])
        bases = taken(catalog, lab)
        sides = [[one.name for one in catalog.listing(side)] for side in (SOURCE, 0, 1)]
        assert sides == [["a", "b"], [], ["c"]]
        assert [name for name, _ in catalog.known(0)] == ["k"]
        assert list(catalog.known(1)) == []
        assert [base.number for base in bases] == [1, 0]
        assert [base.damaged for base in bases] == [None, None]

    def test_only_the_sources_attributes_are_noted(self, catalog: Catalog) -> None:
        lab = world({"a": b"1"})
        fill(lab.destinations[0], {"a": b"1"})
        lab = lab.with_source(Telling(conn_of(lab.source)))
        lab = lab.with_destination(Telling(conn_of(lab.destinations[0])))
        taken(catalog, lab, attributes=True)
        (ours,), (theirs,) = catalog.listing(SOURCE), catalog.listing(0)
        assert ours.attributes == attributes.fingerprint(ATTRIBUTES)
        assert theirs.attributes is None

    def test_a_bucket_that_is_not_there_yet_counts_as_empty(self, catalog: Catalog) -> None:
        lab = world({"a": b"1"}, destinations=2)
        first, second = lab.destinations
        commit(second, [entry("copy/k")])
        nowhere = replace(first, location=replace(first.location, bucket="nowhere"))
        bases = taken(catalog, replace(lab, destinations=(nowhere, second)), absent=(0,))
        assert bases[0] == Base()
        assert [name for name, _ in catalog.known(1)] == ["k"]
        assert list(catalog.listing(0)) == []

    def test_what_is_damaged_of_a_ledger_counts_for_nothing(
        self, catalog: Catalog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(commits, "MOST_RECENT", 1)
        lab = world({"a": b"1"}, destinations=2)
        for end in lab.destinations:
            commit(end, [entry("copy/a"), entry("copy/b")])
        first, second = lab.destinations
        for key in own(first, SEGMENTS.partition("/")[2]):
            first.store.put_object(first.ref(key), b"?")
        bases = taken(catalog, lab)
        lost = "what it said of keys from 'copy/a' to 'copy/b' is lost: "
        assert (bases[0].partly or "").startswith(lost)
        assert (bases[0].damaged, bases[1].partly) == (None, None)
        assert list(catalog.known(0)) == []
        assert [name for name, _ in catalog.known(1)] == ["a", "b"]
        assert f"{first.location}: its ledger is damaged, and these objects" in caplog.text
        assert str(second.location) not in caplog.text
        caplog.clear()
        first.store.put_object(first.ref(commit_key(2)), b"?")
        assert "it is damaged" in (taken(catalog, lab)[0].damaged or "")
        assert "its ledger counts for nothing" in caplog.text

    def test_a_ledger_that_can_not_be_asked_ends_the_run(
        self, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Away(object_store.Hook):
            def get_object(self, ref: ObjectRef, **limits: Any) -> Any:
                if "/segments/" in ref.key:
                    raise StorageError("not today", kind=ErrorKind.TIMEOUT)
                return super().get_object(ref, **limits)

        monkeypatch.setattr(commits, "MOST_RECENT", 1)
        lab = world({"a": b"1"})
        commit(lab.destinations[0], [entry("copy/a"), entry("copy/b")])
        with pytest.raises(StorageError, match="not today"):
            taken(catalog, lab.with_destination(Away(conn_of(lab.destinations[0]))))

    @pytest.mark.parametrize(("entries", "counts"), [(25, True), (26, False)])
    def test_a_ledger_with_far_more_entries_than_objects_is_forged(
        self, catalog: Catalog, monkeypatch: pytest.MonkeyPatch, entries: int, counts: bool
    ) -> None:
        monkeypatch.setattr(stock, "_FEW", 5)
        monkeypatch.setattr(stock, "_TIMES", 10)
        lab = world({"a": b"1"})
        fill(lab.destinations[0], {"b": b"1"})
        commit(lab.destinations[0], [entry(f"copy/{n:02}") for n in range(entries)])
        (base,) = taken(catalog, lab)
        assert (base.damaged is None) is counts
        assert len(list(catalog.known(0))) == (entries if counts else 0)
        if not counts:
            assert "has more than 25 entries, for far fewer objects" in (base.damaged or "")

    @pytest.mark.parametrize("refused", [{0}, {0, 1}])
    def test_what_another_release_wrote_ends_a_run_that_has_nothing_else(
        self, catalog: Catalog, refused: set[int]
    ) -> None:
        lab = world({"a": b"1"}, destinations=2)
        for index in refused:
            end = lab.destinations[index]
            line = b'{"format":"airflow-multicloud ledger","version":9}\n'
            end.store.put_object(end.ref(commit_key(1)), line)
        if len(refused) == 2:
            with pytest.raises(StorageError) as raised:
                taken(catalog, lab)
            assert raised.value.kind is ErrorKind.UNSUPPORTED
        else:
            first, second = taken(catalog, lab)
            assert (first.refused is not None, second.refused) == (True, None)


def names(end: Endpoint) -> list[tuple[str, str]]:
    head = ledger(end)
    known = stock.known_at(end, Base(head, head.commit.number))
    return [(name, found.key) for name, found in known]


def test_what_is_known_at_a_place() -> None:
    end = endpoint("copy/")
    commit(end, [entry("a"), entry("copy/a"), entry("copy/x/b")])
    assert names(end) == [("a", "copy/a"), ("x/b", "copy/x/b")]
    assert names(end.below("a")) == [("", "copy/a")]
    assert names(end.below("b")) == []
    assert list(stock.known_at(end, Base())) == []
