"""What a policy or role grants, read as its cloud reads it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_multicloud.ports.calls import Condition, Grant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from airflow_multicloud.ports.calls import PolicyDocument


def iam_policy(given: PolicyDocument) -> Iterator[Grant]:
    """Of each statement each action on each resource; it is granted on nothing else."""
    assert given.granted_on == ()
    document = _through_json(given)
    assert document["Version"] == "2012-10-17"  # Or ${*} would be a text.
    for statement in document["Statement"]:
        conditions = _equal(statement.pop("Condition", {}))
        assert statement.keys() == {"Effect", "Action", "Resource"}
        assert statement["Effect"] == "Allow"
        for action in statement["Action"]:
            yield from (Grant(action, one, conditions) for one in statement["Resource"])


def _equal(told: Mapping[str, Mapping[str, str]]) -> tuple[Condition, ...]:
    """The keys that must have a value, and these; nothing where there is no condition."""
    if not told:
        return ()
    assert told.keys() == {"StringEquals"}
    return tuple(Condition(key, value) for key, value in told["StringEquals"].items())


def custom_role(given: PolicyDocument) -> Iterator[Grant]:
    """All its permissions, wherever it is granted."""
    for permission in _through_json(given)["includedPermissions"]:
        yield from (Grant(permission, resource) for resource in given.granted_on)


def role_definition(given: PolicyDocument) -> Iterator[Grant]:
    """All its actions, wherever it is assigned, which must be possible there."""
    document = _through_json(given)
    assert document["NotActions"] == document["NotDataActions"] == []
    assert document["AssignableScopes"]
    for resource in given.granted_on:
        assert any(resource.startswith(scope) for scope in document["AssignableScopes"])
        for permission in (*document["Actions"], *document["DataActions"]):
            yield Grant(permission, resource)


def _through_json(given: PolicyDocument) -> Any:
    return json.loads(json.dumps(given.document))


READERS: Mapping[str, Callable[[PolicyDocument], Iterator[Grant]]] = {
    "aws": iam_policy,
    "gcp": custom_role,
    "azure": role_definition,
}
