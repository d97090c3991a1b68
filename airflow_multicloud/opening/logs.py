"""What is shipped to logs and asked of them, opened from what was given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from opentelemetry import trace

from airflow_multicloud.adapters.entries import check_log
from airflow_multicloud.choices import choice
from airflow_multicloud.core.deliveries import OnInvalid, Settled
from airflow_multicloud.core.logs.lines import LineFormat, format_of, read_lines
from airflow_multicloud.core.logs.records import (
    BadRecordError,
    Origin,
    Unread,
    correlation_of,
    read_records,
    severity_of,
    time_of,
)
from airflow_multicloud.core.logs.shipping import Shipment, ShipReport, ship
from airflow_multicloud.core.success import check_ratios
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import ErrorKind, LogsError
from airflow_multicloud.labels import current_work
from airflow_multicloud.lists import elements
from airflow_multicloud.opening.airflow_id import airflow_id
from airflow_multicloud.opening.deliveries import check_conn_ids, open_destination
from airflow_multicloud.opening.places import stream_place
from airflow_multicloud.opening.spooling import Spool, is_read_once
from airflow_multicloud.ports.logs import LogEntry, LogQuery, Logs, Severity
from airflow_multicloud.text import given_text

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What is shipped, as it was given; see :func:`airflow_multicloud.api.ship_logs`."""

    records: object = None
    source: str | Path | None = None
    source_format: object = None
    on_invalid: object = OnInvalid.FAIL
    min_success_ratio: object = 1.0
    severity: object = Severity.INFO
    correlation_id: str | None = None
    start: object = None


def shipped(
    destinations: object,
    log: str,
    given: Given,
    *,
    settled: Settled | None = None,
) -> ShipReport:
    """Check what was given, open the destinations, and ship; whatever comes of it is told.

    :param settled: as for :func:`~airflow_multicloud.core.logs.shipping.ship`.
    :raises LogsError: kind ``invalid_argument``, naming the parameter; nothing was sent then.
    """
    with operation("ship_logs", multicloud__log=log) as span, ExitStack() as kept:
        conn_ids = check_conn_ids(destinations, "destinations", error=LogsError)
        check_log(log, cloud="")
        on_invalid = choice("on_invalid", given.on_invalid, OnInvalid, error=LogsError)
        shipment = Shipment(
            log=log,
            read=_reader(given, _origin(log, given), twice=on_invalid is OnInvalid.FAIL, kept=kept),
            on_invalid=on_invalid,
            ratios=check_ratios(given.min_success_ratio, conn_ids, error=LogsError),
            destinations=[open_destination(Logs, one) for one in conn_ids],
        )
        span.set_attribute("multicloud.destinations", len(conn_ids))
        return ship(shipment, settled)


def _origin(log: str, given: Given) -> Origin:
    no_start = given.start in (None, "")
    return Origin(
        log=log,
        start=datetime.now(UTC) if no_start else parsed("start", time_of, given.start),
        work=current_work(),
        severity=parsed("severity", severity_of, given.severity),
        correlation_id=_correlation(given.correlation_id) or current_trace_id(),
        airflow=airflow_id(),
    )


def open_query(
    *,
    since: object = None,
    until: object = None,
    window: object = None,
    text: str | None = None,
    severity: object = None,
    correlation_id: str | None = None,
) -> LogQuery:
    """The question that was asked; see :func:`airflow_multicloud.api.query_logs`.

    :raises LogsError: kind ``invalid_argument``, naming the parameter.
    """
    last = datetime.now(UTC) if until in (None, "") else parsed("until", time_of, until)
    if (since in (None, "")) is (window in (None, "")):
        raise _refused("since, window: expected one of them")
    try:
        first = last - _window(window) if since in (None, "") else parsed("since", time_of, since)
        return LogQuery(
            since=first,
            until=last,
            text=_text("text", text),
            severity=None if severity in (None, "") else parsed("severity", severity_of, severity),
            correlation_id=_text("correlation_id", correlation_id),
        )
    except (ValueError, OverflowError) as err:
        raise _refused(str(err)) from None


def current_trace_id() -> str | None:
    """The id of the trace that this is part of, as 32 hexadecimal digits."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None


def parsed(parameter: str, read: Callable[[object], T], given: object) -> T:
    """A value as a record has it, given as a parameter.

    :raises LogsError: kind ``invalid_argument``.
    """
    try:
        return read(given)
    except BadRecordError as err:
        why = str(err).partition(": ")[2]
        raise _refused(f"{parameter}: {given_text(given)} given: {why}") from None


def whole_number(parameter: str, given: object, default: int, *, most: int | None = None) -> int:
    """A whole number of at least 1, also as a text.

    :param default: what it is where nothing is given.
    :raises LogsError: kind ``invalid_argument``.
    """
    if given in (None, ""):
        return default
    try:
        number = int(given) if isinstance(given, int | str) else 0
    except ValueError:
        number = 0
    if isinstance(given, bool) or number < 1 or (most is not None and number > most):
        upto = "" if most is None else f" to {most}"
        raise _refused(
            f"{parameter}: {given_text(given)} given, expected a whole number from 1{upto}"
        )
    return number


def _reader(
    given: Given, origin: Origin, *, twice: bool, kept: ExitStack
) -> Callable[[], Iterable[LogEntry | Unread]]:
    """What reads all from the beginning.

    :param twice: whether it is called twice.
    :param kept: closes what is kept in between.
    """
    records, source, source_format = given.records, given.source, given.source_format
    if (records is None) is (source in (None, "")):
        raise _refused("records, source: expected one of them")
    if source is None or source == "":
        found: tuple[Mapping[Any, Any], ...] = elements(
            records, "records", Mapping, what="records (objects)", error=LogsError
        )
        return lambda: read_records(
            ((f"records[{number}]", record) for number, record in enumerate(found)), origin
        )
    if str(source).endswith((".gz", ".bz2", ".xz", ".zst")):
        raise _refused(f"source: {source} is compressed; give the file as it is unpacked")
    lines = (
        format_of(str(source))
        if source_format in (None, "")
        else choice("source_format", source_format, LineFormat, error=LogsError)
    )
    if twice and is_read_once(source):
        spool = kept.enter_context(closing(Spool("source", source)))
        return lambda: read_lines(spool.read(), lines, origin)
    return lambda: read_lines(stream_place("source", source), lines, origin)


def _correlation(given: object) -> str | None:
    return None if given in (None, "") else parsed("correlation_id", correlation_of, given)


def _text(parameter: str, given: object) -> str | None:
    if given is not None and not isinstance(given, str):
        raise _refused(f"{parameter}: {given_text(given)} given, expected a text")
    return given or None


def _window(given: object) -> timedelta:
    if isinstance(given, timedelta):
        return given
    try:
        if isinstance(given, int | float | str) and not isinstance(given, bool):
            return timedelta(seconds=float(given))
    except (ValueError, OverflowError):
        pass
    raise _refused(f"window: {given_text(given)} given, expected seconds")


def _refused(message: str) -> LogsError:
    return LogsError(message, kind=ErrorKind.INVALID_ARGUMENT)
