"""The databases in memory: what a test does behind the port."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    DatabaseState,
    FromPointInTime,
    RestoreOrder,
    SnapshotOrder,
)
from airflow_multicloud.ports.operations import Operation, OperationState
from airflow_multicloud.testing.memory_cloud.database import (
    Clock,
    Databases,
    Hook,
    databases_of,
    reset,
)
from airflow_multicloud.testing.sql_faults import DatabaseCall, DatabaseFault, DatabaseFaultKind

if TYPE_CHECKING:
    from collections.abc import Iterator

START = datetime(2026, 3, 1, tzinfo=UTC)
TOKEN, OTHER = (f"00000000-0000-4000-8000-00000000000{n}" for n in range(2))


@pytest.fixture
def kept() -> Iterator[Databases]:
    found = databases_of("unit")
    found.clock = Clock(START)
    yield found
    reset("unit")


@pytest.fixture
def hook(kept: Databases) -> Hook:
    assert kept.account_id == "memory-unit"
    return Hook("unit")


def done(hook: Hook, operation: Operation) -> Operation:
    while not operation.state.is_final:
        operation = hook.describe_operation(operation)
    return operation


def test_a_promoted_replica_lacks_what_it_had_not_received(kept: Databases, hook: Hook) -> None:
    primary = kept.create("main", {"orders": [(1,)]})
    replica = kept.replicate("main", "copy")
    kept.pause("copy")
    kept.advance(timedelta(minutes=3))
    kept.insert("main", "orders", (2,))
    lag = hook.describe_database(replica).lag
    assert lag is not None
    assert lag.value is not None
    assert timedelta(minutes=3) <= lag.value < timedelta(minutes=3, seconds=1)
    assert done(hook, hook.promote_replica(replica)).state is OperationState.SUCCEEDED
    assert kept.rows("copy", "orders") == [(1,)]
    assert kept.rows("main", "orders") == [(1,), (2,)]
    assert hook.describe_database(primary).replicas == ()


def test_a_lag_that_is_not_known(kept: Databases, hook: Hook) -> None:
    kept.create("main")
    replica = kept.replicate("main", "copy")
    kept.hide_lag("copy")
    lag = hook.describe_database(replica).lag
    assert lag is not None
    assert (lag.value, lag.measured_at) == (None, None)


def test_a_moment_has_the_rows_of_then(kept: Databases, hook: Hook) -> None:
    kept.create("main", {"orders": [(1,)]})
    kept.advance(timedelta(hours=1))
    kept.insert("main", "orders", (2,))
    source = FromPointInTime(kept.servers["main"].ref, START + timedelta(minutes=30))
    done(hook, hook.restore_database(RestoreOrder(source=source, name="then", token=TOKEN)))
    assert kept.rows("then", "orders") == [(1,)]


def test_what_goes_on_takes_its_looks(kept: Databases, hook: Hook) -> None:
    """And tells how far it is."""
    kept.looks = 4
    kept.create("main")
    source = FromPointInTime(kept.servers["main"].ref)
    begun = hook.restore_database(RestoreOrder(source=source, name="then", token=TOKEN))
    seen = [begun]
    while not seen[-1].state.is_final:
        seen.append(hook.describe_operation(seen[-1]))
    assert [one.progress for one in seen] == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_an_operation_is_of_one_instance_and_not_of_a_name(kept: Databases, hook: Hook) -> None:
    """What has the name later is another."""
    kept.create("main")
    source = FromPointInTime(kept.servers["main"].ref)
    first = RestoreOrder(source=source, name="scratch", token=TOKEN)
    begun = hook.restore_database(first)
    made = done(hook, begun)
    removal = hook.remove_database(kept.servers["scratch"].ref, token=TOKEN, final_snapshot=None)
    assert done(hook, removal).state is OperationState.SUCCEEDED
    again = RestoreOrder(source=source, name="scratch", token=OTHER)
    assert done(hook, hook.restore_database(again)).resource == made.resource
    assert hook.describe_operation(begun).state is OperationState.CANCELLED
    assert hook.describe_operation(removal).state is OperationState.SUCCEEDED
    with pytest.raises(DatabaseError, match="token") as caught:
        hook.remove_database(kept.servers["scratch"].ref, token=TOKEN, final_snapshot=None)
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED


def test_one_that_is_changed_takes_no_other_order(kept: Databases, hook: Hook) -> None:
    ref = kept.create("main")
    hook.snapshot_database(SnapshotOrder(database=ref, name="first", token=TOKEN))
    assert next(hook.list_databases({})).state is DatabaseState.BUSY
    for order in (
        lambda: hook.snapshot_database(SnapshotOrder(database=ref, name="next", token=OTHER)),
        lambda: hook.power_database(ref, on=False),
    ):
        with pytest.raises(DatabaseError) as caught:
            order()
        assert caught.value.kind is ErrorKind.BUSY


def test_faults_are_met_as_often_as_they_say(kept: Databases, hook: Hook) -> None:
    ref = kept.create("main")
    kept.faults.plant(
        [
            DatabaseFault(
                kind=DatabaseFaultKind.REFUSE,
                call=DatabaseCall.DESCRIBE,
                error=ErrorKind.THROTTLED,
                times=2,
            )
        ]
    )
    for _ in range(2):
        with pytest.raises(DatabaseError) as caught:
            hook.describe_database(ref)
        assert caught.value.kind is ErrorKind.THROTTLED
    assert hook.describe_database(ref).name == "main"


def test_time_does_not_run_backwards(kept: Databases) -> None:
    first, second = kept.moment(), kept.moment()
    assert START <= first < second
    with pytest.raises(ValueError, match="by: "):
        kept.advance(timedelta(seconds=-1))


def test_a_replica_takes_no_writes(kept: Databases) -> None:
    kept.create("main")
    kept.replicate("main", "copy")
    with pytest.raises(ValueError, match="'copy' given"):
        kept.insert("copy", "orders", (1,))
