"""RDS's answers as the port's values, and references as it takes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from airflow_multicloud.clouds.aws.consoles import console_page
from airflow_multicloud.clouds.aws.database.errors import FAILURES, failure
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.database import (
    DatabaseEndpoint,
    DatabaseInstance,
    DatabaseRef,
    DatabaseRole,
    DatabaseState,
    Snapshot,
    SnapshotState,
)

# "Amazon Resource Names (ARNs) in Amazon RDS" of the user guide.
_ARN = re.compile(r"arn:aws[\w-]*:rds:(?P<region>[\w-]+):(?P<account>\d{12}):(?P<kind>\w+):(.+)")
# Also names that this package would not give: "CreateDBInstance" in the API reference. Those of
# RDS's own snapshots have a prefix: "DescribeDBSnapshots", SnapshotType.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*")
_TYPES = {"rds": "automated", "awsbackup": "awsbackup"}
_SNAPSHOT_NAME = re.compile(rf"(?:(?:{'|'.join(_TYPES)}):)?(?:{_NAME.pattern})")

#: "Viewing Amazon RDS DB instance status" of the user guide. In states about storage all else can
#: be ordered. One that is not here is taken for a change that goes on.
STATES: Mapping[str, DatabaseState] = {
    "available": DatabaseState.AVAILABLE,
    "storage-config-upgrade": DatabaseState.AVAILABLE,
    "storage-initialization": DatabaseState.AVAILABLE,
    "storage-optimization": DatabaseState.AVAILABLE,
    "creating": DatabaseState.CREATING,
    "starting": DatabaseState.STARTING,
    "stopping": DatabaseState.STOPPING,
    "stopped": DatabaseState.STOPPED,
    "deleting": DatabaseState.DELETING,
    "delete-precheck": DatabaseState.DELETING,
    **dict.fromkeys(FAILURES, DatabaseState.FAILED),
}
_SNAPSHOT_STATES: Mapping[str, SnapshotState] = {
    "available": SnapshotState.AVAILABLE,
    "failed": SnapshotState.FAILED,
    "deleting": SnapshotState.DELETING,
    "deleted": SnapshotState.DELETING,
}
# Engines by the beginning of their name ("CreateDBInstance", Engine).
_ENGINES = {"sqlserver-": "sqlserver", "oracle-": "oracle", "db2-": "db2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which instance or snapshot a reference names.

    :param arn: the whole of it, where it was given.
    """

    name: str
    region: str
    arn: str | None = None


def place_of(ref: DatabaseRef, *, kind: str, home: str | None) -> Place:
    """What a reference names.

    :param kind: ``db`` or ``snapshot``.
    :param home: the region of a plain name.
    :raises DatabaseError: ``invalid_argument``.
    """
    found = _ARN.fullmatch(ref.id)
    region = found["region"] if found else ref.region or home
    name = found[4] if found else ref.id
    contradicts = found is not None and (found["kind"] != kind or ref.region not in (None, region))
    names = _SNAPSHOT_NAME if kind == "snapshot" else _NAME
    if region is None or contradicts or not names.fullmatch(name):
        what = "database" if kind == "db" else "snapshot"
        raise failure(
            f"{what}: {ref.id!r} given{f' in {ref.region}' if ref.region else ''}; expected its "
            f"name, or arn:aws:rds:<its region>:<account>:{kind}:<name>",
            ErrorKind.INVALID_ARGUMENT,
        )
    return Place(name=name.lower(), region=region, arn=ref.id if found else None)


def region_in(ref: DatabaseRef) -> str | None:
    """The region that a reference names, of whatever it is.

    :raises DatabaseError: ``invalid_argument`` when it names two.
    """
    found = _ARN.fullmatch(ref.id)
    if found is None:
        return ref.region
    if ref.region not in (None, found["region"]):
        raise failure(
            f"region: {ref.region!r} given, but {ref.id} is in {found['region']}",
            ErrorKind.INVALID_ARGUMENT,
        )
    return found["region"]


def tags_of(item: Mapping[str, Any]) -> dict[str, str]:
    """The tags of an instance or a snapshot."""
    return {tag["Key"]: tag.get("Value", "") for tag in item.get("TagList") or ()}


def state_of(item: Mapping[str, Any]) -> DatabaseState:
    """How an instance is."""
    return STATES.get(item["DBInstanceStatus"], DatabaseState.BUSY)


def snapshot_state_of(item: Mapping[str, Any]) -> SnapshotState:
    """How a snapshot is."""
    return _SNAPSHOT_STATES.get(item["Status"], SnapshotState.CREATING)


def snapshot_type_of(name: str) -> str:
    """What one must be asked for as: one of RDS's own is not found without its type.

    "DescribeDBSnapshots", DBSnapshotIdentifier.
    """
    return _TYPES.get(name.partition(":")[0], "manual")


def reason_of(item: Mapping[str, Any]) -> str:
    """What RDS says of an instance's state."""
    told = [info.get("Message") or "" for info in item.get("StatusInfos") or ()]
    return next(filter(None, told), f"its status is {item['DBInstanceStatus']}")


def instance_of(item: Mapping[str, Any], region: str) -> DatabaseInstance:
    """An instance as the port has it, without its lag and the first moment to restore.

    :param item: of ``DescribeDBInstances``.
    :raises LookupError: when it is none.
    """
    arn, name = item["DBInstanceArn"], item["DBInstanceIdentifier"]
    source = item.get("ReadReplicaSourceDBInstanceIdentifier")
    state = state_of(item)
    kind = FAILURES.get(item["DBInstanceStatus"])
    endpoint = item.get("Endpoint") or {}
    return DatabaseInstance(
        ref=DatabaseRef(arn, region),
        name=name,
        state=state,
        role=DatabaseRole.REPLICA if source else DatabaseRole.PRIMARY,
        engine=engine_of(item["Engine"]),
        engine_version=item["EngineVersion"],
        account_id=account_of(arn),
        endpoint=DatabaseEndpoint(endpoint["Address"], int(endpoint["Port"]))
        if endpoint.get("Address")
        else None,
        replica_of=_arn_of(source, arn) if source else None,
        replicas=tuple(
            _arn_of(one, arn) for one in item.get("ReadReplicaDBInstanceIdentifiers") or ()
        ),
        size=item["DBInstanceClass"],
        labels=tags_of(item),
        deletion_protected=bool(item.get("DeletionProtection")),
        created_at=_moment(item.get("InstanceCreateTime")),
        restorable_until=_moment(item.get("LatestRestorableTime")),
        error_kind=kind,
        error=None if kind is None else reason_of(item),
        console_url=console_page("rds", region, f"database:id={name};is-cluster=false"),
    )


def snapshot_of(item: Mapping[str, Any], region: str) -> Snapshot:
    """A snapshot as the port has it.

    :param item: of ``DescribeDBSnapshots``.
    :raises LookupError: when it is none.
    """
    arn, state = item["DBSnapshotArn"], snapshot_state_of(item)
    of = f"{arn.partition(':snapshot:')[0]}:db:{item['DBInstanceIdentifier']}"
    return Snapshot(
        ref=DatabaseRef(arn, region),
        name=item["DBSnapshotIdentifier"],
        database=of,
        state=state,
        account_id=account_of(arn),
        engine=engine_of(item["Engine"]),
        created_at=_moment(item.get("SnapshotCreateTime")),
        labels=tags_of(item),
        error=f"its status is {item['Status']}" if state is SnapshotState.FAILED else None,
    )


def engine_of(name: str) -> str:
    """SQLAlchemy's word for an engine."""
    plain = name.removeprefix("custom-")
    return next((word for start, word in _ENGINES.items() if plain.startswith(start)), plain)


def family_of(item: Mapping[str, Any]) -> tuple[str, ...]:
    """What of an engine's version decides which parameter groups an instance or a snapshot takes.

    PostgreSQL's since 10 have one number, others two: "DBParameterGroupFamily" of
    ``DescribeDBEngineVersions``.

    :raises LookupError: when it is neither.
    """
    engine, numbers = item["Engine"], item["EngineVersion"].split(".")
    one = engine == "postgres" and len(numbers[0]) > 1
    return (engine, *numbers[: 1 if one else 2])


def account_of(arn: str) -> str:
    """The account that an ARN names."""
    return arn.split(":")[4]


def _arn_of(identifier: str, like: str) -> str:
    """A full id: RDS gives a plain name for what is in the same region."""
    return (
        identifier if identifier.startswith("arn:") else f"{like.rpartition(':')[0]}:{identifier}"
    )


def _moment(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)
