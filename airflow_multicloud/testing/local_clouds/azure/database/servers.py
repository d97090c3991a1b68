"""Servers: making, describing, changing and deleting them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from azure.mgmt.postgresqlflexibleservers import models  # noqa: TID253 - see __main__
from azure.mgmt.postgresqlflexibleservers.operations import (  # noqa: TID253 - likewise
    _operations as operations,
)

from airflow_multicloud.testing.local_clouds.azure.arm.http import (
    Call,
    Route,
    conforming,
    sdk_route,
)
from airflow_multicloud.testing.local_clouds.azure.compute.world import listed
from airflow_multicloud.testing.local_clouds.azure.database import words
from airflow_multicloud.testing.local_clouds.azure.database.locks import check_deletable
from airflow_multicloud.testing.local_clouds.azure.database.making import Making
from airflow_multicloud.testing.local_clouds.azure.database.tags import check_tags
from airflow_multicloud.testing.local_clouds.azure.database.world import Server, World, shown
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.local_clouds.kit.postgres.instance import Instance
from airflow_multicloud.testing.sql_faults import DatabaseCall

_PROMOTE, _POWER, _REMOVE = DatabaseCall.PROMOTE, DatabaseCall.POWER, DatabaseCall.REMOVE


def routes(world: World) -> list[Route]:
    """The operations served."""
    served = _Served(world)
    making = Making(world)
    build = operations
    within: dict[str, Any] = {
        "subscription_id": "{subscription}",
        "resource_group_name": "{group}",
    }
    one = {**within, "server_name": "{name}"}
    paged = frozenset({"$skiptoken"})

    def route(request: Any, handle: Callable[[Call], Answer], **more: Any) -> Route:
        return sdk_route(request, world.handler(handle), **more)

    return [
        route(build.build_servers_get_request(**one), served.get),
        route(build.build_servers_create_or_update_request(**one), making.put, body=models.Server),
        route(
            build.build_servers_update_request(**one),
            served.patch,
            body=models.ServerForPatch,
            operation="update",
        ),
        route(build.build_servers_delete_request(**one), served.delete),
        route(build.build_servers_start_request(**one), served.start),
        route(build.build_servers_stop_request(**one), served.stop),
        route(build.build_replicas_list_by_server_request(**one), served.replicas, also=paged),
        route(
            build.build_servers_list_by_resource_group_request(**within),
            served.list_all,
            also=paged,
        ),
        route(
            build.build_servers_list_by_subscription_request("{subscription}"),
            served.list_all,
            also=paged,
        ),
    ]


class _Served:
    def __init__(self, world: World) -> None:
        self._world = world

    def get(self, call: Call) -> Answer:
        one = self._world.required(call)
        self._world.refuse(DatabaseCall.DESCRIBE, one.name)
        return conforming(models.Server, shown(self._world, one))

    def list_all(self, call: Call) -> Answer:
        world = self._world
        world.refuse(DatabaseCall.LIST, "")
        group = call.variables.get("group")
        found = [
            shown(world, one)
            for one in world.servers.values()
            if group is None or one.group.lower() == group.lower()
        ]
        return listed(call, models.Server, found)

    def replicas(self, call: Call) -> Answer:
        world = self._world
        one = world.required(call)
        found = [shown(world, replica) for replica in world.replicas_of(one)]
        return listed(call, models.Server, found)

    def patch(self, call: Call) -> Answer:
        """A promotion, or new tags."""
        world = self._world
        one, given = world.required(call), call.json
        world.check_settled(one)
        properties = given.get("properties") or {}
        if set(given) == {"tags"}:
            check_tags(given["tags"])
            one.tags = dict(given["tags"])
            begun = world.begin(one, None, lambda: None, case=DatabaseCall.LIST, name=one.name)
            return world.accepted(
                call, begun, "UpdateServer", case=DatabaseCall.LIST, name=one.name
            )
        if set(given) != {"properties"} or set(properties) != {"replica"}:
            raise words.invalid("properties", "Only tags and the replica can be changed here.")
        world.refuse(_PROMOTE, one.name)
        wanted = {key: str(value).lower() for key, value in properties["replica"].items()}
        if wanted.get("promoteMode") != "standalone" or "promoteOption" not in wanted:
            raise words.invalid("replica", "Only promoteMode Standalone is offered here.")
        if wanted["promoteOption"] != "forced":
            raise words.invalid("replica", "Only promoteOption Forced is offered here.")
        running = one.running
        if one.source is None or running is None or one.state != "Ready":
            raise words.not_ready(one.name, one.state)

        def work() -> None:
            running.promote()
            with world.lock:
                one.source, one.state = None, "Ready"

        begun = world.begin(
            one, "Updating", work, failed=lambda: _set(one, "Ready"), case=_PROMOTE, name=one.name
        )
        return world.accepted(call, begun, "PromoteReplica", case=_PROMOTE, name=one.name)

    def start(self, call: Call) -> Answer:
        return self._power(call, "Stopped", "Starting", "Ready", Instance.start)

    def stop(self, call: Call) -> Answer:
        return self._power(call, "Ready", "Stopping", "Stopped", Instance.stop)

    def delete(self, call: Call) -> Answer:
        world = self._world
        one = world.required(call)
        world.refuse(_REMOVE, one.name)
        check_deletable(world, one.id)
        if one.state not in ("Ready", "Stopped", "Disabled"):
            raise words.busy(one.name)
        if replicas := [replica.name for replica in world.replicas_of(one)]:
            raise words.invalid("serverName", f"The server has replicas: {', '.join(replicas)}.")
        running, before = one.running, one.state

        def work() -> None:
            if running is not None:
                world.home.delete(running)
            for taken in list(one.backups.values()):
                if taken.backup is not None:
                    world.home.delete_backup(taken.backup)
            with world.lock:
                world.servers.pop(one.name, None)

        begun = world.begin(
            one, "Dropping", work, failed=lambda: _set(one, before), case=_REMOVE, name=one.name
        )
        return world.accepted(call, begun, "DropServer", case=_REMOVE, name=one.name)

    def _power(
        self,
        call: Call,
        before: str,
        through: str,
        after: str,
        change: Callable[[Instance], None],
    ) -> Answer:
        world = self._world
        one = world.required(call)
        world.refuse(_POWER, one.name)
        world.check_settled(one)
        running = one.running
        if one.state != before or running is None:
            raise words.not_ready(one.name, one.state)

        def work() -> None:
            change(running)
            with world.lock:
                one.state = after

        begun = world.begin(
            one, through, work, failed=lambda: _set(one, before), case=_POWER, name=one.name
        )
        return world.accepted(call, begun, through, case=_POWER, name=one.name)


def _set(one: Server, state: str) -> None:
    one.state = state
