"""Records as people and programs write them, read as log entries."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard

import msgspec

from airflow_multicloud.labels import Work
from airflow_multicloud.ports.logs import LogEntry, Severity

#: What an entry's message and its attributes may have together, in characters. No cloud takes more
#: of one (CloudWatch Logs: 1 MB), and memory is bounded by it.
LONGEST = 1 << 20
_SAMPLE = 80

_KEYS = ("time", "message", "severity", "correlation_id", "attributes")
#: What other programs call the same: Airflow's own log files, structlog, zap, pino, ECS.
_ALSO = {
    "time": ("time", "timestamp", "ts", "@timestamp"),
    "message": ("message", "event", "msg"),
    "severity": ("severity", "level", "log.level"),
    "correlation_id": ("correlation_id", "trace_id", "trace.id"),
}
_SEVERITIES = {
    **{severity.value: severity for severity in Severity},
    "WARNING": Severity.WARN,
    "CRITICAL": Severity.FATAL,
    "NOTICE": Severity.INFO,
    "INFORMATION": Severity.INFO,
    "ALERT": Severity.FATAL,
    "EMERGENCY": Severity.FATAL,
    "EXCEPTION": Severity.ERROR,
    "DPANIC": Severity.FATAL,
    "PANIC": Severity.FATAL,
}
#: The numbers that pino writes as ``level``: https://github.com/pinojs/pino/blob/main/docs/api.md
_PINO_LEVELS: Mapping[float, Severity] = {
    10: Severity.TRACE,
    20: Severity.DEBUG,
    30: Severity.INFO,
    40: Severity.WARN,
    50: Severity.ERROR,
    60: Severity.FATAL,
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Numbers that are a time from 1973 to 5138: in seconds since 1970, as zap writes it, and in
#: milliseconds, as pino does. So no number is both.
_IN_SECONDS = (10**8, 10**11)
_IN_MILLISECONDS = (10**11, 10**14)
_CORRELATION = re.compile(r"[!-~]{1,128}")
_TIME = "in ISO 8601 with its offset from UTC, like 2026-11-29T12:00:00.5Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where records come from, which all of their entries tell.

    :param start: the time of the first record, for those that have none of their own; each later
        one is a microsecond after the one before, so that their order is kept.
    :param work: the task; empty outside of Airflow.
    :param severity: of records that have none.
    :param correlation_id: of records that have none.
    :param airflow: which Airflow's task it is; empty when nothing tells.
    """

    log: str
    start: datetime
    work: Work = Work()
    severity: Severity = Severity.INFO
    correlation_id: str | None = None
    airflow: str = ""

    @property
    def attributes(self) -> dict[str, str]:
        """What tells entries of different tasks apart."""
        index = self.work.map_index
        known = {
            "airflow.dag_id": self.work.dag_id,
            "airflow.task_id": self.work.task_id,
            "airflow.run_id": self.work.run_id,
            "airflow.map_index": "" if index is None or index < 0 else str(index),
        }
        return {name: value for name, value in known.items() if value}


@dataclass(frozen=True, slots=True)
class Unread:
    """A record that can't be read.

    :param shown: which one, and how it begins.
    :param reason: in words that are the same for all that share it.
    """

    shown: str
    reason: str


class BadRecordError(ValueError):
    """A record is wrong; its text is a reason without the record's own values."""


def read_records(
    records: Iterator[tuple[str, object]], origin: Origin
) -> Iterator[LogEntry | Unread]:
    """The entries of records, in order.

    :param records: each with what it is called (``records[3]``).
    """
    for place, (name, record) in enumerate(records):
        try:
            yield entry_of(record, place, origin)
        except BadRecordError as err:
            yield Unread(f"{name}: {_begin(record)}", str(err))


def entry_of(record: object, place: int, origin: Origin, *, of_others: bool = False) -> LogEntry:
    """One record as an entry.

    :param place: how many records came before it.
    :param of_others: whether another program wrote it: its names for time, message and severity
        are known, and what is none of these becomes an attribute.
    :raises BadRecordError: naming what is wrong with it.
    """
    if not isinstance(record, Mapping):
        raise BadRecordError(f"no object, expected one with {', '.join(_KEYS)}")
    fields = _as_ours(record) if of_others else _checked(record)
    message = fields.get("message")
    if not isinstance(message, str):
        raise BadRecordError("message: it is missing or no text")
    time = _time(fields.get("time"), place, origin)
    severity = _severity(fields.get("severity"), origin)
    given = _attributes(fields.get("attributes"))
    correlation_id = _correlation(fields.get("correlation_id"))
    texts = (message, *given, *given.values())
    if sum(map(len, texts)) > LONGEST:
        raise BadRecordError(f"longer than {LONGEST} characters")
    if not all(map(_is_unicode, texts)):
        raise BadRecordError("half of a surrogate pair in it, which no cloud can hold")
    exact = (place, time.isoformat(), message, severity, correlation_id, sorted(given.items()))
    return LogEntry(
        time=time,
        message=message,
        severity=severity,
        correlation_id=correlation_id or origin.correlation_id,
        insert_id=_insert_id(origin, exact),
        attributes={**given, **origin.attributes},
    )


def severity_of(given: object) -> Severity:
    """A severity by its name, in any case, or by a name that other programs have for it.

    :raises BadRecordError: for another.
    """
    found = _SEVERITIES.get(given.strip().upper()) if isinstance(given, str) else None
    if found is None:
        raise BadRecordError(f"severity: not one of {', '.join(Severity)}")
    return found


def time_of(given: object) -> datetime:
    """A time, in UTC.

    :raises BadRecordError: for none, and for one without its offset.
    """
    found = given
    if isinstance(given, str):
        try:
            found = datetime.fromisoformat(given.strip())
        except ValueError:
            found = None
    if not isinstance(found, datetime) or found.tzinfo is None:
        raise BadRecordError(f"time: it is none {_TIME}")
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise BadRecordError("time: it is beyond what a date can be") from None


def correlation_of(given: object) -> str:
    """What ties entries together.

    :raises BadRecordError: for what some cloud could not hold, or could not find again.
    """
    if not isinstance(given, str) or not _CORRELATION.fullmatch(given):
        raise BadRecordError("correlation_id: expected 1 to 128 visible characters of ASCII")
    return given


def _insert_id(origin: Origin, exact: object) -> str:
    """The same for every try of a task, and for nothing else."""
    work = origin.work
    whose = [origin.log, work.dag_id, work.run_id, work.task_id, work.map_index, origin.airflow]
    return hashlib.sha256(msgspec.json.encode((whose, exact))).hexdigest()[:32]


def _checked(record: Mapping[Any, Any]) -> Mapping[Any, Any]:
    if unknown := sorted(str(key) for key in record if key not in _KEYS):
        shown = ", ".join(unknown[:5])[:_SAMPLE]
        raise BadRecordError(f"unknown {shown}; allowed: {', '.join(_KEYS)}")
    return record


def _as_ours(record: Mapping[Any, Any]) -> Mapping[str, Any]:
    left = dict(record)
    if _is_number(level := left.get("level")):
        left["level"] = _PINO_LEVELS.get(level, level)
    found: dict[str, Any] = {}
    for name, names in _ALSO.items():
        for other in names:
            if found.get(name) is None and other in left:
                found[name] = left.pop(other)
    if "time" in found:
        found["time"] = _from_epoch(found["time"])
    inner = left.pop("attributes", None)
    if isinstance(inner, Mapping):
        left.update(inner)
    elif inner is not None:
        left["attributes"] = inner
    return {**found, "attributes": left}


def _from_epoch(given: object) -> object:
    """A time for a number that is one; anything else as it is."""
    if _is_number(given):
        if _IN_SECONDS[0] <= given < _IN_SECONDS[1]:
            return _EPOCH + timedelta(seconds=given)
        if _IN_MILLISECONDS[0] <= given < _IN_MILLISECONDS[1]:
            return _EPOCH + timedelta(milliseconds=given)
    return given


def _is_number(given: object) -> TypeGuard[int | float]:
    return isinstance(given, int | float) and not isinstance(given, bool)


def _time(given: object, place: int, origin: Origin) -> datetime:
    if given not in (None, ""):
        return time_of(given)
    try:
        return origin.start + timedelta(microseconds=place)
    except OverflowError:
        raise BadRecordError(
            "time: it has none, and counted from start it is beyond what a date can be"
        ) from None


def _severity(given: object, origin: Origin) -> Severity:
    return origin.severity if given in (None, "") else severity_of(given)


def _correlation(given: object) -> str | None:
    return None if given in (None, "") else correlation_of(given)


def _attributes(given: object) -> dict[str, str]:
    if given in (None, ""):
        return {}
    if not isinstance(given, Mapping):
        raise BadRecordError("attributes: no object")
    return {_name(name): text for name, value in given.items() if (text := _text(value)) != ""}


def _name(name: object) -> str:
    if not isinstance(name, str) or not name.strip():
        raise BadRecordError("attributes: an empty name")
    return name


def _text(value: object) -> str:
    """An attribute's value; what is no text is written as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError, OverflowError):
        raise BadRecordError("attributes: a value that can't be written as JSON") from None


def _is_unicode(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _begin(record: object) -> str:
    message = record.get("message", "") if isinstance(record, Mapping) else record
    return str(message)[:_SAMPLE]
