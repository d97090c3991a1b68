"""The names below a prefix, sorted, kept outside Python's heap so that millions of them fit.

SQLite with an unnamed database, as a replication's catalog: it spills to an anonymous temporary
file. One thread uses it at a time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from airflow_multicloud.core.replication.temporary import temporary_errors


class Names:
    """Names in the order of their UTF-8 bytes, each once."""

    def __init__(self) -> None:
        with temporary_errors():
            # It is filled on one thread and read on another, never at the same time.
            self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
            self._db.execute("CREATE TABLE names (name TEXT PRIMARY KEY) WITHOUT ROWID")
            self._db.execute("BEGIN")  # One transaction for all: nothing here outlives the fetch.
        self._count = 0

    def add(self, names: Iterable[str]) -> None:
        """Take names, in any order; one that is there already changes nothing."""
        with temporary_errors():
            self._db.executemany(
                "INSERT OR IGNORE INTO names VALUES (?)", ((name,) for name in names)
            )
            ((self._count,),) = self._db.execute("SELECT count(*) FROM names")

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        with temporary_errors():
            for (name,) in self._db.execute("SELECT name FROM names ORDER BY name"):
                yield name

    def __contains__(self, name: object) -> bool:
        with temporary_errors():
            found = self._db.execute("SELECT 1 FROM names WHERE name = ?", (name,))
            return found.fetchone() is not None

    def first_from(self, least: str) -> str | None:
        """The first name that is this one or comes after it."""
        with temporary_errors():
            found = self._db.execute(
                "SELECT name FROM names WHERE name >= ? ORDER BY name LIMIT 1", (least,)
            ).fetchone()
        return found[0] if found else None

    def close(self) -> None:
        """Forget them."""
        self._db.close()
