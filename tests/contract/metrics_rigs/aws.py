"""CloudWatch: the local one, which checks signatures, forms and limits."""

from __future__ import annotations

from airflow_multicloud.ports.metrics import Metrics
from airflow_multicloud.testing.contracts.metrics.rigs import MetricsRigSpec
from airflow_multicloud.testing.contracts.rigs import connected
from tests.contract.local_cloudwatch import CONN_ID, SERVER, refused
from tests.contract.planting import planting


def rig() -> MetricsRigSpec:
    from airflow_multicloud.clouds.aws.metrics import Hook

    return MetricsRigSpec(
        name="local_cloudwatch",
        cloud="aws",
        hook=Hook,
        open=connected(Metrics, CONN_ID, SERVER),
        plant=planting(SERVER, "metrics"),
        open_refused=refused(Metrics),
    )
