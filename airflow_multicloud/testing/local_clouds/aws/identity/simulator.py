"""``SimulatePrincipalPolicy``: what the policies of a user or role say of actions on resources.

Where each thing is told is as the members' documentation in botocore's model of IAM says: for given
resources the missing condition keys are in ``ResourceSpecificResults`` only, the organization's
decision is never there; neither has the statements and condition keys of its policies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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
    actions, resources = given["ActionNames"], given.get("ResourceArns", ["*"])
    first, size = int(given.get("Marker", 0)), given.get("MaxItems", _PAGE)
    page = actions[first : first + size]
    end = first + len(page)
    more: dict[str, Any] = {"IsTruncated": False}
    if end < len(actions):
        more = {"IsTruncated": True, "Marker": str(end)}
    try:
        results = [_result(world, principal, action, resources, context) for action in page]
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
    world: World,
    principal: str,
    action: str,
    resources: Sequence[str],
    context: Mapping[str, str],
) -> dict[str, Any]:
    layers = world.layers(principal)
    each = [
        {name: layer.evaluate(action, resource, context) for name, layer in layers.items()}
        for resource in resources
    ]
    whole = together(outcome for one in each for outcome in one.values())
    found: dict[str, Any] = {
        "EvalActionName": action,
        "EvalDecision": whole.decision,
        "MatchedStatements": _statements(each),
    }
    if "organization" in layers:
        allowed = all(_allows(one["organization"]) for one in each)
        found["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": allowed}
    if "boundary" in layers:
        allowed = all(_allows(one["boundary"]) for one in each)
        found["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": allowed}
    if resources == ["*"]:
        return {**found, "EvalResourceName": "*", "MissingContextValues": _missing(each)}
    specific = [_specific(resource, one) for resource, one in zip(resources, each, strict=True)]
    return {**found, "EvalDecisionDetails": {}, "ResourceSpecificResults": specific}


def _specific(resource: str, layers: Mapping[str, Outcome]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "EvalResourceName": resource,
        "EvalResourceDecision": together(layers.values()).decision,
        "MatchedStatements": _statements([layers]),
        "MissingContextValues": _missing([layers]),
    }
    if (boundary := layers.get("boundary")) is not None:
        allowed = _allows(boundary)
        found["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": allowed}
    return found


def _statements(each: Sequence[Mapping[str, Outcome]]) -> list[dict[str, str]]:
    """What decides, but for the organization's."""
    told = [{n: o for n, o in one.items() if n != "organization"} for one in each]
    matched = together(outcome for one in told for outcome in one.values()).matched
    return [{"SourcePolicyId": one.policy, "SourcePolicyType": "user-managed"} for one in matched]


def _missing(each: Sequence[Mapping[str, Outcome]]) -> list[str]:
    told = [o.missing for one in each for n, o in one.items() if n != "organization"]
    return sorted(frozenset().union(*told))


def _allows(outcome: Outcome) -> bool:
    return outcome.decision == "allowed"
