"""What must not pass for true: a lag below zero, a measurement of before, a time to come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from airflow_multicloud.core.database.checks import TableCheck
from airflow_multicloud.core.database.comparing import Expectations, compared
from airflow_multicloud.core.database.identity import Requester
from airflow_multicloud.core.database.lags import MAX_AGE, lag_now, why_too_far
from airflow_multicloud.core.database.measuring import Measured, MeasuredTable
from airflow_multicloud.core.database.promotions import Allowance
from airflow_multicloud.core.database.removals import (
    DatabaseRemoval,
    OneDatabase,
    ScratchOf,
    advance_removal,
)
from airflow_multicloud.core.database.snapshots import SnapshotWish
from airflow_multicloud.core.database.verification import CheckOutcome
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    TOKEN_LABEL,
    DatabaseEndpoint,
    DatabaseInstance,
    DatabaseRef,
    DatabaseRole,
    DatabaseState,
    ReplicaLag,
    SnapshotState,
)
from tests.unit.database.lab import RUN, Lab

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
MOMENT = NOW - timedelta(days=1)


def replica(lag: timedelta | None, measured_at: datetime | None) -> DatabaseInstance:
    return DatabaseInstance(
        ref=DatabaseRef("full/id", "here"),
        name="shop",
        state=DatabaseState.AVAILABLE,
        role=DatabaseRole.REPLICA,
        engine="postgres",
        engine_version="16",
        account_id="1",
        lag=ReplicaLag(value=lag, measured_at=measured_at, source="metric"),
    )


@pytest.mark.parametrize(
    ("lag", "measured_at", "said"),
    [
        (timedelta(seconds=-1), NOW, "cut off"),
        (timedelta(0), NOW - MAX_AGE - timedelta(seconds=1), "older than"),
        (None, NOW, "no measurement"),
        (timedelta(0), None, "no measurement"),
    ],
)
def test_a_lag_that_is_not_known(
    lag: timedelta | None, measured_at: datetime | None, said: str
) -> None:
    why = why_too_far(replica(lag, measured_at), timedelta(hours=1), MAX_AGE, NOW)
    assert why is not None
    assert said in why


def test_a_lag_that_is_known() -> None:
    shop = replica(timedelta(seconds=4), NOW - timedelta(minutes=1))
    assert lag_now(shop, MAX_AGE, NOW) == timedelta(seconds=4)
    assert why_too_far(shop, timedelta(seconds=4), MAX_AGE, NOW) is None
    assert why_too_far(shop, timedelta(seconds=3), MAX_AGE, NOW) is not None


@pytest.mark.parametrize(
    ("newest", "outcome"),
    [
        (MOMENT, CheckOutcome.PASSED),
        (MOMENT + timedelta(minutes=30), CheckOutcome.PASSED),
        (MOMENT - timedelta(hours=3), CheckOutcome.FAILED),
        (MOMENT + timedelta(hours=2), CheckOutcome.FAILED),
        (datetime(9999, 1, 1, tzinfo=UTC), CheckOutcome.FAILED),
    ],
)
@pytest.mark.parametrize("of_moment", [True, False])
def test_a_newest_time_is_neither_too_old_nor_to_come(
    newest: datetime, outcome: CheckOutcome, of_moment: bool
) -> None:
    least = MOMENT - timedelta(hours=1)
    expected = {"max_age": timedelta(hours=1)} if of_moment else {"newest_at_least": least}
    check = TableCheck(table="orders", newest="placed_at", **expected)
    table = MeasuredTable(
        table="orders", measured_at=NOW, rows=1, newest_column="placed_at", newest=newest
    )
    (result,) = compared(Measured(check=check, table=table), Expectations(restored_moment=MOMENT))
    assert result.outcome is outcome
    assert (outcome is CheckOutcome.FAILED and newest > MOMENT) == (result.why is not None)


def test_names_of_databases_of_a_server_allow_nothing() -> None:
    """A replica in Azure SQL has its primary's name, on another server."""
    of_a_server = replace(
        replica(None, None), endpoint=DatabaseEndpoint("server", 1433, database="shop")
    )
    by_name = Allowance.read("shop", ["shop"], None)
    by_name.check_given("replica", of_a_server.ref.id.replace("id", "shop"))
    with pytest.raises(DatabaseError, match=r"replica: 'full/id' given.* by its full id") as caught:
        by_name.check_found("replica", of_a_server)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    for allow in ("full/id", "Full/ID"):
        Allowance.read("shop", [allow], None).check_found("replica", of_a_server)
    server = replace(of_a_server, endpoint=DatabaseEndpoint("server", 5432))
    for instance in (server, replace(server, endpoint=None)):
        by_name.check_found("replica", instance)


def test_a_final_snapshot_that_nobody_took_is_no_success() -> None:
    """Somebody else deletes the instance; the removal has nothing left to do."""
    lab = Lab()
    wanted = OneDatabase(ref=DatabaseRef(lab.restore().id))
    lab.remove(ScratchOf.by(Requester(run=RUN), None, None))
    now = datetime.now(UTC)
    removal = DatabaseRemoval(certain_from=now - timedelta(seconds=1))
    with pytest.raises(DatabaseError, match=r"final_snapshot: .* no snapshot 'last'") as caught:
        advance_removal(lab.service, wanted, removal, now=now, final_snapshot="last")
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
    assert advance_removal(lab.service, wanted, removal, now=now).done


@pytest.mark.parametrize("state", [SnapshotState.FAILED, SnapshotState.DELETING])
def test_a_final_snapshot_that_can_not_be_restored_is_no_success(state: SnapshotState) -> None:
    lab, advance = _removing()
    (snapshot,) = lab.space.snapshots.values()
    snapshot.state = state
    lab.space.servers.clear()
    with pytest.raises(DatabaseError, match=f"snapshot 'last' is {state}") as caught:
        advance()
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED


def test_a_final_snapshot_that_is_being_taken_is_waited_for() -> None:
    lab, advance = _removing()
    (snapshot,) = lab.space.snapshots.values()
    snapshot.left = 1_000
    while lab.restored():
        advance()
    snapshot.state, snapshot.left = SnapshotState.CREATING, 1_000
    assert not advance().done
    snapshot.state = SnapshotState.AVAILABLE
    assert advance().done


@pytest.mark.parametrize("of_before", ["older", "of another order"])
def test_a_snapshot_of_before_is_no_final_one(of_before: str) -> None:
    """Cloud SQL takes a final one under a name that another has, and that may fail."""
    lab, advance = _removing()
    while lab.restored():
        advance()
    (snapshot,) = lab.space.snapshots.values()
    snapshot.state = SnapshotState.AVAILABLE
    if of_before == "older":
        snapshot.created_at -= timedelta(days=30)
    else:
        snapshot.labels[TOKEN_LABEL] = "00000000-0000-4000-8000-000000000000"
    with pytest.raises(DatabaseError, match="another one") as caught:
        advance()
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED


def test_a_snapshot_that_was_ordered_as_one_is_no_final_one() -> None:
    """Also for a retry, which has not seen the instance."""
    lab = Lab()
    ref = DatabaseRef(lab.restore().id)
    lab.snapshot(wish=SnapshotWish(database=ref, name="last"))
    lab.remove(ScratchOf.by(Requester(run=RUN), None, None))
    now = datetime.now(UTC)
    removal = DatabaseRemoval(certain_from=now - timedelta(seconds=1))
    with pytest.raises(DatabaseError, match="another one"):
        advance_removal(lab.service, OneDatabase(ref=ref), removal, now=now, final_snapshot="last")


def _removing() -> tuple[Lab, Callable[[], DatabaseRemoval]]:
    """A removal with a final snapshot that has begun, and the next look at it."""
    lab = Lab()
    wanted = OneDatabase(ref=DatabaseRef(lab.restore().id))
    now = datetime.now(UTC)
    so_far = [DatabaseRemoval(certain_from=now - timedelta(seconds=1))]

    def advance() -> DatabaseRemoval:
        kept = read_document(DatabaseRemoval, to_document(so_far[-1]), what="a removal")
        so_far.append(advance_removal(lab.service, wanted, kept, now=now, final_snapshot="last"))
        return so_far[-1]

    advance()
    return lab, advance
