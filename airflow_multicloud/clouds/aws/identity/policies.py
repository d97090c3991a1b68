"""Permissions as an IAM policy.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

from collections.abc import Iterable

from airflow_multicloud.ports.calls import Grant, PolicyDocument


def policies_of(grants: Iterable[Grant], *, title: str) -> tuple[PolicyDocument, ...]:  # noqa: ARG001  # a policy has no title
    """One policy, with a statement for each set of actions that go with the same resources."""
    resources: dict[str, list[str]] = {}
    for grant in sorted(set(grants)):
        resources.setdefault(grant.permission, []).append(grant.resource)
    actions: dict[tuple[str, ...], list[str]] = {}
    for action, where in resources.items():
        actions.setdefault(tuple(where), []).append(action)
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": named, "Resource": list(where)}
            for where, named in actions.items()
        ],
    }
    return (PolicyDocument(document=document),)
