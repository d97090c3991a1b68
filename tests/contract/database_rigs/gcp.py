"""Cloud SQL: the local API, with PostgreSQL servers behind it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from google.api_core.exceptions import BadRequest, Conflict, NotFound

from airflow_multicloud.ports.database import DatabaseEndpoint, DatabaseRef, DatabaseService
from airflow_multicloud.testing.contracts.database.rigs import DatabaseRigSpec
from airflow_multicloud.testing.contracts.rigs import connected
from airflow_multicloud.testing.local_clouds.gcp import PROJECT
from airflow_multicloud.testing.local_clouds.kit.sql_seeds import plant
from tests.contract.database_rigs.sql import PASSWORD, STANDING, USER, SqlLab

if TYPE_CHECKING:
    import pytest

    from airflow_multicloud.testing.local_clouds import LocalServer
    from airflow_multicloud.testing.sql_faults import DatabaseFault

CONN_ID = "gcp_database_local"
_REGION = "us-central1"
_LONGEST_S = 60
_PORT = 5432
_INSTANCES = f"/v1/projects/{PROJECT}/instances"


def rig() -> DatabaseRigSpec:
    from airflow_multicloud.clouds.gcp.database import Hook

    return DatabaseRigSpec(
        name="local_cloud_sql",
        cloud="gcp",
        hook=Hook,
        open=connected(DatabaseService, CONN_ID, "local_cloud_sql"),
        lab=_lab,
        plant=_plant,
        open_refused=_refused,
    )


class CloudSqlControl:
    """The Admin API, without the hook."""

    def __init__(self) -> None:
        from airflow.providers.google.common.hooks.base_google import GoogleBaseHook

        from airflow_multicloud.clouds.gcp.session import Session
        from airflow_multicloud.errors import DatabaseError

        session = Session(GoogleBaseHook(CONN_ID))
        self.api = session.rest("sqladmin", "", area=DatabaseError)

    def make(self, name: str, region: str = _REGION, **settings: object) -> DatabaseRef:
        backups = {"enabled": True, "pointInTimeRecoveryEnabled": True}
        self.do(
            "POST",
            _INSTANCES,
            {
                "name": name,
                "region": region,
                "databaseVersion": "POSTGRES_18",
                "rootPassword": PASSWORD,
                "settings": {"tier": "db-f1-micro", "backupConfiguration": backups, **settings},
            },
        )
        self.do("POST", f"{_INSTANCES}/{name}/users", {"name": USER, "password": PASSWORD})
        return _ref(name, region)

    def make_abroad(self, name: str) -> DatabaseRef:
        return self.make(name, "us-east1")

    def replicate(self, of: DatabaseRef, name: str) -> DatabaseRef:
        primary = of.id.rpartition("/")[2]
        self.do(
            "POST",
            _INSTANCES,
            {"name": name, "region": _REGION, "masterInstanceName": f"{PROJECT}:{primary}"},
        )
        return _ref(name)

    def endpoint(self, ref: DatabaseRef) -> DatabaseEndpoint:
        (address,) = self.api.ask("GET", f"/v1/{ref.id}")["ipAddresses"]
        return DatabaseEndpoint(address["ipAddress"], _PORT)

    def find(self, name: str) -> DatabaseRef | None:
        try:
            self.api.ask("GET", f"{_INSTANCES}/{name}")
        except NotFound:
            return None
        return _ref(name)

    def clear(self) -> None:
        end = time.monotonic() + _LONGEST_S
        while found := [*self._instances(), *self._backups()]:
            assert time.monotonic() < end, found
            time.sleep(0.05)

    def _instances(self) -> list[str]:
        """Those that are left."""
        found = self.api.items(_INSTANCES, "items", {})
        left = [one for one in found if one["name"] != STANDING]
        # Replicas first.
        for one in sorted(left, key=lambda one: "replicaNames" in one):
            self._delete(one)
        return [one["name"] for one in left]

    def _backups(self) -> list[str]:
        left = [
            one["name"] for one in self.api.items(f"/v1/projects/{PROJECT}/backups", "backups", {})
        ]
        for name in left:
            with suppress(Conflict, NotFound):  # what is left is tried again
                self.api.ask("DELETE", f"/v1/{name}")
        return left

    def do(self, method: str, path: str, body: dict[str, Any]) -> None:
        """Have it done, and wait until it is."""
        told = self.api.ask(method, path, body=body)
        end = time.monotonic() + _LONGEST_S
        while told["status"] != "DONE":
            assert time.monotonic() < end, told
            time.sleep(0.02)
            told = self.api.ask("GET", f"/v1/projects/{PROJECT}/operations/{told['name']}")
        assert "error" not in told, told

    def _delete(self, one: dict[str, Any]) -> None:
        path = f"{_INSTANCES}/{one['name']}"
        with suppress(Conflict, BadRequest, NotFound):  # what is left is tried again
            if one["settings"].get("deletionProtectionEnabled"):
                self.do("PATCH", path, {"settings": {"deletionProtectionEnabled": False}})
            self.api.ask("DELETE", path)


def _ref(name: str, region: str = _REGION) -> DatabaseRef:
    return DatabaseRef(f"projects/{PROJECT}/instances/{name}", region)


def _lab(request: pytest.FixtureRequest) -> SqlLab:
    server: LocalServer = request.getfixturevalue("local_cloud_sql")
    return SqlLab(CloudSqlControl(), server.endpoint)


def _refused(request: pytest.FixtureRequest) -> DatabaseService:
    from airflow_multicloud.testing.local_clouds.gcp.service_account import new_key

    server: LocalServer = request.getfixturevalue("local_cloud_sql")
    patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    spec: Any = server.spec.connections[CONN_ID]
    account = {**json.loads(spec["extra"]["keyfile_dict"]), "private_key": new_key()}
    extra = {**spec["extra"], "keyfile_dict": json.dumps(account)}
    patch.setenv("AIRFLOW_CONN_REFUSED", json.dumps({**spec, "extra": extra}))
    return connected(DatabaseService, "refused")(request)


def _plant(request: pytest.FixtureRequest, faults: Sequence[DatabaseFault]) -> None:
    server: LocalServer = request.getfixturevalue("local_cloud_sql")
    plant(server.endpoint, faults)
