"""From an entry to a record of the stream, and from a row of the table to an entry.

A record's columns are in the package's docstring.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_multicloud.adapters.answers import MALFORMED
from airflow_multicloud.adapters.batches import Prepared, dropped
from airflow_multicloud.adapters.entries import entry_name, why_not_writable
from airflow_multicloud.adapters.tallies import Change, Reason
from airflow_multicloud.clouds.azure.logs.limits import BYTES_PER_FIELD, LIMITS
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.accounting import ConversionKind
from airflow_multicloud.ports.logs import LogEntry, Severity

if TYPE_CHECKING:
    from azure.monitor.query import LogsTableRow

_REPLACED = Change(
    ConversionKind.TEXT_CUT,
    "halves of surrogate pairs, which no UTF-8 can hold, became U+FFFD",
)
_SEVERITIES = frozenset(Severity)


def prepared(entry: LogEntry, log: str, insert_id: str) -> Prepared[bytes] | Reason:
    """One entry as JSON, or why it can't be written.

    :param insert_id: for an entry that has none.
    """
    if (reason := why_not_writable(entry, LIMITS)) is not None:
        return reason
    attributes = _encodable(_json(dict(entry.attributes))) if entry.attributes else "{}"
    fields = {
        "message": entry.message,
        "correlation_id": entry.correlation_id or "",
        "insert_id": entry.insert_id or insert_id,
        "attributes": attributes,
    }
    kept = {name: _encodable(text) for name, text in fields.items()}
    for name, text in kept.items():
        if len(text.encode()) > BYTES_PER_FIELD:
            return dropped(ErrorKind.INVALID_ARGUMENT, _too_long(name))
    record = _json(
        {
            "TimeGenerated": entry.time.astimezone(UTC).isoformat(timespec="microseconds"),
            "Message": kept["message"],
            "SeverityText": entry.severity.value,
            "CorrelationId": kept["correlation_id"],
            "InsertId": kept["insert_id"],
            "LogName": log,
            "Attributes": json.loads(attributes),
        }
    ).encode()
    if len(record) + len(b"[]") > LIMITS.bytes_per_request:
        return dropped(
            ErrorKind.INVALID_ARGUMENT,
            f"the whole entry: longer as JSON than a request of {LIMITS.bytes_per_request} bytes",
        )
    same = all(_encodable(text) == text for text in _texts(entry))
    return Prepared(
        name=entry_name(entry),
        records=(record,),
        size=len(record),
        changes=() if same else (_REPLACED,),
    )


def entry_of(row: LogsTableRow) -> LogEntry:
    """The entry that a row holds, whoever wrote it; what it lacks is left out.

    :raises TypeError: when its time is none.
    """
    time = row["TimeGenerated"]
    if not isinstance(time, datetime):
        raise TypeError(f"TimeGenerated: {time!r}")
    return LogEntry(
        time=time.astimezone(UTC),
        message=_text(row["Message"]),
        severity=_severity(row["SeverityText"]),
        correlation_id=_text(row["CorrelationId"]) or None,
        insert_id=_text(row["InsertId"]) or None,
        attributes=_attributes(row["AttributesText"]),
    )


def _text(value: object) -> str:
    """What a column holds, whose type need not be a text in a table of others."""
    if value is None:
        return ""
    return value if isinstance(value, str) else _json(value)


def _severity(text: object) -> Severity:
    """``INFO`` for what is none of ours: other writers may have put it there."""
    return Severity(text) if isinstance(text, str) and text in _SEVERITIES else Severity.INFO


def _attributes(text: object) -> Mapping[str, str]:
    """Nothing, where they are no object, or none that can be read: too deep, for example."""
    try:
        found: Any = json.loads(text or "{}") if isinstance(text, str) else text
        return {name: _text(value) for name, value in found.items()}
    except MALFORMED:
        return {}


def _texts(entry: LogEntry) -> tuple[str, ...]:
    others = (entry.correlation_id or "", entry.insert_id or "")
    return (entry.message, *others, *entry.attributes.keys(), *entry.attributes.values())


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _encodable(text: str) -> str:
    """The text with U+FFFD for what UTF-8 can't hold; two halves that belong together are one."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _too_long(name: str) -> str:
    return f"{name}: longer than {BYTES_PER_FIELD} bytes, of which Azure would cut the rest"
