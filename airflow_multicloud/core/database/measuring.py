"""What a table has: its rows, its checksum, the newest time in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from airflow_multicloud.core.database.checks import TableCheck
from airflow_multicloud.core.database.sql import (
    SqlDatabase,
    begin_of,
    checksum_of,
    count_of,
    newest_of,
)
from airflow_multicloud.errors import DatabaseError, ErrorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredTable:
    """What was measured of one table, all of it in one transaction.

    :param checksum: with its algorithm.
    :param columns: that were asked for; all of them for none.
    :param newest_column: in which the newest time is.
    :param newest: ``None`` also when there is no time in it.
    """

    table: str
    schema: str | None = None
    measured_at: datetime
    rows: int
    checksum: str | None = None
    columns: tuple[str, ...] = ()
    newest_column: str | None = None
    newest: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured of a check's table, or why it was not."""

    check: TableCheck
    table: MeasuredTable | None = None
    error: DatabaseError | None = None


def measure_all(
    database: SqlDatabase, checks: Sequence[TableCheck], timeout: timedelta
) -> Iterator[Measured]:
    """Measure every table; one that can't be measured costs itself.

    :param timeout: for each statement, where the database can be told.
    """
    for check in checks:
        try:
            yield Measured(check=check, table=measure(database, check, timeout))
        except DatabaseError as err:
            yield Measured(check=check, error=err)


def measure(database: SqlDatabase, check: TableCheck, timeout: timedelta) -> MeasuredTable:
    """Measure what a check needs of a table.

    :param timeout: for each statement, where the database can be told.
    :raises DatabaseError: of the driver's error; ``invalid_argument`` for a column without times.
    """
    name, where = database.dialect, (check.schema, check.table)
    measured_at = datetime.now(UTC)
    with database.transaction(begin_of(name, timeout)) as session:
        rows = int(session.one(count_of(name, *where))[0])
        checksum = newest = None
        if check.checksum is not None:
            checksum = checksum_of(session, name, *where, check.columns)
        if check.newest is not None:
            found = session.one(newest_of(name, *where, check.newest))[0]
            newest = _time(check, found)
    return MeasuredTable(
        table=check.table,
        schema=check.schema,
        measured_at=measured_at,
        rows=rows,
        checksum=checksum,
        columns=check.columns,
        newest_column=check.newest,
        newest=newest,
    )


def _time(check: TableCheck, value: object) -> datetime | None:
    found = value
    if isinstance(value, str):  # SQLite has no times
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            found = value
    if isinstance(found, date) and not isinstance(found, datetime):
        found = datetime(found.year, found.month, found.day, tzinfo=UTC)
    if found is None:
        return None
    if not isinstance(found, datetime):
        raise DatabaseError(
            f"newest: the column {check.newest} of {check.name} has no times but "
            f"{type(value).__name__}",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
