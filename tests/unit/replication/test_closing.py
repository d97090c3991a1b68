"""A close that is killed while it tidies up, at every point of it, and tried again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.endpoints import RESERVED_PREFIX
from airflow_multicloud.core.replication import shards
from airflow_multicloud.core.replication.verification import verify
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.testing.memory_cloud import object_store

from .memory import SMALL, conn_of, ledger, tree_of, world

if TYPE_CHECKING:
    from airflow_multicloud.ports.object_store import IfUnchanged, ObjectRef

TREE = {f"k{number}": bytes([number]) * 40 for number in range(6)}
RUNS = f"{RESERVED_PREFIX}runs/"


class Killed(BaseException):
    """The process is gone; nothing catches this."""


class Dying(object_store.Hook):
    """Dies before the n-th deletion of what a plan has left."""

    left: int

    def delete_object(self, ref: ObjectRef, *, condition: IfUnchanged | None = None) -> None:
        if ref.key.startswith(RUNS):
            if self.left == 0:
                raise Killed
            self.left -= 1
        super().delete_object(ref, condition=condition)


@pytest.mark.parametrize("deleted", range(9))
def test_a_close_killed_while_it_tidies_up_is_closed_by_the_next_try(deleted: int) -> None:
    lab = world(TREE, destinations=2)
    replication = lab.replication()
    home = lab.destinations[0]
    plan = shards.plan_shards(replication, shards=2, run_id="r")
    for uri in plan.shards:
        shards.replicate_shard(replication, run_id="r", shard=uri)
    leftovers = len([*home.store.list_objects(home.bucket, RUNS)])
    dying = Dying(conn_of(home))
    dying.left = deleted
    if deleted < leftovers:
        with pytest.raises(Killed):
            shards.close_shards(lab.with_destination(dying).replication(), run_id="r")
    else:  # Killed after it had tidied up, before anybody was told.
        shards.close_shards(lab.with_destination(dying).replication(), run_id="r")

    report = shards.close_shards(replication, run_id="r")
    assert (report.objects, report.bytes) == (len(TREE), sum(map(len, TREE.values())))
    assert report.newest_source is not None
    for destination, there in zip(report.destinations, lab.destinations, strict=True):
        assert {str(o): n for o, n in destination.outcomes.items()} == {"copied": len(TREE)}
        assert destination.commit == ledger(there).commit.number
        assert tree_of(there) == TREE
        assert verify(there).proven
        assert destination.content == report.root is not None
        assert ledger(there).commit.open_runs == ()
    assert [*home.store.list_objects(home.bucket, RUNS)] == []


def test_a_run_closed_again_still_says_what_it_deleted() -> None:
    lab = world(TREE)
    there = lab.destinations[0]
    there.store.put_object(there.ref(there.location.key + "extraneous"), b"1")
    options = replace(SMALL, delete_extraneous=True, max_delete=1)
    plan = shards.plan_shards(lab.replication(options), shards=1, run_id="r")
    for uri in plan.shards:
        shards.replicate_shard(lab.replication(options), run_id="r", shard=uri)

    reports = [shards.close_shards(lab.replication(options), run_id="r") for _ in range(2)]

    assert [report.destinations[0].deleted for report in reports] == [1, 1]
    assert tree_of(there) == TREE


def test_a_run_that_was_never_planned_is_not_found() -> None:
    lab = world(TREE)
    for run_id in ("never", "neither"):
        with pytest.raises(StorageError) as caught:
            shards.close_shards(lab.replication(), run_id=run_id)
        assert caught.value.kind is ErrorKind.NOT_FOUND
        plan = shards.plan_shards(lab.replication(), shards=1, run_id="another")
        for uri in plan.shards:
            shards.replicate_shard(lab.replication(), run_id="another", shard=uri)
        shards.close_shards(lab.replication(), run_id="another")
