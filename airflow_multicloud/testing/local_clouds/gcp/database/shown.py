"""Instances and backups as Google tells them."""

from __future__ import annotations

from typing import Any

from airflow_multicloud.testing.local_clouds.gcp import PROJECT
from airflow_multicloud.testing.local_clouds.gcp.database.world import Db, DbBackup, World

VERSION = "POSTGRES_18"
_BASE = "https://sqladmin.googleapis.com/v1/"


def instance(world: World, one: Db) -> dict[str, Any]:
    """Of ``instances.get``."""
    found: dict[str, Any] = {
        "kind": "sql#instance",
        "name": one.name,
        "project": PROJECT,
        "region": one.region,
        "connectionName": f"{PROJECT}:{one.region}:{one.name}",
        "backendType": "SECOND_GEN",
        "instanceType": "READ_REPLICA_INSTANCE" if one.primary else "CLOUD_SQL_INSTANCE",
        "databaseVersion": VERSION,
        "state": one.state,
        "createTime": one.created_at,
        "selfLink": f"{_BASE}{one.id}",
        "settings": {"kind": "sql#settings", **one.settings},
    }
    if one.server is not None:
        address = {"type": "PRIMARY", "ipAddress": one.server.endpoint.host}
        found["ipAddresses"] = [address]
    if one.primary is not None:
        found["masterInstanceName"] = f"{PROJECT}:{one.primary}"
    if replicas := sorted(other.name for other in world.replicas_of(one)):
        found["replicaNames"] = replicas
    return found


def backup(one: DbBackup) -> dict[str, Any]:
    """Of ``Backups.GetBackup``."""
    found: dict[str, Any] = {
        "kind": "sql#backup",
        "name": one.name,
        "selfLink": f"{_BASE}{one.name}",
        "instance": one.of,
        "type": one.kind,
        "state": one.state,
        "location": "us",
        "databaseVersion": VERSION,
        "backupKind": "SNAPSHOT",
        "instanceSettings": {
            "name": one.of,
            "region": one.region,
            "settings": one.settings,
        },
    }
    if one.description is not None:
        found["description"] = one.description
    if one.begun_at is not None:
        found["backupInterval"] = {"startTime": one.begun_at, "endTime": one.begun_at}
    if one.error is not None:
        found["error"] = one.error
    return found
