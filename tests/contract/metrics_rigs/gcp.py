"""The metrics of the local Cloud Monitoring."""

from __future__ import annotations

from airflow_multicloud.ports.metrics import Metrics
from airflow_multicloud.testing.contracts.metrics.rigs import MetricsRigSpec
from airflow_multicloud.testing.contracts.rigs import connected
from tests.contract.google_telemetry import CONN_ID, SERVER, refused
from tests.contract.planting import planting


def rig() -> MetricsRigSpec:
    from airflow_multicloud.clouds.gcp.metrics import Hook

    return MetricsRigSpec(
        name="local_cloud_monitoring",
        cloud="gcp",
        hook=Hook,
        open=connected(Metrics, CONN_ID, SERVER),
        plant=planting(SERVER, "metrics"),
        open_refused=refused(Metrics),
    )
