"""Where an instance answers SQL, instead of where an Airflow connection says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from airflow_multicloud.errors import CredentialsError, DatabaseError, ErrorKind

#: A dialect → the port's word for the engine that speaks it, where that is the only one.
_ENGINES = {"postgresql": "postgres", "mssql": "sqlserver"}
_OF_LIBPQ: Final = "postgresql"
#: Variables by which libpq finds another server than the host that it is given: an address, and a
#: section of a service file, which may have one
#: (https://www.postgresql.org/docs/current/libpq-envars.html). The host would be what certificates
#: are compared with, and no more.
_ELSEWHERE = ("PGHOSTADDR", "PGSERVICE")


@dataclass(frozen=True, slots=True)
class SqlPlace:
    """One such place.

    :param database: the only one there that is meant, where an instance is no more than that.
    :param engine: the port's word, where it is known.
    """

    host: str
    port: int
    database: str | None = None
    engine: str | None = None

    def schema(self, given: str | None) -> str | None:
        """Which of the server's databases is meant.

        :raises DatabaseError: ``invalid_argument`` for another than the instance is.
        """
        if self.database is None or given in (None, self.database):
            return self.database or given
        raise DatabaseError(
            f"schema: {given!r} given; the instance is the database {self.database!r} of "
            f"{self.host}; expected that, or none",
            kind=ErrorKind.INVALID_ARGUMENT,
        )

    def check_dialect(self, dialect: str, sql_conn_id: str) -> None:
        """Refuse a connection of another kind of database.

        :raises CredentialsError: ``invalid_argument``.
        """
        spoken = _ENGINES.get(dialect)
        if spoken is None or self.engine not in _ENGINES.values() or spoken == self.engine:
            return
        raise CredentialsError(
            f"sql_conn_id: connection {sql_conn_id!r} is one of {spoken}, and the instance is "
            f"{self.engine}; expected a connection of its kind",
            kind=ErrorKind.INVALID_ARGUMENT,
        )

    def check_environment(self, dialect: str, environment: Mapping[str, str]) -> None:
        """Refuse a worker whose environment has libpq ask another server.

        :raises CredentialsError: ``invalid_argument``.
        """
        if dialect != _OF_LIBPQ:
            return
        if elsewhere := [name for name in _ELSEWHERE if environment.get(name)]:
            raise CredentialsError(
                f"host: the worker's environment has {' and '.join(elsewhere)}, which would lead "
                f"elsewhere than to {self.host}; start the worker without, and say where the "
                "connection leads in its own fields",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
