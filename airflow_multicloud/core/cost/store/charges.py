"""The canonical rows of charge days, whichever columns their exports had."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from airflow_multicloud.core.cost.focus import COLUMNS, Column
from airflow_multicloud.core.cost.store.engine import files_relation
from airflow_multicloud.core.cost.store.files import Files
from airflow_multicloud.core.cost.store.snapshot import Day

#: Every column of a charge → its type.
CHARGE_COLUMNS: Mapping[str, str] = {
    "Cloud": "VARCHAR",
    "Export": "VARCHAR",
    "BillingPeriod": "DATE",
    **{column.name: column.type for column in COLUMNS},
    "ChargeDate": "DATE",
}

_LATER = {column.name: column for column in COLUMNS if column.since}


def charges(files: Files, days: Iterable[Day], *, where: str = "") -> str:
    """The days' rows as a query with all of :data:`CHARGE_COLUMNS`.

    Files that lack columns of later FOCUS versions are read apart from those that have them:
    of files that are read together, the first alone is opened to see which columns there are.

    :param days: at least one file's.
    :param where: a condition on each row, as SQL.
    """
    names: dict[tuple[str, ...], list[str]] = {}
    for day in days:
        names.setdefault(day.later, []).extend(day.files)
    condition = f" WHERE {where}" if where else ""
    return " UNION ALL ".join(
        f"SELECT {_select(later)} FROM {files_relation(files.local(group))}{condition}"
        for later, group in names.items()
    )


def _select(later: tuple[str, ...]) -> str:
    absent = {name: column for name, column in _LATER.items() if name not in later}
    return ", ".join(_stand_in(absent[name]) if name in absent else name for name in CHARGE_COLUMNS)


def _stand_in(column: Column) -> str:
    return f"CAST({column.formerly or 'NULL'} AS {column.type}) AS {column.name}"
