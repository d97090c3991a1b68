"""CloudWatch Logs: moto's log groups behind checks, patterns and pages of the local CloudWatch."""

from __future__ import annotations

from airflow_multicloud.ports.logs import Logs
from airflow_multicloud.testing.contracts.logs.rigs import LogsRigSpec
from airflow_multicloud.testing.contracts.rigs import connected
from tests.contract.local_cloudwatch import CONN_ID, SERVER, refused
from tests.contract.planting import planting


def rig() -> LogsRigSpec:
    from airflow_multicloud.clouds.aws.logs import Hook

    return LogsRigSpec(
        name="local_cloudwatch",
        cloud="aws",
        hook=Hook,
        open=connected(Logs, CONN_ID, SERVER),
        plant=planting(SERVER, "logs"),
        open_refused=refused(Logs),
    )
