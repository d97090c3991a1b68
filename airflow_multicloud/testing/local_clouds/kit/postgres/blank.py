"""The data directory that new database instances begin with, made once and copied."""

from __future__ import annotations

import secrets
import threading
from typing import TYPE_CHECKING

from airflow_multicloud.testing.local_clouds.kit.postgres.settings import (
    ACCESS,
    ADMIN,
    FIRST_OPTIONS,
    password_line,
)

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_multicloud.testing.local_clouds.kit.postgres.programs import Programs

_INITDB_S = 120.0


class Blank:
    """A PostgreSQL cluster without users but the superuser; safe for many threads.

    :param directory: where it is made, when it is first asked for.
    """

    def __init__(self, directory: Path, programs: Programs) -> None:
        #: The superuser's, of all instances.
        self.password = secrets.token_urlsafe(24)
        #: The same in a file, for PostgreSQL's programs.
        self.passwords = directory / "passwords"
        programs.write(self.passwords, password_line(self.password))
        self._directory = directory
        self._programs = programs
        self._lock = threading.Lock()

    @property
    def data(self) -> Path:
        """Its data directory, to be copied."""
        blank = self._directory / "blank"
        with self._lock:
            if not blank.exists():
                self._make(blank)
        return blank

    def _make(self, blank: Path) -> None:
        # Beside, and then named: what is there is complete.
        data = self._programs.make_directory(self._directory / "blank.part") / "data"
        password = data.with_name("password")
        self._programs.write(password, self.password)
        self._programs.run(
            "initdb",
            *("-D", str(data), "-U", ADMIN, f"--pwfile={password}"),
            *("--auth=scram-sha-256", "--data-checksums", "--no-sync", "--no-instructions"),
            *("--encoding=UTF8", "--no-locale", "--locale-provider=builtin"),
            *("--builtin-locale=C.UTF-8", "--wal-segsize=1", *FIRST_OPTIONS),
            timeout=_INITDB_S,
        )
        self._programs.write(data / "pg_hba.conf", ACCESS)
        data.rename(blank)
