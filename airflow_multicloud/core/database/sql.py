"""SQL that counts and sums, for each kind of database; names in it are always quoted.

A checksum of a table is a sum of digests of its rows: it does not depend on their order, and finds
damage and loss. It is no protection from somebody who forges rows to have one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

#: Bits of each of the two sums that PostgreSQL computes: what fits a bigint and a whole number of
#: hexadecimal digits.
_BITS = 60
_DIGITS = _BITS // 4
#: Where a sum is cut off: 128 and 256 bits.
_HALF, _WHOLE = 1 << 64, 1 << 256

POSTGRES_CHECKSUM = "postgres-sha256"
CLIENT_CHECKSUM = "client-sha256"


class SqlSession(Protocol):
    """Statements in one transaction."""

    def one(self, statement: str) -> Sequence[Any]:
        """The only row.

        :raises DatabaseError: of the driver's error.
        """
        ...

    def columns(self, statement: str) -> list[str]:
        """The names of the columns of an answer.

        :raises DatabaseError: of the driver's error.
        """
        ...

    def rows(self, statement: str) -> Iterator[Sequence[Any]]:
        """The rows, some at a time.

        :raises DatabaseError: of the driver's error, also between rows.
        """
        ...


class SqlDatabase(Protocol):
    """A database that answers SQL."""

    @property
    def dialect(self) -> str:
        """Which kind it is, in SQLAlchemy's word: ``postgresql``, ``mysql``, ``mssql``."""
        ...

    @property
    def host(self) -> str:
        """Of the instance that is asked."""
        ...

    @property
    def port(self) -> int | None:
        """Of the same; ``None``: the driver's own."""
        ...

    @property
    def schema(self) -> str | None:
        """Which database of the server, as the connection has it."""
        ...

    def transaction(self, begin: Sequence[str]) -> AbstractContextManager[SqlSession]:
        """A transaction on a connection of its own, which is rolled back and closed at its end.

        :param begin: statements that come first.
        :raises DatabaseError: when it can't be connected to.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a kind of database is asked.

    :param opening: what begins and what ends a quoted name; an end within one is doubled.
    :param begin: the statements that begin a transaction, given the milliseconds that one
        statement may take.
    """

    opening: tuple[str, str]
    begin: Callable[[int], tuple[str, ...]]

    def quote(self, name: str) -> str:
        """A name of a schema, table or column."""
        begin, end = self.opening
        return f"{begin}{name.replace(end, end * 2)}{end}"

    def table(self, schema: str | None, table: str) -> str:
        """A table's name."""
        return ".".join(self.quote(name) for name in (schema, table) if name is not None)


def _no_limit(_milliseconds: int) -> tuple[str, ...]:
    return ()


def _begin_postgres(milliseconds: int) -> tuple[str, ...]:
    """One state of the database for the whole transaction, and texts that no setting changes."""
    return (
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        f"SET LOCAL statement_timeout = {milliseconds}",
        f"SET LOCAL lock_timeout = {milliseconds}",
        "SET LOCAL TimeZone = 'UTC'",
        "SET LOCAL DateStyle = 'ISO, YMD'",
        "SET LOCAL IntervalStyle = 'postgres'",
        "SET LOCAL bytea_output = 'hex'",
        "SET LOCAL extra_float_digits = 1",
        "SET LOCAL lc_monetary = 'C'",
    )


def _begin_mysql(milliseconds: int) -> tuple[str, ...]:
    return (f"SET SESSION max_execution_time = {milliseconds}", "SET time_zone = '+00:00'")


_ANSI = Dialect(opening=('"', '"'), begin=_no_limit)
_POSTGRES = Dialect(opening=('"', '"'), begin=_begin_postgres)
_DIALECTS = {
    "postgresql": _POSTGRES,
    "mysql": Dialect(opening=("`", "`"), begin=_begin_mysql),
    "mssql": Dialect(opening=("[", "]"), begin=_no_limit),
}


def dialect_of(name: str) -> Dialect:
    """How this kind of database is asked; as the standard says where nothing else is known."""
    return _DIALECTS.get(name, _ANSI)


def begin_of(name: str, timeout: timedelta) -> tuple[str, ...]:
    """The statements that begin a transaction.

    :param timeout: for each statement, where the database can be told.
    """
    return dialect_of(name).begin(max(1, round(timeout.total_seconds() * 1000)))


def count_of(name: str, schema: str | None, table: str) -> str:
    """How many rows there are."""
    return f"SELECT count(*) FROM {dialect_of(name).table(schema, table)}"  # noqa: S608 - quoted


def newest_of(name: str, schema: str | None, table: str, column: str) -> str:
    """The newest time of a column."""
    dialect = dialect_of(name)
    return f"SELECT max({dialect.quote(column)}) FROM {dialect.table(schema, table)}"  # noqa: S608 - quoted


def columns_of(name: str, schema: str | None, table: str) -> str:
    """No row, with every column."""
    return f"SELECT * FROM {dialect_of(name).table(schema, table)} WHERE 1 = 0"  # noqa: S608 - quoted


def checksum_of(
    session: SqlSession, name: str, schema: str | None, table: str, columns: Sequence[str]
) -> str:
    """The checksum of a table: computed in the database by PostgreSQL, else from its rows here.

    :param columns: which; all of them when empty. Their order does not matter.
    :raises DatabaseError: of the driver's error.
    """
    dialect = dialect_of(name)
    chosen = sorted({*columns} or {*session.columns(columns_of(name, schema, table))})
    listed = ", ".join(map(dialect.quote, chosen))
    where = dialect.table(schema, table)
    if dialect is not _POSTGRES:
        rows = session.rows(f"SELECT {listed} FROM {where}")  # noqa: S608 - quoted
        return f"{CLIENT_CHECKSUM}:{sum_of_rows(rows):064x}"
    parts = ", ".join(
        f"coalesce(sum(('x' || substr(digest, {start}, {_DIGITS}))::bit({_BITS})::bigint), 0)"
        for start in (1, 1 + _DIGITS)
    )
    statement = (
        f"SELECT {parts} FROM (SELECT encode(sha256(convert_to(ROW({listed})::text, 'UTF8')), "  # noqa: S608 - quoted
        f"'hex') AS digest FROM {where}) AS digests"
    )
    first, second = (int(part) % _HALF for part in session.one(statement))
    return f"{POSTGRES_CHECKSUM}:{first:016x}{second:016x}"


def sum_of_rows(rows: Iterable[Sequence[Any]]) -> int:
    """The sum of the digests of rows; one row is held at a time."""
    total = 0
    for row in rows:
        digest = hashlib.sha256()
        for value in row:
            shown = _shown(value)
            digest.update(f"{len(shown)}:".encode() + shown)
        total = (total + int.from_bytes(digest.digest(), "big")) % _WHOLE
    return total


def _shown(value: Any) -> bytes:
    """A value with its type: nothing is no empty text, and a number no text."""
    if value is None:
        return b""
    if isinstance(value, bytes | bytearray | memoryview):
        return b"bytes " + bytes(value)
    return f"{type(value).__name__} {value!s}".encode()
