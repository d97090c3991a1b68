"""Export metrics to the clouds and read them back, in plain Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.lazy import lazy_face

if TYPE_CHECKING:
    from airflow_multicloud.api.metrics.aggregator import CloudMetricsAggregator
    from airflow_multicloud.api.metrics.exports import (
        check_metrics,
        export_metrics_to_cloud,
        read_metric,
    )
    from airflow_multicloud.core.metrics.checking import CheckReport
    from airflow_multicloud.core.metrics.report import DestinationExport, ExportReport
    from airflow_multicloud.ports.metrics import MetricReading, ReadPoint
else:
    __getattr__, __dir__ = lazy_face(
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

__all__ = [
    "CheckReport",
    "CloudMetricsAggregator",
    "DestinationExport",
    "ExportReport",
    "MetricReading",
    "ReadPoint",
    "check_metrics",
    "export_metrics_to_cloud",
    "read_metric",
]
