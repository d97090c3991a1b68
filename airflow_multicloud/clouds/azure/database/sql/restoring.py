"""Restoring into a new database of the same server: a point in time of another.

"Databases - Create Or Update" (https://learn.microsoft.com/rest/api/sql/databases/create-or-update)
changes a database that has the name already, and takes no condition: so it is looked first, and its
tags are looked at when it is done.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.orders import check_order
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.database.client import begun
from airflow_multicloud.clouds.azure.database.errors import failure, translated
from airflow_multicloud.clouds.azure.database.fields import moment_of
from airflow_multicloud.clouds.azure.database.handles import Handle, started
from airflow_multicloud.clouds.azure.database.sql.describing import carries_token
from airflow_multicloud.clouds.azure.database.sql.fields import SqlPlace, place_of
from airflow_multicloud.clouds.azure.database.sql.snapshots import SqlSnapshots
from airflow_multicloud.clouds.azure.tagging import TAG_RULES
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.labels import current_work
from airflow_multicloud.ports.database import (
    TOKEN_LABEL,
    FromPointInTime,
    FromSnapshot,
    RestoreOrder,
)
from airflow_multicloud.ports.operations import Operation

if TYPE_CHECKING:
    from azure.mgmt.sql.models import Database


class SqlRestores(SqlSnapshots):
    """The port's ``restore_database``."""

    def restore_database(self, order: RestoreOrder) -> Operation:
        """Restore into a new database, or find the one of this order; see the port.

        It lies on the server of its source, and is as large, in the same elastic pool if that is in
        one; its backups are kept where its source's are. It is not zone-redundant. The latest
        moment is now. Protection is a lock, made when the database is there: it needs
        ``Microsoft.Authorization/locks/write``.
        """
        check_order(order, cloud=NAME)
        if isinstance(order.source, FromSnapshot):
            raise failure(
                f"snapshot: {order.source.snapshot.id!r} given; backups of Azure SQL are not "
                "restored one by one here; expected a database and a moment",
                ErrorKind.UNSUPPORTED,
            )
        if order.network is not None:
            raise failure(
                "network: given; a database of Azure SQL has none of its own, but its server; "
                "expected none"
            )
        source = place_of(order.source.database, self._subscription)
        target = SqlPlace(
            subscription=source.subscription,
            group=source.group,
            server=source.server,
            name=order.name,
        )
        handle = Handle(token=order.token, protect=order.deletion_protected)
        database = self._database_or_none(target)
        if database is None:
            doing = f"restoring {order.name} from {source.id}"
            settings = self._settings(order, order.source, source, doing)
            try:
                with translated(doing):
                    first = begun(
                        self._sql.databases.begin_create_or_update,
                        target.group,
                        target.server,
                        target.name,
                        settings,
                    )
                return started("restore", target.id, first, handle)
            except DatabaseError as err:
                # A first try may have been carried out although its answer was lost.
                if err.kind not in (ErrorKind.BUSY, ErrorKind.ALREADY_EXISTS):
                    raise
                database = self._database_or_none(target)
                if database is None:
                    raise
        if not carries_token(database, order.token):
            raise failure(
                f"name: there is another database {order.name!r} on {target.server}, which this "
                "order did not make; expected a name that is free",
                ErrorKind.ALREADY_EXISTS,
            )
        return self._restored(target, database, handle)

    def _settings(
        self, order: RestoreOrder, wanted: FromPointInTime, source: SqlPlace, doing: str
    ) -> Database:
        from azure.mgmt.sql import models

        like = self._database(source)
        moment = _moment(wanted, like)
        tags = {
            **current_work().lasting().labels(TAG_RULES),
            **order.labels,
            TOKEN_LABEL: order.token,
        }
        with well_formed(doing, NAME, area=DatabaseError):
            old = like.properties or models.DatabaseProperties()
            pool = old.elastic_pool_id if order.size is None else None
            sku = like.sku if order.size is None else models.Sku(name=order.size)
            return models.Database(
                location=like.location,
                tags=tags,
                sku=None if pool else sku,
                properties=models.DatabaseProperties(
                    create_mode="PointInTimeRestore",
                    source_database_id=source.id,
                    restore_point_in_time=moment,
                    elastic_pool_id=pool,
                    requested_backup_storage_redundancy=old.current_backup_storage_redundancy,
                    auto_pause_delay=old.auto_pause_delay if order.size is None else None,
                    min_capacity=old.min_capacity if order.size is None else None,
                    license_type=old.license_type,
                ),
            )


def _moment(wanted: FromPointInTime, like: Database) -> datetime:
    """The moment to restore.

    :raises DatabaseError: ``invalid_argument`` for one that can't be; ``precondition_failed`` where
        none can.
    """
    now = datetime.now(UTC)
    earliest = moment_of(like.properties.earliest_restore_date if like.properties else None)
    if earliest is None:
        raise failure(
            f"database: {like.name} has no moment that can be restored; Azure has none yet of a "
            "new database, and none at all of one that follows another",
            ErrorKind.PRECONDITION_FAILED,
        )
    moment = now if wanted.time is None else wanted.time.astimezone(UTC)
    if not earliest <= moment <= now:
        raise failure(
            f"time: {moment.isoformat()} given; {like.name} can be restored to moments from "
            f"{earliest.isoformat()} until now"
        )
    return moment
