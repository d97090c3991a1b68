"""What the Logs Ingestion API takes.

https://learn.microsoft.com/azure/azure-monitor/service-limits#logs-ingestion-api: 1 MB for a
call, packed or not, and 64 KB for a field, of which the rest is cut. Times:
https://learn.microsoft.com/azure/azure-monitor/logs/log-standard-columns#timegenerated: what is
older than two days or more than a day ahead gets the time of its arrival. The service says
neither, so such entries are not sent; where KB may be 1,000 or 1,024 bytes, it is 1,000 here.
"""

from __future__ import annotations

from datetime import timedelta

from airflow_multicloud.ports.logs import LogLimits

#: Of a text or of an object of texts, in UTF-8.
BYTES_PER_FIELD = 64_000
#: How far this machine's clock may be wrong, and a request may be on its way.
_MARGIN = timedelta(minutes=10)

LIMITS = LogLimits(
    entries_per_request=None,
    bytes_per_request=1_000_000,
    bytes_per_entry=BYTES_PER_FIELD,
    keeps_once=False,
    oldest=timedelta(days=2) - _MARGIN,
    newest=timedelta(days=1) - _MARGIN,
)
