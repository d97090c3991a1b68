"""Snapshots: taking, listing and removing them."""
# ruff: noqa: S101 - a test suite asserts, and some clouds may refuse where others do it

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar

import pytest

from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    TOKEN_LABEL,
    DatabaseRef,
    FromSnapshot,
    SnapshotState,
)
from airflow_multicloud.ports.operations import OperationState
from airflow_multicloud.testing.contracts.database.rigs import LABEL, ROWS, DatabaseRig


class SnapshotContract:
    """The port's ``snapshot_database``, ``list_snapshots`` and ``remove_snapshot``."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_takes_one(self, database_rig: DatabaseRig) -> None:
        """With its name, labels and token; the instance stays as it is."""
        ref = database_rig.standing()
        order = database_rig.snapshot_order(ref, labels={"order": "1"})
        begun = database_rig.hook.snapshot_database(order)
        assert begun.action == "snapshot"
        assert begun.state is not OperationState.FAILED
        done = database_rig.succeeded(begun)
        assert done.resource == begun.resource
        (found,) = database_rig.hook.list_snapshots(ref, {LABEL: database_rig.mark})
        assert found.ref.id == done.resource
        assert found.ref.region
        assert found.name == order.name
        assert found.database == ref.id
        assert found.state is SnapshotState.AVAILABLE
        assert found.account_id == database_rig.hook.describe_database(ref).account_id
        assert found.labels[TOKEN_LABEL] == order.token
        assert found.labels["order"] == "1"
        assert found.created_at is not None
        assert found.created_at <= datetime.now(UTC)
        assert found.error is None

    def test_another_process_waits_for_it(self, database_rig: DatabaseRig) -> None:
        """The operation is all that it needs."""
        order = database_rig.snapshot_order(database_rig.standing())
        begun = database_rig.hook.snapshot_database(order)
        database_rig.succeeded(begun, database_rig.reopen())

    def test_one_order_is_one_snapshot(self, database_rig: DatabaseRig) -> None:
        """Also from another process, and when it has been taken already."""
        ref = database_rig.standing()
        order = database_rig.snapshot_order(ref)
        first = database_rig.hook.snapshot_database(order)
        second = database_rig.reopen().snapshot_database(order)
        assert second.resource == first.resource
        database_rig.succeeded(first)
        database_rig.succeeded(second)
        third = database_rig.succeeded(database_rig.hook.snapshot_database(order))
        assert third.resource == first.resource
        assert len(list(database_rig.hook.list_snapshots(ref, {LABEL: database_rig.mark}))) == 1

    def test_a_name_of_another_order(self, database_rig: DatabaseRig) -> None:
        """It is not adopted."""
        ref = database_rig.standing()
        order = database_rig.snapshot_order(ref)
        database_rig.taken(ref, order)
        other = database_rig.snapshot_order(ref, name=order.name)
        with pytest.raises(DatabaseError, match=order.name) as caught:
            database_rig.hook.snapshot_database(other)
        assert caught.value.kind is ErrorKind.ALREADY_EXISTS

    def test_of_one_that_is_not_there(self, database_rig: DatabaseRig) -> None:
        """It is not found."""
        ref = database_rig.standing()
        missing = DatabaseRef(f"{ref.id}-none", ref.region)
        with pytest.raises(DatabaseError) as caught:
            database_rig.hook.snapshot_database(database_rig.snapshot_order(missing))
        assert caught.value.kind is ErrorKind.NOT_FOUND

    @pytest.mark.parametrize("name", ["", "Upper", "1st", "a--b", "end-", "a_b", "a" * 61])
    def test_a_name_that_is_none(self, database_rig: DatabaseRig, name: str) -> None:
        """It names the parameter."""
        order = replace(database_rig.snapshot_order(DatabaseRef("any")), name=name)
        with pytest.raises(DatabaseError, match="name") as caught:
            database_rig.hook.snapshot_database(order)
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT

    def test_a_token_that_is_none(self, database_rig: DatabaseRig) -> None:
        """Likewise."""
        order = database_rig.snapshot_order(DatabaseRef("any"), token="1")  # noqa: S106
        with pytest.raises(DatabaseError, match="token") as caught:
            database_rig.hook.snapshot_database(order)
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT

    def test_labels_that_are_none(self, database_rig: DatabaseRig) -> None:
        """Likewise."""
        order = database_rig.snapshot_order(DatabaseRef("any"), labels={"Key": "value"})
        with pytest.raises(DatabaseError, match="labels") as caught:
            database_rig.hook.snapshot_database(order)
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT

    def test_lists_the_newest_first(self, database_rig: DatabaseRig) -> None:
        """By labels, and of one instance or all."""
        ref = database_rig.standing()
        names = []
        for number in range(3):
            order = database_rig.snapshot_order(ref, labels={"order": str(number)})
            names.append(database_rig.taken(ref, order).name)
        hook, mark = database_rig.hook, database_rig.mark
        assert [one.name for one in hook.list_snapshots(ref, {LABEL: mark})] == names[::-1]
        assert [one.name for one in hook.list_snapshots(None, {LABEL: mark})] == names[::-1]
        wanted = {LABEL: mark, "order": "1"}
        assert [one.name for one in hook.list_snapshots(ref, wanted)] == [names[1]]
        assert not list(hook.list_snapshots(ref, {LABEL: mark, "other": None}))
        other = database_rig.primary()
        assert not list(hook.list_snapshots(other, {LABEL: mark}))

    def test_removes_one(self, database_rig: DatabaseRig) -> None:
        """And again, which is a success; another stays."""
        ref = database_rig.standing()
        order = database_rig.snapshot_order(ref)
        found, other = database_rig.taken(ref, order), database_rig.taken(ref)
        for _ in range(2):
            begun = database_rig.hook.remove_snapshot(found.ref, token=order.token)
            assert begun.action == "remove_snapshot"
            database_rig.succeeded(begun, database_rig.reopen())
        left = list(database_rig.hook.list_snapshots(ref, {LABEL: database_rig.mark}))
        assert [one.ref for one in left] == [other.ref]

    def test_does_not_remove_anothers(self, database_rig: DatabaseRig) -> None:
        """It does not carry the token."""
        ref = database_rig.standing()
        found = database_rig.taken(ref)
        token = database_rig.snapshot_order(ref).token
        with pytest.raises(DatabaseError) as caught:
            database_rig.hook.remove_snapshot(found.ref, token=token)
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
        assert list(database_rig.hook.list_snapshots(ref, {LABEL: database_rig.mark}))

    def test_outlasts_its_instance(self, database_rig: DatabaseRig) -> None:
        """It can be listed and restored where the cloud keeps it."""
        order = database_rig.restore_order(
            FromSnapshot(database_rig.taken(database_rig.standing()).ref)
        )
        made = database_rig.restored(order)
        kept = database_rig.taken(made.ref)
        database_rig.succeeded(
            database_rig.hook.remove_database(made.ref, token=order.token, final_snapshot=None)
        )
        found = list(database_rig.hook.list_snapshots(made.ref, {LABEL: database_rig.mark}))
        assert [one.ref for one in found] == [kept.ref]
        order = database_rig.restore_order(FromSnapshot(kept.ref))
        again = database_rig.restored(replace(order, network=database_rig.spec.network))
        assert database_rig.lab.rows(again.ref) == sorted(ROWS)
