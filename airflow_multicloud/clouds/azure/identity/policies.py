"""Permissions as a custom role's definition.

https://learn.microsoft.com/azure/role-based-access-control/custom-roles, the file that ``az role
definition create --role-definition`` takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from airflow_multicloud.ports.calls import Grant

# "Azure permissions for Storage" and "for Monitor": what these name are data actions.
_DATA = re.compile(
    r"Microsoft\.Storage/storageAccounts/blobServices/containers/blobs/.*"
    r"|Microsoft\.Insights/(?:Metrics|Telemetry)/Write",
    re.IGNORECASE,
)
# Roles can be assignable in subscriptions and resource groups, and not in single resources.
_GROUP = re.compile(r"/subscriptions/[^/]+(?:/resourceGroups/[^/]+)?", re.IGNORECASE)


def policy_of(grants: Iterable[Grant], *, title: str) -> dict[str, Any]:
    """A definition; its description names what it is to be assigned on."""
    given = set(grants)
    names = sorted({one.permission for one in given})
    resources = sorted({one.resource for one in given})
    scopes = {found[0] for one in resources if (found := _GROUP.match(one)) is not None}
    return {
        "Name": title,
        "IsCustom": True,
        "Description": f"To be assigned on {', '.join(resources)}",
        "Actions": [name for name in names if not _DATA.fullmatch(name)],
        "NotActions": [],
        "DataActions": [name for name in names if _DATA.fullmatch(name)],
        "NotDataActions": [],
        "AssignableScopes": sorted(scopes),
    }
