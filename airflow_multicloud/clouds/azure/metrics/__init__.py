"""Metrics in Azure Monitor: Application Insights takes them, Log Analytics shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.clouds.azure.metrics.exporting import MetricExport
from airflow_multicloud.clouds.azure.metrics.otlp import OtlpEndpoint
from airflow_multicloud.clouds.azure.metrics.reading import MetricReads
from airflow_multicloud.ports.metrics import Metrics, OtlpMetrics


class MonitorMetricsHook(MetricExport, MetricReads, OtlpEndpoint):
    """The metrics of an Azure connection.

    They are sent to the Application Insights resource that the connection's extra
    ``application_insights_connection_string`` names, with a token where the connection says whose,
    and read from the Log Analytics workspace ``logs_workspace_id``, which needs one. See
    :func:`airflow_multicloud.clouds.azure.monitor.read_monitor` for all fields.

    :param conn_id: the connection.
    :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used.
    """


Hook: type[Metrics] = MonitorMetricsHook

if TYPE_CHECKING:
    # The type checker proves the optional capability, too.
    _CAPABILITY: type[OtlpMetrics] = MonitorMetricsHook
