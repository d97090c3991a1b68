"""What the caller has, resource by resource.

A record of service ``identity`` is ``{"resource": …, "grants": [PATTERN…], "denies": [PATTERN…]}``:
what a resource passes down to what lies in it, and what it takes away there. ``*`` in a pattern
stands for any characters. The resource ``*`` is the organization. With ``"absent": true`` there is
no such resource.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from http import HTTPStatus

from airflow_multicloud.testing.local_clouds.gcp import PROJECT
from airflow_multicloud.testing.local_clouds.gcp.rest.strict import Refusal
from airflow_multicloud.testing.local_clouds.kit.state import State

SERVICE = "identity"
_EVERYTHING = {"resource": f"projects/{PROJECT}", "grants": ["*"]}
#: Kind of resource → the permissions that can be tested on it; on containers all can.
_TESTABLE = {
    "buckets": re.compile(r"storage\.(buckets|objects|managedFolders|multipartUploads)\..+"),
    "secrets": re.compile(r"secretmanager\.(secrets|versions)\..+"),
    "serviceAccounts": re.compile(r"iam\.(serviceAccounts|serviceAccountKeys)\..+"),
}


@dataclass(frozen=True, slots=True)
class Grants:
    """Judges by what was seeded."""

    state: State

    def held(self, resource: str, permissions: Sequence[str]) -> list[str]:
        """Those of the permissions that the caller has.

        :param resource: ``projects/p``, ``projects/_/buckets/b``, ``projects/p/secrets/s``…
        :raises Refusal: for one that can't be tested, or a resource that is not there.
        """
        records = [_EVERYTHING, *self.state.seeded(SERVICE)]
        above = (resource, *_above(resource))
        if any(r.get("absent") and r["resource"] == resource for r in records):
            raise Refusal(HTTPStatus.NOT_FOUND, f"The resource {resource} does not exist.")
        kinds = [kind for kind in _TESTABLE if f"/{kind}/" in resource]
        for permission in permissions:
            if kinds and _TESTABLE[kinds[0]].fullmatch(permission) is None:
                raise Refusal(
                    HTTPStatus.BAD_REQUEST,
                    f"Permission {permission} is not valid for this resource.",
                )
        effective = [record for record in records if record["resource"] in above]
        granted = [pattern for record in effective for pattern in record.get("grants", ())]
        denied = [pattern for record in effective for pattern in record.get("denies", ())]
        return [p for p in permissions if _any(granted, p) and not _any(denied, p)]


def _above(resource: str) -> tuple[str, ...]:
    """What a resource lies in. All buckets are of the one project."""
    project = re.match(r"projects/[^/]+", resource)
    if project is None:
        return ("*",)
    name = f"projects/{PROJECT}" if project[0] == "projects/_" else project[0]
    return (name, "*")


def _any(patterns: Iterable[str], permission: str) -> bool:
    return any(fnmatchcase(permission, pattern) for pattern in patterns)
