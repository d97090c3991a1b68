"""One database instance of a local cloud: a primary, or a replica that may be promoted."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from airflow_multicloud.errors import ErrorKind, ProviderNotAvailableError
from airflow_multicloud.testing.local_clouds.kit.postgres.settings import ADMIN, Endpoint, Settings

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds.kit.postgres.archives import Archive
    from airflow_multicloud.testing.local_clouds.kit.postgres.process import PostgresProcess
    from airflow_multicloud.testing.local_clouds.kit.postgres.programs import Programs

_WAIT_S = 60
_POLL_S = 0.02

#: Zero once all that was received is replayed; else the age of the newest replayed commit, which is
#: what the clouds report (for Cloud SQL's and Azure's metrics it is documented as this very query).
_LAG = """\
SELECT CASE
    WHEN pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn() THEN interval '0'
    ELSE clock_timestamp() - coalesce(pg_last_xact_replay_timestamp(), pg_postmaster_start_time())
END"""


@dataclass(frozen=True, slots=True)
class Login:
    """A user of the databases; neither a superuser nor one who may replicate, as in the clouds.

    :param password: not shown.
    """

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Login(user={self.user!r}, password=***)"


class Instance:
    """A PostgreSQL server with a name; safe for many threads.

    :param folder: of its data and its log; nobody else's.
    :param archive: where its write-ahead log goes.
    :param passwords: a file with the password by which it is copied.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        process: PostgresProcess,
        programs: Programs,
        archive: Archive,
        passwords: Path,
    ) -> None:
        self.name = name
        self.folder = folder
        self.archive = archive
        self._process = process
        self._programs = programs
        self._passwords = passwords
        self._settings: Settings | None = None
        self._lock = threading.RLock()

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens; the same as long as there is the instance."""
        return self._process.endpoint

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.folder / "data"

    @property
    def running(self) -> bool:
        """Whether its process is alive."""
        return self._process.running

    @property
    def is_replica(self) -> bool:
        """Whether it follows a primary; not any more once it is promoted."""
        return self._settings is not None and self._settings.primary is not None

    def start(self, *, until_promoted: bool = False) -> None:
        """Start it and return when it takes connections; nothing to do when it runs.

        :param until_promoted: also wait until it has rolled forward and takes writes.
        :raises ProviderNotAvailableError: when it does not come up; with the end of its log.
        """
        with self._lock:
            self._process.start(until_promoted=until_promoted)

    def stop(self) -> None:
        """End it in good order; nothing to do when it does not run."""
        with self._lock:
            try:
                if self.running and not self.is_replica:
                    self.seal()
            finally:
                self._process.stop()

    def restart(self) -> None:
        """Stop and start it."""
        with self._lock:
            self.stop()
            self.start()

    def crash(self) -> None:
        """Kill its process (SIGKILL); :meth:`start` recovers what was committed."""
        with self._lock:
            self._process.crash()

    def pause_replay(self) -> None:
        """Let a replica go on receiving changes and show none of them."""
        self._process.ask("SELECT pg_wal_replay_pause()")
        self._await("pause", "SELECT pg_get_wal_replay_pause_state() = 'paused'")

    def resume_replay(self) -> None:
        """Let a replica show what it has received."""
        self._process.ask("SELECT pg_wal_replay_resume()")

    def lag(self) -> timedelta:
        """How far a replica is behind: now minus the newest commit that it shows.

        Zero once it shows all that it has received, and for a primary.
        """
        found = self._process.ask(_LAG) if self.is_replica else timedelta()
        return found if isinstance(found, timedelta) else timedelta()

    def promote(self) -> None:
        """Make a replica a primary of its own; what it has received is replayed first.

        Returns when it takes writes. Its archive begins with the next base backup.

        :raises ValueError: for an instance that is none.
        :raises ProviderNotAvailableError: when it can't be reached or does not do it in 60 s.
        """
        with self._lock:
            if self._settings is None or self._settings.primary is None:
                raise ValueError(
                    f"instance {self.name!r} is no replica: there is nothing to promote"
                )
            if not self._process.ask("SELECT pg_promote(true, %s)", _WAIT_S):
                raise self._late("be promoted")
            self.configure(replace(self._settings, primary=None))
            self._process.ask("SELECT pg_reload_conf()")
            self.begin_archive()

    def add_login(self, login: Login, databases: tuple[str, ...]) -> None:
        """Create a user who owns these databases and ``postgres``; the others are created too.

        :raises ValueError: for a name that PostgreSQL refuses, with its reason.
        """
        try:
            with self._process.connect("postgres") as connection:
                _add(connection, login, databases)
        except psycopg.Error as err:
            raise ValueError(f"instance {self.name!r}: login {login.user!r}: {err}") from err

    def configure(self, settings: Settings) -> None:
        """Set what it is run with from its next start."""
        self._programs.write(self.data / "postgresql.conf", settings.text())
        self._settings = settings

    def path_of(self, table: str, database: str) -> str:
        """The file of a table's rows, below the data directory."""
        found = self._process.ask("SELECT pg_relation_filepath(%s)", table, database=database)
        if not isinstance(found, str):
            raise TypeError(f"table {table!r} of database {database!r} has no file")
        return found

    def seal(self) -> datetime:
        """Archive all until now; returns the time until which it can be restored from there.

        :raises ProviderNotAvailableError: when it can't be reached, or is not archived in 60 s.
        """
        with self._lock:
            now = self._now()
            # Recovery ends at the first commit after the time that it is to end at.
            self._process.ask("SELECT pg_current_xact_id()")
            last = self._process.ask("SELECT pg_walfile_name(pg_switch_wal() - 1)")
            deadline = time.monotonic() + _WAIT_S
            while not (self.archive.log / str(last)).exists():
                if time.monotonic() > deadline:
                    raise self._late("archive its log")
                time.sleep(_POLL_S)
            self.archive.latest = now
            return now

    def begin_archive(self, base: Path | None = None) -> None:
        """From now on it can be restored to a time.

        :param base: the data from which its log leads on, where it need not be copied now: nobody
            may change it.
        """
        with self._lock:
            if base is None:
                begun = self.base_backup(self.archive.base)
            else:
                self.archive.base, begun = base, self._now()
            self.archive.earliest = self.archive.latest = begun

    def base_backup(self, into: Path) -> datetime:
        """Copy its data while it runs, with the log that it takes to start from the copy.

        :returns: when it was complete.
        """
        self._programs.run(
            "pg_basebackup",
            *("-h", self.endpoint.host, "-p", str(self.endpoint.port), "-U", ADMIN, "-w"),
            *("-D", str(into), "-X", "stream", "-c", "fast", "--no-sync"),
            # As in the clouds, what is damaged is copied too, and nothing is said of it.
            "--no-verify-checksums",
            timeout=_WAIT_S,
            env={"PGPASSFILE": str(self._passwords), "PGSSLMODE": "disable"},
        )
        return self._now()

    def await_stream(self) -> None:
        """Wait until a replica receives what its primary writes."""
        self._await(
            "follow its primary",
            "SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')",
        )

    def _now(self) -> datetime:
        found: datetime = self._process.ask("SELECT clock_timestamp()")
        return found.astimezone(UTC)

    def _await(self, what: str, question: str) -> None:
        deadline = time.monotonic() + _WAIT_S
        while not self._process.ask(question):
            if time.monotonic() > deadline:
                raise self._late(what)
            time.sleep(_POLL_S)

    def _late(self, what: str) -> ProviderNotAvailableError:
        return ProviderNotAvailableError(
            f"database instance {self.name!r} did not {what} within {_WAIT_S} s",
            kind=ErrorKind.TIMEOUT,
        )


def _add(
    connection: psycopg.Connection[tuple[Any, ...]], login: Login, databases: tuple[str, ...]
) -> None:
    user = sql.Identifier(login.user)
    # What is sent, and could be logged, is a SCRAM verifier.
    verifier = connection.pgconn.encrypt_password(
        login.password.encode(), login.user.encode(), b"scram-sha-256"
    )
    connection.execute(
        sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {}").format(
            user, sql.Literal(verifier.decode())
        )
    )
    connection.execute(sql.SQL("GRANT pg_monitor, pg_checkpoint TO {}").format(user))
    for name in dict.fromkeys(("postgres", *databases)):
        database = sql.Identifier(name)
        if name != "postgres":
            connection.execute(sql.SQL("CREATE DATABASE {} STRATEGY file_copy").format(database))
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, user))
