"""What Cloud Logging takes.

https://cloud.google.com/logging/quotas, "Logging usage limits" and "Logging API quotas and limits".
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from airflow_multicloud.adapters.batches import BatchLimits
from airflow_multicloud.ports.logs import LogLimits

#: Nothing is said of how many entries a request takes. Entries older than the log bucket's
#: retention are accepted, but not stored; 30 days is what a bucket has unless it is set otherwise.
LIMITS: Final = LogLimits(
    entries_per_request=None,
    bytes_per_request=10_000_000,
    # "Approximate, and based on internal data sizes": Google's KB may be 1,000 or 1,024 bytes.
    bytes_per_entry=256_000,
    keeps_once=True,
    oldest=timedelta(days=30),
    newest=timedelta(days=1),
)

#: Labels of one entry.
LABELS: Final = 64
#: Bytes of a label's key and value; Cloud Logging cuts longer ones.
LABEL_KEY: Final = 512
LABEL_VALUE: Final = 64_000

#: Bytes of what every entry and every request has beside its own: the log's name, percent-encoded,
#: and the monitored resource.
OVERHEAD: Final = 2_000
#: So many entries go into one request, so that one lost answer leaves few of them unknown.
BATCH: Final = BatchLimits(records=1000, size=LIMITS.bytes_per_request - OVERHEAD, overhead=8)

#: Entries of one page, the most that may be asked for; a page has fewer where they are large.
PAGE: Final = 1000
#: Characters of a query.
QUERY: Final = 20_000
