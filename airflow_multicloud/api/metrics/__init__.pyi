# Written by docs/generate.py from __init__.py; `python docs/generate.py` renews it.

from airflow_multicloud.api.metrics.aggregator import (
    CloudMetricsAggregator as CloudMetricsAggregator,
)
from airflow_multicloud.api.metrics.exports import check_metrics as check_metrics
from airflow_multicloud.api.metrics.exports import (
    export_metrics_to_cloud as export_metrics_to_cloud,
)
from airflow_multicloud.api.metrics.exports import read_metric as read_metric
from airflow_multicloud.core.metrics.checking import CheckReport as CheckReport
from airflow_multicloud.core.metrics.report import DestinationExport as DestinationExport
from airflow_multicloud.core.metrics.report import ExportReport as ExportReport
from airflow_multicloud.ports.metrics import MetricReading as MetricReading
from airflow_multicloud.ports.metrics import ReadPoint as ReadPoint
