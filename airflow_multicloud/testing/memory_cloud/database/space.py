"""The databases of an account of the memory cloud, and what a test does behind the port."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.database import (
    DatabaseRef,
    DatabaseState,
    SnapshotState,
)
from airflow_multicloud.testing.memory_cloud.database.clock import Clock
from airflow_multicloud.testing.memory_cloud.database.ids import REGION, id_of, named
from airflow_multicloud.testing.memory_cloud.database.refusals import failure, name_taken
from airflow_multicloud.testing.memory_cloud.database.servers import (
    Commit,
    KeptSnapshot,
    Row,
    Server,
    rows_of,
    until,
)
from airflow_multicloud.testing.sql_faults import DatabaseCall, DatabaseFaultKind, DatabaseFaults

#: The instance classes that there are.
SIZES: Final = ("tiny", "small", "large")
SUBNETS: Final = ("net-1", "net-2")


@dataclass(slots=True)
class Databases:
    """The instances and snapshots of one account.

    :param looks: how often what goes on must be looked at until it is done.
    :param labels_follow: as of Google Cloud: what is restored to a moment has its labels only once
        it is there and somebody has asked how far the restore is.
    :param clock: the account's time; a test may put another in its place.
    """

    account_id: str
    looks: int = 2
    labels_follow: bool = False
    clock: Clock = field(default_factory=Clock)
    faults: DatabaseFaults = field(default_factory=DatabaseFaults)
    servers: dict[str, Server] = field(default_factory=dict)
    snapshots: dict[str, KeptSnapshot] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _made: int = 0

    # What a test does.

    def create(
        self,
        name: str,
        rows: Mapping[str, Sequence[Row]] | None = None,
        *,
        region: str = REGION,
        labels: Mapping[str, str] | None = None,
        deletion_protected: bool = False,
    ) -> DatabaseRef:
        """An instance that is available and that no order made.

        :param rows: table → its rows.
        """
        with self.lock:
            server = self.add(
                name, region=region, size="small", subnet="net-1", labels=dict(labels or {})
            )
            server.state = DatabaseState.AVAILABLE
            server.deletion_protected = deletion_protected
            for table, lines in (rows or {}).items():
                self.insert(name, table, *lines)
            return server.ref

    def replicate(self, of: str, name: str, *, region: str | None = None) -> DatabaseRef:
        """A replica that is available."""
        with self.lock:
            primary = self.servers[of]
            server = self.add(
                name,
                region=region or primary.ref.region or REGION,
                size=primary.size,
                subnet=primary.subnet,
                labels={},
            )
            server.state, server.primary = DatabaseState.AVAILABLE, of
            return server.ref

    def insert(self, name: str, table: str, *rows: Row) -> None:
        """Commit rows, one after the other.

        :raises ValueError: for an instance that takes no writes.
        """
        with self.lock:
            server = self.servers[name]
            if server.primary is not None or server.state is not DatabaseState.AVAILABLE:
                raise ValueError(f"name: {name!r} given, which takes no writes")
            server.commits += [Commit(at=self.clock.now(), table=table, row=row) for row in rows]

    def rows(self, name: str, table: str) -> list[Row]:
        """What a table of an instance holds, oldest first.

        :raises ValueError: for an instance that does not answer.
        """
        with self.lock:
            server = self.servers[name]
            if server.state not in (DatabaseState.AVAILABLE, DatabaseState.BUSY):
                raise ValueError(f"name: {name!r} given, which is {server.state}")
            return rows_of(self.held(server)).get(table, [])

    def pause(self, name: str) -> None:
        """Have a replica receive nothing: its lag grows with the time."""
        with self.lock:
            self.servers[name].paused_at = self.clock.now()

    def resume(self, name: str) -> None:
        """Have it receive all again."""
        with self.lock:
            self.servers[name].paused_at = None

    def hide_lag(self, name: str) -> None:
        """Have a replica's lag be unknown."""
        with self.lock:
            self.servers[name].is_measured = False

    def damage(self, snapshot: str) -> None:
        """Have what is restored of a snapshot lack the newest row of each table.

        :param snapshot: its name.
        """
        with self.lock:
            self.snapshots[snapshot].is_damaged = True

    def advance(self, by: timedelta) -> None:
        """Have time pass."""
        with self.lock:
            self.clock.advance(by)

    def moment(self) -> datetime:
        """After all that happened, and before all that will."""
        with self.lock:
            return self.clock.now()

    # What the port's verbs need.

    def add(
        self, name: str, *, region: str, size: str, subnet: str, labels: dict[str, str]
    ) -> Server:
        """A new instance.

        :raises DatabaseError: ``already_exists``.
        """
        if name in self.servers:
            raise name_taken("instance", name)
        server = Server(
            number=self.number(),
            ref=DatabaseRef(self.id_of("databases", region, name), region),
            name=name,
            size=size,
            labels=labels,
            created_at=self.clock.now(),
            state=DatabaseState.CREATING,
            subnet=subnet,
        )
        self.servers[name] = server
        return server

    def number(self) -> int:
        """Of what is made next."""
        self._made += 1
        return self._made

    def held(self, server: Server) -> list[Commit]:
        """What an instance holds; of a replica what it has received."""
        if server.primary is None:
            return server.commits
        received = self.servers[server.primary].commits
        return received if server.paused_at is None else until(received, server.paused_at)

    def replicas_of(self, server: Server) -> list[Server]:
        """What follows an instance."""
        return [one for one in self.servers.values() if one.primary == server.name]

    def is_busy(self, server: Server) -> bool:
        """Whether something goes on with an instance."""
        return server.going_to is not None or any(
            kept.of == server.ref and kept.state is SnapshotState.CREATING
            for kept in self.snapshots.values()
        )

    def found(self, ref: DatabaseRef) -> Server:
        """An instance by its full id, or by its name in its region.

        :raises DatabaseError: ``not_found``, ``invalid_argument``.
        """
        region, name = self.named(ref, "databases")
        server = self.servers.get(name)
        if server is None or region != server.ref.region:
            raise failure(f"database {ref.id}: there is none in {region}", ErrorKind.NOT_FOUND)
        return server

    def found_snapshot(self, ref: DatabaseRef) -> KeptSnapshot:
        """A snapshot, likewise."""
        region, name = self.named(ref, "snapshots")
        kept = self.snapshots.get(name)
        if kept is None or region != kept.ref.region:
            raise failure(f"snapshot {ref.id}: there is none in {region}", ErrorKind.NOT_FOUND)
        return kept

    def id_of(self, kind: str, region: str, name: str) -> str:
        """As :func:`~.ids.id_of`, of this account."""
        return id_of(self.account_id, kind, region, name)

    def named(self, ref: DatabaseRef, kind: str) -> tuple[str, str]:
        """As :func:`~.ids.named`, likewise."""
        return named(self.account_id, kind, ref)

    def look(self, server: Server) -> None:
        """One look more: what goes on with an instance gets done."""
        for kept in self.snapshots.values():
            if kept.of == server.ref:
                self.look_at_snapshot(kept)
        if server.going_to is None:
            return
        server.left = max(server.left - 1, 0)
        if server.left:
            return
        if server.going_to is DatabaseState.DELETING:
            del self.servers[server.name]
            return
        server.state = DatabaseState.FAILED if server.fails else server.going_to
        server.going_to = None
        if server.is_promoted:
            server.commits = list(self.held(server))
            server.primary = server.paused_at = None
            server.is_promoted = False

    def look_at_snapshot(self, kept: KeptSnapshot) -> None:
        """Likewise."""
        if kept.state is not SnapshotState.CREATING:
            return
        kept.left = max(kept.left - 1, 0)
        if not kept.left:
            kept.state = SnapshotState.FAILED if kept.fails else SnapshotState.AVAILABLE

    def check(self, call: DatabaseCall, name: str) -> None:
        """Refuse what a fault says.

        :raises DatabaseError: the fault's.
        """
        fault = self.faults.meet(DatabaseFaultKind.REFUSE, call, name)
        if fault is not None:
            raise failure(f"{call}: {fault.error}, as planted", fault.error, code="Planted")

    def lose_answer(self, call: DatabaseCall, name: str) -> None:
        """Lose the answer to what was done, when a fault says so.

        :raises DatabaseError: ``unavailable``.
        """
        if self.faults.meet(DatabaseFaultKind.LOSE_ANSWER, call, name) is not None:
            raise failure(f"{call}: the connection ended without an answer", ErrorKind.UNAVAILABLE)

    def later(self, call: DatabaseCall, name: str) -> ErrorKind | None:
        """What the operation that begins will have failed with."""
        fault = self.faults.meet(DatabaseFaultKind.FAIL_LATER, call, name)
        return None if fault is None else fault.error


_SPACES: dict[str, Databases] = {}
_SPACES_LOCK = threading.Lock()


def databases_of(conn_id: str) -> Databases:
    """The databases of a connection's account, for tests to plant faults and look behind."""
    with _SPACES_LOCK:
        return _SPACES.setdefault(conn_id, Databases(f"memory-{conn_id}"))


def reset(conn_id: str | None = None) -> None:
    """Forget the databases of an account, or of all."""
    with _SPACES_LOCK:
        if conn_id is None:
            _SPACES.clear()
        else:
            _SPACES.pop(conn_id, None)
