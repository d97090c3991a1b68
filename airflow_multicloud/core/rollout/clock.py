"""The time, and waiting in work that can be stopped."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from airflow_multicloud.core import cancellation


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
