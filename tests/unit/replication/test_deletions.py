"""What a run may delete is bounded before it changes anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.core.replication.closing import ReplicationFailedError
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.options import ObjectFilter, OnError
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.testing.memory_cloud import object_store

from .memory import SMALL, World, conn_of, endpoint, fill, tree_of, world

if TYPE_CHECKING:
    from airflow_multicloud.core.replication.options import ReplicationOptions

BESIDES = {"x.csv": b"x", "y.csv": b"y", "z.log": b"z"}


def tidy(most: int | None = 3, **given: Any) -> ReplicationOptions:
    return replace(SMALL, delete_extraneous=True, max_delete=most, **given)


@pytest.fixture
def lab() -> World:
    made = world({"a": b"1"}, destinations=2)
    fill(made.destinations[1], BESIDES)
    return made


def test_as_many_as_allowed_are_deleted(lab: World) -> None:
    report = replicate(lab.replication(tidy(3)))
    assert [one.deleted for one in report.destinations] == [0, 3]
    assert [tree_of(end) for end in lab.destinations] == [{"a": b"1"}] * 2


@pytest.mark.parametrize("most", [0, 2])
def test_one_more_stops_the_run_before_it_changes_anything(lab: World, most: int) -> None:
    with pytest.raises(StorageError) as raised:
        replicate(lab.replication(tidy(most)))
    assert raised.value.kind is ErrorKind.PRECONDITION_FAILED
    second = lab.destinations[1].location
    assert str(raised.value) == (
        f"max_delete: 3 objects at {second} are not at the source, more than the {most} allowed; "
        "nothing was changed"
    )
    assert [tree_of(end) for end in lab.destinations] == [{}, BESIDES]


@pytest.mark.parametrize(
    ("chosen", "left"),
    [
        ({"include": ("*.csv", "a")}, {"z.log"}),
        ({"exclude": ("*.csv",)}, {"x.csv", "y.csv"}),
        # How old or large they are says nothing: they are not the source's.
        ({"max_size": 1, "min_size": 1, "max_age": timedelta(hours=1)}, set()),
    ],
)
def test_what_the_globs_leave_out_is_spared(
    lab: World, chosen: dict[str, Any], left: set[str]
) -> None:
    options = tidy(3 - len(left), filter=ObjectFilter(**chosen))
    replicate(lab.replication(options))
    assert tree_of(lab.destinations[1]).keys() == {"a", *left}


def test_unless_it_is_asked_for_nothing_is_deleted(lab: World) -> None:
    replicate(lab.replication(replace(SMALL, max_delete=0)))
    assert tree_of(lab.destinations[1]) == {"a": b"1", **BESIDES}


def test_a_filter_that_leaves_an_object_of_the_source_out_does_not_make_it_extraneous(
    lab: World,
) -> None:
    fill(lab.source, {"x.csv": b"x"})
    replicate(lab.replication(tidy(2, filter=ObjectFilter(min_age=timedelta(0), max_size=1))))
    assert tree_of(lab.destinations[1]) == {"a": b"1", "x.csv": b"x"}


class TestAnEmptySource:
    def refused(self, lab: World, options: ReplicationOptions = SMALL) -> str:
        with pytest.raises(StorageError) as raised:
            replicate(lab.replication(options))
        assert (raised.value.kind, raised.value.cloud) == (ErrorKind.NOT_FOUND, "memory")
        return str(raised.value)

    def test_deletes_nothing(self, lab: World) -> None:
        lab.source.store.delete_object(lab.source.ref("data/a"))
        said = self.refused(lab, tidy())
        assert said == (
            f"source: no object under {lab.source.location}, or none that the filter admits; "
            "nothing was changed"
        )
        assert tree_of(lab.destinations[1]) == BESIDES

    def test_nor_does_one_of_which_the_filter_admits_nothing(self, lab: World) -> None:
        self.refused(lab, tidy(filter=ObjectFilter(include=("nothing",))))
        assert tree_of(lab.destinations[1]) == BESIDES

    def test_of_a_single_object_it_is_said_how_prefixes_end(self, lab: World) -> None:
        one = replace(lab.source, location=lab.source.location.with_key("data"))
        said = self.refused(replace(lab, source=one, destinations=(endpoint("copy/data"),)))
        assert said.startswith(
            f"source: no object {one.location} (a prefix must end with a slash), or none"
        )


class Picky(object_store.Hook):
    """Can't hold some keys."""

    def why_not_key(self, key: str) -> str | None:
        return f"it can't hold {key!r}" if key.endswith("odd") else None


class TestKeys:
    @pytest.fixture
    def lab(self) -> World:
        made = world({"a": b"1", "odd": b"2"}, destinations=2)
        return made.with_destination(Picky(conn_of(made.destinations[0])))

    def test_whichever_destination_it_is(self) -> None:
        made = world({"odd": b"2"}, destinations=3)
        made = made.with_destination(Picky(conn_of(made.destinations[1])), 1)
        with pytest.raises(ReplicationFailedError) as raised:
            replicate(made.replication())
        (failure,) = raised.value.report.failures
        assert failure.reason == "it can't hold 'copy/odd'"
        assert [len(tree_of(end)) for end in made.destinations] == [1, 0, 1]

    def test_one_that_a_store_can_not_hold_costs_itself(self, lab: World) -> None:
        with pytest.raises(ReplicationFailedError) as raised:
            replicate(lab.replication())
        (failure,) = raised.value.report.failures
        assert (failure.name, failure.kind) == ("odd", "unsupported")
        assert failure.reason == "it can't hold 'copy/odd'"
        assert failure.destination == str(lab.destinations[0].location)
        assert [len(tree_of(end)) for end in lab.destinations] == [1, 2]

    def test_or_the_run_where_one_failure_is_to_end_it(self, lab: World) -> None:
        with pytest.raises(StorageError) as raised:
            replicate(lab.replication(replace(SMALL, on_error=OnError.FAIL)))
        assert raised.value.kind is ErrorKind.UNSUPPORTED
        where = lab.destinations[0].location
        assert str(raised.value) == (
            f"'odd' can't go to {where}: it can't hold 'copy/odd'; nothing was changed"
        )
        assert [tree_of(end) for end in lab.destinations] == [{}, {}]
