"""``FilterLogEvents``: over all streams, in the order of time, ingestion and coming."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_multicloud.testing.local_clouds.aws.logs.groups import Event, events_of, group_of
from airflow_multicloud.testing.local_clouds.aws.logs.patterns import matcher
from airflow_multicloud.testing.local_clouds.aws.logs.words import invalid
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import Call

#: "Each page returned can contain up to 1 MB of log events or up to 10,000 log events."
MOST_EVENTS = 10_000
_MOST_BYTES = 1_000_000


def filter_events(call: Call, *, scanned: int) -> Mapping[str, Any]:
    """A page of the events that fit.

    :param scanned: so many events are looked at for a page.
    """
    given = call.given
    if given.get("startFromHead") is False:
        raise invalid("startFromHead: false is not offered by this local CloudWatch Logs")
    streams, prefix = given.get("logStreamNames"), given.get("logStreamNamePrefix")
    if streams and prefix:
        raise invalid("logStreamNames and logStreamNamePrefix are mutually exclusive")
    name = given.get("logGroupName") or given.get("logGroupIdentifier", "").rpartition(":")[2]
    matches = matcher(given.get("filterPattern", ""))
    found = sorted(
        event
        for event in events_of(group_of(call.region, name))
        if given.get("startTime", 0) <= event.timestamp <= given.get("endTime", event.timestamp)
        and (not streams or event.stream in streams)
        and (not prefix or event.stream.startswith(prefix))
    )
    after = _place_of(given.get("nextToken"))
    left = [event for event in found if (event.timestamp, event.ingested, event.place) > after]
    events: list[Event] = []
    size = looked_at = 0
    for event in left[:scanned]:
        if matches(event.message):
            size += len(event.message.encode())
            if events and (size > _MOST_BYTES or len(events) >= given.get("limit", MOST_EVENTS)):
                break
            events.append(event)
        looked_at += 1
    return {
        "events": [_shown(event) for event in events],
        "searchedLogStreams": [],
        **({"nextToken": _token(left[looked_at - 1])} if looked_at < len(left) else {}),
    }


def _shown(event: Event) -> dict[str, Any]:
    return {
        "logStreamName": event.stream,
        "timestamp": event.timestamp,
        "message": event.message,
        "ingestionTime": event.ingested,
        "eventId": f"{event.timestamp:020d}{event.place:036d}",
    }


def _token(event: Event) -> str:
    return f"{event.timestamp}-{event.ingested}-{event.place}"


def _place_of(token: str | None) -> tuple[int, ...]:
    if token is None:
        return (-1,)
    parts = token.split("-")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):  # noqa: PLR2004 - as told
        raise invalid("The specified nextToken is invalid.")
    return tuple(map(int, parts))
