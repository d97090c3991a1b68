"""The local flexible servers: what they refuse, and what the hook makes of it."""

from __future__ import annotations

import pickle
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest

from airflow_multicloud import registry
from airflow_multicloud.clouds.azure.database.fields import BACKUP_TAGS
from airflow_multicloud.core.database.identity import SERIES, Requester, identity_of
from airflow_multicloud.core.database.snapshots import SnapshotWish, begin_snapshot
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    TOKEN_LABEL,
    DatabaseRef,
    DatabaseService,
    FromPointInTime,
    RestoreOrder,
    SnapshotOrder,
)
from airflow_multicloud.ports.operations import Operation, OperationState
from airflow_multicloud.testing.local_clouds.azure.database import (
    RESOURCE_GROUP,
    SUBNET_ID,
    ZONE_ID,
)
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from tests.contract.database_rigs.azure import FlexibleServersControl, control

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.testing.local_clouds import LocalServer

TOKENS = tuple(f"{n}0000000-0000-4000-8000-000000000000" for n in range(6))
REFUSED = {
    "status": 403,
    "body": {"error": {"code": "AuthorizationFailed", "message": "No authorization."}},
}
GONE = {"status": 404, "body": {"error": {"code": "NotFound", "message": "No operation."}}}


@pytest.fixture(scope="module")
def azure(local_flexible_servers: LocalServer) -> Iterator[FlexibleServersControl]:
    made = control(local_flexible_servers)
    yield made
    made.clear()
    made.close()


@pytest.fixture(scope="module")
def source(azure: FlexibleServersControl) -> DatabaseRef:
    return azure.make("flex-source")


@pytest.fixture
def hook(local_flexible_servers: LocalServer) -> DatabaseService:
    assert local_flexible_servers.endpoint
    return registry.resolve(DatabaseService, "azure_database_local")


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


def restore_order(source: DatabaseRef, name: str, token: str) -> RestoreOrder:
    return RestoreOrder(source=FromPointInTime(source), name=name, token=token)


def test_a_restored_server_is_attached_as_its_source(
    hook: DatabaseService, azure: FlexibleServersControl, source: DatabaseRef
) -> None:
    done(hook, hook.restore_database(restore_order(source, "flex-like", TOKENS[0])))
    network = azure.described("flex-like")["properties"]["network"]
    assert network["delegatedSubnetResourceId"] == SUBNET_ID
    assert network["privateDnsZoneArmResourceId"] == ZONE_ID


def test_another_orders_server_is_noticed_when_it_is_done(
    hook: DatabaseService, azure: FlexibleServersControl, source: DatabaseRef
) -> None:
    """Both looked, and found no server of the name."""
    begun = hook.restore_database(restore_order(source, "flex-taken", TOKENS[1]))
    azure.available("flex-taken")
    azure.client.servers.begin_update(
        RESOURCE_GROUP, "flex-taken", {"tags": {TOKEN_LABEL: TOKENS[2]}}, polling=False
    )
    told = waited(hook, begun)
    assert told.state is OperationState.FAILED
    assert told.error_kind is ErrorKind.ALREADY_EXISTS


def test_an_operation_that_azure_has_forgotten(
    hook: DatabaseService, admin: Admin, source: DatabaseRef
) -> None:
    """The server tells."""
    begun = hook.restore_database(restore_order(source, "flex-forgotten", TOKENS[3]))
    admin.script("azureAsyncOperation", [GONE] * 1000)
    assert done(hook, begun).endswith("flex-forgotten")


def test_a_handle_that_leads_elsewhere(hook: DatabaseService, source: DatabaseRef) -> None:
    """The token would be sent there."""
    begun = hook.power_database(source, on=True)
    strange = replace(begun, state=OperationState.RUNNING, handle="- - https://example.com/x")
    with pytest.raises(DatabaseError, match="handle") as caught:
        hook.describe_operation(strange)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_who_may_not_read_locks_is_told_so(
    hook: DatabaseService, admin: Admin, source: DatabaseRef
) -> None:
    """Whether a server is protected is not made up."""
    admin.script("/locks", [REFUSED, REFUSED])
    for ask in (lambda: hook.describe_database(source), lambda: [*hook.list_databases({})]):
        with pytest.raises(DatabaseError, match="locks/read") as caught:
            ask()
        assert caught.value.kind is ErrorKind.PERMISSION_DENIED


def test_a_lock_of_the_group(
    hook: DatabaseService, azure: FlexibleServersControl, source: DatabaseRef
) -> None:
    """It protects the servers in it, and keeps their backups."""
    order = SnapshotOrder(database=source, name="locked", token=TOKENS[4])
    snapshot = DatabaseRef(done(hook, hook.snapshot_database(order)))
    lock = f"{source.id.partition('/providers/')[0]}/providers/Microsoft.Authorization/locks/all"
    request = HttpRequest(
        "PUT",
        lock,
        params={"api-version": "2020-05-01"},
        json={"properties": {"level": "CanNotDelete"}},
    )
    azure.client.send_request(request).raise_for_status()
    try:
        assert hook.describe_database(source).deletion_protected
        assert all(one.deletion_protected for one in hook.list_databases({}))
        with pytest.raises(DatabaseError, match="lock") as caught:
            hook.remove_snapshot(snapshot, token=TOKENS[4])
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
        assert caught.value.code == "ScopeLocked"
        assert pickle.loads(pickle.dumps(caught.value)).code == "ScopeLocked"
    finally:
        azure.send("DELETE", lock)
    done(hook, hook.remove_snapshot(snapshot, token=TOKENS[4]))


def test_labels_of_a_snapshot_are_tags_that_go_with_it(
    hook: DatabaseService, azure: FlexibleServersControl, source: DatabaseRef
) -> None:
    """They are cut, since a tag holds 256 characters."""
    labels = {f"label-{n}": "v" * 60 for n in range(8)}
    order = SnapshotOrder(database=source, name="tagged", token=TOKENS[5], labels=labels)
    snapshot = done(hook, hook.snapshot_database(order))
    (found,) = hook.list_snapshots(source, {"label-7": None})
    assert found.labels == {**labels, TOKEN_LABEL: TOKENS[5]}
    tags = [key for key in _tags(azure) if key.startswith(BACKUP_TAGS)]
    assert len(tags) == 3
    assert not {*tags} & {*hook.describe_database(source).labels}
    done(hook, hook.remove_snapshot(DatabaseRef(snapshot), token=TOKENS[5]))
    assert not [key for key in _tags(azure) if key.startswith(BACKUP_TAGS)]


def test_labels_of_backups_that_azure_has_deleted_make_room(
    hook: DatabaseService, azure: FlexibleServersControl, source: DatabaseRef
) -> None:
    """What is about to be taken keeps its labels, and so does what somebody writes meanwhile."""
    kept = SnapshotOrder(database=source, name="kept", token=TOKENS[2])
    done(hook, hook.snapshot_database(kept))
    before = {key for key in _tags(azure) if key.startswith(BACKUP_TAGS)}
    long_ago, now = (f"{int(time.time()) - age:08x}:" for age in (2 * 24 * 3600, 60))
    expired = {
        f"{BACKUP_TAGS}old-{n // 3}-0000000{n // 3 % 10}:{n % 3}": long_ago for n in range(45)
    }
    unfinished = {f"{BACKUP_TAGS}young-00000001:0": now + '{"a":'}
    unfinished[f"{BACKUP_TAGS}young-00000001:1"] = long_ago + "1}"
    _change(azure, source, "Merge", {**expired, **unfinished, "team": "shop"})
    order = SnapshotOrder(database=source, name="next", token=TOKENS[3])
    done(hook, hook.snapshot_database(order))
    left = _tags(azure)
    assert not {*expired} & {*left}
    assert {*unfinished, *before, "team"} <= {*left}
    labels = {one.name: one.labels for one in hook.list_snapshots(source, {TOKEN_LABEL: None})}
    assert labels == {"next": {TOKEN_LABEL: TOKENS[3]}, "kept": {TOKEN_LABEL: TOKENS[2]}}
    _change(azure, source, "Delete", {"team": "another", **unfinished})
    assert _tags(azure)["team"] == "shop"
    for one in (kept, order):
        (found,) = [s for s in hook.list_snapshots(source, {}) if s.name == one.name]
        done(hook, hook.remove_snapshot(found.ref, token=one.token))


def test_what_a_task_orders_takes_two_tags(
    hook: DatabaseService, azure: FlexibleServersControl, source: DatabaseRef
) -> None:
    """A server has fifty."""
    requester = Requester(run="run", readable="a-dag-of-some-length", series="series", map_index=7)
    begun = begin_snapshot(hook, requester, SnapshotWish(database=source))
    done(hook, begun.operation)
    backup = begun.operation.resource.rpartition("/")[2]
    tags = [key for key in _tags(azure) if key.startswith(f"{BACKUP_TAGS}{backup}:")]
    assert len(tags) == 2
    (found,) = hook.list_snapshots(source, {SERIES: begun.identity.series})
    assert identity_of(found.labels, found.name) == begun.identity
    done(hook, hook.remove_snapshot(found.ref, token=begun.identity.token))


def test_tags_without_room_say_what_to_do(
    hook: DatabaseService, azure: FlexibleServersControl, source: DatabaseRef
) -> None:
    """Labels of backups that were only just begun are not taken for those of backups gone."""
    now = f"{int(time.time()):08x}:"
    begun = {f"{BACKUP_TAGS}young-{n:08}:0": now for n in range(50 - len(_tags(azure)))}
    _change(azure, source, "Merge", begun)
    try:
        with pytest.raises(DatabaseError, match="remove older snapshots") as caught:
            hook.snapshot_database(SnapshotOrder(database=source, name="full", token=TOKENS[4]))
        assert caught.value.kind is ErrorKind.QUOTA
    finally:
        _change(azure, source, "Delete", begun)


def test_a_final_snapshot_is_refused_before_anything_is_done(
    hook: DatabaseService, source: DatabaseRef
) -> None:
    with pytest.raises(DatabaseError, match="final_snapshot") as caught:
        hook.remove_database(source, token=TOKENS[0], final_snapshot="last")
    assert caught.value.kind is ErrorKind.UNSUPPORTED


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"location": "westeurope", "colour": "red"}, "InvalidRequestContent"),
        ({"properties": {"createMode": "Default"}}, "InvalidRequestContent"),
        ({"location": "westeurope", "properties": {"state": "Ready"}}, "InvalidRequestContent"),
        ({"location": "atlantis", "properties": {}}, "InvalidParameterValue"),
        ({"location": "westeurope", "properties": {}}, "InvalidParameterValue"),
    ],
)
def test_what_the_server_refuses(
    azure: FlexibleServersControl, body: dict[str, Any], code: str
) -> None:
    """By the SDK's own model of the request, and by the rules that it states."""
    path = f"{_group()}/providers/Microsoft.DBforPostgreSQL/flexibleServers/flex-none"
    request = HttpRequest("PUT", path, params={"api-version": "2026-10-01"}, json=body)
    answer = azure.client.send_request(request)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code


def test_another_version_of_the_api_is_refused(azure: FlexibleServersControl) -> None:
    path = f"{_group()}/providers/Microsoft.DBforPostgreSQL/flexibleServers/flex-source"
    request = HttpRequest("GET", path, params={"api-version": "2017-12-01"})
    with pytest.raises(HttpResponseError, match="api-version"):
        azure.client.send_request(request).raise_for_status()


def _tags(azure: FlexibleServersControl) -> dict[str, str]:
    found: dict[str, str] = azure.described("flex-source")["tags"]
    return found


def _change(
    azure: FlexibleServersControl, source: DatabaseRef, operation: str, tags: dict[str, str]
) -> None:
    request = HttpRequest(
        "PATCH",
        f"{source.id}/providers/Microsoft.Resources/tags/default",
        params={"api-version": "2025-04-01"},
        json={"operation": operation, "properties": {"tags": tags}},
    )
    azure.client.send_request(request).raise_for_status()


def _group() -> str:
    return SUBNET_ID.partition("/providers/")[0]
