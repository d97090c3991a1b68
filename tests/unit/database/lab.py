"""Databases of the memory cloud, and hooks whose user may die at any call."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_multicloud.core.database.identity import Requester
from airflow_multicloud.core.database.removals import (
    DatabaseRemoval,
    OneDatabase,
    ScratchOf,
    advance_removal,
)
from airflow_multicloud.core.database.restores import RestoredDatabase, RestoreWish
from airflow_multicloud.core.database.restoring import begin_restore, restored_database
from airflow_multicloud.core.database.snapshots import (
    SnapshotWish,
    TakenSnapshot,
    begin_snapshot,
    taken_snapshot,
)
from airflow_multicloud.errors import DatabaseError
from airflow_multicloud.ports.database import DatabaseRef, DatabaseService, FromPointInTime
from airflow_multicloud.ports.operations import Operation
from airflow_multicloud.testing.memory_cloud.database import Databases, Hook, databases_of, reset

VERBS = (
    *("describe_database", "list_databases", "snapshot_database", "restore_database"),
    *("remove_database", "list_snapshots", "remove_snapshot", "promote_replica"),
    *("power_database", "describe_operation"),
)
RUN = '["dag", "run", "restore"]'


class Killed(BaseException):
    """As SIGKILL: nothing handles it."""


@dataclass
class Death:
    """Kills at a call, before it or after it.

    :param at: the number of the call, from 1; 0: never.
    """

    at: int = 0
    after: bool = True
    calls: int = 0


class Mortal:
    """A hook whose user may die at any call."""

    def __init__(self, hook: DatabaseService, death: Death) -> None:
        self._hook = hook
        self._death = death

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._hook, name)
        if name not in VERBS:
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            death = self._death
            death.calls += 1
            if death.calls == death.at and not death.after:
                raise Killed
            try:
                answer = found(*args, **kwargs)
                return iter(list(answer)) if name.startswith("list_") else answer
            finally:
                if death.calls == death.at:
                    raise Killed

        return call


@dataclass
class Lab:
    """An account with one database ``shop``, of two orders."""

    conn_id: str = "database-lab"
    death: Death = field(default_factory=Death)

    def __post_init__(self) -> None:
        reset(self.conn_id)
        self.space.create("shop", {"orders": [(1, "a"), (2, "b")]})

    @property
    def space(self) -> Databases:
        return databases_of(self.conn_id)

    @property
    def service(self) -> DatabaseService:
        return Mortal(Hook(self.conn_id), self.death)

    @property
    def shop(self) -> DatabaseRef:
        return self.space.servers["shop"].ref

    def restored(self) -> list[str]:
        """The names of what is there besides what was there before."""
        return [name for name in self.space.servers if name != "shop"]

    def finish(self, operation: Operation) -> Operation:
        for _ in range(50):
            if operation.state.is_final:
                break
            operation = self.service.describe_operation(operation)
        operation.raise_if_failed(DatabaseError, "memory")
        return operation

    def snapshot(
        self, requester: Requester | None = None, wish: SnapshotWish | None = None
    ) -> TakenSnapshot:
        """Order one and wait for it, as a task does."""
        begun = begin_snapshot(
            self.service,
            requester or Requester(run=RUN, readable="dag"),
            wish or SnapshotWish(database=self.shop),
        )
        self.finish(begun.operation)
        return taken_snapshot(self.service, begun, conn_id=self.conn_id, cloud="memory")

    def restore(
        self, requester: Requester | None = None, wish: RestoreWish | None = None
    ) -> RestoredDatabase:
        """Likewise."""
        begun = begin_restore(
            self.service,
            requester or Requester(run=RUN, readable="dag"),
            wish or RestoreWish(source=FromPointInTime(self.shop)),
        )
        for one in (begun.operation, *begun.removing):
            self.finish(one)
        return restored_database(self.service, begun, conn_id=self.conn_id, cloud="memory")

    def remove(self, wanted: ScratchOf | OneDatabase | None = None) -> DatabaseRemoval:
        """Go on until a listing shows nothing."""
        wanted = wanted or ScratchOf.by(Requester(run=RUN), None, None)
        removal = DatabaseRemoval(certain_from=datetime.now(UTC) - timedelta(seconds=1))
        for _ in range(50):
            removal = advance_removal(self.service, wanted, removal, now=datetime.now(UTC))
            if removal.done:
                return removal
            for server in [*self.space.servers.values()]:
                self.space.look(server)  # The time that passes.
        raise AssertionError(f"not removed: {removal}")
