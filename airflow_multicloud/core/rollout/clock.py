"""The time, and waiting in work that can be stopped."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from airflow_multicloud.core import cancellation

#: How long a listing may not show a new instance. EC2 names no time ("eventual consistency" in its
#: API guide); what others saw is seconds.
LISTINGS_LAG = timedelta(seconds=30)


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def pause_for(seconds: float) -> None:
    """Wait, looking every now and then whether to go on.

    :raises WorkCancelledError: when the work is told to stop.
    """
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        cancellation.check()
        time.sleep(min(left, cancellation.LOOK))
