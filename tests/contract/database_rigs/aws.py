"""RDS: the local API, with PostgreSQL servers behind it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airflow_multicloud.ports.database import (
    DatabaseEndpoint,
    DatabaseNetwork,
    DatabaseRef,
    DatabaseService,
)
from airflow_multicloud.testing.contracts.database.rigs import DatabaseRigSpec
from airflow_multicloud.testing.contracts.rigs import connected
from airflow_multicloud.testing.local_clouds.kit.sql_seeds import plant
from tests.contract.database_rigs.sql import PASSWORD, STANDING, USER, SqlLab

if TYPE_CHECKING:
    import pytest

    from airflow_multicloud.testing.local_clouds import LocalServer
    from airflow_multicloud.testing.sql_faults import DatabaseFault

_CONN_ID = "aws_database_local"
_REGION, _ABROAD = "us-east-1", "us-west-2"
_LONGEST_S = 60
SUBNET_GROUP, SECURITY_GROUP = "app", "sg-0a000000000000001"


def rig() -> DatabaseRigSpec:
    from airflow_multicloud.clouds.aws.database import Hook

    return DatabaseRigSpec(
        name="local_rds",
        cloud="aws",
        hook=Hook,
        open=connected(DatabaseService, _CONN_ID, "local_rds"),
        lab=_lab,
        plant=_plant,
        open_refused=_refused,
        network=DatabaseNetwork(subnet=SUBNET_GROUP, security_groups=(SECURITY_GROUP,)),
    )


class RdsControl:
    """RDS's own API, without the hook.

    :param client: of boto3.
    :param abroad: the same in another region.
    """

    def __init__(self, client: Any, abroad: RdsControl | None = None) -> None:
        self.client = client
        self._abroad = abroad

    def make_abroad(self, name: str) -> DatabaseRef:
        assert self._abroad is not None
        return self._abroad.make(name)

    def make(self, name: str, **given: str) -> DatabaseRef:
        usual: dict[str, Any] = {
            "DBInstanceClass": "db.t4g.small",
            "Engine": "postgres",
            "MasterUsername": USER,
            "MasterUserPassword": PASSWORD,
            "DBSubnetGroupName": SUBNET_GROUP,
            "VpcSecurityGroupIds": [SECURITY_GROUP],
            "DBParameterGroupName": "app-postgres18",
            "BackupRetentionPeriod": 7,
        }
        self.client.create_db_instance(DBInstanceIdentifier=name, **{**usual, **given})
        return self._available(name)

    def replicate(self, of: DatabaseRef, name: str) -> DatabaseRef:
        self.client.create_db_instance_read_replica(
            DBInstanceIdentifier=name, SourceDBInstanceIdentifier=of.id
        )
        return self._available(name)

    def endpoint(self, ref: DatabaseRef) -> DatabaseEndpoint:
        found = self.described(ref.id)["Endpoint"]
        return DatabaseEndpoint(found["Address"], found["Port"])

    def described(self, name: str) -> dict[str, Any]:
        (found,) = self.client.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
        instance: dict[str, Any] = found
        return instance

    def find(self, name: str) -> DatabaseRef | None:
        try:
            return self._available(name)
        except self.client.exceptions.DBInstanceNotFoundFault:
            return None

    def clear(self) -> None:
        if self._abroad is not None:
            self._abroad.clear()
        end = time.monotonic() + _LONGEST_S
        while found := [*self._instances(), *self._snapshots()]:
            assert time.monotonic() < end, found
            time.sleep(0.05)

    def _instances(self) -> list[str]:
        """Those that are left."""
        found = self.client.describe_db_instances()["DBInstances"]
        left = [one for one in found if one["DBInstanceIdentifier"] != STANDING]
        for one in left:
            self._delete(one)
        return [one["DBInstanceArn"] for one in left]

    def _snapshots(self) -> list[str]:
        found = self.client.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
        known = self.client.exceptions
        for one in found:
            with suppress(known.InvalidDBSnapshotStateFault, known.DBSnapshotNotFoundFault):
                self.client.delete_db_snapshot(DBSnapshotIdentifier=one["DBSnapshotIdentifier"])
        return [one["DBSnapshotArn"] for one in found]

    def close(self) -> None:
        if self._abroad is not None:
            self._abroad.close()
        self.client.close()

    def _delete(self, one: dict[str, Any]) -> None:
        name = one["DBInstanceIdentifier"]
        # What is deleted already, or changes just now, is looked at again.
        known = self.client.exceptions
        with suppress(known.InvalidDBInstanceStateFault, known.DBInstanceNotFoundFault):
            if one["DeletionProtection"]:
                self.client.modify_db_instance(DBInstanceIdentifier=name, DeletionProtection=False)
            self.client.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)

    def _available(self, name: str) -> DatabaseRef:
        end = time.monotonic() + _LONGEST_S
        while (found := self.described(name))["DBInstanceStatus"] != "available":
            assert time.monotonic() < end, found
            time.sleep(0.02)
        return DatabaseRef(found["DBInstanceArn"], self.client.meta.region_name)


def control(server: LocalServer) -> RdsControl:
    """For the server of the fixture."""
    import boto3

    spec: Any = server.spec.connections[_CONN_ID]
    home, abroad = (
        boto3.client(
            "rds",
            region_name=region,
            endpoint_url=spec["extra"]["endpoint_url"],
            aws_access_key_id=spec["login"],
            aws_secret_access_key=spec["password"],
        )
        for region in (_REGION, _ABROAD)
    )
    return RdsControl(home, RdsControl(abroad))


def _lab(request: pytest.FixtureRequest) -> SqlLab:
    server: LocalServer = request.getfixturevalue("local_rds")
    made = control(server)
    request.addfinalizer(made.close)
    return SqlLab(made, server.endpoint)


def _refused(request: pytest.FixtureRequest) -> DatabaseService:
    server: LocalServer = request.getfixturevalue("local_rds")
    patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    spec: Any = server.spec.connections[_CONN_ID]
    patch.setenv("AIRFLOW_CONN_REFUSED", json.dumps({**spec, "login": "nobody"}))
    return connected(DatabaseService, "refused")(request)


def _plant(request: pytest.FixtureRequest, faults: Sequence[DatabaseFault]) -> None:
    server: LocalServer = request.getfixturevalue("local_rds")
    plant(server.endpoint, faults)
