"""Servers, which are there from the start: describing and listing them."""

from __future__ import annotations

from typing import Any

from azure.mgmt.sql import models  # noqa: TID253 - see __main__
from azure.mgmt.sql.operations import _operations as operations  # noqa: TID253 - likewise

from airflow_multicloud.testing.local_clouds.azure.arm.http import (
    Call,
    Route,
    conforming,
    sdk_route,
)
from airflow_multicloud.testing.local_clouds.azure.compute.world import Body, listed
from airflow_multicloud.testing.local_clouds.azure.database.sql import PROVIDER, SERVERS
from airflow_multicloud.testing.local_clouds.azure.database.sql.world import SqlWorld, server_id
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.sql_faults import DatabaseCall


def routes(world: SqlWorld) -> list[Route]:
    """The operations served."""

    def get(call: Call) -> Answer:
        return conforming(models.Server, _shown(world.server_of(call)))

    def list_all(call: Call) -> Answer:
        world.common.refuse(DatabaseCall.LIST, "")
        return listed(call, models.Server, map(_shown, SERVERS))

    one: dict[str, Any] = {
        "subscription_id": "{subscription}",
        "resource_group_name": "{group}",
        "server_name": "{server}",
    }
    return [
        sdk_route(operations.build_servers_get_request(**one), world.common.handler(get)),
        sdk_route(
            operations.build_servers_list_request("{subscription}"),
            world.common.handler(list_all),
            also=frozenset({"$skiptoken"}),
        ),
    ]


def _shown(server: str) -> Body:
    return {
        "id": server_id(server),
        "name": server,
        "type": f"{PROVIDER}/servers",
        "kind": "v12.0",
        "location": SERVERS[server],
        "tags": {},
        "properties": {
            "administratorLogin": "master",
            "version": "12.0",
            "state": "Ready",
            "fullyQualifiedDomainName": f"{server}.database.windows.net",
            "publicNetworkAccess": "Enabled",
        },
    }
