"""What the labs of clouds with real databases share: SQL, and the owner's side of the server."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, Protocol

import psycopg2

from airflow_multicloud.ports.database import DatabaseEndpoint, DatabaseRef
from airflow_multicloud.testing.local_clouds.kit.sql_admin import DatabaseOwner

USER, PASSWORD = "master", "a-contracts-password"
STANDING = "c-standing"
_TABLE = "items"
_LONGEST_S = 60


class Control(Protocol):
    """One cloud's own way to make databases and to find them."""

    def make(self, name: str) -> DatabaseRef:
        """An instance that is available, whose master user is the one above."""
        ...

    def make_abroad(self, name: str) -> DatabaseRef:
        """One in another region than the connection's own."""
        ...

    def find(self, name: str) -> DatabaseRef | None:
        """One that was made before, once it is available."""
        ...

    def replicate(self, of: DatabaseRef, name: str) -> DatabaseRef:
        """A replica that is available."""
        ...

    def endpoint(self, ref: DatabaseRef) -> DatabaseEndpoint:
        """Where one answers SQL."""
        ...

    def clear(self) -> None:
        """Delete all instances but :data:`STANDING`, and all snapshots."""
        ...


class SqlLab:
    """A lab of the contract.

    :param admin: the endpoint of the server's administration.
    """

    def __init__(self, control: Control, admin: str) -> None:
        self._control = control
        self._owner = DatabaseOwner(admin)

    def primary(self, name: str, rows: Sequence[str]) -> DatabaseRef:
        ref = self._control.make(name)
        self._ask(ref, f"CREATE TABLE {_TABLE} (name text)")
        for row in rows:
            self.write(ref, row)
        return ref

    def standing(self, rows: Sequence[str]) -> DatabaseRef:
        return self._control.find(STANDING) or self.primary(STANDING, rows)

    def abroad(self, name: str) -> DatabaseRef:
        return self._control.make_abroad(name)

    def replica(self, of: DatabaseRef, name: str) -> DatabaseRef:
        ref, wanted = self._control.replicate(of, name), self.rows(of)
        end = time.monotonic() + _LONGEST_S
        while self.rows(ref) != wanted:
            assert time.monotonic() < end
            time.sleep(0.02)
        return ref

    def write(self, ref: DatabaseRef, row: str) -> None:
        self._ask(ref, f"INSERT INTO {_TABLE} VALUES (%s)", row)

    def rows(self, ref: DatabaseRef) -> list[str]:
        return [name for (name,) in self._ask(ref, f"SELECT name FROM {_TABLE} ORDER BY name")]

    def moment(self) -> datetime:
        # So that the cloud's milliseconds lie between.
        time.sleep(0.02)
        now = datetime.now(UTC)
        time.sleep(0.02)
        return now

    def hold(self, replica: DatabaseRef, primary: DatabaseRef) -> None:
        self._owner.hold(replica.id)
        self.write(primary, "held")

    def release(self, replica: DatabaseRef) -> None:
        self._owner.release(replica.id)

    def damage(self, snapshot: DatabaseRef) -> None:
        self._owner.damage(snapshot.id, table=_TABLE)

    def clear(self) -> None:
        self._control.clear()

    def _ask(self, ref: DatabaseRef, statement: str, *values: str) -> list[Any]:
        endpoint = self._control.endpoint(ref)
        with closing(
            psycopg2.connect(
                host=endpoint.host,
                port=endpoint.port,
                user=USER,
                password=PASSWORD,
                dbname="postgres",
                connect_timeout=10,
            )
        ) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []
