"""Replicas, power, and removal."""
# ruff: noqa: S101, PT017 - a test suite asserts, and some clouds may refuse where others do it

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

import pytest

from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    DatabaseRef,
    DatabaseRole,
    DatabaseState,
    FromPointInTime,
    FromSnapshot,
)
from airflow_multicloud.ports.operations import OperationState
from airflow_multicloud.testing.contracts.database.rigs import ROWS, DatabaseRig

_ROWS = sorted(ROWS)


class ReplicaContract:
    """What is told of replicas, and the port's ``promote_replica``."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_tells_who_follows_whom(self, database_rig: DatabaseRig) -> None:
        """From both sides."""
        primary = database_rig.standing()
        replica = database_rig.lab.replica(primary, database_rig.name())
        found = database_rig.hook.describe_database(replica)
        assert found.role is DatabaseRole.REPLICA
        assert found.replica_of == primary.id
        assert found.replicas == ()
        other = database_rig.hook.describe_database(primary)
        assert other.role is DatabaseRole.PRIMARY
        assert other.replicas == (replica.id,)
        assert other.lag is None

    def test_tells_a_lag_with_its_time(self, database_rig: DatabaseRig) -> None:
        """It is behind when it is held."""
        primary = database_rig.primary()
        replica = database_rig.lab.replica(primary, database_rig.name())
        before = database_rig.lab.moment()
        database_rig.lab.hold(replica, primary)
        found = database_rig.hook.describe_database(replica)
        assert found.lag is not None
        assert found.lag.value is not None
        assert found.lag.value > timedelta(0)
        assert found.lag.measured_at is not None
        assert found.lag.measured_at > before - timedelta(minutes=5)
        assert found.lag.source
        database_rig.lab.release(replica)

    def test_promotes(self, database_rig: DatabaseRig) -> None:
        """It takes writes, and follows nobody; its primary goes on alone."""
        primary = database_rig.primary()
        replica = database_rig.lab.replica(primary, database_rig.name())
        begun = database_rig.hook.promote_replica(replica)
        assert begun.action == "promote"
        assert begun.resource == replica.id
        database_rig.succeeded(begun, database_rig.reopen())
        found = database_rig.hook.describe_database(replica)
        assert found.state is DatabaseState.AVAILABLE
        assert found.role is DatabaseRole.PRIMARY
        assert found.replica_of is None
        assert database_rig.hook.describe_database(primary).replicas == ()
        database_rig.lab.write(replica, "there")
        database_rig.lab.write(primary, "here")
        assert database_rig.lab.rows(replica) == sorted([*ROWS, "there"])
        assert database_rig.lab.rows(primary) == sorted([*ROWS, "here"])

    def test_promotes_again(self, database_rig: DatabaseRig) -> None:
        """While it goes on, it may be busy; afterwards it is a success at once."""
        replica = database_rig.lab.replica(database_rig.standing(), database_rig.name())
        first = database_rig.hook.promote_replica(replica)
        try:
            second = database_rig.reopen().promote_replica(replica)
        except DatabaseError as err:
            assert err.kind is ErrorKind.BUSY
        else:
            assert second.resource == first.resource
            database_rig.succeeded(second)
        database_rig.succeeded(first)
        third = database_rig.hook.promote_replica(replica)
        assert third.state is OperationState.SUCCEEDED

    def test_one_that_is_not_there(self, database_rig: DatabaseRig) -> None:
        """It is not found."""
        ref = database_rig.standing()
        with pytest.raises(DatabaseError) as caught:
            database_rig.hook.promote_replica(DatabaseRef(f"{ref.id}-none", ref.region))
        assert caught.value.kind is ErrorKind.NOT_FOUND


class PowerContract:
    """The port's ``power_database``."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_stops_and_starts(self, database_rig: DatabaseRig) -> None:
        """Its rows stay."""
        ref = database_rig.primary()
        stopped = database_rig.hook.power_database(ref, on=False)
        assert stopped.action == "stop"
        database_rig.succeeded(stopped, database_rig.reopen())
        assert database_rig.hook.describe_database(ref).state is DatabaseState.STOPPED
        started = database_rig.hook.power_database(ref, on=True)
        assert started.action == "start"
        database_rig.succeeded(started)
        assert database_rig.hook.describe_database(ref).state is DatabaseState.AVAILABLE
        assert database_rig.lab.rows(ref) == _ROWS

    @pytest.mark.parametrize("on", [True, False], ids=["on", "off"])
    def test_is_so_already(self, database_rig: DatabaseRig, *, on: bool) -> None:
        """Nothing to do is a success at once."""
        ref = database_rig.primary()
        if not on:
            database_rig.succeeded(database_rig.hook.power_database(ref, on=False))
        done = database_rig.hook.power_database(ref, on=on)
        assert done.state is OperationState.SUCCEEDED

    def test_stops_one_with_replicas(self, database_rig: DatabaseRig) -> None:
        """It is stopped, or the cloud does not do that."""
        primary = database_rig.primary()
        database_rig.lab.replica(primary, database_rig.name())
        try:
            done = database_rig.wait(database_rig.hook.power_database(primary, on=False))
        except DatabaseError as err:
            assert err.kind is ErrorKind.PRECONDITION_FAILED
        else:
            assert done.state is OperationState.SUCCEEDED

    def test_one_that_is_not_there(self, database_rig: DatabaseRig) -> None:
        """It is not found."""
        ref = database_rig.standing()
        with pytest.raises(DatabaseError) as caught:
            database_rig.hook.power_database(DatabaseRef(f"{ref.id}-none"), on=True)
        assert caught.value.kind is ErrorKind.NOT_FOUND


class RemoveContract:
    """The port's ``remove_database``."""

    needs: ClassVar[tuple[type, ...]] = ()

    def test_removes(self, database_rig: DatabaseRig) -> None:
        """And again, before and after it is gone; its source stays."""
        ref = database_rig.standing()
        order = database_rig.restore_order(FromPointInTime(ref))
        made = database_rig.restored(order)
        begun = database_rig.hook.remove_database(made.ref, token=order.token, final_snapshot=None)
        assert begun.action == "remove"
        assert begun.resource == made.ref.id
        second = database_rig.reopen().remove_database(
            made.ref, token=order.token, final_snapshot=None
        )
        database_rig.succeeded(begun, database_rig.reopen())
        database_rig.succeeded(second)
        assert database_rig.listed() == []
        third = database_rig.hook.remove_database(made.ref, token=order.token, final_snapshot=None)
        assert third.state is OperationState.SUCCEEDED
        assert database_rig.lab.rows(ref) == _ROWS
        with pytest.raises(DatabaseError) as caught:
            database_rig.hook.describe_database(made.ref)
        assert caught.value.kind is ErrorKind.NOT_FOUND

    def test_one_that_nobody_ordered(self, database_rig: DatabaseRig) -> None:
        """It carries no token."""
        ref = database_rig.standing()
        with pytest.raises(DatabaseError, match="token") as caught:
            database_rig.hook.remove_database(ref, token=str(uuid.uuid4()), final_snapshot=None)
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
        assert database_rig.lab.rows(ref) == _ROWS

    def test_one_of_another_order(self, database_rig: DatabaseRig) -> None:
        """It carries another token."""
        made = database_rig.latest(database_rig.standing())
        with pytest.raises(DatabaseError, match="token") as caught:
            database_rig.hook.remove_database(
                made.ref, token=str(uuid.uuid4()), final_snapshot=None
            )
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
        assert [one.ref for one in database_rig.listed()] == [made.ref]

    def test_one_that_is_protected(self, database_rig: DatabaseRig) -> None:
        """It stays, and its protection too."""
        source = FromPointInTime(database_rig.standing())
        order = database_rig.restore_order(source, deletion_protected=True)
        made = database_rig.restored(order)
        assert made.deletion_protected
        with pytest.raises(DatabaseError, match="protect") as caught:
            database_rig.hook.remove_database(made.ref, token=order.token, final_snapshot=None)
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
        assert database_rig.hook.describe_database(made.ref).deletion_protected

    def test_one_with_replicas(self, database_rig: DatabaseRig) -> None:
        """They would be cut off."""
        order = database_rig.restore_order(FromPointInTime(database_rig.standing()))
        made = database_rig.restored(order)
        replica = database_rig.lab.replica(made.ref, database_rig.name())
        with pytest.raises(DatabaseError, match="replica") as caught:
            database_rig.hook.remove_database(made.ref, token=order.token, final_snapshot=None)
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
        assert database_rig.hook.describe_database(replica).replica_of == made.ref.id

    def test_with_a_final_snapshot(self, database_rig: DatabaseRig) -> None:
        """It holds what the instance held, and can be removed with its token."""
        order = database_rig.restore_order(FromPointInTime(database_rig.standing()))
        made = database_rig.restored(order)
        database_rig.lab.write(made.ref, "last")
        name = database_rig.name()
        begun = database_rig.hook.remove_database(made.ref, token=order.token, final_snapshot=name)
        database_rig.succeeded(begun)
        (found,) = database_rig.hook.list_snapshots(made.ref, {})
        assert found.name == name
        another = database_rig.restore_order(FromSnapshot(found.ref))
        again = database_rig.restored(replace(another, network=database_rig.spec.network))
        assert database_rig.lab.rows(again.ref) == sorted([*ROWS, "last"])
        database_rig.succeeded(database_rig.hook.remove_snapshot(found.ref, token=order.token))
        assert list(database_rig.hook.list_snapshots(made.ref, {})) == []
