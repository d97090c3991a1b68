"""Databases: describing, listing, changing, pausing and deleting them."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from azure.mgmt.sql import models  # noqa: TID253 - see __main__
from azure.mgmt.sql.operations import _operations as operations  # noqa: TID253 - likewise

from airflow_multicloud.testing.local_clouds.azure.arm.http import (
    Call,
    Route,
    conforming,
    sdk_route,
)
from airflow_multicloud.testing.local_clouds.azure.compute.world import listed
from airflow_multicloud.testing.local_clouds.azure.database.locks import check_deletable
from airflow_multicloud.testing.local_clouds.azure.database.sql import SIZES, words
from airflow_multicloud.testing.local_clouds.azure.database.sql.making import Making
from airflow_multicloud.testing.local_clouds.azure.database.sql.world import (
    PATHS,
    Database,
    SqlWorld,
    server_id,
)
from airflow_multicloud.testing.local_clouds.azure.database.tags import check_tags
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.sql_faults import DatabaseCall

_POWER, _REMOVE, _LIST = DatabaseCall.POWER, DatabaseCall.REMOVE, DatabaseCall.LIST


def routes(world: SqlWorld) -> list[Route]:
    """The operations served."""
    served, making, build = _Served(world), Making(world), operations
    within: dict[str, Any] = {
        "subscription_id": "{subscription}",
        "resource_group_name": "{group}",
        "server_name": "{server}",
    }
    one = {**within, "database_name": "{name}"}

    def route(request: Any, handle: Callable[[Call], Answer], **more: Any) -> Route:
        return sdk_route(request, world.common.handler(handle), **more)

    return [
        route(build.build_databases_get_request(**one), served.get),
        route(
            build.build_databases_create_or_update_request(**one), making.put, body=models.Database
        ),
        route(
            build.build_databases_update_request(**one),
            served.patch,
            body=models.DatabaseUpdate,
            operation="update",
        ),
        route(build.build_databases_delete_request(**one), served.delete),
        route(build.build_databases_pause_request(**one), served.pause),
        route(build.build_databases_resume_request(**one), served.resume),
        route(
            build.build_databases_list_by_server_request(**within),
            served.list_all,
            also=frozenset({"$skipToken", "$skiptoken"}),
        ),
    ]


class _Served:
    def __init__(self, world: SqlWorld) -> None:
        self._world = world

    def get(self, call: Call) -> Answer:
        one = self._world.required(call)
        self._world.common.refuse(DatabaseCall.DESCRIBE, one.name)
        return conforming(models.Database, self._world.shown(one))

    def list_all(self, call: Call) -> Answer:
        world, server = self._world, self._world.server_of(call)
        world.common.refuse(_LIST, "")
        own = Database(name="master", server=server, size="S0", tags={}, state="Online")
        own.id = f"{server_id(server)}/databases/master"
        found = [one for one in world.databases.values() if one.server == server]
        return listed(call, models.Database, map(world.shown, [own, *found]))

    def patch(self, call: Call) -> Answer:
        """New tags."""
        world, one, given = self._world, self._world.required(call), call.json
        world.check_settled(one)
        if set(given) != {"tags"}:
            raise words.invalid("UnsupportedChange", "Only tags can be changed here.")
        check_tags(given["tags"])
        one.tags = dict(given["tags"])
        begun = world.common.begin(one, None, lambda: None, case=_LIST, name=one.name)
        return world.common.accepted(
            call, begun, "UpdateLogicalDatabase", case=_LIST, name=one.name, paths=PATHS
        )

    def delete(self, call: Call) -> Answer:
        """Delete one; a second request finds the operation of the first."""
        world = self._world
        one = world.databases.get(world.key_of(call))
        if one is None:
            return Answer(status=HTTPStatus.NO_CONTENT)
        world.common.refuse(_REMOVE, one.name)
        check_deletable(world.common, one.id)
        if one.begun is None or one.begun.status != "InProgress":
            world.check_settled(one)

            def work() -> None:
                with world.common.lock:
                    world.forget(one)

            one.begun = world.common.begin(one, None, work, case=_REMOVE, name=one.name)
        return world.common.accepted(
            call, one.begun, "DropLogicalDatabase", case=_REMOVE, name=one.name, paths=PATHS
        )

    def pause(self, call: Call) -> Answer:
        return self._power(call, "Online", "Pausing", "Paused")

    def resume(self, call: Call) -> Answer:
        return self._power(call, "Paused", "Resuming", "Online")

    def _power(self, call: Call, before: str, through: str, after: str) -> Answer:
        world, one = self._world, self._world.required(call)
        world.common.refuse(_POWER, one.name)
        world.check_settled(one)
        if SIZES[one.size]["tier"] != "DataWarehouse":
            raise words.unsupported_pause(one.name)
        if one.state != before:
            raise words.busy(one.name)

        def work() -> None:
            with world.common.lock:
                one.state = after

        def failed() -> None:
            one.state = before

        begun = world.common.begin(one, through, work, failed=failed, case=_POWER, name=one.name)
        return world.common.accepted(
            call, begun, f"{through}Database", case=_POWER, name=one.name, paths=PATHS
        )
