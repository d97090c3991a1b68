"""Replication links: listing them, and the planned failover."""

from __future__ import annotations

from typing import Any

from azure.mgmt.sql import models  # noqa: TID253 - see __main__
from azure.mgmt.sql.operations import _operations as operations  # noqa: TID253 - likewise

from airflow_multicloud.testing.local_clouds.azure.arm.http import Call, Route, sdk_route
from airflow_multicloud.testing.local_clouds.azure.compute.world import Body, listed, not_found
from airflow_multicloud.testing.local_clouds.azure.database.sql import PROVIDER, words
from airflow_multicloud.testing.local_clouds.azure.database.sql.world import (
    PATHS,
    Database,
    Link,
    SqlWorld,
)
from airflow_multicloud.testing.local_clouds.azure.database.world import text_of
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.sql_faults import DatabaseCall

_PROMOTE = DatabaseCall.PROMOTE


def routes(world: SqlWorld) -> list[Route]:
    """The operations served."""

    def list_all(call: Call) -> Answer:
        one = world.required(call)
        found = [_shown(one, link) for link in world.links_of(one)]
        return listed(call, models.ReplicationLink, found)

    def failover(call: Call) -> Answer:
        one, wanted = world.required(call), call.variables["link"]
        link = next((link for link in world.links_of(one) if link.id == wanted), None)
        if link is None:
            raise not_found(f"{one.id}/replicationLinks/{wanted}")
        world.common.refuse(_PROMOTE, one.name)
        world.check_settled(one)
        if link.secondary is not one or link.state != "CATCH_UP":
            raise words.not_secondary(one.name)

        def work() -> None:
            with world.common.lock:
                link.primary, link.secondary, link.lag = link.secondary, link.primary, 0.0

        one.begun = world.common.begin(one, None, work, case=_PROMOTE, name=one.name)
        return world.common.accepted(
            call, one.begun, "FailoverReplicationLink", case=_PROMOTE, name=one.name, paths=PATHS
        )

    of: dict[str, Any] = {
        "subscription_id": "{subscription}",
        "resource_group_name": "{group}",
        "server_name": "{server}",
        "database_name": "{name}",
    }
    return [
        sdk_route(
            operations.build_replication_links_list_by_database_request(**of),
            world.common.handler(list_all),
            also=frozenset({"$skiptoken"}),
        ),
        sdk_route(
            operations.build_replication_links_failover_request(**of, link_id="{link}"),
            world.common.handler(failover),
        ),
    ]


def _shown(one: Database, link: Link) -> Body:
    leads = link.primary is one
    other = link.secondary if leads else link.primary
    return {
        "id": f"{one.id}/replicationLinks/{link.id}",
        "name": link.id,
        "type": f"{PROVIDER}/servers/databases/replicationLinks",
        "properties": {
            "partnerServer": other.server,
            "partnerDatabase": other.name,
            "partnerDatabaseId": other.id,
            "partnerLocation": other.location,
            "role": "Primary" if leads else "Secondary",
            "partnerRole": "Secondary" if leads else "Primary",
            "replicationMode": "ASYNC",
            "startTime": text_of(link.started),
            "percentComplete": 100,
            "replicationState": link.state,
            "isTerminationAllowed": True,
            "linkType": "GEO",
        },
    }
