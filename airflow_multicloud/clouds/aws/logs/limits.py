"""What CloudWatch Logs takes.

PutLogEvents in the Amazon CloudWatch Logs API Reference
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html), and
"CloudWatch Logs quotas" in the user guide.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from airflow_multicloud.ports.logs import LogLimits

#: "The maximum batch size is 1,048,576 bytes. This size is calculated as the sum of all event
#: messages in UTF-8, plus 26 bytes for each log event." "Each log event can be no larger than 1
#: MB." "The maximum number of log events in a batch is 10,000." "Events more than 2 hours in the
#: future are rejected", and "older than 14 days".
LIMITS: Final = LogLimits(
    entries_per_request=10_000,
    bytes_per_request=1_048_576,
    bytes_per_entry=1_048_576,
    keeps_once=False,
    oldest=timedelta(days=14),
    newest=timedelta(hours=2),
)
EVENT_BYTES: Final = 26
#: "the time span in a single batch cannot exceed 24 hours": those of one day have less.
SPAN_MS: Final = 24 * 60 * 60 * 1000
#: FilterPattern: "Length Constraints: Maximum length of 1024." (FilterLogEvents)
LONGEST_PATTERN: Final = 1024
#: What retention is at least: RetentionInDays of PutRetentionPolicy.
SHORTEST_RETENTION: Final = timedelta(days=1)
