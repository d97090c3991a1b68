"""Azure SQL: the local Resource Manager, with no SQL Server behind its databases."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from airflow_multicloud.ports.database import DatabaseRef, DatabaseService
from airflow_multicloud.testing.contracts.database.rigs import DatabaseRigSpec
from airflow_multicloud.testing.contracts.rigs import connected
from airflow_multicloud.testing.local_clouds.azure.database import RESOURCE_GROUP
from airflow_multicloud.testing.local_clouds.azure.database.sql import SERVERS
from airflow_multicloud.testing.local_clouds.azure.database.sql.owner import SqlOwner
from tests.contract.database_rigs import azure
from tests.contract.database_rigs.sql import STANDING

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalServer

HERE, THERE = SERVERS
_CONN_ID, _FIXTURE = "azure_database_local", "local_flexible_servers"
_LONGEST_S = 60
_HELD_S = 12.0
_ROWS = "no SQL Server runs behind the local Azure SQL: it holds no rows"
_BACKUPS = "Azure SQL takes no backups on demand"
_POWER = "Azure SQL stops dedicated SQL pools only"


def rig() -> DatabaseRigSpec:
    from airflow_multicloud.clouds.azure.database import Hook

    return DatabaseRigSpec(
        name="local_azure_sql",
        cloud="azure",
        hook=Hook,
        open=connected(DatabaseService, _CONN_ID, _FIXTURE),
        lab=lab,
        plant=azure.rig().plant,
        engine="sqlserver",
        has_named_instances=False,
        gaps={
            **dict.fromkeys(
                (
                    *("test_lists_by_labels", "test_takes_one", "test_one_order_is_one_snapshot"),
                    *("test_another_process_waits_for_it", "test_a_name_of_another_order"),
                    *("test_of_one_that_is_not_there", "test_lists_the_newest_first"),
                    *("test_removes_one", "test_does_not_remove_anothers"),
                    *("test_outlasts_its_instance", "test_of_a_snapshot"),
                    *("test_of_a_damaged_snapshot", "test_is_found_though_its_source_is_gone"),
                    *("test_of_what_is_not_there", "test_with_a_final_snapshot"),
                    *("test_fails_later[snapshot]", "test_a_lost_answer[snapshot]"),
                    *("test_a_restore_lies_where_its_source_does", "test_describes_a_snapshot"),
                ),
                _BACKUPS,
            ),
            **dict.fromkeys(
                (
                    *("test_of_a_moment", "test_of_the_latest_moment", "test_promotes"),
                    *("test_is_an_instance_of_its_own", "test_never_over_another"),
                    *("test_removes", "test_one_that_nobody_ordered"),
                ),
                _ROWS,
            ),
            **dict.fromkeys(
                (
                    *("test_stops_and_starts", "test_is_so_already[off]"),
                    "test_stops_one_with_replicas",
                ),
                _POWER,
            ),
        },
    )


class SqlControl:
    """The service's own API, without the hook.

    :param client: of the SDK.
    """

    def __init__(self, client: Any) -> None:
        self.client = client

    def make(self, name: str, *, server: str = HERE, size: str = "GP_Gen5_2") -> DatabaseRef:
        return self.put(name, server, {"sku": {"name": size}})

    def replicate(self, of: DatabaseRef, name: str) -> DatabaseRef:
        properties = {"createMode": "Secondary", "sourceDatabaseId": of.id}
        return self.put(name, THERE, {"properties": properties})

    def put(self, name: str, server: str, what: dict[str, Any]) -> DatabaseRef:
        body = {"location": SERVERS[server], **what}
        self.client.databases.begin_create_or_update(
            RESOURCE_GROUP, server, name, body, polling=False
        )
        end = time.monotonic() + _LONGEST_S
        while (found := self.described(name, server))["properties"]["status"] != "Online":
            assert time.monotonic() < end, found
            time.sleep(0.01)
        return DatabaseRef(found["id"], SERVERS[server])

    def described(self, name: str, server: str = HERE) -> Any:
        return self.client.databases.get(RESOURCE_GROUP, server, name)

    def find(self, name: str) -> DatabaseRef | None:
        try:
            return DatabaseRef(self.described(name)["id"], SERVERS[HERE])
        except ResourceNotFoundError:
            return None

    def names(self) -> list[tuple[str, str]]:
        """Server and name of each but the service's own."""
        return [
            (server, one["name"])
            for server in SERVERS
            for one in list(self.client.databases.list_by_server(RESOURCE_GROUP, server))
            if one["name"] != "master"
        ]

    def clear(self) -> None:
        end = time.monotonic() + _LONGEST_S
        while left := [one for one in self.names() if one[1] != STANDING]:
            assert time.monotonic() < end, left
            for server, name in left:
                with suppress(HttpResponseError):
                    self.client.databases.begin_delete(RESOURCE_GROUP, server, name, polling=False)
            time.sleep(0.01)


class ControlLab:
    """A lab of the contract whose databases hold nothing.

    :param owner: the owner's side of the server.
    :param flexible: which removes the locks.
    """

    def __init__(self, control: SqlControl, owner: SqlOwner, flexible: Any) -> None:
        self.control = control
        self._owner = owner
        self._flexible = flexible

    def primary(self, name: str, rows: Sequence[str]) -> DatabaseRef:
        del rows
        return self.control.make(name)

    def standing(self, rows: Sequence[str]) -> DatabaseRef:
        return self.control.find(STANDING) or self.primary(STANDING, rows)

    def abroad(self, name: str) -> DatabaseRef:
        return self.control.make(name, server=THERE)

    def replica(self, of: DatabaseRef, name: str) -> DatabaseRef:
        return self.control.replicate(of, name)

    def write(self, ref: DatabaseRef, row: str) -> NoReturn:
        pytest.fail(f"{row} into {ref.id}: {_ROWS}")

    def rows(self, ref: DatabaseRef) -> NoReturn:
        pytest.fail(f"{ref.id}: {_ROWS}")

    def moment(self) -> datetime:
        return datetime.now(UTC)

    def hold(self, replica: DatabaseRef, primary: DatabaseRef) -> None:
        del primary
        self._owner.link(replica.id, lag=_HELD_S)

    def release(self, replica: DatabaseRef) -> None:
        self._owner.link(replica.id)

    def damage(self, snapshot: DatabaseRef) -> NoReturn:
        pytest.fail(f"{snapshot.id}: {_ROWS}")

    def clear(self) -> None:
        for server, name in self.control.names():
            id_ = self.control.described(name, server)["id"]
            for lock in self._flexible.locks(id_):
                self._flexible.send("DELETE", lock)
        self.control.clear()


def control(server: LocalServer) -> SqlControl:
    """For the server of the fixture."""
    from azure.mgmt.sql import SqlManagementClient

    return SqlControl(azure.management_client(server, SqlManagementClient))


def lab(request: pytest.FixtureRequest) -> ControlLab:
    server: LocalServer = request.getfixturevalue(_FIXTURE)
    made, flexible = control(server), azure.control(server)
    request.addfinalizer(made.client.close)
    request.addfinalizer(flexible.close)
    return ControlLab(made, SqlOwner(server.endpoint), flexible)
