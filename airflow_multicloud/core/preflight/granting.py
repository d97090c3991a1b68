"""From needs to calls, and from calls to permissions on resources. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from airflow_multicloud.core.preflight.needs import Need
from airflow_multicloud.ports.calls import ApiCall, CallTable, Grant

#: A need's table, and facts of where its connection leads.
Described = tuple[CallTable, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededCall:
    """A call that an operation makes, on a resource.

    :param what: see :class:`~.needs.Need`; of all for whom it is made.
    """

    conn_id: str
    call: ApiCall
    resource: str
    what: tuple[str, ...]


def calls_of(
    needs: Iterable[Need], describe: Callable[[Need], Described]
) -> tuple[NeededCall, ...]:
    """Each call on each resource once, in the order in which they are first needed."""
    found: dict[tuple[str, ApiCall, str], list[str]] = {}
    for need in needs:
        table, facts = describe(need)
        for call in table.calls[need.use]:
            if call.when and call.when not in facts:
                continue
            resource = table.resource(call.resource, {**facts, **need.facts})
            whom = found.setdefault((need.conn_id, call, resource), [])
            if need.what not in whom:
                whom.append(need.what)
    return tuple(
        NeededCall(conn_id=conn_id, call=call, resource=resource, what=tuple(whom))
        for (conn_id, call, resource), whom in found.items()
    )


def grants_of(calls: Iterable[NeededCall]) -> frozenset[Grant]:
    """What a policy has to allow for these calls, and nothing else."""
    return frozenset(
        Grant(permission, one.resource) for one in calls for permission in one.call.permissions
    )
