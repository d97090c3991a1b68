"""Export metrics to the clouds and read them back, in plain Python."""

from __future__ import annotations

from airflow_multicloud.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(
    __name__,
    {
        "airflow_multicloud.api.metrics.aggregator": "CloudMetricsAggregator",
        "airflow_multicloud.api.metrics.exports": (
            "check_metrics export_metrics_to_cloud read_metric"
        ),
        "airflow_multicloud.core.metrics.checking": "CheckReport",
        "airflow_multicloud.core.metrics.report": "DestinationExport ExportReport",
        "airflow_multicloud.ports.metrics": "MetricReading ReadPoint",
    },
)
