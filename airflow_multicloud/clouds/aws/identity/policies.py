"""Permissions as an IAM policy.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_multicloud.ports.calls import Grant, PolicyDocument


def policies_of(grants: Iterable[Grant], *, title: str) -> tuple[PolicyDocument, ...]:  # noqa: ARG001  # a policy has no title
    """One policy, with a statement for each set of actions on the same resources and condition."""
    resources: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for grant in sorted(set(grants)):
        resources.setdefault((grant.permission, grant.condition), []).append(grant.resource)
    actions: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for (action, condition), where in resources.items():
        actions.setdefault((tuple(where), condition), []).append(action)
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": named, "Resource": list(where), **_if(condition)}
            for (where, condition), named in actions.items()
        ],
    }
    return (PolicyDocument(document=document),)


def _if(condition: tuple[str, ...]) -> Mapping[str, Any]:
    if not condition:
        return {}
    key, value = condition
    return {"Condition": {"StringEquals": {key: value}}}
