"""Azure SQL: references, states, links and settings, each by what it becomes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.mgmt.sql import models

from airflow_multicloud.clouds.azure.database.errors import kind_of
from airflow_multicloud.clouds.azure.database.handles import Handle
from airflow_multicloud.clouds.azure.database.sql.fields import (
    failure_of,
    followers,
    following,
    instance_of,
    is_sql,
    place_of,
    state_of,
)
from airflow_multicloud.clouds.azure.database.sql.operations import told_by
from airflow_multicloud.clouds.azure.database.sql.promoting import _check_promotable
from airflow_multicloud.clouds.azure.database.sql.restoring import _moment
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    DatabaseEndpoint,
    DatabaseRef,
    DatabaseRole,
    DatabaseState,
    FromPointInTime,
)
from airflow_multicloud.ports.operations import OperationState

SUBSCRIPTION = "33333333-3333-4333-8333-333333333333"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Data"
ID = f"{GROUP}/providers/Microsoft.Sql/servers/Shop/databases/Orders"
OTHER = ID.replace("Shop", "shop-2")
PLACE = place_of(DatabaseRef(ID), SUBSCRIPTION)
EARLIEST = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def database(status: str = "Online", **properties: Any) -> models.Database:
    """One as the SDK reads it."""
    return models.Database(
        {
            "id": ID,
            "name": "Orders",
            "location": "West Europe",
            "tags": {"team": "a"},
            "sku": {"name": "GP_Gen5", "tier": "GeneralPurpose", "capacity": 2},
            "properties": {
                "status": status,
                "currentServiceObjectiveName": "GP_Gen5_2",
                "creationDate": "2026-01-01T00:00:00.1234567Z",
                "earliestRestoreDate": EARLIEST.isoformat(),
                **properties,
            },
        }
    )


SERVER = models.Server(
    {
        "location": "westeurope",
        "properties": {
            "version": "12.0",
            "fullyQualifiedDomainName": "shop.database.windows.net",
        },
    }
)


def link(
    role: str, partner: str, state: str = "CATCH_UP", kind: str = "GEO", id_: str | None = OTHER
) -> models.ReplicationLink:
    return models.ReplicationLink(
        {
            "name": "l",
            "properties": {
                "role": role,
                "partnerRole": partner,
                "partnerServer": "shop-2",
                "partnerDatabase": "Orders",
                "partnerDatabaseId": id_,
                "replicationState": state,
                "linkType": kind,
            },
        }
    )


def instance(*links: models.ReplicationLink, **more: Any) -> Any:
    return instance_of(
        more.get("database") or database(), SERVER, links, is_locked=False, endpoint="https://m"
    )


def test_ids_keep_the_case_of_names() -> None:
    """A person confirms by the name, and servers and groups have one form."""
    assert PLACE.id == ID.replace("Data", "data").replace("Shop", "shop")
    assert PLACE.name == "Orders"


@pytest.mark.parametrize(
    ("id_", "expected"),
    [
        (ID, True),
        (ID.lower(), True),
        (f"{GROUP}/providers/Microsoft.Sql/managedInstances/a/databases/b", True),
        (f"{GROUP}/providers/Microsoft.DBforPostgreSQL/flexibleServers/a", False),
        ("orders", False),
    ],
)
def test_which_kind_a_reference_is_of(id_: str, *, expected: bool) -> None:
    assert is_sql(DatabaseRef(id_)) is expected


@pytest.mark.parametrize(
    ("id_", "words"),
    [
        (ID.partition("/databases")[0], "expected /subscriptions/"),
        (ID.replace("Orders", "Master"), "service's own"),
        (f"{ID}/backups/a", "expected /subscriptions/"),
        (ID.replace("servers", "managedInstances"), "servers"),
        (ID.replace(SUBSCRIPTION, "other"), "connection's subscription"),
    ],
)
def test_a_reference_that_is_none(id_: str, words: str) -> None:
    with pytest.raises(DatabaseError, match=words) as caught:
        place_of(DatabaseRef(id_), SUBSCRIPTION)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_every_state_of_the_sdk_has_a_meaning() -> None:
    """One that an upgrade adds is noticed here; until then it is a change that goes on."""
    found = {str(one.value): state_of(database(str(one.value))) for one in models.DatabaseStatus}
    busy = {name for name, state in found.items() if state is DatabaseState.BUSY}
    assert busy == {
        *("AutoClosed", "OfflineChangingDwPerformanceTiers", "OfflineSecondary"),
        *("OnlineChangingDwPerformanceTiers", "Recovering", "Scaling", "Standby"),
    }
    assert state_of(database("Melting")) is DatabaseState.BUSY


def test_an_instance() -> None:
    found = instance()
    assert found.ref == DatabaseRef(PLACE.id, "westeurope")
    assert (found.name, found.engine, found.engine_version) == ("Orders", "sqlserver", "12.0")
    assert found.endpoint is not None
    assert found.labels == {"team": "a"}
    assert found.size == "GP_Gen5_2"
    assert (found.role, found.replicas) == (DatabaseRole.PRIMARY, ())
    assert found.restorable_from == EARLIEST
    assert found.restorable_until is not None


def test_a_primary_tells_its_secondaries_and_no_copies() -> None:
    named = link("Primary", "Secondary", id_=None)
    found = instance(link("Primary", "NonReadableSecondary"), link("Source", "Copy"), named)
    assert found.role is DatabaseRole.PRIMARY
    assert found.replicas == (OTHER.replace("Data", "data"), "shop-2/Orders")


@pytest.mark.parametrize("role", ["Secondary", "NonReadableSecondary"])
def test_a_secondary(role: str) -> None:
    """No moment of it can be restored."""
    found = instance(link(role, "Primary"))
    assert found.role is DatabaseRole.REPLICA
    assert found.replica_of == OTHER.replace("Data", "data")
    assert found.replicas == ()
    assert (found.restorable_from, found.restorable_until) == (None, None)


def test_what_is_being_copied_follows_nobody() -> None:
    assert following([link("Copy", "Source")]) is None
    assert list(followers([link("Copy", "Source")])) == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("Inaccessible", ErrorKind.PERMISSION_DENIED),
        ("Disabled", ErrorKind.PRECONDITION_FAILED),
        ("Suspect", ErrorKind.UNAVAILABLE),
    ],
)
def test_one_that_does_not_work(status: str, kind: ErrorKind) -> None:
    assert failure_of(database(status)) is kind
    found = instance(database=database(status))
    assert (found.state, found.error_kind) == (DatabaseState.FAILED, kind)
    told = told_by("restore", database(status), PLACE)
    assert (told.state, told.error_kind, told.code) == (OperationState.FAILED, kind, status)


@pytest.mark.parametrize(
    ("action", "status", "expected"),
    [
        ("restore", "Restoring", OperationState.RUNNING),
        ("restore", "Online", OperationState.SUCCEEDED),
        ("restore", "Paused", OperationState.SUCCEEDED),
        ("start", "Resuming", OperationState.RUNNING),
        ("start", "Paused", OperationState.CANCELLED),
        ("stop", "Paused", OperationState.SUCCEEDED),
        ("stop", "Online", OperationState.CANCELLED),
    ],
)
def test_a_database_tells_how_it_goes(action: str, status: str, expected: OperationState) -> None:
    """Where Azure has forgotten the operation, or never named one."""
    assert told_by(action, database(status), PLACE, Handle()).state is expected


@pytest.mark.parametrize(
    ("of", "given", "kind", "words"),
    [
        (database(failoverGroupId="g"), {}, ErrorKind.PRECONDITION_FAILED, "failover group g"),
        (database(), {"kind": "NAMED"}, ErrorKind.PRECONDITION_FAILED, "named replica"),
        (database(), {"state": "SEEDING"}, ErrorKind.BUSY, "SEEDING"),
        (database(), {"state": "SUSPENDED"}, ErrorKind.PRECONDITION_FAILED, "SUSPENDED"),
    ],
)
def test_what_is_not_promoted(
    of: models.Database, given: dict[str, str], kind: ErrorKind, words: str
) -> None:
    with pytest.raises(DatabaseError, match=words) as caught:
        _check_promotable(of, link("Secondary", "Primary", **given), "promoting")
    assert caught.value.kind is kind


def test_a_moment_to_restore() -> None:
    ref, now = DatabaseRef(ID), datetime.now(UTC)
    assert _moment(FromPointInTime(ref, EARLIEST), database()) == EARLIEST
    assert now <= _moment(FromPointInTime(ref), database())
    for time in (EARLIEST - timedelta(seconds=1), now + timedelta(hours=1)):
        with pytest.raises(DatabaseError, match="time: ") as caught:
            _moment(FromPointInTime(ref, time), database())
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_one_without_backups_has_no_moment() -> None:
    """A secondary, or one that is new."""
    with pytest.raises(DatabaseError, match="no moment") as caught:
        _moment(FromPointInTime(DatabaseRef(ID)), database(earliestRestoreDate=None))
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ConflictingDatabaseOperation", ErrorKind.BUSY),
        ("ServerDtuQuotaExceeded", ErrorKind.QUOTA),
        ("SubscriptionTooManyRequests", ErrorKind.THROTTLED),
        ("ServerNotInSubscriptionResourceGroup", ErrorKind.NOT_FOUND),
        ("GeoReplicationDatabaseNotSecondary", ErrorKind.PRECONDITION_FAILED),
    ],
)
def test_codes(code: str, kind: ErrorKind) -> None:
    assert kind_of(code) is kind


def test_a_database_is_one_of_its_servers() -> None:
    """Whoever asks it by SQL must not ask its source, which has the same address."""
    assert instance().endpoint == DatabaseEndpoint("shop.database.windows.net", 1433, "Orders")
