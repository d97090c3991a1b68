"""Entries as Cloud Logging has them, and back.

The message is the ``textPayload`` and attributes are labels: both are indexed and shown by every
reader of Google's, and no character of a text means anything there. The id of a trace is the
``trace``, which leads to Cloud Trace; any other correlation id is a label, and so is the severity
TRACE, which Google does not have.

https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from typing import Any, Final

from google.cloud.logging_v2.types import LogEntry as Record

from airflow_multicloud.adapters.tallies import Change
from airflow_multicloud.clouds.gcp.logs.filters import CORRELATION_LABEL
from airflow_multicloud.clouds.gcp.logs.limits import LABEL_KEY, LABEL_VALUE, LABELS
from airflow_multicloud.clouds.gcp.logs.payloads import message_and_fields
from airflow_multicloud.ports.accounting import ConversionKind
from airflow_multicloud.ports.logs import LogEntry, Severity

#: The class of Google's own message: of thousands, its wrapper would take longer than the network.
_RECORD: Final = type(Record.pb(Record()))

_SEVERITY_LABEL: Final = "multicloud_severity"
_OURS: Final = (CORRELATION_LABEL, _SEVERITY_LABEL)

#: https://opentelemetry.io/docs/specs/otel/logs/data-model-appendix/#google-cloud-logging
_NUMBERS: Final = {
    Severity.TRACE: 100,
    Severity.DEBUG: 100,
    Severity.INFO: 200,
    Severity.WARN: 400,
    Severity.ERROR: 500,
    Severity.FATAL: 600,
}
_TRACE: Final = re.compile(r"[0-9a-f]{32}")
_HALVES: Final = re.compile("[\ud800-\udfff]")


def record_of(entry: LogEntry, *, project: str, insert_id: str) -> tuple[Any, tuple[Change, ...]]:
    """An entry as Google's message, and what is not kept of it.

    :param project: of the trace.
    :param insert_id: for one that has none.
    """
    changes: list[Change] = []
    trace, labels = "", {}
    if entry.correlation_id is not None:
        if _TRACE.fullmatch(entry.correlation_id):
            trace = f"projects/{project}/traces/{entry.correlation_id}"
        else:
            labels[CORRELATION_LABEL] = _value_of(entry.correlation_id, changes)
    if entry.severity is Severity.TRACE:
        labels[_SEVERITY_LABEL] = Severity.TRACE.value
    _add_attributes(entry.attributes, labels, changes)
    record = _RECORD(
        text_payload=_text_of(entry.message, changes),
        severity=_NUMBERS[entry.severity],
        insert_id=_text_of(entry.insert_id or insert_id, changes),
        trace=trace,
        labels=labels,
    )
    record.timestamp.FromDatetime(entry.time)
    return record, tuple(changes)


def entry_of(record: Any) -> LogEntry:
    """An entry of any writer.

    A time keeps its microseconds of its nanoseconds.
    """
    labels = dict(record.labels)
    correlation_id = labels.pop(CORRELATION_LABEL, None)
    message, fields = message_and_fields(record)
    severity = _severity_of(record.severity)
    if severity is Severity.DEBUG and labels.get(_SEVERITY_LABEL) == Severity.TRACE:
        severity = Severity(labels.pop(_SEVERITY_LABEL))
    if record.trace:
        correlation_id = record.trace.rpartition("/traces/")[2]
    return LogEntry(
        time=record.timestamp.ToDatetime(tzinfo=UTC),
        message=message,
        severity=severity,
        correlation_id=correlation_id,
        insert_id=record.insert_id or None,
        attributes={**fields, **labels},
    )


def _severity_of(number: int) -> Severity:
    """The highest that is not above it: NOTICE is INFO; DEFAULT, where none was given, too."""
    if not number:
        return Severity.INFO
    return next((one for one in reversed(Severity) if _NUMBERS[one] <= number), Severity.DEBUG)


def _add_attributes(
    attributes: Mapping[str, str], labels: dict[str, str], changes: list[Change]
) -> None:
    """The attributes, as far as labels take them."""
    for name, value in attributes.items():
        if name in _OURS:
            changes.append(_lost(f"attributes: {name} is a label of this package's own"))
        elif not name or _HALVES.search(name):
            changes.append(_lost("attributes: a name that is empty, or no text"))
        elif len(name.encode()) > LABEL_KEY:
            changes.append(_lost(f"attributes: a name of more than {LABEL_KEY} bytes"))
        elif len(labels) >= LABELS:
            changes.append(_lost(f"attributes: more than an entry's {LABELS} labels"))
        else:
            labels[name] = _value_of(value, changes)


def _value_of(value: str, changes: list[Change]) -> str:
    text = _text_of(value, changes)
    encoded = text.encode()
    if len(encoded) <= LABEL_VALUE:
        return text
    told = f"a label's value of more than {LABEL_VALUE} bytes"
    changes.append(Change(ConversionKind.ATTRIBUTE_CUT, told))
    return encoded[:LABEL_VALUE].decode(errors="ignore")


def _text_of(text: str, changes: list[Change]) -> str:
    """A text that UTF-8 can encode."""
    if not _HALVES.search(text):
        return text
    changes.append(
        Change(ConversionKind.TEXT_CUT, "a half of a pair of surrogates, which is no character")
    )
    return _HALVES.sub("\ufffd", text)


def _lost(detail: str) -> Change:
    return Change(ConversionKind.ATTRIBUTE_LOST, detail)
