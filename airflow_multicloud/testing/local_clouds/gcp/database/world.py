"""What the local Cloud SQL keeps: instances, backups and operations; one project, ``local``."""

from __future__ import annotations

import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from airflow_multicloud.testing.local_clouds.gcp import PROJECT
from airflow_multicloud.testing.local_clouds.gcp.database.refusals import (
    exists,
    in_progress,
    invalid,
    no_backup,
    no_instance,
    operation_error,
)
from airflow_multicloud.testing.local_clouds.kit.postgres.archives import Backup
from airflow_multicloud.testing.local_clouds.kit.postgres.home import PostgresHome
from airflow_multicloud.testing.local_clouds.kit.postgres.instance import Instance
from airflow_multicloud.testing.local_clouds.kit.sql_seeds import SeededDatabaseFaults
from airflow_multicloud.testing.local_clouds.kit.state import State
from airflow_multicloud.testing.sql_faults import DatabaseCall, DatabaseFaultKind

_HELD_POLL_S = 0.02


@dataclass(slots=True, kw_only=True)
class Db:
    """One instance.

    :param settings: as Google shows them.
    :param server: once there is one.
    :param primary: name of what it follows.
    """

    name: str
    region: str
    settings: dict[str, Any]
    state: str = "PENDING_CREATE"
    server: Instance | None = None
    primary: str | None = None
    created_at: str = field(default_factory=lambda: stamp(datetime.now(UTC)))

    @property
    def id(self) -> str:
        """Its full id."""
        return f"projects/{PROJECT}/instances/{self.name}"

    @property
    def runs(self) -> bool:
        """Whether it is up."""
        return (
            self.state == "RUNNABLE"
            and self.settings.get("activationPolicy") == "ALWAYS"
            and self.server is not None
        )


@dataclass(slots=True, kw_only=True)
class DbBackup:
    """One backup.

    :param of: how its instance was when it was ordered.
    """

    of: str
    region: str
    settings: dict[str, Any]
    kind: str
    description: str | None
    uid: str = field(default_factory=lambda: uuid.uuid4().hex)
    state: str = "ENQUEUED"
    begun_at: str | None = None
    backup: Backup | None = None
    error: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """Its full id."""
        return f"projects/{PROJECT}/backups/{self.uid}"


@dataclass(slots=True, kw_only=True)
class Work:
    """One operation.

    :param target: name of the instance that it is done to.
    :param context: further fields, as Google has them.
    """

    kind: str
    target: str
    context: dict[str, Any] = field(default_factory=dict)
    name: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "PENDING"
    error: dict[str, Any] | None = None
    begun_at: str = field(default_factory=lambda: stamp(datetime.now(UTC)))
    ended_at: str | None = None

    def shown(self) -> dict[str, Any]:
        """As Google tells it."""
        found: dict[str, Any] = {
            "kind": "sql#operation",
            "name": self.name,
            "operationType": self.kind,
            "status": self.status,
            "targetId": self.target,
            "targetProject": PROJECT,
            "user": f"deployer@{PROJECT}.iam.gserviceaccount.com",
            "insertTime": self.begun_at,
            **self.context,
        }
        if self.status != "PENDING":
            found["startTime"] = self.begun_at
        if self.ended_at is not None:
            found["endTime"] = self.ended_at
        if self.error is not None:
            found["error"] = {"kind": "sql#operationErrors", "errors": [self.error]}
        return found


class World:
    """All of it, behind one lock, which no PostgreSQL server is waited for with.

    :param home: the servers.
    """

    def __init__(self, home: PostgresHome, state: State) -> None:
        self.home = home
        self.state = state
        self.faults = SeededDatabaseFaults(state)
        self.lock = threading.RLock()
        self.instances: dict[str, Db] = {}
        self.backups: dict[str, DbBackup] = {}
        self.operations: list[Work] = []
        self._taken: set[str] = set()

    def found(self, name: str) -> Db:
        """An instance.

        :raises Refusal: when there is none.
        """
        if (one := self.instances.get(name)) is None:
            raise no_instance()
        return one

    def found_backup(self, name: str) -> DbBackup:
        """A backup, by its full id.

        :raises Refusal: when there is none.
        """
        if (one := self.backups.get(name)) is None:
            raise no_backup()
        return one

    def idle(self, name: str) -> Db:
        """An instance that nothing is done to.

        :raises Refusal: when there is none, or it is busy.
        """
        one = self.found(name)
        if any(work.target == name and work.status != "DONE" for work in self.operations):
            raise in_progress()
        return one

    def add(self, made: Db) -> None:
        """A new instance.

        :raises Refusal: for a name that is taken or was.
        """
        if made.name in self._taken:
            raise exists()
        self._taken.add(made.name)
        self.instances[made.name] = made

    def replicas_of(self, one: Db) -> Iterator[Db]:
        """What follows an instance."""
        yield from (other for other in self.instances.values() if other.primary == one.name)

    def begin(
        self,
        kind: str,
        target: str,
        run: Callable[[], None],
        *,
        failed: Callable[[dict[str, Any]], None] = lambda _error: None,
        context: dict[str, Any] | None = None,
        later: tuple[DatabaseCall, str] | None = None,
    ) -> dict[str, Any]:
        """Begin an operation, which goes on in a thread of its own.

        :param run: does it, without the lock.
        :param failed: what becomes of it when it can't be done; with the lock.
        :param later: as what a fault may meet it.
        """
        work = Work(kind=kind, target=target, context=context or {})
        fault = later and self.faults.meet(DatabaseFaultKind.FAIL_LATER, *later)
        self.operations.append(work)
        told = work.shown()

        def go() -> None:
            error: dict[str, Any] | None = None
            while self._is_held(kind):
                time.sleep(_HELD_POLL_S)
            with self.lock:
                work.status = "RUNNING"
            if fault:
                error = operation_error(fault.error)
            else:
                try:
                    run()
                except Exception:  # noqa: BLE001 - the operation tells, and the server's log
                    traceback.print_exc()
                    error = {"kind": "sql#operationError", "code": "ERROR_RDBMS"}
            with self.lock:
                if error is not None:
                    failed(error)
                work.error, work.status = error, "DONE"
                work.ended_at = stamp(datetime.now(UTC))

        threading.Thread(target=go, daemon=True).start()
        return told

    def seeds(self, service: str, name: str) -> set[str]:
        """What was seeded since everything of it was taken away."""
        found: set[str] = set()
        for seed in self.state.seeded(service):
            if seed.get("clear"):
                found.clear()
            else:
                found.add(str(seed[name]))
        return found

    def server_of(self, database_id: str) -> Instance:
        """For the administration."""
        with self.lock:
            one = self.instances[database_id.rpartition("/")[2]]
        if one.server is None:
            raise KeyError(database_id)
        return one.server

    def backup_of(self, snapshot_id: str) -> Backup:
        """Likewise."""
        with self.lock:
            one = self.backups[snapshot_id]
        if one.backup is None:
            raise KeyError(snapshot_id)
        return one.backup

    def _is_held(self, kind: str) -> bool:
        return kind in self.seeds("held_operations", "type")


def check_project(project: str) -> None:
    """Refuse another project's.

    :raises Refusal: for one that is not here.
    """
    if project.removeprefix("projects/") != PROJECT:
        raise invalid(f"project {project} is not here")


def stamp(moment: datetime) -> str:
    """A time as Google writes it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
