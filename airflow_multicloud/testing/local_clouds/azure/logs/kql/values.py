"""The types of values, and what a query works on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

Row = Mapping[str, Any]


class KqlSyntaxError(ValueError):
    """A text that is no query."""


class KqlSemanticError(ValueError):
    """A query that can't be meant."""


class Type(StrEnum):
    """The types of columns, as answers name them."""

    BOOL = "bool"
    DATETIME = "datetime"
    DYNAMIC = "dynamic"
    GUID = "guid"
    INT = "int"
    LONG = "long"
    REAL = "real"
    STRING = "string"
    TIMESPAN = "timespan"

    @property
    def is_number(self) -> bool:
        """Whether it can be counted with."""
        return self in _NUMBERS

    @property
    def null(self) -> object:
        """What stands where there is nothing: a string is never null."""
        return "" if self is Type.STRING else None


_NUMBERS = frozenset({Type.INT, Type.LONG, Type.REAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """Rows, and the types of their columns.

    :param rows: a column that a row lacks is null in it.
    """

    columns: Mapping[str, Type]
    rows: Sequence[Row]

    def values(self) -> Iterable[list[object]]:
        """The rows as lists, in the order of the columns."""
        for row in self.rows:
            yield [cell(row, name, kind) for name, kind in self.columns.items()]


def cell(row: Row, name: str, kind: Type) -> object:
    """A value of a row."""
    found = row.get(name)
    return kind.null if found is None else found


def datetime_of(text: str) -> datetime | None:
    """A moment, in UTC; ``None`` where it is none. Ticks below a microsecond are cut."""
    whole, dot, rest = text.strip().partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    try:
        found = datetime.fromisoformat(f"{whole}{dot}{rest[: min(digits, 6)]}{rest[digits:]}")
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
