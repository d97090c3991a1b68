"""What Application Insights takes of metrics.

"Application Insights limits"
(https://learn.microsoft.com/azure/azure-monitor/service-limits#application-insights): 64 KB for an
item, 64,000 items in a batch, names of properties of 150 and their values of 8,192 characters. A
metric's name has up to 1,024 characters and its namespace up to 256, as Microsoft's exporter
(``azure-monitor-opentelemetry-exporter``) cuts them. The times are those that the service names
when it refuses one: "Field 'time' on type 'Envelope' is older than the allowed min date. Expected:
now - 172800000ms", "… newer than the max date. Expected: now + 7200000ms".
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from airflow_multicloud.adapters.batches import BatchLimits
from airflow_multicloud.ports.metrics import MetricLimits, Repeats

#: Of one point as it is sent, in bytes.
MOST_BYTES: Final = 64 * 1024
LONGEST_NAMESPACE: Final = 256
#: The column that counts a point's values has 32 bits (table AppMetrics, ``ItemCount``).
MOST_VALUES: Final = 2**31 - 1

LIMITS: Final = MetricLimits(
    # Far fewer than it takes, as Microsoft's own SDKs do: an answer that is lost makes all of a
    # request unknown.
    points_per_request=500,
    bytes_per_request=1024 * 1024,
    # Nothing is documented but an item's size; this is far more than can be told apart.
    most_attributes=100,
    longest_name=1024,
    longest_attribute_name=150,
    longest_attribute_value=8192,
    repeats=Repeats.ADDED,
    oldest=timedelta(days=2),
    newest=timedelta(hours=2),
)

BATCHES: Final = BatchLimits(
    records=LIMITS.points_per_request, size=LIMITS.bytes_per_request, overhead=len(b",")
)
