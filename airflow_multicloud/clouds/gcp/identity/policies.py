"""Permissions as custom roles.

https://cloud.google.com/iam/docs/reference/rest/v1/projects.roles#Role, the file that ``gcloud iam
roles create --file`` takes. A role does not say where: it is granted on what is there, or on the
project.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from airflow_multicloud.adapters.roles import permissions_by_resources
from airflow_multicloud.ports.calls import Grant, PolicyDocument

#: Of a title, in bytes: "Typically limited to 100 UTF-8 bytes", with a number at its end.
_LONGEST_TITLE = 96
#: What may not be there yet, or is any of a kind, below its project.
_PATTERN = re.compile(r"//[a-z]+\.googleapis\.com/(projects/[^/]+)/.*\*")


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
            permissions_by_resources(map(_on_what_is_there, grants)).items(), 1
        )
    )


def _on_what_is_there(grant: Grant) -> Grant:
    found = _PATTERN.fullmatch(grant.resource)
    if found is None:
        return grant
    return replace(grant, resource=f"//cloudresourcemanager.googleapis.com/{found[1]}")
