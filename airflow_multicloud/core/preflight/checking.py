"""Asking each connection's identity whether it is allowed what is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from airflow_multicloud.core.preflight.granting import NeededCall
from airflow_multicloud.core.preflight.report import CheckedPermission
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.calls import Condition, Grant
from airflow_multicloud.ports.identity import Decision, Identity, PermissionChecks

#: A resource, and under which conditions.
_Where = tuple[str, tuple[Condition, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A connection, and what its identity can be asked.

    :param identity: its hook; or why there is none.
    """

    conn_id: str
    cloud: str
    identity: Identity | CloudError


def check_connection_calls(
    asked: Asked, calls: Iterable[NeededCall]
) -> tuple[CheckedPermission, ...]:
    """Each permission on each resource once. What can't be asked is unknown, and raises nothing."""
    wanted: dict[Grant, list[NeededCall]] = {}
    for one in calls:
        for permission in one.call.permissions:
            wanted.setdefault(Grant(permission, one.resource, one.conditions), []).append(one)
    by_resource: dict[_Where, _Question] = {}
    for grant, (first, *_) in wanted.items():
        question = by_resource.setdefault(
            (grant.resource, grant.conditions), _Question(first.of_account, first.to_be_made)
        )
        question.permissions.append(grant.permission)
    answers = _answers(asked, by_resource)
    return tuple(
        _checked(asked, grant, needed_by, answers[grant]) for grant, needed_by in wanted.items()
    )


def _checked(
    asked: Asked, grant: Grant, needed_by: Sequence[NeededCall], answer: _Answer
) -> CheckedPermission:
    optional = all(one.call.without for one in needed_by)
    return CheckedPermission(
        cloud=asked.cloud,
        conn_id=asked.conn_id,
        permission=grant.permission,
        resource=answer.resource,
        condition=" and ".join(map(str, grant.conditions)),
        decision=answer.decision,
        reason=answer.reason,
        calls=tuple(dict.fromkeys(one.call.call for one in needed_by)),
        operations=tuple(dict.fromkeys(what for one in needed_by for what in one.what)),
        without=needed_by[0].call.without if optional else "",
        kind=answer.kind,
    )


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked of a resource, whose name may want the account's id, and which may be made."""

    of_account: Callable[[str], str] | None
    to_be_made: bool
    permissions: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Answer:
    resource: str
    decision: Decision
    reason: str
    kind: ErrorKind | None = None


def _answers(asked: Asked, by_resource: Mapping[_Where, _Question]) -> Mapping[Grant, _Answer]:
    found: dict[Grant, _Answer] = {}
    for (resource, conditions), question in by_resource.items():
        for permission, answer in _ask(asked, resource, conditions, question).items():
            found[Grant(permission, resource, conditions)] = answer
    return found


def _ask(
    asked: Asked, resource: str, conditions: Sequence[Condition], question: _Question
) -> Mapping[str, _Answer]:
    identity, named, permissions = asked.identity, resource, question.permissions
    try:
        if isinstance(identity, CloudError):
            raise identity
        if not isinstance(identity, PermissionChecks):
            why = f"{asked.cloud} can't be asked what the caller may do"
            return {p: _Answer(named, Decision.UNKNOWN, why) for p in permissions}
        if question.of_account is not None:
            named = question.of_account(identity.who_am_i().account_id)
        context = {one.key: one.value for one in conditions}
        checked = identity.check_permissions(
            permissions, named, to_be_made=question.to_be_made, context=context
        )
    except CloudError as err:
        why = f"could not be asked: {err.kind}: {err}"
        failed = _Answer(named, Decision.UNKNOWN, why, err.kind)
        return dict.fromkeys(permissions, failed)
    told = {one.action: _Answer(named, one.decision, one.reason, one.kind) for one in checked}
    silent = _Answer(named, Decision.UNKNOWN, "the answer does not tell of it")
    return {permission: told.get(permission, silent) for permission in permissions}
