"""Locks on servers and databases, their group and the subscription.

"Management Locks" (https://learn.microsoft.com/rest/api/resources/management-locks), version
2020-05-01: ``level`` is required, notes have at most 512 characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from airflow_multicloud.testing.local_clouds.azure.arm.http import Call, Refusal, Route
from airflow_multicloud.testing.local_clouds.azure.compute.world import Body, not_found
from airflow_multicloud.testing.local_clouds.azure.database import words
from airflow_multicloud.testing.local_clouds.azure.database.world import World
from airflow_multicloud.testing.local_clouds.kit.http import Answer

_VERSION = "2020-05-01"
_LEVELS = ("CanNotDelete", "ReadOnly")
_LONGEST_NOTES = 512
_SCOPE = (
    r"(?P<scope>/subscriptions/(?P<subscription>[^/]+)"
    r"(?:/resourceGroups/(?P<group>[^/]+)(?:/providers/[^/]+/[^/]+/[^/]+(?:/databases/[^/]+)?)?)?)"
)
_LOCKS = r"/providers/Microsoft\.Authorization/locks"


def routes(world: World, is_there: Callable[[str], bool]) -> list[Route]:
    """The operations served.

    :param is_there: whether a resource of this id is.
    """
    all_ = re.compile(f"{_SCOPE}{_LOCKS}", re.IGNORECASE)
    one = re.compile(f"{_SCOPE}{_LOCKS}/(?P<lock>[^/]+)", re.IGNORECASE)
    return [
        Route(
            method="GET",
            path=all_,
            handler=world.handler(lambda call: _listed(world, call)),
            parameters=frozenset({"$filter"}),
            api_version=_VERSION,
        ),
        Route(
            method="PUT",
            path=one,
            handler=world.handler(lambda call: _put(world, is_there, call)),
            api_version=_VERSION,
            binary=True,
        ),
        Route(
            method="DELETE",
            path=one,
            handler=world.handler(lambda call: _deleted(world, call)),
            api_version=_VERSION,
        ),
    ]


def check_deletable(world: World, id_: str) -> None:
    """Refuse what a lock keeps from being deleted.

    :raises Refusal: 409.
    """
    for lock in world.locks.values():
        scope = lock["id"].rpartition("/providers/Microsoft.Authorization")[0]
        if f"{id_}/".lower().startswith(f"{scope}/".lower()):
            raise words.locked(id_, scope)


def _listed(world: World, call: Call) -> Answer:
    scope = f"{call.variables['scope']}/".lower()
    kind = call.query.get("$filter")
    if kind not in (None, "atScope()"):
        raise Refusal(HTTPStatus.BAD_REQUEST, "InvalidFilter", "Only atScope() is supported here.")
    found = []
    for lock in world.locks.values():
        at = f"{lock['id'].rpartition('/providers/Microsoft.Authorization')[0]}/".lower()
        # With the filter those at the scope and above it, else those at it and below.
        if scope.startswith(at) if kind else at.startswith(scope):
            found.append(lock)
    return Answer(body={"value": found})


def _put(world: World, is_there: Callable[[str], bool], call: Call) -> Answer:
    scope = call.variables["scope"]
    if "/providers/" in scope and not is_there(scope):
        raise not_found(scope)
    given: Any = call.json
    properties = given.get("properties") if isinstance(given, dict) else None
    if (
        not isinstance(properties, dict)
        or set(given) != {"properties"}
        or set(properties) - {"level", "notes", "owners"}
        or properties.get("level") not in _LEVELS
        or len(properties.get("notes", "")) > _LONGEST_NOTES
    ):
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            "InvalidRequestContent",
            "The request content was invalid: expected properties with level and notes.",
        )
    name = call.variables["lock"]
    id_ = f"{scope}/providers/Microsoft.Authorization/locks/{name}"
    lock: Body = {
        "id": id_,
        "name": name,
        "type": "Microsoft.Authorization/locks",
        "properties": properties,
    }
    is_new = id_.lower() not in world.locks
    world.locks[id_.lower()] = lock
    return Answer(status=HTTPStatus.CREATED if is_new else HTTPStatus.OK, body=lock)


def _deleted(world: World, call: Call) -> Answer:
    found = world.locks.pop(call.request.path.lower(), None)
    return Answer(status=HTTPStatus.NO_CONTENT if found is None else HTTPStatus.OK)
