"""``PutLogEvents``: some times cost their events, everything else the whole request.

PutLogEvents in the Amazon CloudWatch Logs API Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from airflow_multicloud.testing.local_clouds.aws.logs.groups import (
    group_of,
    keep,
    retention_days,
    stream_of,
)
from airflow_multicloud.testing.local_clouds.aws.logs.words import invalid
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import Call
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import SeededDeliveryFaults

_MOST_BYTES = 1_048_576
_EVENT_BYTES = 26
_HOUR_MS = 60 * 60 * 1000
_DAY_MS = 24 * _HOUR_MS
_OLDEST_MS, _NEWEST_MS = 14 * _DAY_MS, 2 * _HOUR_MS


def put(call: Call, faults: SeededDeliveryFaults) -> Mapping[str, Any]:
    """Keep the events of a request."""
    given = call.given
    group = group_of(call.region, given["logGroupName"])
    stream = stream_of(group, given["logStreamName"])
    events = given["logEvents"]
    sizes = [len(event["message"].encode()) + _EVENT_BYTES for event in events]
    if min(sizes) <= _EVENT_BYTES:
        raise invalid("Log event message must not be empty.")
    if max(sizes) > _MOST_BYTES:
        raise invalid(f"Log event too large: {max(sizes)} bytes exceeds limit of {_MOST_BYTES}")
    if sum(sizes) > _MOST_BYTES:
        raise invalid(f"Upload too large: {sum(sizes)} bytes exceeds limit of {_MOST_BYTES}")
    times = [event["timestamp"] for event in events]
    if any(earlier > later for earlier, later in pairwise(times)):
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")
    for place, event in enumerate(events):
        if faults.rejects(event["message"]):
            raise invalid(f"logEvents.{place}: a fault was planted")
    now = int(datetime.now(UTC).timestamp() * 1000)
    first = sum(time < now - _OLDEST_MS for time in times)
    end = sum(time <= now + _NEWEST_MS for time in times)
    days = retention_days(group)
    expired = 0 if days is None else sum(time < now - days * _DAY_MS for time in times)
    valid = events[max(first, expired) : end]
    if valid and valid[-1]["timestamp"] - valid[0]["timestamp"] > _DAY_MS:
        raise invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 "
            "hours."
        )
    if valid:
        keep(stream, valid)
    told = {
        **({"tooOldLogEventEndIndex": first} if first else {}),
        **({"expiredLogEventEndIndex": expired} if expired > first else {}),
        **({"tooNewLogEventStartIndex": end} if end < len(events) else {}),
    }
    return {"rejectedLogEventsInfo": told} if told else {}
