"""Microsoft.Authorization: what the caller's roles grant, deny assignments, and operations.

https://learn.microsoft.com/rest/api/authorization/. A record of service ``authorization`` is one
of:

- ``{"scope": "/subscriptions/…", "permissions": [{"actions": […], "notActions": […], …}]}``: roles
  of the caller at a scope, which count below it, too. At first it may do all in the subscription;
  the first such record of the subscription takes the place of that;
- ``{"scope": …, "denied": {…}}``: a deny assignment's ``properties``, whose ``scope`` is told;
- ``{"operations": {NAME: is_data_action}}``: operations beside those of :data:`_OPERATIONS`;
- ``{"unreadable": "denyAssignments"}``: a path that the caller may not read.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from azure.mgmt.authorization.v2022_04_01 import models  # noqa: TID253 - see azure.arm.__main__
from azure.mgmt.authorization.v2022_04_01.operations import (  # noqa: TID253 - likewise
    _deny_assignments_operations as deny_assignments,
)
from azure.mgmt.authorization.v2022_04_01.operations import (  # noqa: TID253 - likewise
    _permissions_operations as permissions,
)
from azure.mgmt.authorization.v2022_04_01.operations import (  # noqa: TID253 - likewise
    _provider_operations_metadata_operations as provider_operations,
)

from airflow_multicloud.testing.local_clouds.azure.arm import SUBSCRIPTION_ID
from airflow_multicloud.testing.local_clouds.azure.arm.http import (
    Call,
    Refusal,
    Route,
    conforming,
    sdk_route,
)
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.local_clouds.kit.state import State

SERVICE = "authorization"
_OWNER = {"actions": ["*"], "notActions": [], "dataActions": ["*"], "notDataActions": []}
_CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
#: Some of each provider's operations → whether they are on data
#: (https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations).
_OPERATIONS = {
    "Microsoft.Storage/storageAccounts/read": False,
    "Microsoft.Storage/storageAccounts/write": False,
    "Microsoft.Storage/storageAccounts/listKeys/action": False,
    f"{_CONTAINERS}/read": False,
    f"{_CONTAINERS}/write": False,
    f"{_CONTAINERS}/delete": False,
    f"{_CONTAINERS}/blobs/read": True,
    f"{_CONTAINERS}/blobs/write": True,
    f"{_CONTAINERS}/blobs/add/action": True,
    f"{_CONTAINERS}/blobs/delete": True,
    f"{_CONTAINERS}/blobs/tags/read": True,
    f"{_CONTAINERS}/blobs/tags/write": True,
    "Microsoft.Compute/virtualMachines/read": False,
    "Microsoft.Compute/virtualMachines/write": False,
    "Microsoft.Compute/virtualMachines/delete": False,
    "Microsoft.Compute/virtualMachines/start/action": False,
    "Microsoft.Compute/virtualMachines/deallocate/action": False,
    "Microsoft.KeyVault/vaults/read": False,
    "Microsoft.KeyVault/vaults/secrets/getSecret/action": True,
    "Microsoft.KeyVault/vaults/secrets/setSecret/action": True,
    "Microsoft.KeyVault/vaults/secrets/delete": True,
    "Microsoft.KeyVault/vaults/secrets/readMetadata/action": True,
}
_DENY_ASSIGNMENTS = "Microsoft.Authorization/denyAssignments"
_SCOPE = (
    r"(?P<scope>/subscriptions/[^/]+"
    r"(?:/resourceGroups/[^/]+(?:/providers/[^/]+(?:/[^/]+/[^/]+)+)?)?)"
)


def routes(state: State) -> list[Route]:
    """The operations served."""

    def listed(call: Call) -> Answer:
        return _permissions(state, call)

    def denied(call: Call) -> Answer:
        return _denied(state, call)

    def operations(call: Call) -> Answer:
        return _operations(state, call)

    group = permissions.build_list_for_resource_group_request("{group}", "{subscription}")
    # The SDK has it for groups and resources; Azure answers for subscriptions, too.
    by_group = sdk_route(group, listed)
    path = re.compile(f"{_SCOPE}/providers/Microsoft\\.Authorization/permissions", re.IGNORECASE)
    denials = deny_assignments.build_list_for_scope_request("{scope}", filter="any")
    return [
        replace(by_group, path=path),
        sdk_route(denials, denied),
        sdk_route(provider_operations.build_get_request("{provider}"), operations),
    ]


def _permissions(state: State, call: Call) -> Answer:
    scope = call.variables["scope"]
    _check(state, scope, "permissions")
    subscription = f"/subscriptions/{SUBSCRIPTION_ID}"
    given: dict[str, list[Any]] = {subscription.casefold(): [_OWNER]}
    seeded: set[str] = set()
    for record in state.seeded(SERVICE):
        if "permissions" in record:
            at = record["scope"].casefold()
            held = given.setdefault(at, [])
            if at not in seeded:
                held.clear()
                seeded.add(at)
            held.extend(record["permissions"])
    found = [one for at, held in given.items() if _is_at(scope, at) for one in held]
    return conforming(models.PermissionGetResult, {"value": found})


def _denied(state: State, call: Call) -> Answer:
    scope = f"/{call.variables['scope'].strip('/')}"
    if call.query.get("$filter") != "atScope()":
        raise Refusal(
            HTTPStatus.BAD_REQUEST, "InvalidFilter", "Only the filter atScope() is supported here."
        )
    _check(state, scope, "denyAssignments")
    found = []
    for record in state.seeded(SERVICE):
        if "denied" in record and _is_at(scope, record["scope"]):
            name = str(uuid.uuid5(uuid.NAMESPACE_URL, repr(record)))
            found.append(
                {
                    "id": f"{record['scope']}/providers/{_DENY_ASSIGNMENTS}/{name}",
                    "name": name,
                    "type": _DENY_ASSIGNMENTS,
                    "properties": {"scope": record["scope"], **record["denied"]},
                }
            )
    return conforming(models.DenyAssignmentListResult, {"value": found})


def _operations(state: State, call: Call) -> Answer:
    provider = call.variables["provider"]
    _check(state, f"/subscriptions/{SUBSCRIPTION_ID}", "providerOperations")
    known = dict(_OPERATIONS)
    for record in state.seeded(SERVICE):
        known.update(record.get("operations", {}))
    own = {
        name: is_data
        for name, is_data in known.items()
        if name.casefold().startswith(f"{provider.casefold()}/")
    }
    if not own:
        raise Refusal(HTTPStatus.NOT_FOUND, "ProviderNotFound", f"Provider '{provider}' not found.")
    types: dict[str, list[dict[str, Any]]] = {}
    for name, is_data in own.items():
        type_ = "/".join(name.removesuffix("/action").split("/")[1:-1])
        types.setdefault(type_, []).append({"name": name, "isDataAction": is_data})
    body = {
        "id": f"/providers/Microsoft.Authorization/providerOperations/{provider}",
        "type": "Microsoft.Authorization/providerOperations",
        "name": provider,
        "resourceTypes": [{"name": name, "operations": each} for name, each in types.items()],
        "operations": [],
    }
    return conforming(models.ProviderOperationsMetadata, body)


def _check(state: State, scope: str, what: str) -> None:
    """Whether the subscription is there, and what is asked may be read."""
    if not _is_at(scope, f"/subscriptions/{SUBSCRIPTION_ID}"):
        subscription = scope.split("/")[2]
        raise Refusal(
            HTTPStatus.NOT_FOUND,
            "SubscriptionNotFound",
            f"The subscription '{subscription}' could not be found.",
        )
    if any(record.get("unreadable") == what for record in state.seeded(SERVICE)):
        raise Refusal(
            HTTPStatus.FORBIDDEN,
            "AuthorizationFailed",
            f"The client does not have authorization to perform action "
            f"'Microsoft.Authorization/{what}/read' over scope '{scope}'.",
        )


def _is_at(scope: str, above: str) -> bool:
    """Whether a scope is another, or lies below it."""
    return f"{scope.casefold()}/".startswith(f"{above.casefold()}/")
