"""Flexible servers: references, states, tags and networks, each by what it becomes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from azure.mgmt.postgresqlflexibleservers import models

from airflow_multicloud.clouds.azure.database.backup_tags import labels_of_backup
from airflow_multicloud.clouds.azure.database.errors import kind_of
from airflow_multicloud.clouds.azure.database.fields import (
    BACKUP_TAGS,
    instance_of,
    place_of,
    state_of,
    tier_of,
)
from airflow_multicloud.clouds.azure.database.handles import Handle
from airflow_multicloud.clouds.azure.database.operations import told_by
from airflow_multicloud.clouds.azure.database.restoring import _check_network, _network
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    DatabaseNetwork,
    DatabaseRef,
    DatabaseRole,
    DatabaseState,
)
from airflow_multicloud.ports.operations import OperationState

SUBSCRIPTION = "33333333-3333-4333-8333-333333333333"
ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Data/providers/Microsoft.DBforPostgreSQL"
    "/flexibleServers/orders"
)
PLACE = place_of(DatabaseRef(ID), SUBSCRIPTION)


def server(state: str = "Ready", role: str = "Primary", **tags: str) -> models.Server:
    """One as the SDK reads it."""
    properties: dict[str, Any] = {
        "state": state,
        "version": "17",
        "minorVersion": "4",
        "fullyQualifiedDomainName": "orders.postgres.database.azure.com",
        "replica": {"role": role},
        "backup": {"earliestRestoreDate": "2026-01-02T03:04:05.1234567+00:00"},
    }
    if role != "Primary":
        properties["sourceServerResourceId"] = ID.replace("orders", "Main")
    return models.Server(
        {"id": ID, "location": "West Europe", "tags": tags, "properties": properties}
    )


def test_ids_have_one_form() -> None:
    """Azure writes groups in any case."""
    assert PLACE.id == ID.replace("Data", "data")
    backup = place_of(DatabaseRef(f"{ID}/backups/a-1"), SUBSCRIPTION, is_backup=True)
    assert (backup.server, backup.backup) == (PLACE.id, "a-1")


@pytest.mark.parametrize(
    ("id_", "is_backup", "words"),
    [
        ("orders", False, "database: 'orders'"),
        (f"{ID}/backups/a", False, "database: "),
        (ID, True, "snapshot: "),
        (ID.replace(SUBSCRIPTION, "other"), False, "connection's subscription"),
        (ID.replace("flexibleServers", "servers"), False, "flexibleServers"),
    ],
)
def test_a_reference_that_is_none(id_: str, is_backup: bool, words: str) -> None:
    with pytest.raises(DatabaseError, match=words) as caught:
        place_of(DatabaseRef(id_), SUBSCRIPTION, is_backup=is_backup)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_every_state_of_the_sdk_has_a_meaning() -> None:
    """One that an upgrade adds is noticed here; until then it is a change that goes on."""
    found = {str(one.value): state_of(server(str(one.value))) for one in models.ServerState}
    busy = {name for name, state in found.items() if state is DatabaseState.BUSY}
    assert busy == {"Updating", "Restarting"}
    assert state_of(server("Melting")) is DatabaseState.BUSY


def test_an_instance() -> None:
    tags = {"team": "a", f"{BACKUP_TAGS}nightly-0:0": "{}"}
    found = instance_of(server(**tags), replicas=["x"], is_locked=True, endpoint="https://m")
    assert found.ref == DatabaseRef(PLACE.id, "westeurope")
    assert (found.name, found.engine, found.engine_version) == ("orders", "postgres", "17.4")
    assert found.labels == {"team": "a"}
    assert found.deletion_protected
    assert found.restorable_from == datetime(2026, 1, 2, 3, 4, 5, 123456, UTC)
    assert found.restorable_until is not None
    assert found.endpoint is not None
    assert found.endpoint.port == 5432


@pytest.mark.parametrize("role", ["AsyncReplica", "GeoAsyncReplica"])
def test_a_replica(role: str) -> None:
    """No moment of it can be restored."""
    found = instance_of(server(role=role), replicas=(), is_locked=False, endpoint="https://m")
    assert found.role is DatabaseRole.REPLICA
    assert found.replica_of == PLACE.id.replace("orders", "main")
    assert found.restorable_from is None


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("Disabled", ErrorKind.PRECONDITION_FAILED),
        ("Inaccessible", ErrorKind.PERMISSION_DENIED),
    ],
)
def test_one_that_does_not_work(state: str, kind: ErrorKind) -> None:
    found = instance_of(server(state), replicas=(), is_locked=False, endpoint="https://m")
    assert (found.state, found.error_kind) == (DatabaseState.FAILED, kind)
    told = told_by("restore", server(state), PLACE)
    assert (told.state, told.error_kind, told.code) == (OperationState.FAILED, kind, state)


@pytest.mark.parametrize(
    ("action", "state", "expected"),
    [
        ("restore", "Provisioning", OperationState.RUNNING),
        ("restore", "Ready", OperationState.SUCCEEDED),
        ("restore", "Dropping", OperationState.CANCELLED),
        ("start", "Starting", OperationState.RUNNING),
        ("start", "Stopped", OperationState.CANCELLED),
        ("stop", "Stopped", OperationState.SUCCEEDED),
        ("remove", "Dropping", OperationState.RUNNING),
        ("remove", "Disabled", OperationState.RUNNING),
        ("remove", "Ready", OperationState.CANCELLED),
        ("promote", "Updating", OperationState.RUNNING),
    ],
)
def test_a_server_tells_how_it_goes(action: str, state: str, expected: OperationState) -> None:
    """Where Azure has forgotten the operation."""
    assert told_by(action, server(state), PLACE).state is expected


def test_one_that_still_follows_is_not_promoted() -> None:
    told = told_by("promote", server(role="AsyncReplica"), PLACE)
    assert told.state is OperationState.CANCELLED


@pytest.mark.parametrize(
    "handle",
    [Handle(), Handle(token="t", protect=True, url="https://m/x?c=1"), Handle(url="https://m/x")],
)
def test_a_handle_is_read_back(handle: Handle) -> None:
    assert Handle.parse(str(handle)) == handle


def test_a_handle_that_is_none() -> None:
    with pytest.raises(DatabaseError, match="handle"):
        Handle.parse("x")


def test_labels_of_a_backup() -> None:
    """Parts in order; nothing of another backup, and nothing that was changed by hand."""
    at = f"{BACKUP_TAGS}a-0"
    cut = {f"{at}:1": '":"v"}', f"{at}:0": '{"k', f"{BACKUP_TAGS}a-01:0": '{"o":"1"}'}
    assert labels_of_backup(server(**cut), "a-0") == {"k": "v"}
    assert labels_of_backup(server(**{f"{at}:0": "x"}), "a-0") == {}
    assert labels_of_backup(server(**{f"{at}:0": "[1]"}), "a-0") == {}
    assert labels_of_backup(server(), "a-0") == {}


@pytest.mark.parametrize(
    ("size", "tier"),
    [
        ("Standard_B1ms", "Burstable"),
        ("Standard_D2ds_v5", "GeneralPurpose"),
        ("Standard_E4s_v3", "MemoryOptimized"),
    ],
)
def test_a_size_has_its_tier(size: str, tier: str) -> None:
    assert tier_of(size) == tier


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (DatabaseNetwork(security_groups=("g",)), "security_groups"),
        (DatabaseNetwork(subnet="s", public_address=True), "public_address"),
        (DatabaseNetwork(private_zone="z"), "private_zone"),
    ],
)
def test_a_network_that_azure_does_not_have(network: DatabaseNetwork, words: str) -> None:
    with pytest.raises(DatabaseError, match=words):
        _check_network(network)


INSIDE = models.Network(
    public_network_access="Disabled",
    delegated_subnet_resource_id="s",
    private_dns_zone_arm_resource_id="z",
)
OUTSIDE = models.Network(public_network_access="Enabled")


@pytest.mark.parametrize(
    ("wanted", "like", "expected"),
    [
        (None, INSIDE, (None, "s", "z")),
        (None, OUTSIDE, ("Enabled", None, None)),
        (None, models.Network(public_network_access="Disabled"), ("Disabled", None, None)),
        (DatabaseNetwork(), OUTSIDE, ("Disabled", None, None)),
        (DatabaseNetwork(), INSIDE, (None, "s", "z")),
        (DatabaseNetwork(public_address=True), INSIDE, ("Enabled", None, None)),
        (DatabaseNetwork(subnet="t"), INSIDE, (None, "t", "z")),
        (DatabaseNetwork(subnet="t", private_zone="y"), OUTSIDE, (None, "t", "y")),
    ],
)
def test_where_a_restored_server_is_attached(
    wanted: DatabaseNetwork | None,
    like: models.Network,
    expected: tuple[str | None, str | None, str | None],
) -> None:
    found = _network(wanted, like)
    assert expected == (
        found.public_network_access,
        found.delegated_subnet_resource_id,
        found.private_dns_zone_arm_resource_id,
    )


def test_a_subnet_needs_a_zone() -> None:
    with pytest.raises(DatabaseError, match="private_zone"):
        _network(DatabaseNetwork(subnet="t"), OUTSIDE)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ServerIsBusy", ErrorKind.BUSY),
        ("ScopeLocked", ErrorKind.PRECONDITION_FAILED),
        ("QuotaExceeded", ErrorKind.QUOTA),
        ("NeverSeen", ErrorKind.UNAVAILABLE),
        (None, ErrorKind.UNAVAILABLE),
    ],
)
def test_an_operation_failed_with(code: str | None, kind: ErrorKind) -> None:
    assert kind_of(code) is kind
