"""What is there, and how far what goes on is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from airflow_multicloud.adapters.orders import carries
from airflow_multicloud.ports.database import DatabaseInstance, DatabasePlace, DatabaseRef
from airflow_multicloud.ports.operations import Operation
from airflow_multicloud.testing.memory_cloud.database.ids import REGION
from airflow_multicloud.testing.memory_cloud.database.servers import Server
from airflow_multicloud.testing.memory_cloud.database.space import databases_of
from airflow_multicloud.testing.memory_cloud.database.telling import (
    gone,
    instance_of,
    told,
    told_of_snapshot,
)
from airflow_multicloud.testing.sql_faults import DatabaseCall


class Reading:
    """What the port tells of instances and operations.

    As on AWS, what is meant is in one region: an id names it, and all else is in
    :data:`~.ids.REGION`.

    :param memory_conn_id: whose; the connection itself is never read.
    """

    conn_name_attr = "memory_conn_id"

    def __init__(self, memory_conn_id: str = "memory_default") -> None:
        self.memory_conn_id = memory_conn_id
        self._kept = databases_of(memory_conn_id)

    def describe_database(self, ref: DatabaseRef) -> DatabaseInstance:
        """The instance as it is now; see the port."""
        kept = self._kept
        with kept.lock:
            kept.check(DatabaseCall.DESCRIBE, ref.id.rpartition("/")[2])
            kept.look(kept.found(ref))
            return instance_of(kept, kept.found(ref), with_lag=True)

    def database_place(self, ref: DatabaseRef | None) -> DatabasePlace:
        """Where an instance lies; see the port."""
        if ref is None:
            return DatabasePlace(region=REGION)
        kind = "snapshots" if "/snapshots/" in ref.id else "databases"
        return DatabasePlace(region=self._kept.named(ref, kind)[0])

    def database_account(self, place: DatabasePlace) -> str:  # noqa: ARG002 - there is one
        """The connection's; see the port."""
        return self._kept.account_id

    def list_databases(
        self, labels: Mapping[str, str | None], place: DatabasePlace | None = None
    ) -> Iterator[DatabaseInstance]:
        """Every instance of a region that carries these labels; see the port."""
        kept = self._kept
        region = (place and place.region) or REGION
        with kept.lock:
            kept.check(DatabaseCall.LIST, "")
            found = [instance_of(kept, one, with_lag=False) for one in kept.servers.values()]
        for instance in found:
            if region == instance.ref.region and carries(instance.labels, labels):
                yield instance

    def describe_operation(self, operation: Operation) -> Operation:
        """The operation as it is now; see the port."""
        if operation.state.is_final:
            return operation
        kept = self._kept
        with kept.lock:
            ref = DatabaseRef(operation.resource)
            if operation.action in ("snapshot", "remove_snapshot"):
                return self._snapshot_operation(operation, ref)
            kept.check(DatabaseCall.DESCRIBE, operation.resource.rpartition("/")[2])
            server = self._known(ref, operation.handle)
            if server is not None:
                kept.look(server)
                server = self._known(ref, operation.handle)
            if server is None:
                return gone(kept, operation.action, operation.resource)
            if operation.action == "restore":
                server.get_labels()
            return told(kept, operation.action, server)

    def _snapshot_operation(self, operation: Operation, ref: DatabaseRef) -> Operation:
        kept = self._kept
        kept.check(DatabaseCall.DESCRIBE, operation.resource.rpartition("/")[2])
        snapshot = kept.snapshots.get(ref.id.rpartition("/")[2])
        if snapshot is None or str(snapshot.number) != operation.handle:
            return gone(kept, operation.action, operation.resource)
        kept.look_at_snapshot(snapshot)
        return told_of_snapshot(kept, operation.action, snapshot)

    def _known(self, ref: DatabaseRef, handle: str) -> Server | None:
        """The instance that an operation was about; another may have its name since."""
        server = self._kept.servers.get(ref.id.rpartition("/")[2])
        return server if server is not None and str(server.number) == handle else None
