"""``PUT`` on a database: an empty one, a secondary, one as another was, or a change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from airflow_multicloud.testing.local_clouds.azure.arm.http import Call
from airflow_multicloud.testing.local_clouds.azure.compute.world import not_found
from airflow_multicloud.testing.local_clouds.azure.database.sql import SIZES, words
from airflow_multicloud.testing.local_clouds.azure.database.sql.world import (
    PATHS,
    Database,
    Link,
    SqlWorld,
    server_id,
)
from airflow_multicloud.testing.local_clouds.azure.database.tags import check_tags
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.sql_faults import DatabaseCall

_RESTORE = DatabaseCall.RESTORE
_CREATE = "CreateLogicalDatabase"


class Making:
    """What the request does."""

    def __init__(self, world: SqlWorld) -> None:
        self._world = world

    def put(self, call: Call) -> Answer:
        """Make one, or change one that is there."""
        world, given, key = self._world, call.json, self._world.key_of(call)
        tags = given.get("tags") or {}
        check_tags(tags)
        if (found := world.databases.get(key)) is not None:
            return self._changed(call, found, tags, given)
        name = call.variables["name"]
        world.common.refuse(_RESTORE, name)
        properties = given.get("properties") or {}
        made, through, link = self._planned(call, given, properties)
        made.tags, made.id = tags, f"{server_id(made.server)}/databases/{name}"
        made.redundancy = properties.get("requestedBackupStorageRedundancy", made.redundancy)
        if str(given["location"]).replace(" ", "").lower() != made.location:
            raise words.invalid("InvalidLocation", "The location must be that of the server.")
        world.databases[key] = made
        if link is not None:
            world.links.append(link)

        def work() -> None:
            with world.common.lock:
                made.state = "Online"

        begun = world.common.begin(
            made,
            through,
            work,
            failed=lambda: world.forget(made),
            case=_RESTORE,
            name=name,
        )
        return world.common.accepted(call, begun, _CREATE, case=_RESTORE, name=name, paths=PATHS)

    def _planned(
        self, call: Call, given: Mapping[str, Any], properties: Mapping[str, Any]
    ) -> tuple[Database, str, Link | None]:
        """What is to be, its state until then, and the link to what it follows."""
        mode = str(properties.get("createMode", "Default")).lower()
        name, server = call.variables["name"], self._world.server_of(call)
        if mode == "default":
            size = _size(given, "GP_Gen5_2")
            return Database(name=name, server=server, size=size, tags={}), "Creating", None
        if mode not in ("pointintimerestore", "secondary"):
            raise words.invalid("UnsupportedCreateMode", f"{mode} is not offered here.")
        source = self._source(properties)
        made = Database(name=name, server=server, size=_size(given, source.size), tags={})
        if mode == "secondary":
            if source.server == server:
                raise words.invalid("GeoReplicationSameServer", "It must be on another server.")
            return made, "Creating", Link(primary=source, secondary=made)
        made.origin, made.moment = source.id, self._moment(source, properties)
        return made, "Restoring", None

    def _source(self, properties: Mapping[str, Any]) -> Database:
        id_ = properties.get("sourceDatabaseId")
        if id_ is None:
            raise words.invalid("MissingSourceDatabaseId", "Missing source database identifier.")
        source = self._world.by_id(id_)
        if source is None:
            raise not_found(id_)
        self._world.check_settled(source)
        return source

    def _moment(self, source: Database, properties: Mapping[str, Any]) -> datetime:
        text = properties.get("restorePointInTime")
        if text is None:
            raise words.invalid("MissingRestorePointInTime", "Missing restore point in time")
        moment = datetime.fromisoformat(text).astimezone(UTC)
        within = source.created_at <= moment <= datetime.now(UTC)
        if not within or self._world.follows(source) is not None:
            raise words.invalid(
                "InvalidLiveDatabase",
                "Source database does not exist on server within the supported recovery period.",
            )
        return moment

    def _changed(
        self, call: Call, one: Database, tags: dict[str, str], given: Mapping[str, Any]
    ) -> Answer:
        """What a ``PUT`` does to a database that is there."""
        world = self._world
        world.check_settled(one)
        one.tags, one.size = tags, _size(given, one.size)
        begun = world.common.begin(one, None, lambda: None, case=_RESTORE, name=one.name)
        return world.common.accepted(
            call, begun, "UpdateLogicalDatabase", case=_RESTORE, name=one.name, paths=PATHS
        )


def _size(given: Mapping[str, Any], otherwise: str) -> str:
    """The service objective that a SKU stands for: its name, or name and capacity."""
    sku = given.get("sku")
    if sku is None:
        return otherwise
    for objective, known in SIZES.items():
        if sku["name"] == objective:
            return objective
        if all(sku.get(key) == known[key] for key in ("name", "capacity")):
            return objective
    raise words.invalid("InvalidSkuName", "Invalid SKU name.")
