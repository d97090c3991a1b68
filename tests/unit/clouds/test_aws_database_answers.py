"""RDS's error codes, references and states, each by what it becomes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from airflow_multicloud.clouds.aws.database.errors import FAILURES, TABLE, translated
from airflow_multicloud.clouds.aws.database.fields import (
    engine_of,
    instance_of,
    place_of,
    state_of,
)
from airflow_multicloud.clouds.aws.database.operations import UNSEEN, Handle, told
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import DatabaseRef, DatabaseRole, DatabaseState
from airflow_multicloud.ports.operations import OperationState
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import model_of

ARN = "arn:aws:rds:eu-central-1:123456789012:db:orders"
ITEM: dict[str, Any] = {
    "DBInstanceIdentifier": "orders",
    "DBInstanceArn": ARN,
    "DBInstanceClass": "db.t4g.micro",
    "DBInstanceStatus": "available",
    "DbiResourceId": "db-1",
    "Engine": "postgres",
    "EngineVersion": "18.1",
}
CALLED = (
    *("DescribeDBInstances", "DescribeDBInstanceAutomatedBackups", "DescribeDBSnapshots"),
    *("CreateDBSnapshot", "DeleteDBSnapshot", "RestoreDBInstanceFromDBSnapshot"),
    *("RestoreDBInstanceToPointInTime", "PromoteReadReplica", "StartDBInstance"),
    *("StopDBInstance", "DeleteDBInstance"),
)
#: Of clusters, which are not called.
OF_CLUSTERS = {
    *("DBClusterNotFoundFault", "DBClusterSnapshotNotFoundFault", "InvalidDBClusterStateFault"),
    "DBCapacityReservationNotFound",
}


def test_every_error_of_the_calls_has_a_meaning() -> None:
    """The model's, so that an upgrade of botocore that adds one is noticed."""
    codes = {
        error.metadata["error"]["code"]
        for name in CALLED
        for error in model_of("rds").operation_model(name).error_shapes
    }
    assert {code for code in codes - OF_CLUSTERS if TABLE.kind_of_code(code) is None} == set()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("DBInstanceNotFound", ErrorKind.NOT_FOUND),
        ("DBSnapshotAlreadyExists", ErrorKind.ALREADY_EXISTS),
        ("InvalidDBInstanceState", ErrorKind.BUSY),
        ("InsufficientDBInstanceCapacity", ErrorKind.CAPACITY),
        ("InstanceQuotaExceeded", ErrorKind.QUOTA),
        ("StorageQuotaExceeded", ErrorKind.QUOTA),
        ("PointInTimeRestoreNotEnabled", ErrorKind.PRECONDITION_FAILED),
        ("KMSKeyNotAccessibleFault", ErrorKind.PERMISSION_DENIED),
        ("Throttling", ErrorKind.THROTTLED),
    ],
)
def test_codes(code: str, kind: ErrorKind) -> None:
    answer = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    with (
        pytest.raises(DatabaseError, match="restoring scratch: ") as caught,
        translated("restoring scratch"),
    ):
        raise ClientError(answer, "RestoreDBInstanceToPointInTime")
    assert (caught.value.kind, caught.value.code, caught.value.cloud) == (kind, code, "aws")


@pytest.mark.parametrize(
    ("ref", "found"),
    [
        (DatabaseRef(ARN), ("orders", "eu-central-1", ARN)),
        (DatabaseRef("Orders"), ("orders", "us-east-1", None)),
        (DatabaseRef("orders", "eu-west-1"), ("orders", "eu-west-1", None)),
        (
            DatabaseRef(ARN.replace("aws:", "aws-cn:", 1)),
            ("orders", "eu-central-1", ARN.replace("aws:", "aws-cn:", 1)),
        ),
    ],
)
def test_references(ref: DatabaseRef, found: tuple[str, str, str | None]) -> None:
    place = place_of(ref, kind="db", home="us-east-1")
    assert (place.name, place.region, place.arn) == found


@pytest.mark.parametrize(
    "ref",
    [
        DatabaseRef(ARN, "us-east-1"),
        DatabaseRef(ARN.replace(":db:", ":snapshot:")),
        DatabaseRef(ARN.replace(":db:", ":cluster:")),
        DatabaseRef(ARN.replace("orders", "or--ders")),
        DatabaseRef("a:b"),
    ],
)
def test_references_that_are_none(ref: DatabaseRef) -> None:
    with pytest.raises(DatabaseError, match="database: ") as caught:
        place_of(ref, kind="db", home="us-east-1")
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_a_state_of_later_is_one_that_passes() -> None:
    assert state_of({"DBInstanceStatus": "polishing"}) is DatabaseState.BUSY
    assert {state_of({"DBInstanceStatus": status}) for status in FAILURES} == {DatabaseState.FAILED}


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("postgres", "postgres"),
        ("mysql", "mysql"),
        ("mariadb", "mariadb"),
        ("sqlserver-ex", "sqlserver"),
        ("custom-sqlserver-se", "sqlserver"),
        ("oracle-ee-cdb", "oracle"),
    ],
)
def test_engines(name: str, word: str) -> None:
    assert engine_of(name) == word


def test_a_replica_in_another_region_keeps_the_arn_of_its_primary() -> None:
    far = "arn:aws:rds:us-east-1:123456789012:db:orders"
    found = instance_of({**ITEM, "ReadReplicaSourceDBInstanceIdentifier": far}, "eu-central-1")
    assert (found.role, found.replica_of) == (DatabaseRole.REPLICA, far)
    near = instance_of({**ITEM, "ReadReplicaSourceDBInstanceIdentifier": "main"}, "eu-central-1")
    assert near.replica_of == "arn:aws:rds:eu-central-1:123456789012:db:main"


@pytest.mark.parametrize(
    ("action", "status", "age", "state"),
    [
        ("stop", "available", timedelta(0), OperationState.RUNNING),
        ("stop", "available", UNSEEN, OperationState.CANCELLED),
        ("stop", "stopped", timedelta(0), OperationState.SUCCEEDED),
        ("start", "stopped", timedelta(0), OperationState.RUNNING),
        ("start", "stopped", UNSEEN, OperationState.CANCELLED),
        ("restore", "creating", UNSEEN * 9, OperationState.RUNNING),
        ("restore", "modifying", UNSEEN * 9, OperationState.RUNNING),
        ("restore", "deleting", timedelta(0), OperationState.CANCELLED),
        ("restore", "insufficient-capacity", timedelta(0), OperationState.FAILED),
        ("remove", "deleting", UNSEEN * 9, OperationState.RUNNING),
        ("remove", "restore-error", timedelta(0), OperationState.RUNNING),
        ("remove", "restore-error", UNSEEN, OperationState.FAILED),
    ],
)
def test_operations_by_the_state_of_the_instance(
    action: str, status: str, age: timedelta, state: OperationState
) -> None:
    begun = (datetime.now(UTC) - age).timestamp()
    handle = Handle(identity="db-1", begun=begun)
    found = told(action, {**ITEM, "DBInstanceStatus": status}, handle)
    assert found.state is state
    assert Handle.parse(found.handle).identity == "db-1"
    if state is OperationState.FAILED:
        assert found.code == status
        assert found.error_kind is FAILURES[status]


def test_a_replica_is_promoted_when_it_follows_nobody() -> None:
    following = {**ITEM, "ReadReplicaSourceDBInstanceIdentifier": "main"}
    assert told("promote", following).state is OperationState.RUNNING
    assert told("promote", ITEM).state is OperationState.SUCCEEDED


def test_a_handle_that_is_none() -> None:
    with pytest.raises(DatabaseError, match="handle: 'x' given") as caught:
        Handle.parse("x")
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
