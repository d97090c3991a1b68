"""Making a replica a primary of its own.

"Promote read replicas in Azure Database for PostgreSQL"
(https://learn.microsoft.com/azure/postgresql/read-replica/concepts-read-replicas-promote).
"""

from __future__ import annotations

from azure.mgmt.postgresqlflexibleservers import models

from airflow_multicloud.clouds.azure.database.client import begun
from airflow_multicloud.clouds.azure.database.describing import check_settled
from airflow_multicloud.clouds.azure.database.errors import translated
from airflow_multicloud.clouds.azure.database.fields import place_of, primary_of
from airflow_multicloud.clouds.azure.database.handles import started
from airflow_multicloud.clouds.azure.database.operations import RunningOperations, told_by
from airflow_multicloud.ports.database import DatabaseRef
from airflow_multicloud.ports.operations import Operation


class Promotions(RunningOperations):
    """The port's ``promote_replica``."""

    def promote_replica(self, ref: DatabaseRef) -> Operation:
        """Cut a replica from its primary; see the port.

        It is forced: a planned promotion waits for what the primary still has, and for ever when
        that is gone.
        """
        place = place_of(ref, self._subscription)
        doing = f"promoting {place.name}"
        server = self._server(place)
        check_settled(server, doing)
        if primary_of(server) is None:
            return told_by("promote", server, place)
        change = models.ServerForPatch(
            properties=models.ServerPropertiesForPatch(
                replica=models.Replica(promote_mode="Standalone", promote_option="Forced")
            )
        )
        with translated(doing):
            first = begun(self._postgres.servers.begin_update, place.group, place.name, change)
        return started("promote", place.server, first)
