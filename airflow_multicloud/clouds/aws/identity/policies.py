"""Permissions as an IAM policy.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_multicloud.ports.calls import Condition, Grant, PolicyDocument

_Conditions = tuple[Condition, ...]


def policies_of(grants: Iterable[Grant], *, title: str) -> tuple[PolicyDocument, ...]:  # noqa: ARG001  # a policy has no title
    """One policy, with a statement for each set of actions on the same resources and conditions."""
    resources: dict[tuple[str, _Conditions], list[str]] = {}
    for grant in sorted(set(grants)):
        resources.setdefault((grant.permission, grant.conditions), []).append(grant.resource)
    actions: dict[tuple[tuple[str, ...], _Conditions], list[str]] = {}
    for (action, conditions), where in resources.items():
        actions.setdefault((tuple(where), conditions), []).append(action)
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": named, "Resource": list(where), **_if(conditions)}
            for (where, conditions), named in actions.items()
        ],
    }
    return (PolicyDocument(document=document),)


def _if(conditions: _Conditions) -> Mapping[str, Any]:
    """All of the keys of one operator must have their values."""
    if not conditions:
        return {}
    return {"Condition": {"StringEquals": {one.key: one.value for one in conditions}}}
