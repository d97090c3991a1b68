"""How far a geo-replicated secondary is behind, as Azure Monitor was told.

``replication_lag_seconds`` is the primary's, one for each partner
(https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-sql-servers-databases-metrics).
"""

from __future__ import annotations

from typing import Final

from airflow_multicloud.clouds.azure.database.lag import Lags
from airflow_multicloud.clouds.azure.database.sql.fields import SqlPlace
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import ReplicaLag

_METRIC: Final = "replication_lag_seconds"


class SqlLags(Lags):
    """What :attr:`DatabaseInstance.lag` is."""

    def _lag_behind(self, primary: str, place: SqlPlace) -> ReplicaLag:
        """The newest measurement of a secondary; unknown where its primary can't be found.

        :param primary: its id.
        """
        unknown = ReplicaLag(value=None, measured_at=None, source=f"Azure Monitor {_METRIC}")
        if not primary.startswith("/"):
            return unknown
        only = (
            f"PartnerServerName eq '{place.server}' and PartnerDatabaseName eq '{_quoted(place)}'"
        )
        try:
            return self._measured(primary, _METRIC, place.name, only)
        except DatabaseError as err:
            if err.kind is ErrorKind.NOT_FOUND:
                return unknown
            raise


def _quoted(place: SqlPlace) -> str:
    return place.name.replace("'", "''")
