"""Azure SQL on the local Resource Manager: what the contract can't ask where there are no rows."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError

from airflow_multicloud import api, registry
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    TOKEN_LABEL,
    DatabaseNetwork,
    DatabaseRef,
    DatabaseRole,
    DatabaseService,
    DatabaseState,
    FromPointInTime,
    FromSnapshot,
    RestoreOrder,
    SnapshotOrder,
)
from airflow_multicloud.ports.operations import Operation, OperationState
from airflow_multicloud.testing.local_clouds.azure.database import RESOURCE_GROUP
from airflow_multicloud.testing.local_clouds.azure.database.sql.owner import SqlOwner
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.local_clouds.kit.sql_seeds import plant
from airflow_multicloud.testing.sql_faults import DatabaseCall, DatabaseFault, DatabaseFaultKind
from tests.contract.database_rigs.azure_sql import HERE, ControlLab, SqlControl, lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_multicloud.testing.local_clouds import LocalServer

CONN_ID = "azure_database_local"
TOKENS = tuple(f"{n}0000000-0000-4000-8000-000000000000" for n in range(3))
REFUSED = {
    "status": 403,
    "body": {"error": {"code": "AuthorizationFailed", "message": "No authorization."}},
}
GONE = {"status": 404, "body": {"error": {"code": "NotFound", "message": "No operation."}}}


@pytest.fixture
def sql_lab(request: pytest.FixtureRequest) -> Iterator[ControlLab]:
    made = lab(request)
    yield made
    plant(request.getfixturevalue("local_flexible_servers").endpoint, [])
    made.clear()


@pytest.fixture
def control(sql_lab: ControlLab) -> SqlControl:
    return sql_lab.control


@pytest.fixture
def owner(local_flexible_servers: LocalServer) -> SqlOwner:
    return SqlOwner(local_flexible_servers.endpoint)


@pytest.fixture
def hook(local_flexible_servers: LocalServer) -> DatabaseService:
    assert local_flexible_servers.endpoint
    return registry.resolve(DatabaseService, CONN_ID)


@pytest.fixture
def admin(local_flexible_servers: LocalServer) -> Iterator[Admin]:
    made = Admin(local_flexible_servers.endpoint)
    yield made
    made.reset()


def waited(hook: DatabaseService, operation: Operation) -> Operation:
    while not operation.state.is_final:
        operation = hook.describe_operation(operation)
    return operation


def done(hook: DatabaseService, operation: Operation) -> str:
    operation = waited(hook, operation)
    assert operation.state is OperationState.SUCCEEDED, operation
    return operation.resource


def tried(call: Callable[[], object]) -> None:
    """As Airflow does: what may work at the next try costs this one only."""
    try:
        call()
    except api.CloudError as err:
        if not err.retryable:
            raise


def order_of(source: DatabaseRef, name: str, time: datetime | None = None) -> RestoreOrder:
    return RestoreOrder(source=FromPointInTime(source, time), name=name, token=TOKENS[0])


def test_the_moment_that_is_restored(
    hook: DatabaseService, control: SqlControl, owner: SqlOwner
) -> None:
    source = control.make("s-source")
    moment = datetime.now(UTC)
    made = done(hook, hook.restore_database(order_of(source, "s-made", moment)))
    assert owner.origin(made) == (source.id, moment)
    before = datetime.now(UTC)
    latest = done(hook, hook.restore_database(order_of(source, "s-latest")))
    assert before <= owner.origin(latest)[1] <= datetime.now(UTC)


def test_a_restored_database_is_as_large_as_its_source(
    hook: DatabaseService, control: SqlControl
) -> None:
    source = control.put(
        "s-source",
        HERE,
        {"sku": {"name": "S1"}, "properties": {"requestedBackupStorageRedundancy": "Local"}},
    )
    like = done(hook, hook.restore_database(order_of(source, "s-like")))
    other = replace(order_of(source, "s-other"), size="GP_S_Gen5_1")
    done(hook, hook.restore_database(other))
    assert hook.describe_database(DatabaseRef(like)).size == "S1"
    for name in ("s-like", "s-other"):
        properties = control.described(name)["properties"]
        assert properties["currentBackupStorageRedundancy"] == "Local"
    assert control.described("s-other")["properties"]["currentServiceObjectiveName"] == (
        "GP_S_Gen5_1"
    )


def test_never_over_another(hook: DatabaseService, control: SqlControl) -> None:
    """Not even over its source; none of them is changed."""
    source = control.make("s-source", size="S0")
    for name in ("s-source", "s-made"):
        if name == "s-made":
            control.make(name, size="S0")
        with pytest.raises(DatabaseError, match=name) as caught:
            hook.restore_database(replace(order_of(source, name), size="S1"))
        assert caught.value.kind is ErrorKind.ALREADY_EXISTS
        found = control.described(name)
        assert (found["tags"], found["sku"]["capacity"]) == ({}, 10)


def test_another_orders_database_is_noticed_when_it_is_done(
    hook: DatabaseService, control: SqlControl
) -> None:
    """Both looked, and found no database of the name."""
    source = control.make("s-source")
    begun = hook.restore_database(order_of(source, "s-taken"))
    control.put("s-taken", HERE, {"tags": {TOKEN_LABEL: TOKENS[1]}})
    told = waited(hook, begun)
    assert told.state is OperationState.FAILED
    assert told.error_kind is ErrorKind.ALREADY_EXISTS


def test_what_is_not_restored(hook: DatabaseService, control: SqlControl) -> None:
    source = control.make("s-source")
    missing = DatabaseRef(f"{source.id}-none")
    order = order_of(source, "s-made")
    backup = FromSnapshot(DatabaseRef(f"{source.id}/backups/a"))
    for given, kind in (
        (replace(order, source=FromPointInTime(missing)), ErrorKind.NOT_FOUND),
        (replace(order, source=backup), ErrorKind.UNSUPPORTED),
        (replace(order, network=DatabaseNetwork()), ErrorKind.INVALID_ARGUMENT),
    ):
        with pytest.raises(DatabaseError) as caught:
            hook.restore_database(given)
        assert caught.value.kind is kind
        assert caught.value.cloud == "azure"
    assert control.find("s-made") is None


def test_a_replica_has_no_moment(
    hook: DatabaseService, sql_lab: ControlLab, control: SqlControl
) -> None:
    replica = sql_lab.replica(control.make("s-source"), "s-replica")
    with pytest.raises(DatabaseError, match="no moment") as caught:
        hook.restore_database(order_of(replica, "s-made"))
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED


def test_a_promotion_swaps_the_roles(
    hook: DatabaseService, sql_lab: ControlLab, control: SqlControl
) -> None:
    """And loses nothing: what was the primary follows."""
    primary = control.make("s-source")
    replica = sql_lab.replica(primary, "s-replica")
    begun = pickle.loads(pickle.dumps(hook.promote_replica(replica)))
    assert done(hook, begun) == replica.id
    found, other = hook.describe_database(replica), hook.describe_database(primary)
    assert (found.role, found.replica_of, found.replicas) == (
        *(DatabaseRole.PRIMARY, None),
        (primary.id,),
    )
    assert (other.role, other.replica_of, other.replicas) == (
        *(DatabaseRole.REPLICA, replica.id),
        (),
    )


@pytest.mark.parametrize(
    ("state", "kind"),
    [("SEEDING", ErrorKind.BUSY), ("SUSPENDED", ErrorKind.PRECONDITION_FAILED)],
)
def test_one_that_would_lose_data_is_not_promoted(
    hook: DatabaseService, sql_lab: ControlLab, owner: SqlOwner, state: str, kind: ErrorKind
) -> None:
    replica = sql_lab.replica(sql_lab.control.make("s-source"), "s-replica")
    owner.link(replica.id, state=state)
    with pytest.raises(DatabaseError, match=state) as caught:
        hook.promote_replica(replica)
    assert caught.value.kind is kind
    assert hook.describe_database(replica).role is DatabaseRole.REPLICA


def test_a_promotion_that_fails_is_told(
    hook: DatabaseService, sql_lab: ControlLab, local_flexible_servers: LocalServer
) -> None:
    replica = sql_lab.replica(sql_lab.control.make("s-source"), "s-replica")
    fault = DatabaseFault(kind=DatabaseFaultKind.FAIL_LATER, call=DatabaseCall.PROMOTE)
    plant(local_flexible_servers.endpoint, [fault])
    told = waited(hook, hook.promote_replica(replica))
    assert told.state is OperationState.FAILED
    assert told.error_kind is ErrorKind.UNAVAILABLE
    assert hook.describe_database(replica).role is DatabaseRole.REPLICA


def test_an_operation_that_azure_has_forgotten(
    hook: DatabaseService, sql_lab: ControlLab, admin: Admin
) -> None:
    """The database tells, or its link."""
    source = sql_lab.control.make("s-source")
    replica = sql_lab.replica(source, "s-replica")
    begun = hook.restore_database(order_of(source, "s-made"))
    promoted = hook.promote_replica(replica)
    admin.script("databaseAzureAsyncOperation", [GONE] * 1000)
    assert done(hook, begun).endswith("s-made")
    told = waited(hook, promoted)
    # It may be asked for before the roles are swapped: then nobody can tell any more.
    assert told.state in (OperationState.SUCCEEDED, OperationState.CANCELLED)


def test_a_lag_is_unknown_where_its_primary_is_gone(
    hook: DatabaseService, sql_lab: ControlLab, admin: Admin
) -> None:
    replica = sql_lab.replica(sql_lab.control.make("s-source"), "s-replica")
    assert (lag := hook.describe_database(replica).lag) is not None
    assert lag.value == timedelta()
    admin.script("Microsoft.Insights/metrics", [{**GONE, "status": 404}])
    assert (lag := hook.describe_database(replica).lag) is not None
    assert (lag.value, lag.measured_at) == (None, None)
    admin.script("Microsoft.Insights/metrics", [REFUSED])
    with pytest.raises(DatabaseError) as caught:
        hook.describe_database(replica)
    assert caught.value.kind is ErrorKind.PERMISSION_DENIED


def test_removals(hook: DatabaseService, control: SqlControl) -> None:
    """Only what carries the token; again is a success."""
    source = control.make("s-source")
    made = DatabaseRef(done(hook, hook.restore_database(order_of(source, "s-made"))))
    for ref, token in ((source, TOKENS[0]), (made, TOKENS[1])):
        with pytest.raises(DatabaseError, match="token") as caught:
            hook.remove_database(ref, token=token, final_snapshot=None)
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
    with pytest.raises(DatabaseError, match="final_snapshot") as caught:
        hook.remove_database(made, token=TOKENS[0], final_snapshot="last")
    assert caught.value.kind is ErrorKind.UNSUPPORTED
    for _ in range(2):
        done(hook, hook.remove_database(made, token=TOKENS[0], final_snapshot=None))
    assert (control.find("s-made"), control.find("s-source")) == (None, source)


def test_a_lock_keeps_a_database(
    hook: DatabaseService, control: SqlControl, sql_lab: ControlLab
) -> None:
    """Azure refuses too, whoever asks."""
    assert sql_lab
    source = control.make("s-source")
    order = replace(order_of(source, "s-kept"), deletion_protected=True)
    kept = DatabaseRef(done(hook, hook.restore_database(order)))
    assert hook.describe_database(kept).deletion_protected
    (listed,) = hook.list_databases({TOKEN_LABEL: TOKENS[0]})
    assert listed.deletion_protected
    with pytest.raises(HttpResponseError, match="ScopeLocked"):
        control.client.databases.begin_delete(RESOURCE_GROUP, HERE, "s-kept", polling=False)


def test_power(hook: DatabaseService, control: SqlControl, owner: SqlOwner) -> None:
    """A dedicated SQL pool is paused and resumed, and nothing else."""
    pool, plain = control.make("s-pool", size="DW100c"), control.make("s-plain")
    done(hook, hook.power_database(pool, on=False))
    assert hook.describe_database(pool).state is DatabaseState.STOPPED
    done(hook, hook.power_database(pool, on=True))
    assert hook.describe_database(pool).state is DatabaseState.AVAILABLE
    with pytest.raises(DatabaseError, match="serverless") as caught:
        hook.power_database(plain, on=False)
    assert caught.value.kind is ErrorKind.UNSUPPORTED
    owner.state(plain.id, "Paused")
    with pytest.raises(DatabaseError, match="when somebody connects") as caught:
        hook.power_database(plain, on=True)
    assert caught.value.kind is ErrorKind.UNSUPPORTED
    assert hook.power_database(plain, on=False).state is OperationState.SUCCEEDED


def test_snapshots_are_refused(hook: DatabaseService, control: SqlControl) -> None:
    ref = control.make("s-source")
    order = SnapshotOrder(database=ref, name="s-snapshot", token=TOKENS[0])
    calls: list[Any] = [
        lambda: hook.snapshot_database(order),
        lambda: hook.remove_snapshot(DatabaseRef(f"{ref.id}/backups/a"), token=TOKENS[0]),
    ]
    for call in calls:
        with pytest.raises(DatabaseError, match="restore a moment") as caught:
            call()
        assert caught.value.kind is ErrorKind.UNSUPPORTED
    assert list(hook.list_snapshots(ref, {})) == []


def test_listings_have_both_kinds_and_not_the_services_own(
    hook: DatabaseService, control: SqlControl
) -> None:
    """More than a page of them."""
    made = {control.make(f"s-{number}").id for number in range(4)}
    found = list(hook.list_databases({}))
    assert made <= {one.ref.id for one in found}
    assert "master" not in {one.name for one in found}


@pytest.mark.parametrize("code", ["MissingSubscriptionRegistration", "SubscriptionNotRegistered"])
def test_a_service_that_the_subscription_never_used_has_nothing(
    hook: DatabaseService, sql_lab: ControlLab, admin: Admin, code: str
) -> None:
    """Else whoever has databases of one kind only could neither restore nor remove one."""
    made = sql_lab.control.make("s-source").id
    never = {"status": 409, "body": {"error": {"code": code, "message": "Not registered."}}}
    admin.script("Microsoft.Sql/servers", [never])
    assert made not in {one.ref.id for one in hook.list_databases({})}
    admin.script("Microsoft.DBforPostgreSQL/flexibleServers", [never, never])
    assert made in {one.ref.id for one in hook.list_databases({})}
    assert list(hook.list_snapshots(None, {})) == []


def test_a_listing_that_lacks_a_service_is_an_error(hook: DatabaseService, admin: Admin) -> None:
    admin.script("Microsoft.Sql/servers", [REFUSED])
    with pytest.raises(DatabaseError) as caught:
        list(hook.list_databases({}))
    assert caught.value.kind is ErrorKind.PERMISSION_DENIED


@pytest.mark.parametrize("kind", [DatabaseFaultKind.REFUSE, DatabaseFaultKind.LOSE_ANSWER])
@pytest.mark.parametrize("call", [DatabaseCall.RESTORE, DatabaseCall.REMOVE])
def test_a_drill_that_is_cut_off_leaves_one_and_then_none(
    control: SqlControl,
    local_flexible_servers: LocalServer,
    kind: DatabaseFaultKind,
    call: DatabaseCall,
) -> None:
    """Before the request is carried out and after: never two databases, nothing left at the end."""
    source = control.make("s-source")
    before = control.names()
    soon: Any = {"poll_interval": timedelta(milliseconds=10)}
    plant(local_flexible_servers.endpoint, [DatabaseFault(kind=kind, call=call, times=1)])
    for _ in range(2):
        tried(lambda: api.restore_database(CONN_ID, database=source.id, run="r", **soon))
    assert len(control.names()) == len(before) + 1
    for _ in range(2):
        tried(lambda: api.remove_scratch_databases(CONN_ID, "r", confirm_after=timedelta(), **soon))
    assert control.names() == before
