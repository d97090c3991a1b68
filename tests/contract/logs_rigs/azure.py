"""Logs Ingestion and Log Analytics of the local Azure."""

from __future__ import annotations

from airflow_multicloud.clouds.azure.logs import Hook
from airflow_multicloud.ports.logs import Logs
from airflow_multicloud.testing.contracts.logs.rigs import LogsRigSpec
from airflow_multicloud.testing.contracts.rigs import connected
from tests.contract.azure_monitor import CONN_ID, SERVER, refused
from tests.contract.planting import planting


def rig() -> LogsRigSpec:
    return LogsRigSpec(
        name="local_azure",
        cloud="azure",
        hook=Hook,
        open=connected(Logs, CONN_ID, SERVER),
        plant=planting(SERVER, "logs"),
        open_refused=refused(Logs),
        # A log is a value in a column, not a thing that is there or not.
        knows_logs=False,
    )
