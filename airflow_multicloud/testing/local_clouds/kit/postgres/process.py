"""One PostgreSQL server process: started, waited for, asked, stopped or killed."""

from __future__ import annotations

import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg

from airflow_multicloud.errors import ErrorKind, ProviderNotAvailableError
from airflow_multicloud.testing.local_clouds.kit.postgres.programs import Programs
from airflow_multicloud.testing.local_clouds.kit.postgres.settings import ADMIN, Endpoint
from airflow_multicloud.testing.local_clouds.kit.process import end_of, spawn_tethered

_START_S = 60.0
_STOP_S = 30.0
_ASK_S = 30
_POLL_S = 0.02
#: Lines of ``postmaster.pid``, from 0: src/include/utils/pidfile.h
_STATUS_LINE = 7


class PostgresProcess:
    """A server over one data directory; may be started again once ended.

    :param name: for messages.
    :param data: the data directory, with its settings.
    :param password: of the superuser.
    """

    def __init__(
        self, name: str, data: Path, *, endpoint: Endpoint, programs: Programs, password: str
    ) -> None:
        self.endpoint = endpoint
        self._name = name
        self._data = data
        self._programs = programs
        self._password = password
        self._log = data.with_name("log")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, until_promoted: bool = False) -> None:
        """Start it and return when it takes connections; nothing to do when it runs.

        :param until_promoted: also wait until it has rolled forward and takes writes.
        :raises ProviderNotAvailableError: when it ends or takes longer than 60 s; the message has
            the end of its log.
        """
        if self.running:
            return
        self._process = spawn_tethered(
            [self._programs.path("postgres"), "-D", str(self._data)],
            log_path=self._log,
            env=self._programs.environment(),
            cwd=self._data.parent,
            account=self._programs.account,
        )
        try:
            self._await(self._is_ready, "take connections")
            if until_promoted:
                self._await(self._is_promoted, "take writes")
        except BaseException:
            self.crash()
            raise

    def stop(self) -> None:
        """End it as an administrator would: what is committed is written and archived."""
        if self._process is None or not self.running:
            return
        # "Fast shutdown": https://www.postgresql.org/docs/18/server-shutdown.html
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.crash()

    def crash(self) -> None:
        """Kill it; returns when none of its processes is left."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        # They notice that it is gone and end; it could not be started again before.
        deadline = time.monotonic() + _STOP_S
        while processes_in(self._data):
            if time.monotonic() > deadline:
                raise self._error(f"was killed, and left processes that run after {_STOP_S:g} s")
            time.sleep(_POLL_S)

    def ask(self, statement: str, *values: Any, database: str = "postgres") -> Any:
        """Run one statement as the superuser, in a transaction of its own.

        :returns: the first column of the first row; ``None`` where there is no row.
        :raises ProviderNotAvailableError: when the server can't be reached.
        """
        try:
            with self.connect(database) as connection:
                cursor = connection.execute(statement.encode(), values or None)
                row = cursor.fetchone() if cursor.description else None
                return row[0] if row else None
        except psycopg.OperationalError as err:
            raise ProviderNotAvailableError(
                f"database server {self._name!r}: {err}", kind=ErrorKind.UNAVAILABLE
            ) from err

    def connect(self, database: str) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection as the superuser, in which each statement is a transaction."""
        return psycopg.connect(
            host=self.endpoint.host,
            port=self.endpoint.port,
            user=ADMIN,
            password=self._password,
            dbname=database,
            sslmode="disable",
            gssencmode="disable",
            connect_timeout=_ASK_S,
            options=f"-c statement_timeout={_ASK_S}s",
            autocommit=True,
        )

    def _await(self, condition: Any, what: str) -> None:
        deadline = time.monotonic() + _START_S
        while not condition():
            if not self.running:
                raise self._error("ended before it could " + what)
            if time.monotonic() > deadline:
                raise self._error(f"did not {what} within {_START_S:g} s")
            time.sleep(_POLL_S)

    def _is_ready(self) -> bool:
        assert self._process is not None  # noqa: S101  # just started
        with suppress(FileNotFoundError):
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            # A file of a killed predecessor stays until the new process has written its own.
            if len(lines) > _STATUS_LINE and int(lines[0]) == self._process.pid:
                return lines[_STATUS_LINE].strip() == "ready"
        return False

    def _is_promoted(self) -> bool:
        return not self.ask("SELECT pg_is_in_recovery()")

    def _error(self, what: str) -> ProviderNotAvailableError:
        return ProviderNotAvailableError(
            f"database server {self._name!r} {what}; end of its log: {end_of(self._log)}",
            kind=ErrorKind.UNAVAILABLE,
        )


def processes_in(directory: Path) -> frozenset[int]:
    """The processes whose working directory is this one or below; PostgreSQL's are in their data's.

    Only those that this process's user may see (``proc(5)``).
    """
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if (entry / "cwd").readlink().is_relative_to(directory):
                    found.add(int(entry.name))
    return frozenset(found)
