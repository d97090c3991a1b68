"""Instances and snapshots as RDS's API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from airflow_multicloud.testing.local_clouds.aws.database import SUBNET_GROUPS
from airflow_multicloud.testing.local_clouds.aws.database.world import Db, DbSnapshot, World

_UNREACHABLE = ("creating", "insufficient-capacity", "storage-full", "restore-error")


def instance(world: World, one: Db) -> dict[str, Any]:
    """A ``DBInstance``."""
    shown: dict[str, Any] = {
        "DBInstanceIdentifier": one.identifier,
        "DBInstanceClass": one.db_class,
        "Engine": "postgres",
        "DBInstanceStatus": one.status,
        "MasterUsername": one.master_user,
        "InstanceCreateTime": one.created_at,
        "BackupRetentionPeriod": one.retention_days,
        "VpcSecurityGroups": [
            {"VpcSecurityGroupId": group, "Status": "active"} for group in one.security_groups
        ],
        "DBParameterGroups": [
            {"DBParameterGroupName": one.parameter_group, "ParameterApplyStatus": "in-sync"}
        ],
        "DBSubnetGroup": {
            "DBSubnetGroupName": one.subnet_group,
            "VpcId": SUBNET_GROUPS[one.subnet_group],
            "SubnetGroupStatus": "Complete",
        },
        "MultiAZ": False,
        "EngineVersion": one.engine_version,
        "ReadReplicaDBInstanceIdentifiers": [
            replica.identifier for replica in world.replicas_of(one)
        ],
        "PubliclyAccessible": one.public,
        "StorageType": "gp3",
        "AllocatedStorage": 20,
        "DbiResourceId": one.resource_id,
        "CopyTagsToSnapshot": one.copy_tags,
        "DBInstanceArn": one.arn,
        "IAMDatabaseAuthenticationEnabled": one.iam,
        "DeletionProtection": one.deletion_protection,
        "TagList": tag_list(one.tags),
    }
    if one.source is not None:
        shown["ReadReplicaSourceDBInstanceIdentifier"] = one.source
    if one.message:
        shown["StatusInfos"] = [
            {
                "StatusType": "read replication" if one.source else "instance",
                "Normal": False,
                "Status": "error",
                "Message": one.message,
            }
        ]
    if one.server is not None and one.status not in _UNREACHABLE:
        shown["Endpoint"] = {
            "Address": one.server.endpoint.host,
            "Port": one.server.endpoint.port,
            "HostedZoneId": "Z2R2ITUGPM61AM",
        }
    if has_archive(one):
        shown["LatestRestorableTime"] = latest(one)
    return shown


def snapshot(one: DbSnapshot) -> dict[str, Any]:
    """A ``DBSnapshot``."""
    done = one.status == "available"
    return {
        "DBSnapshotIdentifier": one.identifier,
        "DBInstanceIdentifier": one.of.identifier,
        **({"SnapshotCreateTime": one.created_at} if done else {}),
        "Engine": "postgres",
        "AllocatedStorage": 20,
        "Status": one.status,
        "VpcId": SUBNET_GROUPS[one.of.subnet_group],
        "InstanceCreateTime": one.of.created_at,
        "MasterUsername": one.of.master_user,
        "EngineVersion": one.engine_version,
        "SnapshotType": one.kind,
        "PercentProgress": 100 if done else 0,
        "DBSnapshotArn": one.arn,
        "DbiResourceId": one.of.resource_id,
        "TagList": tag_list(one.tags),
    }


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """A ``TagList``."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def has_archive(one: Db) -> bool:
    """Whether an instance can be restored to a point in time."""
    return (
        one.server is not None
        and one.source is None
        and one.retention_days > 0
        and one.server.archive.earliest is not None
    )


def latest(one: Db) -> datetime | None:
    """Until when an instance can be restored: what runs is archived when that is asked for."""
    if one.server is None:
        return None
    if one.server.running and one.status == "available":
        return datetime.now(UTC)
    return one.server.archive.latest
