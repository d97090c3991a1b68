"""CloudWatch metrics of an AWS connection."""

from __future__ import annotations

from airflow_multicloud.clouds.aws.metrics.exporting import PointExport
from airflow_multicloud.clouds.aws.metrics.otlp import OtlpEndpoint
from airflow_multicloud.clouds.aws.metrics.reading import PointReading
from airflow_multicloud.ports.metrics import Metrics


class CloudWatchHook(PointExport, PointReading, OtlpEndpoint):
    """The metrics of an AWS connection, in its region.

    Making one reads the connection and must happen on the task's own thread.
    """


Hook: type[Metrics] = CloudWatchHook
