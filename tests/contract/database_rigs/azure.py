"""Flexible servers: the local Resource Manager, with PostgreSQL servers behind it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.rest import HttpRequest

from airflow_multicloud.ports.database import (
    DatabaseEndpoint,
    DatabaseNetwork,
    DatabaseRef,
    DatabaseService,
)
from airflow_multicloud.testing.contracts.database.rigs import DatabaseRigSpec
from airflow_multicloud.testing.contracts.rigs import connected
from airflow_multicloud.testing.local_clouds.azure.database import (
    REGIONS,
    RESOURCE_GROUP,
    SUBNET_ID,
    ZONE_ID,
)
from airflow_multicloud.testing.local_clouds.kit.sql_seeds import plant
from tests.contract.database_rigs.sql import PASSWORD, STANDING, USER, SqlLab

if TYPE_CHECKING:
    import pytest

    from airflow_multicloud.testing.local_clouds import LocalServer
    from airflow_multicloud.testing.sql_faults import DatabaseFault

_CONN_ID = "azure_database_local"
_FIXTURE = "local_flexible_servers"
_LONGEST_S = 60
_PORT = 5432
_LOCKS = "/providers/Microsoft.Authorization/locks"
_LOCKS_VERSION = {"api-version": "2020-05-01"}
_DIE_WITH_IT = "Azure deletes a server's backups with it"


def rig() -> DatabaseRigSpec:
    from airflow_multicloud.clouds.azure.database import Hook

    return DatabaseRigSpec(
        name="local_flexible_servers",
        cloud="azure",
        hook=Hook,
        open=connected(DatabaseService, _CONN_ID, _FIXTURE),
        lab=_lab,
        plant=_plant,
        open_refused=_refused,
        network=DatabaseNetwork(subnet=SUBNET_ID, private_zone=ZONE_ID),
        has_named_instances=False,
        gaps={
            "test_outlasts_its_instance": _DIE_WITH_IT,
            "test_with_a_final_snapshot": _DIE_WITH_IT,
        },
    )


class FlexibleServersControl:
    """The service's own API, without the hook.

    :param client: of the SDK.
    """

    def __init__(self, client: Any) -> None:
        self.client = client

    def make(self, name: str, location: str = REGIONS[0]) -> DatabaseRef:
        self.client.servers.begin_create_or_update(
            RESOURCE_GROUP,
            name,
            {
                "location": location,
                "sku": {"name": "Standard_D2ds_v5", "tier": "GeneralPurpose"},
                "properties": {
                    "createMode": "Default",
                    "version": "18",
                    "administratorLogin": USER,
                    "administratorLoginPassword": PASSWORD,
                    "network": {
                        "delegatedSubnetResourceId": SUBNET_ID,
                        "privateDnsZoneArmResourceId": ZONE_ID,
                    },
                },
            },
            polling=False,
        )
        return self.available(name)

    def make_abroad(self, name: str) -> DatabaseRef:
        return self.make(name, REGIONS[1])

    def replicate(self, of: DatabaseRef, name: str) -> DatabaseRef:
        self.client.servers.begin_create_or_update(
            RESOURCE_GROUP,
            name,
            {
                "location": REGIONS[0],
                "properties": {"createMode": "Replica", "sourceServerResourceId": of.id},
            },
            polling=False,
        )
        return self.available(name)

    def endpoint(self, ref: DatabaseRef) -> DatabaseEndpoint:
        found = self.described(ref.id.rpartition("/")[2])
        return DatabaseEndpoint(found["properties"]["fullyQualifiedDomainName"], _PORT)

    def find(self, name: str) -> DatabaseRef | None:
        try:
            return self.available(name)
        except ResourceNotFoundError:
            return None

    def clear(self) -> None:
        end = time.monotonic() + _LONGEST_S
        while left := self._cleared():
            assert time.monotonic() < end, left
            time.sleep(0.05)

    def close(self) -> None:
        self.client.close()

    def _cleared(self) -> list[str]:
        """What is left."""
        left: list[str] = []
        for one in list(self.client.servers.list_by_subscription()):
            # What goes on just now, or is gone meanwhile, is looked at again.
            with suppress(HttpResponseError):
                for lock in self.locks(one["id"]):
                    self.send("DELETE", lock)
                left += self._emptied(one) if one["name"] == STANDING else self._deleted(one)
        return left

    def _deleted(self, one: Any) -> list[str]:
        name = one["name"]
        if one["properties"]["state"] in ("Ready", "Stopped"):
            with suppress(HttpResponseError):
                self.client.servers.begin_delete(RESOURCE_GROUP, name, polling=False)
        return [name]

    def _emptied(self, one: Any) -> list[str]:
        """The standing one, without backups and their tags."""
        name, backups = one["name"], self.client.backups_automatic_and_on_demand
        taken = [
            backup["name"]
            for backup in list(backups.list_by_server(RESOURCE_GROUP, name))
            if backup["properties"]["backupType"] != "Full"
        ]
        with suppress(HttpResponseError):
            for backup in taken:
                backups.begin_delete(RESOURCE_GROUP, name, backup, polling=False)
            if not taken and one["tags"]:
                change: dict[str, Any] = {"tags": {}}
                self.client.servers.begin_update(RESOURCE_GROUP, name, change, polling=False)
        return taken

    def locks(self, id_: str) -> list[str]:
        answer = self.send("GET", f"{id_}{_LOCKS}")
        return [lock["id"] for lock in answer.json()["value"]]

    def send(self, method: str, path: str) -> Any:
        answer = self.client.send_request(HttpRequest(method, path, params=_LOCKS_VERSION))
        answer.raise_for_status()
        return answer

    def described(self, name: str) -> Any:
        return self.client.servers.get(RESOURCE_GROUP, name)

    def available(self, name: str) -> DatabaseRef:
        end = time.monotonic() + _LONGEST_S
        while (found := self.described(name))["properties"]["state"] != "Ready":
            assert time.monotonic() < end, found
            time.sleep(0.02)
        return DatabaseRef(found["id"], found["location"])


def control(server: LocalServer) -> FlexibleServersControl:
    """For the server of the fixture."""
    from azure.mgmt.postgresqlflexibleservers import PostgreSQLManagementClient

    return FlexibleServersControl(management_client(server, PostgreSQLManagementClient))


def management_client(server: LocalServer, of: Any) -> Any:
    """A client of the SDK.

    :param of: its class.
    """
    from azure.identity import ClientSecretCredential

    spec: Any = server.spec.connections[_CONN_ID]
    extra = spec["extra"]
    verify, endpoint = extra["ca_bundle"], extra["management_endpoint"]
    credential = ClientSecretCredential(
        extra["tenantId"],
        spec["login"],
        spec["password"],
        authority=extra["authority"],
        disable_instance_discovery=True,
        connection_verify=verify,
    )
    return of(
        credential,
        extra["subscriptionId"],
        base_url=endpoint,
        credential_scopes=["https://management.azure.com/.default"],
        connection_verify=verify,
    )


def _lab(request: pytest.FixtureRequest) -> SqlLab:
    server: LocalServer = request.getfixturevalue(_FIXTURE)
    made = control(server)
    request.addfinalizer(made.close)
    return SqlLab(made, server.endpoint)


def _refused(request: pytest.FixtureRequest) -> DatabaseService:
    server: LocalServer = request.getfixturevalue(_FIXTURE)
    patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    spec: Any = server.spec.connections[_CONN_ID]
    patch.setenv("AIRFLOW_CONN_REFUSED", json.dumps({**spec, "password": "wrong"}))
    return connected(DatabaseService, "refused")(request)


def _plant(request: pytest.FixtureRequest, faults: Sequence[DatabaseFault]) -> None:
    server: LocalServer = request.getfixturevalue(_FIXTURE)
    plant(server.endpoint, faults)
