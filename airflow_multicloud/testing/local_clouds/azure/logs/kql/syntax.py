"""What a query is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from airflow_multicloud.testing.local_clouds.azure.logs.kql.values import Type


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    type: Type
    value: object


@dataclass(frozen=True, slots=True)
class Name:
    """A column."""

    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """A part of a dynamic value: ``x.y``, ``x["y"]`` or ``x[0]``."""

    base: Expression
    key: Expression


@dataclass(frozen=True, slots=True)
class Call:
    """A function, of scalars or an aggregate."""

    name: str
    arguments: Sequence[Expression]


@dataclass(frozen=True, slots=True)
class Negative:
    """``-x``."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands, and an operator as it is written."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class OneOf:
    """``x in (…)``, ``!in``, ``in~``, ``!in~``."""

    operator: str
    left: Expression
    items: Sequence[Expression]


@dataclass(frozen=True, slots=True)
class Between:
    """``x between (low .. high)``, both included."""

    negated: bool
    left: Expression
    low: Expression
    high: Expression


Expression = Literal | Name | Member | Call | Negative | Binary | OneOf | Between


@dataclass(frozen=True, slots=True)
class Named:
    """An expression, and the column it becomes; ``None`` where the query names none."""

    name: str | None
    value: Expression


@dataclass(frozen=True, slots=True)
class Order:
    """One key of a sort."""

    value: Expression
    ascending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True)
class Where:
    """Rows of which this is true."""

    condition: Expression


@dataclass(frozen=True, slots=True)
class Project:
    """These columns; ``keeps`` the others as well for ``extend``."""

    columns: Sequence[Named]
    keeps: bool


@dataclass(frozen=True, slots=True)
class ProjectAway:
    """All columns but these."""

    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class Sort:
    """In an order."""

    by: Sequence[Order]


@dataclass(frozen=True, slots=True)
class Take:
    """So many at most."""

    count: int


@dataclass(frozen=True, slots=True)
class Summarize:
    """Aggregates of groups; without aggregates, the groups."""

    aggregates: Sequence[Named]
    by: Sequence[Named]


@dataclass(frozen=True, slots=True)
class Union:
    """The rows of other tables, too."""

    tables: Sequence[str]


Operator = Where | Project | ProjectAway | Sort | Take | Summarize | Union


@dataclass(frozen=True, slots=True)
class Query:
    """A table, and what is done with its rows, in order."""

    table: str
    operators: Sequence[Operator]
