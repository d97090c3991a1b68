"""What a cloud's failures come to."""
# ruff: noqa: S101, PT017 - a test suite asserts, and some clouds may refuse where others do it

from __future__ import annotations

import pickle
from typing import ClassVar

import pytest

from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import FromPointInTime
from airflow_multicloud.ports.operations import OperationState
from airflow_multicloud.testing.contracts.database.rigs import LABEL, DatabaseRig
from airflow_multicloud.testing.sql_faults import DatabaseCall, DatabaseFault, DatabaseFaultKind


class FaultContract:
    """Told apart by their kinds, whatever the cloud's own words."""

    needs: ClassVar[tuple[type, ...]] = ()

    @pytest.mark.parametrize("kind", [ErrorKind.CAPACITY, ErrorKind.QUOTA])
    def test_a_restore_is_refused(self, database_rig: DatabaseRig, kind: ErrorKind) -> None:
        """At once or later; the same order works once it passes."""
        order = database_rig.restore_order(FromPointInTime(database_rig.standing()))
        database_rig.plant(
            [
                DatabaseFault(
                    kind=DatabaseFaultKind.REFUSE,
                    call=DatabaseCall.RESTORE,
                    error=kind,
                    name=order.name,
                )
            ]
        )
        with pytest.raises(DatabaseError) as caught:
            database_rig.hook.restore_database(order)
        assert caught.value.kind is kind
        assert caught.value.code
        assert caught.value.cloud == database_rig.spec.cloud
        again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - made here
        assert (str(again), again.kind, again.code) == (
            str(caught.value),
            kind,
            caught.value.code,
        )
        assert database_rig.listed() == []
        assert database_rig.restored(order).name == order.name

    @pytest.mark.parametrize("call", [DatabaseCall.RESTORE, DatabaseCall.SNAPSHOT])
    def test_fails_later(self, database_rig: DatabaseRig, call: DatabaseCall) -> None:
        """The operation says why, also to another process; so does the next try of the order."""
        ref = database_rig.standing()
        restore = database_rig.restore_order(FromPointInTime(ref))
        snapshot = database_rig.snapshot_order(ref)
        database_rig.plant(
            [
                DatabaseFault(kind=DatabaseFaultKind.FAIL_LATER, call=call, name=name)
                for name in (restore.name, snapshot.name)
            ]
        )
        begun = (
            database_rig.hook.restore_database(restore)
            if call is DatabaseCall.RESTORE
            else database_rig.hook.snapshot_database(snapshot)
        )
        done = database_rig.wait(begun, database_rig.reopen())
        assert done.state is OperationState.FAILED
        assert done.error_kind is not None
        assert done.error

    @pytest.mark.parametrize("call", [DatabaseCall.RESTORE, DatabaseCall.SNAPSHOT])
    def test_a_lost_answer(self, database_rig: DatabaseRig, call: DatabaseCall) -> None:
        """The next try of the same order finds what was made."""
        ref = database_rig.standing()
        restore = database_rig.restore_order(FromPointInTime(ref))
        snapshot = database_rig.snapshot_order(ref)
        database_rig.plant(
            [
                DatabaseFault(kind=DatabaseFaultKind.LOSE_ANSWER, call=call, name=name)
                for name in (restore.name, snapshot.name)
            ]
        )
        for _ in range(2):
            try:
                begun = (
                    database_rig.hook.restore_database(restore)
                    if call is DatabaseCall.RESTORE
                    else database_rig.hook.snapshot_database(snapshot)
                )
                break
            except DatabaseError as err:
                assert err.retryable
        else:
            pytest.fail("the second try failed as well")
        done = database_rig.succeeded(begun)
        made = (
            [one.ref.id for one in database_rig.listed()]
            if call is DatabaseCall.RESTORE
            else [
                one.ref.id
                for one in database_rig.hook.list_snapshots(ref, {LABEL: database_rig.mark})
            ]
        )
        assert made == [done.resource]

    def test_a_failed_one_can_be_removed(self, database_rig: DatabaseRig) -> None:
        """Nothing of it is left."""
        order = database_rig.restore_order(FromPointInTime(database_rig.standing()))
        database_rig.plant(
            [
                DatabaseFault(
                    kind=DatabaseFaultKind.FAIL_LATER, call=DatabaseCall.RESTORE, name=order.name
                )
            ]
        )
        begun = database_rig.hook.restore_database(order)
        database_rig.wait(begun)
        for found in database_rig.listed():
            database_rig.succeeded(
                database_rig.hook.remove_database(found.ref, token=order.token, final_snapshot=None)
            )
        assert database_rig.listed() == []
