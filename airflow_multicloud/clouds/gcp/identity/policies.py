"""Permissions as a custom role.

https://cloud.google.com/iam/docs/reference/rest/v1/projects.roles#Role, the file that ``gcloud iam
roles create --file`` takes. A role does not say where: it is granted on the bucket or the project.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from airflow_multicloud.ports.calls import Grant


def policy_of(grants: Iterable[Grant], *, title: str) -> dict[str, Any]:
    """A role; its description names where it is to be granted."""
    given = set(grants)
    return {
        "title": title,
        "description": f"To be granted on {', '.join(sorted({one.resource for one in given}))}",
        "stage": "GA",
        "includedPermissions": sorted({one.permission for one in given}),
    }
