"""Restoring into a new instance."""
# ruff: noqa: S101 - a test suite asserts

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

import pytest

from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.labels import Work, working_for
from airflow_multicloud.ports.database import (
    TOKEN_LABEL,
    DatabaseRef,
    DatabaseRole,
    DatabaseState,
    FromPointInTime,
    FromSnapshot,
)
from airflow_multicloud.ports.operations import OperationState
from airflow_multicloud.testing.contracts.database.rigs import LABEL, ROWS, DatabaseRig

_ROWS = sorted(ROWS)


class RestoreContract:
    """The port's ``restore_database`` and ``describe_operation``."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_of_a_snapshot(self, database_rig: DatabaseRig) -> None:
        """The rows as they were when it was taken; the source keeps its own."""
        ref = database_rig.primary()
        snapshot = database_rig.taken(ref)
        database_rig.lab.write(ref, "later")
        order = database_rig.restore_order(FromSnapshot(snapshot.ref), labels={"order": "1"})
        begun = database_rig.hook.restore_database(order)
        assert begun.action == "restore"
        assert begun.state is not OperationState.FAILED
        done = database_rig.succeeded(begun)
        assert done.resource == begun.resource
        found = database_rig.hook.describe_database(DatabaseRef(done.resource))
        assert found.name == order.name
        assert found.state is DatabaseState.AVAILABLE
        assert found.role is DatabaseRole.PRIMARY
        assert found.labels[LABEL] == database_rig.mark
        assert found.labels["order"] == "1"
        assert found.labels[TOKEN_LABEL] == order.token
        assert not found.deletion_protected
        source = database_rig.hook.describe_database(ref)
        assert found.ref.id != source.ref.id
        assert found.size == source.size
        assert found.account_id == source.account_id
        assert found.endpoint != source.endpoint
        assert database_rig.lab.rows(found.ref) == _ROWS
        assert database_rig.lab.rows(ref) == sorted([*ROWS, "later"])

    def test_of_a_moment(self, database_rig: DatabaseRig) -> None:
        """Between two writes."""
        ref = database_rig.primary()
        database_rig.lab.write(ref, "before")
        moment = database_rig.lab.moment()
        database_rig.lab.write(ref, "after")
        order = database_rig.restore_order(FromPointInTime(ref, moment))
        found = database_rig.restored(order)
        assert database_rig.lab.rows(found.ref) == sorted([*ROWS, "before"])
        assert found.labels[TOKEN_LABEL] == order.token

    def test_of_the_latest_moment(self, database_rig: DatabaseRig) -> None:
        """All that can be restored."""
        ref = database_rig.primary()
        database_rig.lab.write(ref, "before")
        database_rig.lab.moment()
        found = database_rig.latest(ref)
        assert database_rig.lab.rows(found.ref) == sorted([*ROWS, "before"])

    def test_is_an_instance_of_its_own(self, database_rig: DatabaseRig) -> None:
        """What is written to one is not in the other."""
        ref = database_rig.primary()
        found = database_rig.latest(ref)
        database_rig.lab.write(found.ref, "there")
        database_rig.lab.write(ref, "here")
        assert database_rig.lab.rows(found.ref) == sorted([*ROWS, "there"])
        assert database_rig.lab.rows(ref) == sorted([*ROWS, "here"])

    def test_of_a_damaged_snapshot(self, database_rig: DatabaseRig) -> None:
        """No cloud says so: whoever restores must look at the rows."""
        snapshot = database_rig.taken(database_rig.standing())
        database_rig.lab.damage(snapshot.ref)
        found = database_rig.restored(database_rig.restore_order(FromSnapshot(snapshot.ref)))
        assert database_rig.lab.rows(found.ref) != _ROWS

    def test_another_process_waits(self, database_rig: DatabaseRig) -> None:
        """The operation, pickled, is all that it needs."""
        order = database_rig.restore_order(FromPointInTime(database_rig.standing()))
        begun = pickle.loads(pickle.dumps(database_rig.hook.restore_database(order)))  # noqa: S301
        done = database_rig.succeeded(begun, database_rig.reopen())
        assert database_rig.hook.describe_operation(done) is done

    def test_one_order_is_one_instance(self, database_rig: DatabaseRig) -> None:
        """Also from another process, and when it is there already."""
        order = database_rig.restore_order(FromPointInTime(database_rig.standing()))
        first = database_rig.hook.restore_database(order)
        second = database_rig.reopen().restore_database(order)
        assert second.resource == first.resource
        database_rig.succeeded(first)
        database_rig.succeeded(second)
        third = database_rig.succeeded(database_rig.hook.restore_database(order))
        assert third.resource == first.resource
        assert [one.ref.id for one in database_rig.listed()] == [first.resource]

    def test_is_found_though_its_source_is_gone(self, database_rig: DatabaseRig) -> None:
        """The order was carried out; nothing more is needed."""
        ref = database_rig.standing()
        snapshotted = database_rig.snapshot_order(ref)
        snapshot = database_rig.taken(ref, snapshotted)
        order = database_rig.restore_order(FromSnapshot(snapshot.ref))
        first = database_rig.restored(order)
        removed = database_rig.hook.remove_snapshot(snapshot.ref, token=snapshotted.token)
        database_rig.succeeded(removed)
        again = database_rig.succeeded(database_rig.hook.restore_database(order))
        assert again.resource == first.ref.id

    def test_never_over_another(self, database_rig: DatabaseRig) -> None:
        """Neither one of another order nor one that nobody ordered; not even its source."""
        ref = database_rig.standing()
        made = database_rig.latest(ref)
        source = database_rig.hook.describe_database(ref)
        for name in (made.name, source.name):
            order = database_rig.restore_order(FromPointInTime(ref), name=name)
            with pytest.raises(DatabaseError, match=name) as caught:
                database_rig.hook.restore_database(order)
            assert caught.value.kind is ErrorKind.ALREADY_EXISTS
        assert database_rig.lab.rows(ref) == _ROWS
        assert database_rig.lab.rows(made.ref) == _ROWS

    def test_of_what_is_not_there(self, database_rig: DatabaseRig) -> None:
        """Neither a snapshot nor an instance."""
        ref = database_rig.standing()
        order = database_rig.snapshot_order(ref)
        snapshot = database_rig.taken(ref, order)
        removed = database_rig.hook.remove_snapshot(snapshot.ref, token=order.token)
        database_rig.succeeded(removed)
        missing = DatabaseRef(f"{ref.id}-none", ref.region)
        for source in (FromSnapshot(snapshot.ref), FromPointInTime(missing)):
            with pytest.raises(DatabaseError) as caught:
                database_rig.hook.restore_database(database_rig.restore_order(source))
            assert caught.value.kind is ErrorKind.NOT_FOUND
        assert database_rig.listed() == []

    @pytest.mark.parametrize("days", [-1000, 1000], ids=["past", "future"])
    def test_a_moment_that_can_not_be_restored(self, database_rig: DatabaseRig, days: int) -> None:
        """It says what was given."""
        ref = database_rig.standing()
        moment = database_rig.lab.moment() + timedelta(days=days)
        order = database_rig.restore_order(FromPointInTime(ref, moment))
        with pytest.raises(DatabaseError) as caught:
            database_rig.hook.restore_database(order)
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
        assert database_rig.listed() == []

    @pytest.mark.parametrize("name", ["", "Upper", "1st", "a--b", "end-", "a_b", "a" * 61])
    def test_a_name_that_is_none(self, database_rig: DatabaseRig, name: str) -> None:
        """It names the parameter."""
        source = FromPointInTime(DatabaseRef("any"))
        order = replace(database_rig.restore_order(source), name=name)
        with pytest.raises(DatabaseError, match="name") as caught:
            database_rig.hook.restore_database(order)
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT

    def test_a_size_that_is_none(self, database_rig: DatabaseRig) -> None:
        """At once, or by the operation; nothing that works is left."""
        source = FromPointInTime(database_rig.standing())
        order = replace(database_rig.restore_order(source), size="no-such-size")
        with pytest.raises(DatabaseError) as caught:
            database_rig.hook.restore_database(order)
        assert not caught.value.retryable
        assert caught.value.kind in (ErrorKind.INVALID_ARGUMENT, ErrorKind.NOT_FOUND)
        assert database_rig.listed() == []

    def test_the_bill_names_the_dag(self, database_rig: DatabaseRig) -> None:
        """Its labels are of the DAG and the task; instances outlast runs."""
        ref = database_rig.standing()
        with working_for(Work(dag_id="Restore_Drill", task_id="restore", run_id="r1")):
            found = database_rig.latest(ref)
        labels = {key: value.lower() for key, value in found.labels.items()}
        assert labels["airflow-dag"] == "restore_drill"
        assert labels["airflow-task"] == "restore"
        assert "airflow-run" not in labels
