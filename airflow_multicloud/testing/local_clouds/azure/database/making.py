"""New servers: empty ones, replicas, and restored ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from airflow_multicloud.testing.local_clouds.azure.arm.http import Call
from airflow_multicloud.testing.local_clouds.azure.compute.world import not_found
from airflow_multicloud.testing.local_clouds.azure.database import (
    REGIONS,
    SIZES,
    SUBNET_ID,
    ZONE_ID,
    words,
)
from airflow_multicloud.testing.local_clouds.azure.database.tags import check_tags
from airflow_multicloud.testing.local_clouds.azure.database.world import Server, World
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.local_clouds.kit.postgres.instance import Instance, Login
from airflow_multicloud.testing.sql_faults import DatabaseCall

_LEAST_PASSWORD, _LONGEST_NAME, _LEAST_NAME = 8, 63, 3
_RESTORE = DatabaseCall.RESTORE
Start = Callable[[], Instance]


class Making:
    """``PUT`` on a server."""

    def __init__(self, world: World) -> None:
        self._world = world

    def put(self, call: Call) -> Answer:
        """Make one, or change one that is there."""
        world, given = self._world, call.json
        name = call.variables["name"].lower()
        tags = given.get("tags") or {}
        check_tags(tags)
        if name in world.servers:
            return self._changed(call, world.servers[name], tags, given)
        world.refuse(_RESTORE, name)
        if not _LEAST_NAME <= len(name) <= _LONGEST_NAME:
            raise words.invalid("serverName", "It has between 3 and 63 characters.")
        made, start = self._planned(call, name, given.get("properties") or {}, given, tags)
        world.servers[name] = made

        def work() -> None:
            running = start()
            with world.lock:
                made.running, made.state = running, "Ready"

        begun = world.begin(
            made,
            "Provisioning",
            work,
            failed=lambda: _forget(world, name),
            case=_RESTORE,
            name=name,
        )
        return world.accepted(call, begun, "UpsertServer", case=_RESTORE, name=name)

    def _planned(
        self,
        call: Call,
        name: str,
        properties: Mapping[str, Any],
        given: Mapping[str, Any],
        tags: dict[str, str],
    ) -> tuple[Server, Start]:
        mode = str(properties.get("createMode", "Default")).lower()
        if mode in ("default", "create"):
            return self._new(call, name, properties, given, tags)
        if mode not in ("pointintimerestore", "replica"):
            raise words.invalid("createMode", f"{mode} is not offered here.")
        source_id = properties.get("sourceServerResourceId")
        if source_id is None:
            raise words.invalid("sourceServerResourceId", "It is required.")
        source = self._world.by_id(source_id)
        if source is None:
            raise not_found(source_id)
        self._world.check_settled(source)
        if source.running is None or _location(given) != source.location:
            raise words.invalid("location", "It must be that of the source.")
        sku = _sku(given) if "sku" in given else dict(source.sku)
        made = Server(
            name=name,
            group=call.variables["group"],
            location=source.location,
            sku=sku,
            login=source.login,
            network=_network(properties),
            tags=tags,
        )
        if mode == "replica":
            made.source = source.name
            running = source.running
            return made, lambda: self._world.home.replica(running, name)
        return made, self._restoring(name, source, properties)

    def _new(
        self,
        call: Call,
        name: str,
        properties: Mapping[str, Any],
        given: Mapping[str, Any],
        tags: dict[str, str],
    ) -> tuple[Server, Start]:
        user, password = (
            properties.get("administratorLogin"),
            properties.get("administratorLoginPassword", ""),
        )
        if not user or len(password) < _LEAST_PASSWORD:
            raise words.invalid("administratorLogin", "It and a password are required.")
        made = Server(
            name=name,
            group=call.variables["group"],
            location=_location(given),
            sku=_sku(given),
            login=user,
            network=_network(properties),
            tags=tags,
        )
        return made, lambda: self._world.home.create(name, Login(user, password))

    def _restoring(self, name: str, source: Server, properties: Mapping[str, Any]) -> Start:
        text, running, home = properties.get("pointInTimeUTC"), source.running, self._world.home
        if text is None or running is None:
            raise words.invalid("pointInTimeUTC", "It is required.")
        moment = datetime.fromisoformat(text).astimezone(UTC)
        earliest = running.archive.earliest
        if source.source is not None or earliest is None:
            raise words.not_ready(source.name, "without backups")
        for taken in source.backups.values():
            backup = taken.backup
            if backup is not None and backup.completed_at.astimezone(UTC) == moment:
                return lambda: home.restore(backup, name)
        if not earliest <= moment <= datetime.now(UTC):
            raise words.invalid(
                "pointInTimeUTC",
                f"The server can be restored to times from {earliest.isoformat()} until now.",
            )
        archive = running.archive
        return lambda: home.restore_to_time(archive, moment, name)

    def _changed(
        self, call: Call, one: Server, tags: dict[str, str], given: Mapping[str, Any]
    ) -> Answer:
        """What a ``PUT`` does to a server that is there."""
        world = self._world
        if one.group.lower() != call.variables["group"].lower():
            raise words.taken(one.name)
        world.check_settled(one)
        one.tags = tags
        if "sku" in given:
            one.sku = _sku(given)
        begun = world.begin(one, None, lambda: None, case=_RESTORE, name=one.name)
        return world.accepted(call, begun, "UpsertServer", case=_RESTORE, name=one.name)


def _forget(world: World, name: str) -> None:
    world.servers.pop(name, None)


def _location(given: Mapping[str, Any]) -> str:
    location = str(given["location"]).replace(" ", "").lower()
    if location not in REGIONS:
        raise words.invalid("location", f"The regions here are {', '.join(REGIONS)}.")
    return location


def _sku(given: Mapping[str, Any]) -> dict[str, str]:
    sku = given.get("sku")
    if sku is None:
        raise words.invalid("sku", "It is required.")
    if SIZES.get(sku["name"]) != sku["tier"]:
        raise words.invalid("sku", f"The sizes here are {SIZES}.")
    return dict(sku)


def _network(properties: Mapping[str, Any]) -> dict[str, str]:
    given = properties.get("network") or {}
    subnet, zone = (
        given.get("delegatedSubnetResourceId"),
        given.get("privateDnsZoneArmResourceId"),
    )
    if subnet is None and zone is None:
        return {"publicNetworkAccess": given.get("publicNetworkAccess", "Enabled")}
    if str(subnet).lower() != SUBNET_ID.lower() or str(zone).lower() != ZONE_ID.lower():
        raise words.invalid("network", "The delegated subnet or the private DNS zone is not there.")
    if given.get("publicNetworkAccess") == "Enabled":
        raise words.invalid("network", "A server in a subnet has no public access.")
    return {
        "publicNetworkAccess": "Disabled",
        "delegatedSubnetResourceId": str(subnet),
        "privateDnsZoneArmResourceId": str(zone),
    }
