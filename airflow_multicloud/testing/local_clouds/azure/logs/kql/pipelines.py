"""What a query does with the rows of a table, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, Protocol

from airflow_multicloud.testing.local_clouds.azure.logs.kql.aggregates import summarized
from airflow_multicloud.testing.local_clouds.azure.logs.kql.expressions import Compiled, compiled
from airflow_multicloud.testing.local_clouds.azure.logs.kql.syntax import (
    Named,
    Operator,
    Order,
    Project,
    ProjectAway,
    Query,
    Sort,
    Summarize,
    Take,
    Union,
    Where,
)
from airflow_multicloud.testing.local_clouds.azure.logs.kql.values import (
    KqlSemanticError,
    Relation,
    Row,
    Type,
)


class Database(Protocol):
    """Tables by name."""

    def columns(self, name: str) -> Mapping[str, str] | None:
        """A table's columns and their types; ``None`` where there is no such table."""
        ...

    def rows(self, name: str) -> Sequence[Row]:
        """A table's rows."""
        ...


def run(query: Query, database: Database) -> Relation:
    """What a query finds.

    :raises KqlSemanticError: when it can't be meant.
    """
    found = _table(query.table, database)
    for step in query.operators:
        found = _after(step, found, database)
    return found


def _table(name: str, database: Database) -> Relation:
    columns = database.columns(name)
    if columns is None:
        raise KqlSemanticError(
            f"'where' operator: Failed to resolve table or column expression named '{name}'"
        )
    kinds = {column: Type(kind) for column, kind in columns.items()}
    return Relation(columns=kinds, rows=database.rows(name))


def _after(step: Operator, found: Relation, database: Database) -> Relation:
    after: Relation
    match step:
        case Where(condition=condition):
            after = _filtered(found, compiled(condition, found.columns))
        case Project(columns=columns, keeps=keeps):
            after = _projected(found, columns, keeps=keeps)
        case ProjectAway(names=names):
            left = {name: kind for name, kind in found.columns.items() if name not in names}
            after = Relation(columns=left, rows=found.rows)
        case Sort(by=by):
            after = _with_rows(found, _sorted(found, by))
        case Take(count=count):
            after = _with_rows(found, found.rows[:count])
        case Summarize(aggregates=aggregates, by=by):
            after = summarized(found, aggregates, by)
        case Union(tables=tables):
            after = _united([found, *(_table(name, database) for name in tables)])
    return after


def _filtered(found: Relation, wanted: Compiled) -> Relation:
    if wanted.type not in (Type.BOOL, Type.DYNAMIC):
        raise KqlSemanticError("'where' operator: the predicate must be boolean.")
    return _with_rows(found, [row for row in found.rows if wanted.of(row)])


def _united(relations: Sequence[Relation]) -> Relation:
    columns: dict[str, Type] = {}
    for relation in relations:
        columns |= relation.columns
    return Relation(columns=columns, rows=[row for one in relations for row in one.rows])


def _with_rows(found: Relation, rows: Sequence[Row]) -> Relation:
    return Relation(columns=found.columns, rows=rows)


def _projected(found: Relation, columns: Sequence[Named], *, keeps: bool) -> Relation:
    made: dict[str, Compiled] = {}
    for number, one in enumerate(columns, start=1):
        made[one.name or f"Column{number}"] = compiled(one.value, found.columns)
    kinds = {name: one.type for name, one in made.items()}
    rows = [
        {**(row if keeps else {}), **{name: one.of(row) for name, one in made.items()}}
        for row in found.rows
    ]
    return Relation(columns={**(found.columns if keeps else {}), **kinds}, rows=rows)


def _sorted(found: Relation, by: Sequence[Order]) -> list[Row]:
    rows = list(found.rows)
    for order in reversed(by):
        rows = _sorted_by(rows, compiled(order.value, found.columns), order)
    return rows


def _sorted_by(rows: list[Row], value: Compiled, order: Order) -> list[Row]:
    if value.type is Type.DYNAMIC:
        raise KqlSemanticError("'sort' operator: key can't be of dynamic type")
    keyed: list[tuple[Any, Row]] = [(value.of(row), row) for row in rows]
    nulls = [row for key, row in keyed if key is None]
    others = [pair for pair in keyed if pair[0] is not None]
    others.sort(key=itemgetter(0), reverse=not order.ascending)
    found = [row for _, row in others]
    return [*nulls, *found] if order.nulls_first else [*found, *nulls]
