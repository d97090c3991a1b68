"""``SimulatePrincipalPolicy``: what the policies of a user or role say of actions on resources."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from airflow_multicloud.testing.local_clouds.aws.identity import ACCOUNT
from airflow_multicloud.testing.local_clouds.aws.identity.policies import (
    Outcome,
    Unevaluable,
    together,
)
from airflow_multicloud.testing.local_clouds.aws.identity.queries import Refused
from airflow_multicloud.testing.local_clouds.aws.identity.world import World

_ACTION = re.compile(r"[a-z0-9-]+:[A-Za-z0-9]+")
_PAGE = 100


def simulated(world: World, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """An answer, by the model's names.

    :raises Refused: ``NoSuchEntity``, ``InvalidInput`` and ``PolicyEvaluation``.
    """
    principal = _principal(world, given["PolicySourceArn"])
    for action in given["ActionNames"]:
        if _ACTION.fullmatch(action) is None:
            raise Refused("InvalidInput", f"Invalid Action Name: {action}")
    context = {
        str(one["ContextKeyName"]): ",".join(one.get("ContextKeyValues", ()))
        for one in given.get("ContextEntries", ())
    }
    pairs = [(a, r) for a in given["ActionNames"] for r in given.get("ResourceArns", ("*",))]
    first, size = int(given.get("Marker", 0)), given.get("MaxItems", _PAGE)
    page = pairs[first : first + size]
    end = first + len(page)
    more: dict[str, Any] = {"IsTruncated": False}
    if end < len(pairs):
        more = {"IsTruncated": True, "Marker": str(end)}
    try:
        results = [
            _result(world, principal, action, resource, context) for action, resource in page
        ]
    except Unevaluable as err:
        raise Refused("PolicyEvaluation", str(err)) from None
    return {"EvaluationResults": results, **more}


def _principal(world: World, arn: str) -> str:
    """By name, whatever path the ARN has: a user's and a role's is unique in an account."""
    found = re.fullmatch(rf"arn:aws:iam::{ACCOUNT}:((?:user|role)/.+)", arn)
    if found is None:
        raise Refused("InvalidInput", f"Invalid PolicySourceArn: {arn}")
    if not world.has(found[1]):
        raise Refused("NoSuchEntity", f"The entity {arn} cannot be found.")
    return found[1]


def _result(
    world: World, principal: str, action: str, resource: str, context: Mapping[str, str]
) -> dict[str, Any]:
    layers = {
        name: layer.evaluate(action, resource, context)
        for name, layer in world.layers(principal).items()
    }
    whole = together(layers.values())
    found: dict[str, Any] = {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": whole.decision,
        "MatchedStatements": [
            {"SourcePolicyId": one.policy, "SourcePolicyType": "user-managed"}
            for one in whole.matched
        ],
        "MissingContextValues": sorted(whole.missing),
    }
    if (organization := layers.get("organization")) is not None:
        found["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": _allows(organization)}
    if (boundary := layers.get("boundary")) is not None:
        found["PermissionsBoundaryDecisionDetail"] = {
            "AllowedByPermissionsBoundary": _allows(boundary)
        }
    return found


def _allows(outcome: Outcome) -> bool:
    return outcome.decision == "allowed"
