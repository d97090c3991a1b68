"""Databases that answer SQL, through Airflow's own hooks, on the host that is meant.

The credentials are an Airflow connection's; where the instance is may be said besides, as a
restored one has another host than its source. Nothing of the connection is put into a URI, a
variable of the environment or a log.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.database.sql import SqlSession
from airflow_multicloud.errors import (
    CredentialsError,
    DatabaseError,
    ErrorKind,
    ProviderNotAvailableError,
)
from airflow_multicloud.extras import require_extra
from airflow_multicloud.opening.sql_errors import error_of_driver
from airflow_multicloud.opening.sql_places import SqlPlace
from airflow_multicloud.opening.sql_secrets import note_tokens, scrub, secrets_of
from airflow_multicloud.registry import read_connection

#: Seconds, where the connection says nothing and the driver can be told.
_CONNECT_TIMEOUT = 15
#: Rows that are held at once.
_ROWS = 1000
#: Extras that name a server whatever the host is: libpq's, and those of other drivers.
#: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
#: And those that name another database or user than the connection's fields, which hooks let win.
_OTHER_DATABASE = frozenset({"dbname", "database", "db", "user"})
_OTHER_SERVER = frozenset(
    {"host", "hostaddr", "port", "service", "dsn", "server", "unix_socket", "sqlalchemy_url"}
)


@dataclass(frozen=True, slots=True)
class _Sql:
    """An :class:`~airflow_multicloud.core.database.sql.SqlDatabase`.

    :param secrets: what no error may show; also the tokens that the hook gets meanwhile.
    """

    dialect: str
    host: str
    port: int | None
    schema: str | None
    hook: Any
    secrets: list[str]

    def __repr__(self) -> str:
        """Without the hook, which has the connection."""
        return f"_Sql({self.dialect!r}, {self.host!r}, {self.port!r}, {self.schema!r})"

    @contextmanager
    def transaction(self, begin: Sequence[str]) -> Iterator[SqlSession]:
        """A transaction on a connection of its own."""
        cancellation.check()
        with self.translated():
            connection = self.hook.get_conn()
        over = cancellation.register(f"statements at {self.host}", lambda: _call_off(connection))
        try:
            session = _Session(self, connection)
            for statement in begin:
                session.run(statement)
            yield session
        finally:
            over()
            # What there is to tell has been told: a connection that is broken can't be ended well.
            with suppress(Exception):
                connection.rollback()
            with suppress(Exception):
                connection.close()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """A driver's errors as ours, without secrets; others pass."""
        try:
            yield
        except Exception as err:
            scrub(err, self.secrets)
            told = error_of_driver(self.host, err)
            if told is None:
                raise
            cancellation.check()
            raise told from None


@dataclass(frozen=True, slots=True)
class _Session:
    database: _Sql
    connection: Any

    def run(self, statement: str) -> None:
        """Have a statement carried out that answers nothing."""
        with self._cursor(statement):
            pass

    def one(self, statement: str) -> Sequence[Any]:
        """The only row."""
        with self._cursor(statement) as cursor, self.database.translated():
            found: Sequence[Any] | None = cursor.fetchone()
        if found is None:
            raise DatabaseError(f"{self.database.host}: no answer", kind=ErrorKind.UNSUPPORTED)
        return found

    def columns(self, statement: str) -> list[str]:
        """The names of an answer's columns."""
        with self._cursor(statement) as cursor:
            return [str(column[0]) for column in cursor.description]

    def rows(self, statement: str) -> Iterator[Sequence[Any]]:
        """The rows, some at a time."""
        with self._cursor(statement) as cursor:
            while True:
                cancellation.check()
                with self.database.translated():
                    found = cursor.fetchmany(_ROWS)
                if not found:
                    return
                yield from found

    @contextmanager
    def _cursor(self, statement: str) -> Iterator[Any]:
        with self.database.translated():
            cursor = self.connection.cursor()
        try:
            with self.database.translated():
                cursor.execute(statement)
            yield cursor
        finally:
            with suppress(Exception):
                cursor.close()


def open_sql(sql_conn_id: str, place: SqlPlace | None, schema: str | None) -> _Sql:
    """The database of an Airflow connection; nothing is connected to yet.

    :param place: where the instance is, instead of where the connection says.
    :param schema: which of the server's databases; the connection's when left out.
    :raises CloudError: for a connection that is none of a database; where its extra, or the
        environment, names another server than ``place``; for a driver that is not installed.
    """
    require_extra("airflow.providers.common.sql.hooks.sql", "database")
    from airflow.providers.common.sql.hooks.sql import DbApiHook

    connection = _redirected(read_connection(sql_conn_id), place, schema)
    hook = _hook_of(connection)
    if not isinstance(hook, DbApiHook):
        raise CredentialsError(
            f"sql_conn_id: connection {sql_conn_id!r} has type {connection.conn_type!r}, which is "
            "none of a database that answers SQL",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    if place is not None:
        place.check_dialect(hook.dialect_name, sql_conn_id)
        place.check_environment(hook.dialect_name, os.environ)
    # However a hook reads its connection, it is this one: some take it once, others each time.
    seam: Any = hook
    seam._connection = connection  # noqa: SLF001 - what the property of the base class keeps
    seam.get_connection = lambda _conn_id: connection
    secrets = secrets_of(connection)
    note_tokens(seam, secrets)
    return _Sql(
        dialect=hook.dialect_name,
        host=connection.host or "",
        port=connection.port,
        schema=connection.schema,
        hook=hook,
        secrets=secrets,
    )


def _redirected(connection: Any, place: SqlPlace | None, schema: str | None) -> Any:
    """A copy of the connection that leads to the place; the session keeps the other."""
    found = copy.copy(connection)
    extra = dict(connection.extra_dejson)
    refused = _OTHER_DATABASE if place is None else _OTHER_DATABASE | _OTHER_SERVER
    if elsewhere := sorted(key for key in extra if key.lower() in refused):
        where = f"to {place.host}" if place else "where the connection's own fields say"
        raise CredentialsError(
            f"sql_conn_id: the extra of connection {connection.conn_id!r} has "
            f"{', '.join(elsewhere)}, which would lead elsewhere than {where}; use a connection "
            "without",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    if place is not None:
        found.host, found.port = place.host, place.port
        schema = place.schema(schema)
    if schema is not None:
        found.schema = schema
    extra.pop("cursor", None)  # Rows are read by position.
    if connection.conn_type == "postgres":
        extra.setdefault("connect_timeout", _CONNECT_TIMEOUT)
        if place is not None:
            # libpq's own default falls back to plain text, for whoever is asked to
            # (https://www.postgresql.org/docs/current/libpq-ssl.html).
            extra.setdefault("sslmode", "require")
    found.extra = json.dumps(extra)
    return found


def _hook_of(connection: Any) -> Any:
    from airflow.providers.common.compat.sdk import (
        AirflowException,
        AirflowOptionalProviderFeatureException,
    )

    try:
        return connection.get_hook()
    except (AirflowException, AirflowOptionalProviderFeatureException, ImportError) as err:
        raise ProviderNotAvailableError(
            f"sql_conn_id: connection {connection.conn_id!r} has type {connection.conn_type!r}, "
            f"for which Airflow has no hook here: {err}; install the Airflow provider of this "
            "database",
            kind=ErrorKind.UNSUPPORTED,
        ) from None


def _call_off(connection: Any) -> None:
    """Have a statement that is under way end, where the driver can (psycopg's can)."""
    with suppress(Exception):
        getattr(connection, "cancel", cancellation.nothing)()
