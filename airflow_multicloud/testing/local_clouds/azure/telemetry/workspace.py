"""What the process of Azure Monitor keeps: tables, custom metrics, and planted faults."""

from __future__ import annotations

from airflow_multicloud.testing.delivery_faults import (
    DeliveryCall,
    DeliveryFault,
    DeliveryFaultKind,
)
from airflow_multicloud.testing.local_clouds.azure.telemetry.minutes import Minutes
from airflow_multicloud.testing.local_clouds.azure.telemetry.tables import ColumnType, Tables
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import SeededDeliveryFaults
from airflow_multicloud.testing.local_clouds.kit.state import State

#: The table of Application Insights' metrics, as much as is known here of its columns:
#: https://learn.microsoft.com/azure/azure-monitor/reference/tables/appmetrics.
APP_METRICS = "AppMetrics"
_APP_METRICS_COLUMNS = {
    "AppRoleInstance": ColumnType.STRING,
    "AppRoleName": ColumnType.STRING,
    "IKey": ColumnType.STRING,
    "ItemCount": ColumnType.INT,
    "Max": ColumnType.REAL,
    "Min": ColumnType.REAL,
    "Name": ColumnType.STRING,
    "Properties": ColumnType.DYNAMIC,
    "SDKVersion": ColumnType.STRING,
    "Sum": ColumnType.REAL,
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


def meet(faults: SeededDeliveryFaults, call: DeliveryCall) -> DeliveryFault | None:
    """What meets a request before it is carried out; to be asked once for each request.

    :returns: a fault of kind ``REFUSE`` or ``LOSE_ANSWER``, for :func:`lose` once it is done.
    :raises ConnectionAbortedError: when the request is lost.
    """
    fault = faults.meet(call)
    if fault is not None and fault.kind is DeliveryFaultKind.LOSE_REQUEST:
        raise ConnectionAbortedError
    return fault


def lose(fault: DeliveryFault | None) -> None:
    """End the connection where the answer is to be lost.

    :raises ConnectionAbortedError: then.
    """
    if fault is not None and fault.kind is DeliveryFaultKind.LOSE_ANSWER:
        raise ConnectionAbortedError
