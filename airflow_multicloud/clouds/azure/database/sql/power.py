"""Stopping and starting: dedicated SQL pools only.

"Databases - Pause" and "Databases - Resume" (https://learn.microsoft.com/rest/api/sql/databases)
are for data warehouses. Serverless databases pause and resume by themselves
(https://learn.microsoft.com/azure/azure-sql/database/serverless-tier-overview), and no others stop.
"""

from __future__ import annotations

from airflow_multicloud.clouds.azure.database.client import begun
from airflow_multicloud.clouds.azure.database.errors import failure, translated
from airflow_multicloud.clouds.azure.database.handles import started
from airflow_multicloud.clouds.azure.database.sql.describing import check_settled
from airflow_multicloud.clouds.azure.database.sql.fields import (
    DATA_WAREHOUSE,
    place_of,
    state_of,
    tier_of,
)
from airflow_multicloud.clouds.azure.database.sql.operations import SqlOperations, told_by
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.database import DatabaseRef, DatabaseState
from airflow_multicloud.ports.operations import Operation


class SqlPower(SqlOperations):
    """The port's ``power_database``."""

    def power_database(self, ref: DatabaseRef, *, on: bool) -> Operation:
        """Resume or pause a dedicated SQL pool; others are ``unsupported``; see the port."""
        place = place_of(ref, self._subscription)
        action, database = "start" if on else "stop", self._database(place)
        states = (
            (DatabaseState.AVAILABLE, DatabaseState.STARTING)
            if on
            else (DatabaseState.STOPPED, DatabaseState.STOPPING)
        )
        if state_of(database) in states:
            return told_by(action, database, place)
        doing = f"{action} of {place.id}"
        if tier_of(database) != DATA_WAREHOUSE:
            raise failure(
                f"{doing}: Azure SQL pauses and resumes serverless databases by itself, by their "
                "autoPauseDelay and when somebody connects, and stops no others; expected a "
                "dedicated SQL pool (tier DataWarehouse)",
                ErrorKind.UNSUPPORTED,
            )
        check_settled(database, doing)
        databases = self._sql.databases
        with translated(doing):
            first = begun(
                databases.begin_resume if on else databases.begin_pause,
                place.group,
                place.server,
                place.name,
            )
        return started(action, place.id, first)
