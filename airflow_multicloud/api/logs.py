"""Logs: records shipped to clouds, and one table of what the clouds have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from airflow_multicloud.adapters.entries import check_log
from airflow_multicloud.core.deliveries import OnInvalid
from airflow_multicloud.core.logs.querying import (
    Bounds,
    LogAnswer,
    LogRow,
    LogTable,
    log_table,
    why_not_enough,
)
from airflow_multicloud.core.logs.shipping import ShippingFailedError, ShipReport
from airflow_multicloud.core.logs.tables import TableFormat, format_of_table, written
from airflow_multicloud.core.streams import drop
from airflow_multicloud.core.success import Ratios
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.documents import Document, Documented
from airflow_multicloud.errors import ErrorKind, LogsError
from airflow_multicloud.opening.deliveries import check_conn_ids, open_destination
from airflow_multicloud.opening.logs import Given, open_query, shipped, whole_number
from airflow_multicloud.opening.places import check_place, stage_place
from airflow_multicloud.ports.logs import Logs, Severity
from airflow_multicloud.registry import session

__all__ = [
    "LogQueryResult",
    "QueryFailedError",
    "ShipReport",
    "ShippingFailedError",
    "query_logs",
    "ship_logs",
]

#: Rows that are kept in memory unless more are asked for.
DEFAULT_LIMIT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQueryResult(Documented):
    """One table of what several clouds' logs have.

    :param count: how many rows there are.
    :param connections: of each, whether all it has is in the table.
    :param rows: in ascending order of time; empty when they were written to ``destination``.
    :param destination: where the rows were written.
    """

    DOCUMENT: ClassVar[Document] = Document(
        ("complete", "count", "connections", "rows", "destination")
    )

    count: int
    connections: tuple[LogAnswer, ...]
    rows: tuple[LogRow, ...] = ()
    destination: str | None = None

    @property
    def complete(self) -> bool:
        """Whether every connection's entries are all in the table, as far as its cloud knows."""
        return all(one.completeness == "complete" for one in self.connections)


class QueryFailedError(LogsError):
    """Too few connections answered; the result has what the others did."""

    def __init__(self, message: str, *, kind: ErrorKind, result: LogQueryResult) -> None:
        super().__init__(message, kind=kind)
        self.result = result


@session()
@operation("ship_logs")
def ship_logs(
    destinations: Sequence[str],
    log: str,
    *,
    records: Sequence[Mapping[str, Any]] | None = None,
    source: str | Path | None = None,
    source_format: str | None = None,
    on_invalid: OnInvalid | str = OnInvalid.FAIL,
    min_success_ratio: Ratios = 1.0,
    severity: Severity | str = Severity.INFO,
    correlation_id: str | None = None,
    start: datetime | str | None = None,
) -> ShipReport:
    """Write records to the logs of several clouds at once, and account for each of them.

    The order of records is kept. Entries carry what
    :func:`~airflow_multicloud.labels.current_work` says they are of, and an insert id that is the
    same when the same record of the same task is shipped again.

    :param destinations: connection ids, each once.
    :param log: what is written to: letters, digits, ``.``, ``_``, ``/`` and ``-``.
    :param records: objects with ``message`` and, if wanted, ``time`` (ISO 8601 with its offset),
        ``severity``, ``correlation_id`` and ``attributes``.
    :param source: instead of records, a file's path or an object's URI whose lines are records; it
        is read in pieces.
    :param source_format: ``json`` (a JSON object in each line) or ``text`` (a message in each);
        by default ``json`` for names that end with ``.json``, ``.jsonl`` or ``.ndjson``.
    :param on_invalid: ``fail``: nothing is sent if any destination can't take a record; ``drop``:
        such records are counted as dropped.
    :param min_success_ratio: which share must be accepted, from 0 to 1: of each destination, or by
        connection id. With 0 a destination that can't be used is an error nevertheless.
    :param severity: of records that have none.
    :param correlation_id: of records that have none; the current trace's id by default.
    :param start: the time of the first record, for those that have none: each is a microsecond
        after the one before it; now by default.
    :raises LogsError: kind ``invalid_argument`` for what is wrong with the call, or, with
        ``on_invalid="fail"``, with a record; nothing was sent then.
    :raises ShippingFailedError: when a destination accepted too little, with the report.
    """
    given = Given(
        records=records,
        source=source,
        source_format=source_format,
        on_invalid=on_invalid,
        min_success_ratio=min_success_ratio,
        severity=severity,
        correlation_id=correlation_id,
        start=start,
    )
    report = shipped(destinations, log, given)
    report.raise_if_failed()
    return report


@session()
@operation("query_logs")
def query_logs(
    connections: Sequence[str],
    log: str,
    *,
    since: datetime | str | None = None,
    until: datetime | str | None = None,
    window: timedelta | float | str | None = None,
    text: str | None = None,
    severity: Severity | str | None = None,
    correlation_id: str | None = None,
    limit: int | str | None = DEFAULT_LIMIT,
    characters: int | None = None,
    destination: str | Path | None = None,
    min_clouds: int | str | None = None,
) -> LogQueryResult:
    """One table of what several clouds have in a log, in the order of time.

    What fails at one connection costs that one: the result tells of each whether it is complete.

    :param connections: connection ids, each once.
    :param log: as it was written to.
    :param since: the first moment, ISO 8601 with its offset; or give ``window``.
    :param until: the moment after the last; now by default.
    :param window: so long before ``until``, in seconds.
    :param text: a part of the message; upper and lower case differ.
    :param severity: the least: ``TRACE``, ``DEBUG``, ``INFO``, ``WARN``, ``ERROR`` or ``FATAL``.
    :param correlation_id: exactly.
    :param limit: rows at most, the earliest ones; ``None`` for all.
    :param characters: of messages and attributes in all rows together, at most.
    :param destination: a file's path or an object's URI for the rows: JSON lines (``.jsonl``,
        ``.ndjson``) or CSV (``.csv``). It is written whole, or not at all.
    :param min_clouds: how many connections must answer; all by default.
    :raises LogsError: kind ``invalid_argument`` for what is wrong with the call.
    :raises QueryFailedError: when fewer answer; nothing is put at ``destination`` then.
    """
    conn_ids = check_conn_ids(connections, "connections", error=LogsError)
    check_log(log, cloud="")
    query = open_query(
        since=since,
        until=until,
        window=window,
        text=text,
        severity=severity,
        correlation_id=correlation_id,
    )
    least = whole_number("min_clouds", min_clouds, len(conn_ids), most=len(conn_ids))
    bounds = Bounds(
        None if limit is None else whole_number("limit", limit, DEFAULT_LIMIT), characters
    )
    into = _format(destination)
    with operation("query_logs", multicloud__log=log) as span:
        sources = [open_destination(Logs, one) for one in conn_ids]
        with log_table(sources, query, log=log, bounds=bounds) as table:
            if destination is None or into is None:
                rows = tuple(table.rows())
                result = _result(table, rows=rows)
                _check(result, least)
            else:
                result = _written(table, destination, into, least)
        span.set_attribute("multicloud.rows", result.count)
        return result


def _written(
    table: LogTable, destination: str | Path, into: TableFormat, least: int
) -> LogQueryResult:
    staged = stage_place("destination", destination, written(table.rows(), into))
    try:
        result = _result(table, destination=str(destination))
        _check(result, least)
        staged.commit()
    except BaseException:
        drop(staged.discard)
        raise
    return result


def _result(
    table: LogTable, *, rows: tuple[LogRow, ...] = (), destination: str | None = None
) -> LogQueryResult:
    answers = table.answers()
    return LogQueryResult(
        count=sum(one.rows for one in answers),
        connections=answers,
        rows=rows,
        destination=destination,
    )


def _check(result: LogQueryResult, least: int) -> None:
    if (found := why_not_enough(result.connections, least)) is not None:
        raise QueryFailedError(found[0], kind=found[1], result=result)


def _format(destination: str | Path | None) -> TableFormat | None:
    if destination is None:
        return None
    check_place("destination", destination)
    found = format_of_table(str(destination))
    if found is None:
        raise LogsError(
            f"destination: {str(destination)!r} given, expected a name that ends with .jsonl, "
            ".ndjson or .csv",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return found
