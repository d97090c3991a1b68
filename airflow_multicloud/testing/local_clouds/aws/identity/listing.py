"""What IAM tells of a principal's policies: which it has, and their documents."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from airflow_multicloud.testing.local_clouds.aws.identity import ACCOUNT, ROLE, USER
from airflow_multicloud.testing.local_clouds.aws.identity.queries import Refused
from airflow_multicloud.testing.local_clouds.aws.identity.world import Policy, World

Given = Mapping[str, Any]
_CREATED = datetime(2026, 1, 1, tzinfo=UTC)
_ARN = f"arn:aws:iam::{ACCOUNT}:"
_VERSION = "v1"


class Listing:
    """Answers, by the model's names. A managed policy's path is whose it is."""

    def __init__(self, world: World) -> None:
        self._world = world
        #: Operation → its answer; each is about the resource that :meth:`arn_of` names.
        self.operations: Mapping[str, Callable[[Given], Mapping[str, Any]]] = {
            "GetUser": self._user,
            "ListGroupsForUser": self._groups,
            "GetPolicy": self._policy,
            "GetPolicyVersion": self._version,
            **{f"ListAttached{kind}Policies": self._attached for kind in ("User", "Group", "Role")},
            **{f"List{kind}Policies": self._inline for kind in ("User", "Group", "Role")},
            **{f"Get{kind}Policy": self._inline_policy for kind in ("User", "Group", "Role")},
        }

    def arn_of(self, given: Given) -> str:
        """What a request is about."""
        if "PolicyArn" in given:
            return str(given["PolicyArn"])
        if "GroupName" in given:
            return f"{_ARN}group/{given['GroupName']}"
        return f"{_ARN}{_principal(given)}"

    def boundary(self, principal: str) -> Mapping[str, Any]:
        """A principal's boundary, as ``GetUser`` and ``GetRole`` tell it."""
        if not any(one.layer == "boundary" for one in self._world.policies(principal)):
            return {}
        told = {
            "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
            "PermissionsBoundaryArn": f"{_ARN}policy/boundary/{principal}",
        }
        return {"PermissionsBoundary": told}

    def _user(self, given: Given) -> Mapping[str, Any]:
        principal = _principal(given)
        return {
            "User": {
                "Path": f"/{principal.partition('/')[2].rpartition('/')[0]}/",
                "UserName": given["UserName"],
                "UserId": "AIDALOCALLOCALLOCAL",
                "Arn": f"{_ARN}{principal}",
                "CreateDate": _CREATED,
                **self.boundary(principal),
            }
        }

    def _groups(self, given: Given) -> Mapping[str, Any]:
        named = {one.group for one in self._world.policies(_principal(given)) if one.group}
        groups = [
            {
                "Path": "/",
                "GroupName": name,
                "GroupId": "AGPALOCALLOCALLOCAL",
                "Arn": f"{_ARN}group/{name}",
                "CreateDate": _CREATED,
            }
            for name in sorted(named)
        ]
        return {"Groups": groups, "IsTruncated": False}

    def _attached(self, given: Given) -> Mapping[str, Any]:
        principal, policies = self._of(given)
        told = [
            {"PolicyName": one.name, "PolicyArn": f"{_ARN}policy/{principal}/{at}/{one.name}"}
            for at, one in policies
            if not one.is_inline
        ]
        return {"AttachedPolicies": told, "IsTruncated": False}

    def _inline(self, given: Given) -> Mapping[str, Any]:
        names = [one.name for _, one in self._of(given)[1] if one.is_inline]
        return {"PolicyNames": names, "IsTruncated": False}

    def _inline_policy(self, given: Given) -> Mapping[str, Any]:
        whose = {name: value for name, value in given.items() if name != "PolicyName"}
        for _, one in self._of(given)[1]:
            if one.is_inline and one.name == given["PolicyName"]:
                return {**whose, "PolicyName": one.name, "PolicyDocument": _text(one.document)}
        raise _missing(f"The policy {given['PolicyName']} cannot be found.")

    def _policy(self, given: Given) -> Mapping[str, Any]:
        name, _ = self._managed(given["PolicyArn"])
        return {
            "Policy": {
                "PolicyName": name,
                "Arn": given["PolicyArn"],
                "DefaultVersionId": _VERSION,
            }
        }

    def _version(self, given: Given) -> Mapping[str, Any]:
        _, document = self._managed(given["PolicyArn"])
        if given["VersionId"] != _VERSION:
            raise _missing(f"Policy version {given['VersionId']} does not exist.")
        return {
            "PolicyVersion": {
                "Document": _text(document),
                "VersionId": _VERSION,
                "IsDefaultVersion": True,
            }
        }

    def _of(self, given: Given) -> tuple[str, Sequence[tuple[int, Policy]]]:
        """Whose policies a request is about, and they with their places among all."""
        group = given.get("GroupName", "")
        principal = USER if group else _principal(given)
        return principal, [
            (at, one)
            for at, one in enumerate(self._world.policies(principal))
            if one.layer == "identity" and one.group == group
        ]

    def _managed(self, arn: str) -> tuple[str, Mapping[str, Any]]:
        path = arn.removeprefix(f"{_ARN}policy/")
        for principal in (USER, ROLE):
            policies = self._world.policies(principal)
            if path == f"boundary/{principal}":
                # Of several that were seeded one is made: a principal has one boundary.
                each = [one.document["Statement"] for one in policies if one.layer == "boundary"]
                every = [s for one in each for s in (one if isinstance(one, list) else [one])]
                return "boundary", {"Version": "2012-10-17", "Statement": every}
            for at, one in enumerate(policies):
                if path == f"{principal}/{at}/{one.name}":
                    return one.name, one.document
        raise _missing(f"Policy {arn} does not exist or is not attachable.")


def _principal(given: Given) -> str:
    for kind, known in (("User", USER), ("Role", ROLE)):
        if (name := given.get(f"{kind}Name")) is not None:
            if name == known.rpartition("/")[2]:
                return known
            raise _missing(f"The {kind.lower()} with name {name} cannot be found.")
    raise Refused("ValidationError", "Must specify userName when calling with non-User credentials")


def _missing(text: str) -> Refused:
    return Refused("NoSuchEntity", text, HTTPStatus.NOT_FOUND)


def _text(document: Mapping[str, Any]) -> str:
    # API_GetPolicyVersion.html: it is URL-encoded, by RFC 3986.
    return quote(json.dumps(document), safe="")
