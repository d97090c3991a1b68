"""Application Insights and Log Analytics of the local Azure."""

from __future__ import annotations

from airflow_multicloud.clouds.azure.metrics import Hook
from airflow_multicloud.ports.metrics import Metrics
from airflow_multicloud.testing.contracts.metrics.rigs import MetricsRigSpec
from airflow_multicloud.testing.contracts.rigs import connected
from tests.contract.azure_monitor import CONN_ID, SERVER, refused
from tests.contract.planting import planting

_RESOURCE_CONN_ID = "azure_resource_metrics_local"


def rig() -> MetricsRigSpec:
    return _rig("local_azure", CONN_ID)


def resource_rig() -> MetricsRigSpec:
    """Custom metrics of an Azure resource."""
    return _rig("local_azure_resource", _RESOURCE_CONN_ID)


def _rig(name: str, conn_id: str) -> MetricsRigSpec:
    return MetricsRigSpec(
        name=name,
        cloud="azure",
        hook=Hook,
        open=connected(Metrics, conn_id, SERVER),
        plant=planting(SERVER, "metrics"),
        open_refused=refused(Metrics, conn_id),
    )
