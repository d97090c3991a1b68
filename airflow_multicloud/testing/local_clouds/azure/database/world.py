"""What is kept: servers with what runs behind each, their backups, locks, and operations."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from airflow_multicloud.testing.local_clouds.azure.arm import SUBSCRIPTION_ID
from airflow_multicloud.testing.local_clouds.azure.arm.http import Call
from airflow_multicloud.testing.local_clouds.azure.compute.world import (
    Body,
    check_scope,
    not_found,
)
from airflow_multicloud.testing.local_clouds.azure.database import RESOURCE_GROUP
from airflow_multicloud.testing.local_clouds.azure.database.operations import (
    FLEXIBLE_SERVERS,
    PROVIDER,
    Changing,
    Operation,
    Paths,
)
from airflow_multicloud.testing.local_clouds.azure.database.words import busy, failing, refusal
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.local_clouds.kit.postgres.archives import Backup
from airflow_multicloud.testing.local_clouds.kit.postgres.home import PostgresHome
from airflow_multicloud.testing.local_clouds.kit.postgres.instance import Instance
from airflow_multicloud.testing.local_clouds.kit.sql_seeds import SeededDatabaseFaults
from airflow_multicloud.testing.sql_faults import DatabaseCall, DatabaseFaultKind

_SETTLED = ("Ready", "Stopped")


@dataclass(slots=True, kw_only=True)
class Taken:
    """An on-demand backup.

    :param backup: the copy, once it is complete.
    """

    name: str
    backup: Backup | None = None


@dataclass(slots=True, kw_only=True)
class Server:
    """One flexible server, changed in place under the world's lock.

    :param source: name of the server that a replica follows.
    :param running: what runs; ``None`` until it does.
    """

    name: str
    group: str
    location: str
    sku: dict[str, str]
    login: str
    network: dict[str, str]
    tags: dict[str, str]
    source: str | None = None
    state: str = "Provisioning"
    backups: dict[str, Taken] = field(default_factory=dict)
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    running: Instance | None = None

    @property
    def id(self) -> str:
        """Its full id."""
        return (
            f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{self.group}/providers/{PROVIDER}"
            f"/flexibleServers/{self.name}"
        )


class World:
    """All that there is; whoever uses it holds its lock."""

    def __init__(self, home: PostgresHome, faults: SeededDatabaseFaults) -> None:
        self.home = home
        self.faults = faults
        self.lock = threading.RLock()
        self.servers: dict[str, Server] = {}
        self.operations: dict[str, Operation] = {}
        #: Id of a lock, in lower case → its document.
        self.locks: dict[str, Body] = {}

    def handler(self, handle: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
        """What answers a request while nothing else changes, within what is there."""

        def handled(call: Call) -> Answer:
            with self.lock:
                check_scope(call, {RESOURCE_GROUP})
                return handle(call)

        return handled

    def required(self, call: Call) -> Server:
        """The server that a request's path names.

        :raises Refusal: 404.
        """
        name, group = call.variables["name"].lower(), call.variables["group"].lower()
        found = self.servers.get(name)
        if found is None or found.group.lower() != group:
            raise not_found(
                f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{group}/providers/{PROVIDER}"
                f"/flexibleServers/{name}"
            )
        return found

    def by_id(self, id_: str) -> Server | None:
        """A server by its id, in any case."""
        return next((one for one in self.servers.values() if one.id.lower() == id_.lower()), None)

    def replicas_of(self, one: Server) -> Iterator[Server]:
        """What follows a server."""
        return (other for other in self.servers.values() if other.source == one.name)

    def refuse(self, case: DatabaseCall, name: str) -> None:
        """Refuse what a fault says.

        :raises Refusal: the fault's.
        """
        if fault := self.faults.meet(DatabaseFaultKind.REFUSE, case, name):
            raise refusal(fault.error)

    def begin(
        self,
        one: Changing,
        through: str | None,
        work: Callable[[], None],
        *,
        failed: Callable[[], None] = lambda: None,
        case: DatabaseCall,
        name: str,
    ) -> Operation:
        """Do what takes time in a thread of its own, which does not hold the lock.

        :param one: a server, or a database of Azure SQL.
        :param through: its state meanwhile; as it is for ``None``.
        :param work: also says how the server is afterwards.
        :param failed: what becomes of it when a fault has it fail, or it does; with the lock.
        :param case: whose faults it meets.
        :param name: of what it is about.
        """
        operation = Operation(location=one.location)
        self.operations[operation.id] = operation
        if through is not None:
            one.state = through
        later = self.faults.meet(DatabaseFaultKind.FAIL_LATER, case, name)

        def go() -> None:
            error = None
            try:
                if later is None:
                    work()
            except Exception:  # noqa: BLE001 - the operation tells, and the server's log
                traceback.print_exc()
                error = ("InternalServerError", "An unexpected error occured.")
            with self.lock:
                if later is not None:
                    error = failing(later.error)
                if error is not None:
                    failed()
                operation.error = error
                operation.status = "Failed" if error else "Succeeded"

        threading.Thread(target=go, daemon=True).start()
        return operation

    def accepted(
        self,
        call: Call,
        operation: Operation,
        what: str,
        *,
        case: DatabaseCall,
        name: str,
        paths: Paths | None = None,
    ) -> Answer:
        """The answer to what was begun; lost when a fault says so.

        :param what: the service's name of the operation.
        :param paths: where it can be asked for; as flexible servers' when left out.
        :raises ConnectionAbortedError: which ends the connection without an answer.
        """
        if self.faults.meet(DatabaseFaultKind.LOSE_ANSWER, case, name):
            raise ConnectionAbortedError
        at = paths or FLEXIBLE_SERVERS
        return Answer(
            status=HTTPStatus.ACCEPTED,
            body={"operation": what, "startTime": operation.started.isoformat()},
            headers=at.headers(call, operation),
        )

    def check_settled(self, one: Server) -> None:
        """Refuse a server that changes just now.

        :raises Refusal: 409.
        """
        if one.state not in _SETTLED:
            raise busy(one.name)

    def server_of(self, database_id: str) -> Instance:
        """For the administration, by its id."""
        with self.lock:
            one = self.by_id(database_id)
        if one is None or one.running is None:
            raise KeyError(database_id)
        return one.running

    def backup_of(self, snapshot_id: str) -> Backup:
        """Likewise."""
        server, _, name = snapshot_id.partition("/backups/")
        with self.lock:
            one = self.by_id(server)
            taken = one.backups.get(name) if one is not None else None
        if taken is None or taken.backup is None:
            raise KeyError(snapshot_id)
        return taken.backup


def text_of(value: datetime) -> str:
    """A time as the service writes it."""
    return value.astimezone(UTC).isoformat()


def shown(world: World, one: Server) -> dict[str, Any]:
    """A server as it is answered."""
    primary = one.source is None
    properties: Body = {
        "administratorLogin": one.login,
        "version": "18",
        "minorVersion": "1",
        "state": one.state,
        "storage": {"storageSizeGB": 32, "autoGrow": "Disabled", "type": "Premium_LRS"},
        "backup": {"backupRetentionDays": 7, "geoRedundantBackup": "Disabled"},
        "network": dict(one.network),
        "highAvailability": {"mode": "Disabled", "state": "NotEnabled"},
        "availabilityZone": "1",
        "replicationRole": "Primary" if primary else "AsyncReplica",
        "replicaCapacity": 5 if primary else 0,
        "replica": {
            "role": "Primary" if primary else "AsyncReplica",
            "capacity": 5 if primary else 0,
        },
    }
    if one.source is not None:
        properties["sourceServerResourceId"] = world.servers[one.source].id
        properties["replica"]["replicationState"] = "Active"
    if one.running is not None:
        properties["fullyQualifiedDomainName"] = one.running.endpoint.host
        earliest = one.running.archive.earliest
        if primary and earliest is not None:
            properties["backup"]["earliestRestoreDate"] = text_of(earliest)
    return {
        "id": one.id,
        "name": one.name,
        "type": f"{PROVIDER}/flexibleServers",
        "location": one.location,
        "tags": dict(one.tags),
        "sku": dict(one.sku),
        "properties": properties,
        "systemData": {"createdAt": text_of(one.created_at), "createdByType": "Application"},
    }
