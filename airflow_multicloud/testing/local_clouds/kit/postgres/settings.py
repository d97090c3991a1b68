"""The settings that the PostgreSQL servers of a local cloud are run with.

Small and quick to start: what is lost when the *machine* stops is of no interest, only what is lost
when a process is killed. Names and meanings:
https://www.postgresql.org/docs/18/runtime-config.html
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

#: The superuser by which a local cloud looks after its servers, as the clouds have theirs.
ADMIN = "cloudadmin"
#: On this machine.
_ANY_HOST = "127.0.0.0/8"

#: What the log records: it is replayed only where none is lower than it was.
_RECORDED: Mapping[str, str | int] = {
    "max_connections": 20,
    "max_wal_senders": 10,
    "max_worker_processes": 2,
    "wal_level": "replica",
}
_ALWAYS: Mapping[str, str | int] = {
    **_RECORDED,
    "unix_socket_directories": "",
    # Shared memory in files of the data directory: in /dev/shm it would outlive a killed server.
    "dynamic_shared_memory_type": "mmap",
    "shared_buffers": "16MB",
    "max_parallel_workers": 0,
    "max_logical_replication_workers": 0,
    "autovacuum_worker_slots": 2,
    "autovacuum_max_workers": 1,
    "io_method": "sync",
    "jit": "off",
    "fsync": "off",
    "wal_keep_size": "64MB",
    "min_wal_size": "4MB",
    "max_wal_size": "64MB",
    "archive_mode": "on",
    "hot_standby": "on",
    "hot_standby_feedback": "on",
    "wal_receiver_status_interval": "1s",
    "wal_retrieve_retry_interval": "200ms",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    # A statement can hold a password.
    "log_min_error_statement": "panic",
    "log_line_prefix": "%m [%p] ",
}

#: For ``initdb``.
FIRST_OPTIONS = tuple(f"--set={name}={value}" for name, value in _RECORDED.items())

ACCESS = f"""\
host  all          all      {_ANY_HOST}  scram-sha-256
host  replication  {ADMIN}  {_ANY_HOST}  scram-sha-256
"""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server listens: an address of loopback and a TCP port."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is a server's own.

    :param endpoint: where it listens.
    :param archive: the directory that its write-ahead log is copied to.
    :param primary: for a standby: whose changes it receives.
    :param passwords: for a standby: the file with the password for that.
    """

    endpoint: Endpoint
    archive: Path
    primary: Endpoint | None = None
    passwords: Path | None = None

    def text(self, recovery: Recovery | None = None) -> str:
        """The file ``postgresql.conf``."""
        found: dict[str, str | int] = {
            "listen_addresses": self.endpoint.host,
            "port": self.endpoint.port,
            **_ALWAYS,
            "archive_command": _archive_command(self.archive),
        }
        if self.primary is not None:
            found["primary_conninfo"] = (
                f"host={self.primary.host} port={self.primary.port} user={ADMIN} "
                f"passfile={_quoted(str(self.passwords))} sslmode=disable gssencmode=disable"
            )
        if recovery is not None:
            found["restore_command"] = f"cp {_shell_path(recovery.archive)}/%f %p"
            found["recovery_target_time"] = recovery.until.isoformat()
            found["recovery_target_action"] = "promote"
        return "".join(f"{name} = {_quoted(str(value))}\n" for name, value in found.items())


@dataclass(frozen=True, slots=True)
class Recovery:
    """From where and until when a backup is rolled forward."""

    archive: Path
    until: datetime


def password_line(password: str) -> str:
    """A line of a password file: of the superuser, for every server.

    :param password: must hold neither ``:`` nor a backslash.
    """
    return f"*:*:*:{ADMIN}:{password}\n"


def _archive_command(archive: Path) -> str:
    """Copies a file of the log: there as a whole or not at all, and again when asked again."""
    to = _shell_path(archive)
    return f"cp %p {to}/%f.part && mv {to}/%f.part {to}/%f"


def _shell_path(path: Path) -> str:
    return shlex.quote(str(path)).replace("%", "%%")


def _quoted(text: str) -> str:
    """In quotes as ``postgresql.conf`` and connection strings have them."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
