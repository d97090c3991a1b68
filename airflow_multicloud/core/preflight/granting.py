"""From needs to calls, and from calls to permissions on resources. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from airflow_multicloud.core.preflight.needs import Need
from airflow_multicloud.ports.calls import ACCOUNT, ApiCall, CallTable, Condition, Grant

#: A need's table, and facts of where its connection leads.
Described = tuple[CallTable, Mapping[str, str]]
#: The use after which a bucket is there; all of a place's needs are then of what may be new.
_MAKES_BUCKET = "ensure_bucket"


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededCall:
    """A call that an operation makes, on a resource.

    :param resource: as the cloud names it, but for the account where that is not known.
    :param what: see :class:`~.needs.Need`; of all for whom it is made.
    :param to_be_made: whether the bucket that it is in is made before, where it is not there.
    :param conditions: see :class:`~airflow_multicloud.ports.calls.Grant`.
    :param of_account: its name with the account's id; ``None`` where the account is not in it.
    """

    conn_id: str
    call: ApiCall
    resource: str
    what: tuple[str, ...] = ()
    to_be_made: bool = False
    conditions: tuple[Condition, ...] = ()
    of_account: Callable[[str], str] | None = field(default=None, compare=False, repr=False)


def calls_of(
    needs: Iterable[Need], describe: Callable[[Need], Described]
) -> tuple[NeededCall, ...]:
    """Each call on each resource once, in the order in which they are first needed."""
    found: dict[NeededCall, list[str]] = {}
    every = list(needs)
    made = {_place(need) for need in every if need.use == _MAKES_BUCKET}
    for need in every:
        table, facts = describe(need)
        told = {**facts, **need.facts}
        for call in table.made(need.use, told):
            resource = table.resource(call.resource, told)
            named = partial(_named, table, call.resource, facts, need.facts)
            one = NeededCall(
                conn_id=need.conn_id,
                call=call,
                resource=resource,
                to_be_made=_place(need) in made,
                conditions=_conditions(call, told),
                of_account=named if named("") != resource else None,
            )
            whom = found.setdefault(one, [])
            if need.what not in whom:
                whom.append(need.what)
    return tuple(replace(one, what=tuple(whom)) for one, whom in found.items())


def _conditions(call: ApiCall, facts: Mapping[str, str]) -> tuple[Condition, ...]:
    name, known, value = facts.get("label", "").partition("=")
    labelled = call.labelled if known else ()
    return (*call.conditions, *(Condition(key + name, value) for key in labelled))


def _place(need: Need) -> tuple[str, str | None]:
    return need.conn_id, need.facts.get("bucket")


def _named(
    table: CallTable, kind: str, facts: Mapping[str, str], given: Mapping[str, str], account: str
) -> str:
    """A resource of an account. What was given may have the text that stands for one."""
    known = {name: account if value == ACCOUNT else value for name, value in facts.items()}
    return table.resource(kind, {**known, **given})


def grants_of(calls: Iterable[NeededCall]) -> frozenset[Grant]:
    """What a policy has to allow for these calls, and nothing else."""
    return frozenset(
        Grant(permission, one.resource, one.conditions)
        for one in calls
        for permission in one.call.permissions
    )
