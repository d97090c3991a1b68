"""What a plan says a run would do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_multicloud.core.replication.engine import plan, replicate
from airflow_multicloud.core.replication.options import CompareAttributes
from airflow_multicloud.ports.object_store import Digests
from airflow_multicloud.testing.memory_cloud import object_store

from .memory import SMALL, Bare, conn_of, fill, world

DELETING = replace(SMALL, delete_extraneous=True, max_delete=100)


def named(kind: str, count: int) -> dict[str, bytes]:
    return {f"{kind} {number:02}": b"content" for number in range(count)}


@pytest.mark.parametrize("most", [None, 0, 3])
def test_so_many_of_each_kind_are_named_and_all_are_counted(most: int | None) -> None:
    """Twenty unless another number is asked for: a plan goes to XCom."""
    lab = world(named("replaced", 25) | named("compared", 25) | named("new", 2))
    fill(lab.destinations[0], dict.fromkeys(named("replaced", 25), b"short"))
    fill(lab.destinations[0], dict.fromkeys(named("compared", 25), b"CONTENT"))
    fill(lab.destinations[0], named("extra", 25))
    # What both listings show is decided at once; here it must be looked at.
    lab = lab.with_destination(Silent(conn_of(lab.destinations[0])))

    (told,) = plan(lab.replication(DELETING), **({} if most is None else {"named": most}))

    assert (told.copy, told.replace, told.compare, told.settled, told.delete) == (2, 25, 25, 0, 25)
    count = 20 if most is None else most
    assert told.replaces == tuple(named("replaced", count))
    assert told.compares == tuple(named("compared", count))
    assert told.deletes == tuple(named("extra", count))


class Silent(object_store.Hook):
    """Shows no digests in its listings."""

    def list_objects(self, bucket, prefix=""):  # type: ignore[no-untyped-def]
        for meta in super().list_objects(bucket, prefix):
            yield replace(meta, digests=Digests())


def test_bytes_and_requests_are_counted_for_each_destination() -> None:
    lab = world({"s": bytes(64), "m": bytes(65), "l": bytes(96), "e": b""}, destinations=3)
    fill(lab.destinations[1], {"m": b"other", "l": bytes(96)})
    lab = lab.with_destination(Bare(conn_of(lab.destinations[2])), 2)

    every, some, whole = plan(lab.replication())

    # A large object costs a request for each part of 16 bytes, and two for its begin and end.
    assert (every.bytes, every.requests) == (225, 1 + (2 + 5) + (2 + 6) + 1)
    assert (some.copy, some.replace, some.settled + some.compare) == (2, 1, 1)
    # Without uploads in parts each object is one.
    assert (whole.bytes, whole.requests) == (225, 4)
    assert [one.uri for one in (every, some, whole)] == [
        str(end.location) for end in lab.destinations
    ]


def test_what_is_proven_is_no_work_though_its_attributes_are_looked_at() -> None:
    lab = world({"a": b"content", "b": b"1"})
    replicate(lab.replication())
    options = replace(SMALL, compare_attributes=CompareAttributes.NEVER)
    (told,) = plan(lab.replication(options))
    assert (told.settled, told.compare, told.bytes, told.requests) == (2, 0, 0, 0)
    (told,) = plan(lab.replication(replace(SMALL, compare_attributes=CompareAttributes.ALWAYS)))
    assert (told.settled, told.compare, told.bytes, told.requests) == (0, 2, 0, 0)
    assert told.compares == ("a", "b")


@pytest.mark.parametrize("compare", [CompareAttributes.NEVER, CompareAttributes.ALWAYS])
def test_what_one_destination_has_is_still_work_for_the_next(compare: CompareAttributes) -> None:
    lab = world({"a": b"content", "b": b"1"}, destinations=2)
    replicate(replace(lab, destinations=lab.destinations[:1]).replication())
    first, second = plan(lab.replication(replace(SMALL, compare_attributes=compare)))
    assert (first.settled + first.compare, first.copy, first.bytes) == (2, 0, 0)
    assert (second.copy, second.bytes, second.requests) == (2, 8, 2)
