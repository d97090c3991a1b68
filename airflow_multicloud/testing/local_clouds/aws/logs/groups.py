"""moto's log groups, looked into: what is reached of moto without being documented is here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.logs.models import logs_backends

from airflow_multicloud.testing.local_clouds.aws.logs.words import missing


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """One event; events are in the order that CloudWatch Logs shows them in.

    :param place: in the order of coming, over all streams.
    """

    timestamp: int
    ingested: int
    place: int
    stream: str
    message: str


def group_of(region: str, name: str) -> Any:
    """A log group.

    :raises Refused: when there is none.
    """
    group = logs_backends[DEFAULT_ACCOUNT_ID][region].groups.get(name)
    if group is None:
        raise missing("log group")
    return group


def stream_of(group: Any, name: str) -> Any:
    """A log stream.

    :raises Refused: when there is none.
    """
    stream = group.streams.get(name)
    if stream is None:
        raise missing("log stream")
    return stream


def retention_days(group: Any) -> int | None:
    """For how many days a group keeps events."""
    found = group.retention_in_days
    return None if found is None else int(found)


def keep(stream: Any, events: Sequence[Mapping[str, Any]]) -> None:
    """Add events to a stream."""
    stream.put_log_events([dict(event) for event in events])


def events_of(group: Any) -> Iterator[Event]:
    """The events of all streams, in no order."""
    for name, stream in list(group.streams.items()):
        for event in list(stream.events):
            yield Event(event.timestamp, event.ingestion_time, event.event_id, name, event.message)
