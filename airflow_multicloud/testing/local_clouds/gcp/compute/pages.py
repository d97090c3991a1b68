"""Lists, in pages, and lists over all zones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from airflow_multicloud.testing.local_clouds.gcp.compute.catalogue import ZONES
from airflow_multicloud.testing.local_clouds.gcp.compute.filters import Resource, fitting
from airflow_multicloud.testing.local_clouds.gcp.compute.links import link
from airflow_multicloud.testing.local_clouds.gcp.compute.refusals import invalid
from airflow_multicloud.testing.local_clouds.gcp.rest.strict import Call

_LARGEST = 500
_ORDERS = ("name", "creationTimestamp desc")


def page_of(call: Call, found: Iterable[Resource]) -> tuple[list[Resource], dict[str, Any]]:
    """What a page has of a list, and what the answer says of the next one.

    :param found: all that there is; it is filtered here.
    :raises Refusal: for parameters that are of no use.
    """
    size = call.parameters.get("maxResults") or _LARGEST
    if size > _LARGEST:
        why = f"Must be less than or equal to {_LARGEST}"
        raise invalid("maxResults", size, why)
    token = call.parameters.get("pageToken") or "0"
    fitted = _ordered(call, fitting(found, call.parameters.get("filter")))
    if not token.isdecimal() or int(token) > len(fitted):
        raise invalid("pageToken", token, "Invalid pageToken provided.")
    start, end = int(token), int(token) + size
    return fitted[start:end], {"nextPageToken": str(end)} if end < len(fitted) else {}


def listed(call: Call, kind: str, path: str, found: Iterable[Resource]) -> dict[str, Any]:
    """An answer that lists."""
    items, following = page_of(call, found)
    return {
        "kind": f"compute#{kind}",
        "id": path,
        "selfLink": link(path),
        **({"items": items} if items else {}),
        **following,
    }


def aggregated(
    call: Call,
    kind: str,
    name: str,
    found: Mapping[str, Sequence[Resource]],
    unreachable: Collection[str] = (),
) -> dict[str, Any]:
    """An answer that lists all zones.

    :param name: of the list in each zone: ``instances``.
    :param found: zone → what it has.
    :param unreachable: zones that say nothing of it.
    """
    zone_of = {id(r): zone for zone, resources in found.items() for r in resources}
    reachable = [r for zone, rs in found.items() if zone not in unreachable for r in rs]
    items, following = page_of(call, reachable)
    scopes: dict[str, Any] = {}
    for zone in ZONES:
        here = [item for item in items if zone_of[id(item)] == zone]
        scope = f"zones/{zone}"
        scopes[scope] = {name: here} if here else _warning(scope, zone in unreachable)
    path = f"projects/{call.parameters['project']}/aggregated/{name}"
    missed = {"unreachables": [f"zones/{zone}" for zone in sorted(unreachable)]}
    return {
        "kind": f"compute#{kind}",
        "id": path,
        "selfLink": link(path),
        "items": scopes,
        **(missed if unreachable else {}),
        **following,
    }


def _warning(scope: str, is_unreachable: bool) -> dict[str, Any]:
    code, message = "NO_RESULTS_ON_PAGE", f"There are no results for scope '{scope}' on this page."
    if is_unreachable:
        code, message = "UNREACHABLE", f"The scope '{scope}' cannot be reached."
    data = [{"key": "scope", "value": scope}]
    return {"warning": {"code": code, "message": message, "data": data}}


def _ordered(call: Call, found: list[Resource]) -> list[Resource]:
    order = call.parameters.get("orderBy") or "name"
    if order not in _ORDERS:
        raise invalid("orderBy", order, "Unsupported sort order.")
    if order == "name":
        return sorted(found, key=lambda resource: str(resource["name"]))
    return sorted(found, key=lambda resource: str(resource["creationTimestamp"]), reverse=True)
