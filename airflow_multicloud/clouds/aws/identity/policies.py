"""Permissions as an IAM policy.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from airflow_multicloud.ports.calls import Grant, PolicyDocument

#: "IAM policy elements: Variables and tags": these stand for themselves as ``${*}``, ``${?}`` and
#: ``${$}`` only.
_SPECIAL = re.compile(r"[*?$]")
#: All of a bucket, below a prefix or of a log group, as this package asks for it.
_ALL_BELOW = re.compile(r"(?:.*[/:])?\*", re.DOTALL)


def policies_of(grants: Iterable[Grant], *, title: str) -> tuple[PolicyDocument, ...]:  # noqa: ARG001  # a policy has no title
    """One policy, with a statement for each set of actions that go with the same resources."""
    resources: dict[str, list[str]] = {}
    for grant in sorted(set(grants)):
        resources.setdefault(grant.permission, []).append(_escaped(grant.resource))
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


def _escaped(resource: str) -> str:
    """An ARN whose characters stand for themselves, but for a ``*`` that means all below."""
    rest = "*" if _ALL_BELOW.fullmatch(resource) else ""
    return _SPECIAL.sub(r"${\g<0>}", resource.removesuffix(rest)) + rest
