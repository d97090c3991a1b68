"""Application Insights and Log Analytics of the local Azure."""

from __future__ import annotations

from airflow_multicloud.clouds.azure.metrics import Hook
from airflow_multicloud.ports.metrics import Metrics
from airflow_multicloud.testing.contracts.metrics.rigs import MetricsRigSpec
from airflow_multicloud.testing.contracts.rigs import connected
from tests.contract.azure_monitor import CONN_ID, FIXTURE, planting, refused

_RESOURCE_CONN_ID = "azure_resource_metrics_local"


def rig() -> MetricsRigSpec:
    return MetricsRigSpec(
        name="local_azure",
        cloud="azure",
        hook=Hook,
        open=connected(Metrics, CONN_ID, FIXTURE),
        plant=planting("metrics"),
        open_refused=refused(Metrics),
    )


def resource_rig() -> MetricsRigSpec:
    """Custom metrics of an Azure resource."""
    return MetricsRigSpec(
        name="local_azure_resource",
        cloud="azure",
        hook=Hook,
        open=connected(Metrics, _RESOURCE_CONN_ID, FIXTURE),
        plant=planting("metrics"),
        open_refused=refused(Metrics, _RESOURCE_CONN_ID),
    )
