"""On-demand backups: taking, listing and deleting them."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from azure.mgmt.postgresqlflexibleservers import models  # noqa: TID253 - see __main__
from azure.mgmt.postgresqlflexibleservers.operations import (  # noqa: TID253 - likewise
    _operations as operations,
)

from airflow_multicloud.testing.local_clouds.azure.arm.http import (
    Call,
    Refusal,
    Route,
    conforming,
    sdk_route,
)
from airflow_multicloud.testing.local_clouds.azure.compute.world import Body, listed, not_found
from airflow_multicloud.testing.local_clouds.azure.database import words
from airflow_multicloud.testing.local_clouds.azure.database.locks import check_deletable
from airflow_multicloud.testing.local_clouds.azure.database.operations import PROVIDER
from airflow_multicloud.testing.local_clouds.azure.database.world import (
    Server,
    Taken,
    World,
    text_of,
)
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.sql_faults import DatabaseCall

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_SNAPSHOT, _REMOVE = DatabaseCall.SNAPSHOT, DatabaseCall.REMOVE


def routes(world: World) -> list[Route]:
    """The operations served."""
    served = _Served(world)
    of: dict[str, Any] = {
        "subscription_id": "{subscription}",
        "resource_group_name": "{group}",
        "server_name": "{name}",
    }
    one = {**of, "backup_name": "{backup}"}

    def route(request: Any, handle: Callable[[Call], Answer], **more: Any) -> Route:
        return sdk_route(request, world.handler(handle), **more)

    return [
        route(operations.build_backups_automatic_and_on_demand_get_request(**one), served.get),
        route(
            operations.build_backups_automatic_and_on_demand_create_request(**one), served.create
        ),
        route(
            operations.build_backups_automatic_and_on_demand_delete_request(**one), served.delete
        ),
        route(
            operations.build_backups_automatic_and_on_demand_list_by_server_request(**of),
            served.list_all,
            also=frozenset({"$skiptoken"}),
        ),
    ]


class _Served:
    def __init__(self, world: World) -> None:
        self._world = world

    def get(self, call: Call) -> Answer:
        one = self._world.required(call)
        return conforming(models.BackupAutomaticAndOnDemand, _shown(one, _required(one, call)))

    def list_all(self, call: Call) -> Answer:
        one = self._world.required(call)
        found = [_shown(one, taken) for taken in one.backups.values()]
        if one.running is not None and one.running.archive.earliest is not None:
            found.insert(0, _automatic(one))
        return listed(call, models.BackupAutomaticAndOnDemand, found)

    def create(self, call: Call) -> Answer:
        world = self._world
        one, name = world.required(call), call.variables["backup"]
        world.refuse(_SNAPSHOT, name)
        world.check_settled(one)
        running = one.running
        if one.state != "Ready" or one.source is not None or running is None:
            raise words.not_ready(one.name, one.state)
        if not _NAME.fullmatch(name):
            raise words.invalid("backupName", "It is no name of a backup.")
        if name in one.backups:
            raise Refusal(
                HTTPStatus.CONFLICT, "NameAlreadyExists", f"The backup '{name}' exists already."
            )
        taken = Taken(name=name)
        one.backups[name] = taken

        def work() -> None:
            backup = world.home.backup(running, name)
            with world.lock:
                taken.backup, one.state = backup, "Ready"

        def failed() -> None:
            one.state = "Ready"
            del one.backups[name]

        begun = world.begin(one, "Updating", work, failed=failed, case=_SNAPSHOT, name=name)
        return world.accepted(call, begun, "CreateBackup", case=_SNAPSHOT, name=name)

    def delete(self, call: Call) -> Answer:
        world = self._world
        one = world.required(call)
        taken = _required(one, call)
        world.refuse(_REMOVE, taken.name)
        check_deletable(world, one.id)
        backup = taken.backup
        if backup is None:
            raise words.busy(one.name)

        def work() -> None:
            world.home.delete_backup(backup)
            with world.lock:
                del one.backups[taken.name]

        begun = world.begin(one, None, work, case=_REMOVE, name=taken.name)
        return world.accepted(call, begun, "DeleteBackup", case=_REMOVE, name=taken.name)


def _required(one: Server, call: Call) -> Taken:
    name = call.variables["backup"]
    if name not in one.backups:
        raise not_found(f"{one.id}/backups/{name}")
    return one.backups[name]


def _shown(one: Server, taken: Taken) -> Body:
    properties: Body = {"backupType": "Customer On-Demand", "source": "Customer Initiated"}
    if taken.backup is not None:
        properties["completedTime"] = text_of(taken.backup.completed_at)
    return _document(one, taken.name, properties)


def _automatic(one: Server) -> Body:
    earliest = one.running.archive.earliest if one.running is not None else None
    moment = text_of(earliest or one.created_at)
    properties: Body = {"backupType": "Full", "source": "Automatic", "completedTime": moment}
    return _document(one, f"backup_{int((earliest or one.created_at).timestamp())}", properties)


def _document(one: Server, name: str, properties: Body) -> Body:
    return {
        "id": f"{one.id}/backups/{name}",
        "name": name,
        "type": f"{PROVIDER}/flexibleServers/backups",
        "properties": properties,
    }
