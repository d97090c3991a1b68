"""Entries as events of CloudWatch Logs: each is a JSON object, which its filter patterns can read.

An event's own time has milliseconds; the entry's, with microseconds, is in the object. Events that
somebody else wrote are entries whose message is the whole event.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_multicloud.adapters.batches import Prepared, dropped
from airflow_multicloud.adapters.entries import entry_name, why_not_writable
from airflow_multicloud.adapters.tallies import Reason
from airflow_multicloud.clouds.aws.logs.limits import EVENT_BYTES, LIMITS, SPAN_MS
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.logs import LogEntry, Severity

Record = Mapping[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

# Members of an event. Filters name some of them.
MESSAGE, SEVERITY, CORRELATION = "message", "severity", "correlation_id"
_TIME, _INSERT, _ATTRIBUTES = "time", "insert_id", "attributes"


def milliseconds(moment: datetime) -> int:
    """Since 1970, the rest left out."""
    return (moment - _EPOCH) // _MILLISECOND


def prepared(entry: LogEntry) -> Prepared[Record] | Reason:
    """An entry as CloudWatch Logs takes it, or why it can't be written there."""
    if (reason := why_not_writable(entry, LIMITS)) is not None:
        return reason
    text = _event_text(entry)
    size = len(text.encode()) + EVENT_BYTES
    if size > LIMITS.bytes_per_entry:
        return dropped(
            ErrorKind.INVALID_ARGUMENT,
            f"message: as an event it has more than {LIMITS.bytes_per_entry - EVENT_BYTES} bytes",
        )
    time = milliseconds(entry.time)
    return Prepared(
        name=entry_name(entry),
        records=({"timestamp": time, "message": text},),
        size=size,
        apart=time // SPAN_MS,
    )


def entry_of(event: Mapping[str, Any]) -> LogEntry:
    """The entry that an event is."""
    stamp, text = event["timestamp"], event["message"]
    found = _own(text)
    if found is None:
        return LogEntry(time=_moment(stamp), message=text)
    return LogEntry(
        time=_time_of(found, stamp),
        message=found[MESSAGE],
        severity=Severity(found[SEVERITY]),
        correlation_id=_text_or_none(found.get(CORRELATION)),
        insert_id=_text_or_none(found.get(_INSERT)),
        attributes={
            name: value
            for name, value in (found.get(_ATTRIBUTES) or {}).items()
            if isinstance(value, str)
        },
    )


def _event_text(entry: LogEntry) -> str:
    members: dict[str, Any] = {
        _TIME: entry.time.astimezone(UTC).isoformat(timespec="microseconds"),
        SEVERITY: str(entry.severity),
        MESSAGE: entry.message,
    }
    if entry.correlation_id is not None:
        members[CORRELATION] = entry.correlation_id
    if entry.insert_id is not None:
        members[_INSERT] = entry.insert_id
    if entry.attributes:
        members[_ATTRIBUTES] = dict(entry.attributes)
    text = json.dumps(members, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # halves of surrogate pairs, which only escapes can write
        return json.dumps(members)
    return text


def _own(text: str) -> dict[str, Any] | None:
    """The members of an event that was written here; ``None`` for those of others."""
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    attributes = found.get(_ATTRIBUTES)
    fits = (
        isinstance(found.get(MESSAGE), str)
        and isinstance(severity := found.get(SEVERITY), str)
        and severity in set(Severity)
        and (attributes is None or isinstance(attributes, dict))
    )
    return found if fits else None


def _time_of(found: Mapping[str, Any], stamp: int) -> datetime:
    """The entry's own time, where it is within the event's millisecond."""
    try:
        time = datetime.fromisoformat(found[_TIME])
        own = milliseconds(time) == stamp
    except (LookupError, TypeError, ValueError, OverflowError):
        own = False
    return time.astimezone(UTC) if own else _moment(stamp)


def _moment(stamp: int) -> datetime:
    return _EPOCH + stamp * _MILLISECOND


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None
