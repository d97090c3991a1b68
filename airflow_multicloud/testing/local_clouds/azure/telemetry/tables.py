"""The tables of a Log Analytics workspace: rows with typed columns, safe for many threads.

Standard columns: https://learn.microsoft.com/azure/azure-monitor/logs/log-standard-columns.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType

from airflow_multicloud.testing.local_clouds.azure.logs.kql.values import Type

#: The Python values of each type; a datetime is aware, an object a ``dict``.
_PYTHON: Mapping[Type, type | tuple[type, ...]] = MappingProxyType(
    {
        Type.STRING: str,
        Type.DATETIME: datetime,
        Type.INT: int,
        Type.LONG: int,
        Type.REAL: (float, int),
        Type.BOOL: bool,
        Type.DYNAMIC: object,
    }
)

#: What every table has.
STANDARD_COLUMNS: Mapping[str, Type] = MappingProxyType(
    {
        "TimeGenerated": Type.DATETIME,
        "Type": Type.STRING,
        "_ItemId": Type.STRING,
        "_TimeReceived": Type.DATETIME,
    }
)

#: A value that is missing is ``None``; every row has every column of its table.
Row = Mapping[str, object]


@dataclass(slots=True)
class _Table:
    columns: Mapping[str, Type]
    rows: list[Row] = field(default_factory=list)


class Tables:
    """The tables of one workspace."""

    def __init__(self) -> None:
        self._tables: dict[str, _Table] = {}
        self._lock = threading.Lock()

    def create(self, name: str, columns: Mapping[str, Type]) -> None:
        """Add a table with these columns and the standard ones."""
        with self._lock:
            self._tables[name] = _Table({**columns, **STANDARD_COLUMNS})

    def columns(self, name: str) -> Mapping[str, Type] | None:
        """The columns of a table; ``None`` where there is no such table."""
        with self._lock:
            table = self._tables.get(name)
            return None if table is None else table.columns

    def append(self, name: str, rows: Iterable[Row]) -> None:
        """Add rows to a table.

        :param rows: with a ``TimeGenerated``, and no other standard column.
        :raises TypeError: when a value is not of its column's type.
        """
        received = datetime.now(UTC)
        with self._lock:
            table = self._tables[name]
            added = [_completed(table.columns, name, row, received) for row in rows]
            table.rows.extend(added)

    def rows(self, name: str) -> list[Row]:
        """What a table holds, in the order in which it arrived."""
        with self._lock:
            return list(self._tables[name].rows)

    def clear(self) -> None:
        """Empty all tables."""
        with self._lock:
            for table in self._tables.values():
                table.rows.clear()


def _completed(columns: Mapping[str, Type], table: str, given: Row, received: datetime) -> Row:
    if unknown := given.keys() - columns.keys():
        raise TypeError(f"{table}: there is no column {', '.join(sorted(unknown))}")
    row = dict.fromkeys(columns) | dict(given)
    row |= {"Type": table, "_ItemId": str(uuid.uuid4()), "_TimeReceived": received}
    for name, value in row.items():
        if value is not None and not isinstance(value, _PYTHON[columns[name]]):
            raise TypeError(f"{table}: column {name} is {columns[name]}, given {value!r}")
    return row
