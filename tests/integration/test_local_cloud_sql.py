"""What is Cloud SQL's own: clones that carry labels, names, its refusals, gaps of its lists."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_multicloud.core.database.identity import Requester
from airflow_multicloud.core.database.removals import DatabaseRemoval, ScratchOf, advance_removal
from airflow_multicloud.core.database.restores import RestoreWish
from airflow_multicloud.core.database.restoring import begin_restore, restored_database
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    TOKEN_LABEL,
    DatabaseNetwork,
    DatabasePlace,
    DatabaseRef,
    DatabaseService,
    DatabaseState,
    FromPointInTime,
    FromSnapshot,
    RestoreOrder,
    SnapshotOrder,
)
from airflow_multicloud.ports.operations import Operation, OperationState
from airflow_multicloud.testing.local_clouds import LocalServer
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.local_clouds.kit.sql_seeds import plant
from airflow_multicloud.testing.sql_faults import DatabaseCall, DatabaseFault, DatabaseFaultKind
from tests.contract.database_rigs.gcp import CONN_ID, CloudSqlControl

PROJECT = "/v1/projects/local"


@pytest.fixture(scope="module")
def control(local_cloud_sql: LocalServer) -> CloudSqlControl:
    return CloudSqlControl()


@pytest.fixture(scope="module")
def source(control: CloudSqlControl) -> DatabaseRef:
    """An instance that the tests only read."""
    return control.make("read-only")


@pytest.fixture
def admin(local_cloud_sql: LocalServer) -> Iterator[Admin]:
    found = Admin(local_cloud_sql.endpoint)
    yield found
    for service in ("held_operations", "unreachable_regions"):
        found.seed(service, [{"clear": True}])


@pytest.fixture
def hook(local_cloud_sql: LocalServer) -> DatabaseService:
    from airflow_multicloud import registry

    return registry.resolve(DatabaseService, CONN_ID)


def new_order(of: DatabaseRef, **given: Any) -> RestoreOrder:
    token = str(uuid.uuid4())
    order = RestoreOrder(source=FromPointInTime(of), name=f"r-{token[:8]}", token=token)
    return replace(order, **given)


def waited(hook: DatabaseService, operation: Operation) -> Operation:
    while not operation.state.is_final:
        operation = hook.describe_operation(operation)
    return operation


def restored(hook: DatabaseService, order: RestoreOrder) -> DatabaseRef:
    done = waited(hook, hook.restore_database(order))
    assert done.state is OperationState.SUCCEEDED, done
    return DatabaseRef(done.resource)


def test_a_clone_that_somebody_makes_is_not_ours(
    hook: DatabaseService, control: CloudSqlControl, source: DatabaseRef
) -> None:
    """It has the token among its labels, and belongs to nobody."""
    order = new_order(source, labels={"team": "a"})
    made = restored(hook, order)
    other = f"by-hand-{uuid.uuid4().hex[:8]}"
    body = {"cloneContext": {"destinationInstanceName": other}}
    control.do("POST", f"/v1/{made.id}/clone", body)
    labels = control.api.ask("GET", f"{PROJECT}/instances/{other}")["settings"]["userLabels"]
    assert labels[TOKEN_LABEL] == order.token
    clone = hook.describe_database(DatabaseRef(other))
    assert clone.labels == {"team": "a"}
    assert [one.ref.id for one in hook.list_databases({TOKEN_LABEL: order.token})] == [made.id]
    with pytest.raises(DatabaseError, match="token") as caught:
        hook.remove_database(clone.ref, token=order.token, final_snapshot=None)
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED


def test_a_clone_without_labels_is_known_by_its_name_only(
    hook: DatabaseService, admin: Admin, source: DatabaseRef
) -> None:
    """The first process may be dead: another one must not take it for its own."""
    admin.seed("held_operations", [{"type": "CLONE"}])
    name = f"plain-{uuid.uuid4().hex[:8]}"
    order = new_order(source, name=name, token=str(uuid.UUID(int=1)))
    first = hook.restore_database(order)
    with pytest.raises(DatabaseError, match="first eight digits") as caught:
        hook.restore_database(order)
    assert caught.value.kind is ErrorKind.ALREADY_EXISTS
    admin.seed("held_operations", [{"clear": True}])
    # Who has the operation can go on with it, and labelled it is found.
    assert waited(hook, first).state is OperationState.SUCCEEDED
    assert hook.restore_database(order).state is OperationState.SUCCEEDED


def test_a_process_that_died_before_labels_were_set(
    hook: DatabaseService, control: CloudSqlControl, source: DatabaseRef
) -> None:
    """The order's next try finds the clone by its name, and labels it."""
    order = new_order(source, labels={"team": "b"}, size="db-g1-small", deletion_protected=True)
    context = {"cloneContext": {"destinationInstanceName": order.name}}
    control.do("POST", f"/v1/{source.id}/clone", context)
    found = hook.describe_database(restored(hook, order))
    assert found.labels == {"team": "b", TOKEN_LABEL: order.token}
    assert found.size == "db-g1-small"
    assert found.deletion_protected


def test_what_was_changed_since_stays(
    hook: DatabaseService, control: CloudSqlControl, source: DatabaseRef
) -> None:
    """The same order again finds the instance, and sets nothing."""
    order = new_order(source, deletion_protected=True)
    made = restored(hook, order)
    changes = {"deletionProtectionEnabled": False, "userLabels": {"team": "c"}}
    control.do("PATCH", f"/v1/{made.id}", {"settings": changes})
    assert restored(hook, order) == made
    found = hook.describe_database(made)
    assert not found.deletion_protected
    assert found.labels["team"] == "c"
    waited(hook, hook.power_database(made, on=False))
    again = hook.restore_database(order)
    assert again.state is OperationState.CANCELLED
    assert again.error == "it has been stopped"


def test_a_clone_that_failed(
    hook: DatabaseService, admin: Admin, local_cloud_sql: LocalServer, source: DatabaseRef
) -> None:
    """It has no labels: its name tells whose it is, and by that it can be removed."""
    order = new_order(source)
    fault = DatabaseFault(
        kind=DatabaseFaultKind.FAIL_LATER,
        call=DatabaseCall.RESTORE,
        error=ErrorKind.CAPACITY,
        name=order.name,
    )
    plant(local_cloud_sql.endpoint, [fault])
    done = waited(hook, hook.restore_database(order))
    assert (done.state, done.error_kind) == (OperationState.FAILED, ErrorKind.CAPACITY)
    again = hook.restore_database(order)
    assert (again.state, again.error_kind) == (done.state, done.error_kind)
    ref = DatabaseRef(done.resource)
    with pytest.raises(DatabaseError, match="token"):
        hook.remove_database(ref, token=str(uuid.uuid4()), final_snapshot=None)
    removed = waited(hook, hook.remove_database(ref, token=order.token, final_snapshot=None))
    assert removed.state is OperationState.SUCCEEDED
    assert ref.id not in {one.ref.id for one in hook.list_databases({})}


def test_a_name_that_was_deleted(hook: DatabaseService, source: DatabaseRef) -> None:
    order = new_order(source)
    made = restored(hook, order)
    waited(hook, hook.remove_database(made, token=order.token, final_snapshot=None))
    with pytest.raises(DatabaseError, match="week") as caught:
        hook.restore_database(order)
    assert caught.value.kind is ErrorKind.ALREADY_EXISTS
    assert caught.value.code == "instanceAlreadyExists"


def test_one_thing_at_a_time(hook: DatabaseService, admin: Admin, source: DatabaseRef) -> None:
    admin.seed("held_operations", [{"type": "BACKUP_VOLUME"}])
    orders = [
        SnapshotOrder(database=source, name=f"s{number}", token=str(uuid.uuid4()))
        for number in range(2)
    ]
    first = hook.snapshot_database(orders[0])
    assert hook.describe_operation(first).state is OperationState.PENDING
    with pytest.raises(DatabaseError) as caught:
        hook.snapshot_database(orders[1])
    assert caught.value.kind is ErrorKind.BUSY
    assert caught.value.retryable
    admin.seed("held_operations", [{"clear": True}])
    assert waited(hook, first).state is OperationState.SUCCEEDED


def test_a_stop_that_goes_on_is_found(
    hook: DatabaseService, admin: Admin, source: DatabaseRef
) -> None:
    made = restored(hook, new_order(source))
    admin.seed("held_operations", [{"type": "UPDATE"}])
    first = hook.power_database(made, on=False)
    with pytest.raises(DatabaseError) as caught:
        hook.power_database(made, on=False)
    assert caught.value.kind is ErrorKind.BUSY
    admin.seed("held_operations", [{"clear": True}])
    assert waited(hook, first).state is OperationState.SUCCEEDED
    assert hook.describe_database(made).state is DatabaseState.STOPPED


def test_regions_that_could_not_be_asked(
    hook: DatabaseService, admin: Admin, source: DatabaseRef
) -> None:
    admin.seed("unreachable_regions", [{"region": "us-east1"}])
    with pytest.raises(DatabaseError, match="us-east1") as caught:
        list(hook.list_databases({}))
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert source.id in {
        one.ref.id for one in hook.list_databases({}, DatabasePlace(region="us-central1"))
    }


def test_descriptions_of_others_are_no_snapshots(
    hook: DatabaseService, control: CloudSqlControl, source: DatabaseRef
) -> None:
    for text in ("nightly", 'airflow-multicloud 1 {"name":"a","token":"b","labels":{}}'):
        control.do("POST", f"{PROJECT}/backups", {"instance": "read-only", "description": text})
    descriptions = [
        one.get("description") for one in control.api.items(f"{PROJECT}/backups", "backups", {})
    ]
    assert "nightly" in descriptions
    assert not {one.name for one in hook.list_snapshots(source, {})} & {"a", "nightly"}
    (backup,) = [
        one["name"]
        for one in control.api.items(f"{PROJECT}/backups", "backups", {})
        if one.get("description") == "nightly"
    ]
    with pytest.raises(DatabaseError, match="token") as caught:
        hook.remove_snapshot(DatabaseRef(backup), token=str(uuid.uuid4()))
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED


def test_an_instance_without_a_log(hook: DatabaseService, control: CloudSqlControl) -> None:
    """It can be cloned as it is, and not as it was."""
    ref = control.make("no-log", backupConfiguration={"enabled": False})
    found = hook.describe_database(ref)
    assert found.restorable_from is None
    assert found.restorable_until is None
    assert found.created_at is not None
    order = new_order(ref, source=FromPointInTime(ref, found.created_at + timedelta(seconds=1)))
    with pytest.raises(DatabaseError, match="time") as caught:
        hook.restore_database(order)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    restored(hook, new_order(ref))


@pytest.mark.parametrize(
    ("network", "named"),
    [
        (DatabaseNetwork(security_groups=("sg-1",)), "security_groups"),
        (DatabaseNetwork(private_zone="zone"), "private_zone"),
    ],
)
def test_networks_that_are_not_cloud_sqls(
    hook: DatabaseService, source: DatabaseRef, network: DatabaseNetwork, named: str
) -> None:
    with pytest.raises(DatabaseError, match=named) as caught:
        hook.restore_database(new_order(source, network=network))
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_a_network_of_its_own(
    hook: DatabaseService, control: CloudSqlControl, source: DatabaseRef
) -> None:
    """Of a snapshot at once, of a clone when it is there."""
    taken = SnapshotOrder(database=source, name="for-network", token=str(uuid.uuid4()))
    snapshot = waited(hook, hook.snapshot_database(taken)).resource
    subnet = "projects/local/global/networks/apps"
    for origin in (FromSnapshot(DatabaseRef(snapshot)), FromPointInTime(source)):
        order = new_order(source, source=origin, network=DatabaseNetwork(subnet=subnet))
        made = restored(hook, order)
        told = control.api.ask("GET", f"/v1/{made.id}")["settings"]["ipConfiguration"]
        assert told == {"ipv4Enabled": False, "privateNetwork": subnet}


def test_requests_that_do_not_fit_the_document(
    control: CloudSqlControl, source: DatabaseRef
) -> None:
    from google.api_core.exceptions import BadRequest, MethodNotImplemented

    for body, said in (
        ({"settings": {"tier": 1}}, "tier"),
        ({"settings": {"activationPolicy": "SOMETIMES"}}, "SOMETIMES"),
        ({"setings": {}}, "setings"),
    ):
        with pytest.raises(BadRequest, match=said):
            control.api.ask("PATCH", f"/v1/{source.id}", body=body)
    with pytest.raises(BadRequest, match="colour"):
        control.api.ask("GET", f"/v1/{source.id}", {"colour": "red"})
    with pytest.raises(MethodNotImplemented):
        control.api.ask("POST", f"/v1/{source.id}/restart")


def killed(hook: DatabaseService, control: CloudSqlControl, run: str, of: DatabaseRef) -> str:
    """A restore whose process was killed once the clone was asked for, which is there since."""
    begun = begin_restore(hook, Requester(run=run, readable="drill"), latest(of))
    name = begun.operation.resource.rpartition("/")[2]
    while control.api.ask("GET", f"{PROJECT}/instances/{name}")["state"] != "RUNNABLE":
        time.sleep(0.02)
    assert "userLabels" not in control.api.ask("GET", f"{PROJECT}/instances/{name}")["settings"]
    return begun.operation.resource


def latest(of: DatabaseRef) -> RestoreWish:
    return RestoreWish(source=FromPointInTime(of))


def removed_of(hook: DatabaseService, run: str) -> list[str]:
    removal = DatabaseRemoval(certain_from=datetime.now(UTC))
    wanted = ScratchOf.by(Requester(run=run), None, None)
    while not removal.done:
        removal = advance_removal(hook, wanted, removal, now=datetime.now(UTC))
    return [one.id for one in removal.removed]


def test_a_killed_restore_is_removed_before_it_has_labels(
    hook: DatabaseService, control: CloudSqlControl, source: DatabaseRef
) -> None:
    made = killed(hook, control, "killed-1", source)
    assert removed_of(hook, "killed-2") == []
    assert removed_of(hook, "killed-1") == [made]
    assert removed_of(hook, "killed-1") == []
    assert made not in {one.ref.id for one in hook.list_databases({})}


def test_a_killed_restore_is_gone_on_with(
    hook: DatabaseService, control: CloudSqlControl, source: DatabaseRef
) -> None:
    """Its next try takes the clone for its own and labels it; there are not two."""
    made = killed(hook, control, "killed-3", source)
    before = {one.ref.id for one in hook.list_databases({})}
    again = begin_restore(hook, Requester(run="killed-3", readable="drill"), latest(source))
    assert (again.found, again.operation.resource) == (True, made)
    ended = waited(hook, again.operation)
    found = restored_database(hook, replace(again, operation=ended), conn_id=CONN_ID, cloud="gcp")
    assert (found.id, found.scratch) == (made, True)
    assert {one.ref.id for one in hook.list_databases({})} == before
    assert removed_of(hook, "killed-3") == [made]


def test_a_killed_restore_that_has_failed_gives_way_to_another(
    hook: DatabaseService, local_cloud_sql: LocalServer, source: DatabaseRef
) -> None:
    """It has no labels and never will have; the next try removes it, and orders anew."""
    task = Requester(run="killed-4", readable="drill")
    kind, call = DatabaseFaultKind.FAIL_LATER, DatabaseCall.RESTORE
    plant(local_cloud_sql.endpoint, [DatabaseFault(kind=kind, call=call, error=ErrorKind.QUOTA)])
    first = begin_restore(hook, task, latest(source))
    assert waited(hook, first.operation).state is OperationState.FAILED
    plant(local_cloud_sql.endpoint, [])
    second = begin_restore(hook, task, latest(source))
    assert second.operation.resource != first.operation.resource
    assert [one.resource for one in second.removing] == [first.operation.resource]
    for one in (second.operation, *second.removing):
        assert waited(hook, one).state is OperationState.SUCCEEDED
    assert removed_of(hook, "killed-4") == [second.operation.resource]
