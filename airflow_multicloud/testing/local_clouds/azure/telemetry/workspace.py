"""What the process of Azure Monitor keeps: tables, custom metrics, and planted faults."""

from __future__ import annotations

from airflow_multicloud.testing.local_clouds.azure.logs.kql.values import Type
from airflow_multicloud.testing.local_clouds.azure.telemetry.minutes import Minutes
from airflow_multicloud.testing.local_clouds.azure.telemetry.tables import Tables
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import SeededDeliveryFaults
from airflow_multicloud.testing.local_clouds.kit.state import State

#: The table of Application Insights' metrics, as much as is known here of its columns:
#: https://learn.microsoft.com/azure/azure-monitor/reference/tables/appmetrics.
APP_METRICS = "AppMetrics"
_APP_METRICS_COLUMNS = {
    "AppRoleInstance": Type.STRING,
    "AppRoleName": Type.STRING,
    "IKey": Type.STRING,
    "ItemCount": Type.INT,
    "Max": Type.REAL,
    "Min": Type.REAL,
    "Name": Type.STRING,
    "Properties": Type.DYNAMIC,
    "SDKVersion": Type.STRING,
    "Sum": Type.REAL,
}


class Workspace(State):
    """Shared by all requests: what was told, the tables, custom metrics, and planted faults."""

    def __init__(self) -> None:
        super().__init__()
        self.tables = Tables()
        self.tables.create(APP_METRICS, _APP_METRICS_COLUMNS)
        self.minutes = Minutes()
        self.metric_faults = SeededDeliveryFaults(self, "metrics")
        self.log_faults = SeededDeliveryFaults(self, "logs")

    def reset(self) -> None:
        """Forget all, and empty the tables."""
        super().reset()
        self.tables.clear()
        self.minutes.clear()

    def faults_of(self, table: str) -> SeededDeliveryFaults:
        """The faults of the service that a table is of."""
        return self.metric_faults if table == APP_METRICS else self.log_faults
