"""Cloud Monitoring: custom metrics, written and read by Google's own client.

Airflow has no hook for its time series, so this stands on the common Google one. What becomes of a
point is said in :mod:`.converting`, of names and attributes in :mod:`.naming`.

The connection's extras ``monitoring.endpoint`` and ``telemetry.endpoint`` say where else to ask;
``telemetry.location`` is the region that metrics sent by OTLP are kept in.

Writing needs the role Monitoring Metric Writer, reading (also to make sure of what was exported
before) Monitoring Viewer; OTLP Telemetry Metrics Writer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.clouds.gcp.metrics.exporting import GCPExporting
from airflow_multicloud.clouds.gcp.metrics.otlp import GCPOtlp
from airflow_multicloud.ports.metrics import Metrics, OtlpMetrics


class GCPMetricsHook(GCPExporting, GCPOtlp):
    """The metrics port on Cloud Monitoring."""


#: What registry.resolve(Metrics, …) makes for Google Cloud connections.
Hook: type[Metrics] = GCPMetricsHook

if TYPE_CHECKING:
    # The type checker proves every optional capability, too.
    _CAPABILITIES: tuple[type[OtlpMetrics]] = (GCPMetricsHook,)
