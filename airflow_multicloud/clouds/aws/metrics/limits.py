"""What CloudWatch takes.

PutMetricData, MetricDatum, Dimension and StatisticSet in the Amazon CloudWatch API Reference
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html), and
"CloudWatch quotas" in the user guide.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from airflow_multicloud.ports.metrics import MetricLimits, Repeats

#: "Each PutMetricData request is limited to 1 MB in size for HTTP POST requests" and "to no more
#: than 1000 different metrics". "You can use up to 30 dimensions per metric." "You can specify
#: time stamps that are as much as two weeks before the current date, and as much as 2 hours after
#: the current day and time."
LIMITS: Final = MetricLimits(
    points_per_request=1000,
    bytes_per_request=1_000_000,
    most_attributes=30,
    longest_name=255,
    longest_attribute_name=255,
    longest_attribute_value=1024,
    # What CloudWatch has of one second (or minute) of a metric is the statistics of all that came.
    repeats=Repeats.ADDED,
    oldest=timedelta(days=14),
    newest=timedelta(hours=2),
)
LONGEST_NAMESPACE: Final = 255
#: "You can include up to 150 unique values in each PutMetricData action that specifies a Values
#: array."
VALUES_PER_DATUM: Final = 150
#: "Values must be in the range of -2^360 to 2^360."
LARGEST_VALUE: Final = 2.0**360
#: "rejects values that are either too small or too large".
SMALLEST_VALUE: Final = 2.0**-360

#: "Data points with a period of less than 60 seconds are available for 3 hours", "of 60 seconds
#: for 15 days", "of 300 seconds for 63 days", "of 3600 seconds for 455 days" (GetMetricData): what
#: is older than this → is kept by this; oldest first.
KEPT_BY: Final = (
    (timedelta(days=63), timedelta(hours=1)),
    (timedelta(days=15), timedelta(minutes=5)),
    (timedelta(hours=3), timedelta(minutes=1)),
)
#: "ListMetrics doesn't return information about metrics if those metrics haven't reported data in
#: the past two weeks."
LISTED_FOR: Final = timedelta(days=14)
#: Of GetMetricData: "can retrieve as many as 500 different metrics in a single request".
QUERIES_PER_REQUEST: Final = 500
#: Dimensions of ListMetrics: "Array Members: Maximum number of 10 items."
FILTERS_PER_REQUEST: Final = 10
