"""Cloud Logging of the local Google Cloud."""

from __future__ import annotations

from airflow_multicloud.ports.logs import Logs
from airflow_multicloud.testing.contracts.logs.rigs import LogsRigSpec
from airflow_multicloud.testing.contracts.rigs import connected
from tests.contract.google_telemetry import CONN_ID, SERVER, refused
from tests.contract.planting import planting


def rig() -> LogsRigSpec:
    from airflow_multicloud.clouds.gcp.logs import Hook

    return LogsRigSpec(
        name="local_cloud_logging",
        cloud="gcp",
        hook=Hook,
        open=connected(Logs, CONN_ID, SERVER),
        plant=planting(SERVER, "logs"),
        open_refused=refused(Logs),
        knows_logs=False,
    )
