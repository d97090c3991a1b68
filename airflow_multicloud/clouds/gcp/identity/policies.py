"""Permissions as custom roles.

https://cloud.google.com/iam/docs/reference/rest/v1/projects.roles#Role, the file that ``gcloud iam
roles create --file`` takes. A role does not say where: it is granted on buckets or the project.
"""

from __future__ import annotations

from collections.abc import Iterable

from airflow_multicloud.adapters.roles import permissions_by_resources
from airflow_multicloud.ports.calls import Grant, PolicyDocument

#: Of a title, in bytes: "Typically limited to 100 UTF-8 bytes", with a number at its end.
_LONGEST_TITLE = 96


def policies_of(grants: Iterable[Grant], *, title: str) -> tuple[PolicyDocument, ...]:
    """A role for each set of permissions that some resources need."""
    short = title.encode()[:_LONGEST_TITLE].decode(errors="ignore")
    return tuple(
        PolicyDocument(
            document={
                "title": short if number == 1 else f"{short} {number}",
                "description": f"To be granted on {len(resources)} resource(s) only",
                "stage": "GA",
                "includedPermissions": list(permissions),
            },
            granted_on=resources,
        )
        for number, (resources, permissions) in enumerate(
            permissions_by_resources(grants).items(), 1
        )
    )
