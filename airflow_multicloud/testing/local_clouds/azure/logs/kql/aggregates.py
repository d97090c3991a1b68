"""``summarize``, ``distinct`` and ``count``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from airflow_multicloud.testing.local_clouds.azure.logs.kql.expressions import Compiled, compiled
from airflow_multicloud.testing.local_clouds.azure.logs.kql.syntax import Call, Name, Named
from airflow_multicloud.testing.local_clouds.azure.logs.kql.values import (
    KqlSemanticError,
    Relation,
    Row,
    Type,
)


@dataclass(frozen=True, slots=True)
class _Aggregate:
    """One aggregate: the type it gives for the type of its argument, and how."""

    type: Callable[[Type], Type]
    of: Callable[[Sequence[Any]], Any]


_AGGREGATES: Mapping[str, _Aggregate] = MappingProxyType(
    {
        "avg": _Aggregate(lambda _: Type.REAL, lambda v: sum(v) / len(v) if v else None),
        "countif": _Aggregate(lambda _: Type.LONG, lambda v: sum(map(bool, v))),
        "dcount": _Aggregate(lambda _: Type.LONG, lambda v: len(set(v))),
        "max": _Aggregate(lambda kind: kind, lambda v: max(v, default=None)),
        "min": _Aggregate(lambda kind: kind, lambda v: min(v, default=None)),
        "sum": _Aggregate(lambda kind: kind, sum),
    }
)


def summarized(found: Relation, aggregates: Sequence[Named], by: Sequence[Named]) -> Relation:
    """The groups of rows, with their aggregates; one group where nothing says which.

    :raises KqlSemanticError: when it asks for what is no aggregate here.
    """
    keys = {
        one.name or f"Column{number}": compiled(one.value, found.columns)
        for number, one in enumerate(by, start=1)
    }
    if any(one.type is Type.DYNAMIC for one in keys.values()):
        raise KqlSemanticError("'summarize' operator: a key can't be of dynamic type")
    groups: dict[str, list[Row]] = {}
    for row in found.rows:
        given = json.dumps([str(one.of(row)) for one in keys.values()])
        groups.setdefault(given, []).append(row)
    if not by:
        groups = {"": list(found.rows)}
    columns = {name: one.type for name, one in keys.items()}
    made: list[dict[str, Any]] = [
        {name: one.of(rows[0]) for name, one in keys.items()} for rows in groups.values()
    ]
    for aggregate in aggregates:
        name, kind, of = _aggregate(aggregate, found.columns)
        columns[name] = kind
        for row, rows in zip(made, groups.values(), strict=True):
            row[name] = of(rows)
    return Relation(columns=columns, rows=made)


def _aggregate(
    asked: Named, columns: Mapping[str, Type]
) -> tuple[str, Type, Callable[[Sequence[Row]], Any]]:
    call = asked.value
    if isinstance(call, Call) and call.name == "count" and not call.arguments:
        return asked.name or "count_", Type.LONG, len
    if not isinstance(call, Call) or call.name not in _AGGREGATES or len(call.arguments) != 1:
        raise KqlSemanticError("'summarize' operator: this is no aggregate that is known here")
    (argument,) = call.arguments
    value: Compiled = compiled(argument, columns)
    aggregate = _AGGREGATES[call.name]
    suffix = argument.name if isinstance(argument, Name) else ""

    def of(rows: Sequence[Row]) -> Any:
        return aggregate.of([given for row in rows if (given := value.of(row)) is not None])

    return asked.name or f"{call.name}_{suffix}", aggregate.type(value.type), of
