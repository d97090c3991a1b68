"""What Cloud SQL tells, as the port's values; nothing is asked for."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_multicloud.clouds.gcp.database import fields
from airflow_multicloud.clouds.gcp.database.claims import NAME_LABEL, belongs_to
from airflow_multicloud.clouds.gcp.database.descriptions import described, description_in
from airflow_multicloud.clouds.gcp.database.errors import failure_in, failure_of
from airflow_multicloud.clouds.gcp.database.fields import Place, instance_of
from airflow_multicloud.clouds.gcp.database.lag import Lags
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    TOKEN_LABEL,
    DatabaseEndpoint,
    DatabaseRef,
    DatabaseRole,
    DatabaseState,
)

TOKEN = str(uuid.UUID(int=7))


def item(**given: Any) -> dict[str, Any]:
    return {
        "name": "orders",
        "project": "p",
        "region": "europe-west1",
        "databaseVersion": "POSTGRES_16",
        "state": "RUNNABLE",
        "settings": {"tier": "db-f1-micro", "activationPolicy": "ALWAYS"},
        **given,
    }


@pytest.mark.parametrize(
    ("state", "policy", "expected"),
    [
        ("RUNNABLE", "ALWAYS", DatabaseState.AVAILABLE),
        ("RUNNABLE", "NEVER", DatabaseState.STOPPED),
        ("PENDING_CREATE", "ALWAYS", DatabaseState.CREATING),
        ("PENDING_DELETE", "NEVER", DatabaseState.DELETING),
        ("MAINTENANCE", "ALWAYS", DatabaseState.BUSY),
        ("SOMETHING_NEW", "ALWAYS", DatabaseState.BUSY),
        ("FAILED", "ALWAYS", DatabaseState.FAILED),
    ],
)
def test_states(state: str, policy: str, expected: DatabaseState) -> None:
    told = item(state=state, settings={"activationPolicy": policy})
    assert fields.state_of(told) is expected


def test_a_suspended_one_says_why() -> None:
    found = fields.instance_of(item(state="SUSPENDED", suspensionReason=["KMS_KEY_ISSUE"]))
    assert found.state is DatabaseState.FAILED
    assert found.error_kind is ErrorKind.PERMISSION_DENIED
    assert found.error == "its state is SUSPENDED (KMS_KEY_ISSUE)"
    unpaid = fields.instance_of(item(state="SUSPENDED", suspensionReason=["BILLING_ISSUE"]))
    assert unpaid.error_kind is ErrorKind.PRECONDITION_FAILED


@pytest.mark.parametrize(
    ("told", "engine", "version"),
    [
        ("POSTGRES_16", "postgres", "16"),
        ("POSTGRES_9_6", "postgres", "9.6"),
        ("MYSQL_8_0_18", "mysql", "8.0.18"),
        ("SQLSERVER_2019_STANDARD", "sqlserver", "2019"),
    ],
)
def test_engines(told: str, engine: str, version: str) -> None:
    assert fields.engine_of(told) == (engine, version)


def test_a_replica() -> None:
    found = fields.instance_of(item(masterInstanceName="example.com:p:main"))
    assert found.role is DatabaseRole.REPLICA
    assert found.replica_of == "projects/example.com:p/instances/main"
    primary = fields.instance_of(item(replicaNames=["a", "b"]))
    assert primary.replicas == ("projects/p/instances/a", "projects/p/instances/b")


def test_a_negative_lag_is_none_that_is_known() -> None:
    """Of replication that is inactive; the metric's own description says so."""
    point = {"interval": {"endTime": "2026-11-29T12:00:00Z"}, "value": {"doubleValue": -1}}
    hook = SimpleNamespace(
        _monitoring=SimpleNamespace(pages=lambda *_asked: [{"timeSeries": [{"points": [point]}]}])
    )
    found = Lags._lag(hook, Place(project="p", name="shop"))
    assert (found.value, found.measured_at) == (None, None)


def test_a_private_address_comes_first() -> None:
    told = [
        {"type": "PRIMARY", "ipAddress": "192.0.2.1"},
        {"type": "OUTGOING", "ipAddress": "192.0.2.2"},
        {"type": "PRIVATE", "ipAddress": "10.0.0.1"},
    ]
    found = fields.instance_of(item(ipAddresses=told, databaseVersion="MYSQL_8_0"))
    assert found.endpoint == DatabaseEndpoint("10.0.0.1", 3306)
    assert fields.instance_of(item(ipAddresses=told[1:2])).endpoint is None


def test_times() -> None:
    assert fields.moment_of("2026-11-01T00:00:00.123Z") == datetime(
        2026, 11, 1, 0, 0, 0, 123000, tzinfo=UTC
    )
    assert fields.moment_of(None) is None


@pytest.mark.parametrize("given", ["", "Upper", "projects/p/instances/", "projects/p/backups/b"])
def test_references_that_are_none(given: str) -> None:
    with pytest.raises(DatabaseError, match="database"):
        fields.place_of(DatabaseRef(given), home="p")


def test_what_is_not_in_a_snapshots_own_form_is_none() -> None:
    text = described("weekly", TOKEN.upper(), {"team": "a"})
    found = description_in(text)
    assert found is not None
    assert (found.name, found.all_labels) == ("weekly", {"team": "a", TOKEN_LABEL: TOKEN})
    for other in (
        None,
        "",
        "weekly",
        text + " ",
        text.replace("weekly", "Weekly"),
        text.replace(TOKEN, TOKEN.upper()).replace(TOKEN, "1"),
        text.replace('"team":"a"', '"team":1'),
        text.replace('"team":"a"', f'"{TOKEN_LABEL}":"{TOKEN}"'),
        text.replace('{"labels"', '{"database":"x","labels"'),
        "airflow-multicloud 1 " + "[" * 900,
        "airflow-multicloud 1 []",
    ):
        assert description_in(other) is None, other


def test_labels_that_a_description_can_not_hold() -> None:
    with pytest.raises(DatabaseError, match="labels") as caught:
        described("weekly", TOKEN, {f"key{number}": "v" * 60 for number in range(20)})
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_failures() -> None:
    assert failure_in({"status": "DONE"}) is None
    told = {"code": "ERROR_MAX_INSTANCE_PER_LABEL", "message": "too many"}
    found = failure_in({"error": {"errors": [told]}})
    assert found is not None
    assert (found.kind, found.text, found.code) == (ErrorKind.QUOTA, "too many", told["code"])
    assert failure_of({"code": "SOMETHING_NEW"}).kind is ErrorKind.UNAVAILABLE
    assert failure_of({}).text == "Cloud SQL gives no reason"


@pytest.mark.parametrize(
    ("age", "given", "expected"),
    [
        (timedelta(hours=23), {}, True),
        (timedelta(hours=25), {}, False),
        (timedelta(hours=25), {"state": "PENDING_CREATE"}, True),
        (timedelta(hours=25), {"state": "FAILED"}, True),
        (timedelta(hours=25), {"state": "MAINTENANCE"}, False),
        (timedelta(hours=1), {"masterInstanceName": "main"}, False),
        (None, {}, False),
    ],
)
def test_a_name_tells_whose_an_instance_is_for_a_day(
    *, age: timedelta | None, given: dict[str, str], expected: bool
) -> None:
    """Who takes the labels off later keeps it."""
    made_at = {} if age is None else {"createTime": (datetime.now(UTC) - age).isoformat()}
    token = "abcdef01-0000-5000-8000-000000000000"
    found = {**item(state="RUNNABLE", name="mc-abcdef01"), **made_at, **given}
    assert instance_of(found).labels_may_follow is expected
    assert belongs_to(found, token) is expected
    labels = {TOKEN_LABEL: token, NAME_LABEL: "mc-abcdef01"}
    assert belongs_to({**found, "settings": {"userLabels": labels}}, token)
