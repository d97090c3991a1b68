"""What Cloud Monitoring takes.

``CreateTimeSeriesRequest`` (200 series, one point of each), ``TimeInterval`` (25 hours back, five
minutes ahead) and ``LabelDescriptor`` (keys of 100 characters) of the API's reference,
https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries; 30 labels, values of
1,024 and types of 200 characters, 200 buckets and one point each 5 seconds by
https://cloud.google.com/monitoring/quotas, "Limits for user-defined metrics". That last one is held
by the service: when it measures that, no page says.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from airflow_multicloud.adapters.batches import BatchLimits
from airflow_multicloud.ports.metrics import MetricLimits, Repeats

PREFIX: Final = "custom.googleapis.com/"
LONGEST_TYPE: Final = 200
MOST_BUCKETS: Final = 200

LIMITS: Final = MetricLimits(
    points_per_request=200,
    bytes_per_request=None,
    most_attributes=30,
    # The namespace and a slash count, too.
    longest_name=LONGEST_TYPE - len(PREFIX),
    longest_attribute_name=100,
    longest_attribute_value=1024,
    # A series takes no point of a time that it has; what is refused is read back and compared.
    repeats=Repeats.KEPT_ONCE,
    oldest=timedelta(hours=25),
    newest=timedelta(minutes=5),
)

BATCH: Final = BatchLimits(records=LIMITS.points_per_request)
