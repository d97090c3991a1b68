"""Snapshots: Azure SQL takes its backups by itself, and none when it is asked to.

"Automated backups in Azure SQL Database"
(https://learn.microsoft.com/azure/azure-sql/database/automated-backups-overview). A copy of a
database would be no backup: it is a database that runs and costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NoReturn

from airflow_multicloud.adapters.orders import check_order, check_token
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.database.errors import failure
from airflow_multicloud.clouds.azure.database.sql.fields import place_of
from airflow_multicloud.clouds.azure.database.sql.operations import SqlOperations
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.database import DatabaseRef, Snapshot, SnapshotOrder
from airflow_multicloud.ports.operations import Operation


class SqlSnapshots(SqlOperations):
    """The port's verbs of snapshots, of which there are none."""

    def snapshot_database(self, order: SnapshotOrder) -> Operation:
        """Always ``unsupported``; see the port."""
        check_order(order, cloud=NAME)
        place = place_of(order.database, self._subscription)
        _refuse(f"taking the snapshot {order.name} of {place.id}")

    def describe_snapshot(self, ref: DatabaseRef) -> Snapshot:
        """Always ``unsupported``; see the port."""
        _refuse(f"describing the snapshot {ref.id}")

    def list_snapshots(
        self, database: DatabaseRef | None, labels: Mapping[str, str | None]
    ) -> Iterator[Snapshot]:
        """None: there are no backups that somebody ordered; see the port."""
        del labels
        if database is not None:
            place_of(database, self._subscription)
        return iter(())

    def remove_snapshot(self, ref: DatabaseRef, *, token: str) -> Operation:
        """Always ``unsupported``: Azure's own backups carry no token; see the port."""
        check_token(token, cloud=NAME)
        _refuse(f"removing the snapshot {ref.id}")


def _refuse(doing: str) -> NoReturn:
    raise failure(
        f"{doing}: Azure SQL has no backups on demand, only its own; restore a moment instead "
        "(database and at), and set the retention of its backups, short or long, on the database",
        ErrorKind.UNSUPPORTED,
    )
