"""Permissions as definitions of custom roles.

https://learn.microsoft.com/azure/role-based-access-control/custom-roles, the file that ``az role
definition create --role-definition`` takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from airflow_multicloud.adapters.roles import permissions_by_resources
from airflow_multicloud.ports.calls import Grant, PolicyDocument

# "Azure permissions for Storage" and "for Monitor": what these name are data actions.
_DATA = re.compile(
    r"Microsoft\.Storage/storageAccounts/blobServices/containers/blobs/.*"
    r"|Microsoft\.Insights/(?:Metrics|Telemetry)/Write"
    # Not its read and write, which are of the resource and tell no value.
    r"|Microsoft\.KeyVault/vaults/secrets/(?:\w+/action|delete)",
    re.IGNORECASE,
)
# Roles can be assignable in subscriptions and resource groups, and not in single resources.
_GROUP = re.compile(r"/subscriptions/[^/]+(?:/resourceGroups/[^/]+)?", re.IGNORECASE)
#: Where a role is assignable of whose resources no id is known: there must be one such scope.
_SUBSCRIPTION = "/subscriptions/{subscription}"


def policies_of(grants: Iterable[Grant], *, title: str) -> tuple[PolicyDocument, ...]:
    """A definition for each set of permissions that some resources need."""
    return tuple(
        PolicyDocument(
            document=_definition(
                title if number == 1 else f"{title} {number}", resources, permissions
            ),
            granted_on=resources,
        )
        for number, (resources, permissions) in enumerate(
            permissions_by_resources(grants).items(), 1
        )
    )


def _definition(title: str, resources: Sequence[str], permissions: Sequence[str]) -> dict[str, Any]:
    scopes = {
        _SUBSCRIPTION if (found := _GROUP.match(one)) is None else found[0] for one in resources
    }
    return {
        "Name": title,
        "IsCustom": True,
        "Description": f"To be assigned on {len(resources)} resource(s) only",
        "Actions": [name for name in permissions if not _DATA.fullmatch(name)],
        "NotActions": [],
        "DataActions": [name for name in permissions if _DATA.fullmatch(name)],
        "NotDataActions": [],
        "AssignableScopes": sorted(scopes),
    }
