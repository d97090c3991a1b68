"""Azure's two kinds of databases behind one hook, told apart by the type in a reference's id.

``Microsoft.DBforPostgreSQL/flexibleServers`` are this package's modules beside this one, and
``Microsoft.Sql/servers/databases`` those in :mod:`.sql`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import chain

from airflow_multicloud.clouds.azure.database.client import DatabaseBase
from airflow_multicloud.clouds.azure.database.fields import TYPE
from airflow_multicloud.clouds.azure.database.power import Power
from airflow_multicloud.clouds.azure.database.promoting import Promotions
from airflow_multicloud.clouds.azure.database.removing import Removals
from airflow_multicloud.clouds.azure.database.restoring import Restores
from airflow_multicloud.clouds.azure.database.sql import SqlDatabases
from airflow_multicloud.clouds.azure.database.sql.fields import TYPE as SQL_TYPE
from airflow_multicloud.clouds.azure.database.sql.fields import is_sql
from airflow_multicloud.ports.database import (
    DatabaseInstance,
    DatabasePlace,
    DatabaseRef,
    DatabaseService,
    FromSnapshot,
    RestoreOrder,
    Snapshot,
    SnapshotOrder,
)
from airflow_multicloud.ports.operations import Operation


class FlexibleServers(Restores, Promotions, Power, Removals):
    """The flexible servers of an Azure connection's subscription."""


class Kinds(DatabaseBase):
    """Every verb of the port, done by whichever kind its reference is of."""

    def describe_database(self, ref: DatabaseRef) -> DatabaseInstance:
        """The instance as it is now, with a replica's lag; see the port."""
        return self._of(ref).describe_database(ref)

    def database_place(self, ref: DatabaseRef | None) -> DatabasePlace:
        """Where an instance of either kind lies; see the port."""
        if ref is None:
            return replace(self._flexible.database_place(None), kind="")
        return self._of(ref).database_place(ref)

    def list_databases(
        self, labels: Mapping[str, str | None], place: DatabasePlace | None = None
    ) -> Iterator[DatabaseInstance]:
        """Every instance of the place's kinds that carries these labels; see the port."""
        by_kind = {TYPE: self._flexible, SQL_TYPE: self._of_sql}
        kinds = [by_kind[place.kind]] if place is not None and place.kind else by_kind.values()
        return chain.from_iterable(kind.list_databases(labels, place) for kind in kinds)

    def snapshot_database(self, order: SnapshotOrder) -> Operation:
        """Take a snapshot, or find it; see the port. Azure SQL has none: ``unsupported``."""
        return self._of(order.database).snapshot_database(order)

    def restore_database(self, order: RestoreOrder) -> Operation:
        """Restore into a new instance of the source's kind, or find it; see the port."""
        source = order.source
        ref = source.snapshot if isinstance(source, FromSnapshot) else source.database
        return self._of(ref).restore_database(order)

    def remove_database(
        self, ref: DatabaseRef, *, token: str, final_snapshot: str | None
    ) -> Operation:
        """Delete an instance that carries the token; see the port."""
        return self._of(ref).remove_database(ref, token=token, final_snapshot=final_snapshot)

    def describe_snapshot(self, ref: DatabaseRef) -> Snapshot:
        """A snapshot as it is now; see the port."""
        return self._of(ref).describe_snapshot(ref)

    def list_snapshots(
        self, database: DatabaseRef | None, labels: Mapping[str, str | None]
    ) -> Iterator[Snapshot]:
        """Snapshots that carry these labels, the newest first; see the port."""
        kind = self._flexible if database is None else self._of(database)
        return kind.list_snapshots(database, labels)

    def remove_snapshot(self, ref: DatabaseRef, *, token: str) -> Operation:
        """Delete a snapshot that carries the token; see the port."""
        return self._of(ref).remove_snapshot(ref, token=token)

    def promote_replica(self, ref: DatabaseRef) -> Operation:
        """Make a replica a primary; see the port, and the kinds for what becomes of the other."""
        return self._of(ref).promote_replica(ref)

    def power_database(self, ref: DatabaseRef, *, on: bool) -> Operation:
        """Start or stop an instance; see the port."""
        return self._of(ref).power_database(ref, on=on)

    def describe_operation(self, operation: Operation) -> Operation:
        """The operation as it is now; see the port."""
        return self._of(DatabaseRef(operation.resource)).describe_operation(operation)

    def _of(self, ref: DatabaseRef) -> DatabaseService:
        return self._of_sql if is_sql(ref) else self._flexible

    @cached_property
    def _flexible(self) -> DatabaseService:
        return FlexibleServers(self._azure.conn_id)

    @cached_property
    def _of_sql(self) -> DatabaseService:
        return SqlDatabases(self._azure.conn_id)
