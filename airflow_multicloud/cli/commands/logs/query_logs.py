"""``airflow multicloud query-logs``: one table of what several clouds have in a log."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from airflow_multicloud.api import (
    Completeness,
    LogAnswer,
    QueryFailedError,
    query_logs,
)
from airflow_multicloud.api.logs import DEFAULT_LIMIT
from airflow_multicloud.cli import exit_codes
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.running import command
from airflow_multicloud.core.logs.tables import cells
from airflow_multicloud.documents import to_document

_WINDOW = timedelta(hours=1)


@command()
def run(args: Namespace) -> Result:
    """Ask; too few answers are an exit code, with those that came shown."""
    code = ExitCode.DONE
    try:
        result = query_logs(
            args.connections,
            args.log,
            since=args.since,
            until=args.until,
            window=args.window or (None if args.since else _WINDOW),
            text=args.text,
            severity=args.severity,
            correlation_id=args.correlation_id,
            limit=args.limit or (None if args.destination else DEFAULT_LIMIT),
            destination=args.destination,
            min_clouds=args.min_clouds,
        )
    except QueryFailedError as err:
        result, code = err.result, exit_codes.of_error(err)
    remarks = [line for one in result.connections for line in _remarks(one)]
    if result.destination is not None and code is ExitCode.DONE:
        remarks.append(f"{result.count} rows are at {result.destination}")
    shown = [cells(row) for row in result.rows]
    if result.destination is not None:
        shown = [_row(one) for one in result.connections]
    return Result(shown, [to_document(result)], remarks, code)


def _row(one: LogAnswer) -> dict[str, Any]:
    return {
        "conn_id": one.conn_id,
        "cloud": one.cloud,
        "completeness": one.completeness.value,
        "rows": one.rows,
    }


def _remarks(one: LogAnswer) -> Iterator[str]:
    if one.completeness is not Completeness.COMPLETE:
        why = f": {one.error_kind}: {one.error}" if one.error is not None else ""
        yield f"{one.conn_id}: {one.completeness}, {one.rows} rows{why}"
    yield from (f"{one.conn_id}: {note}" for note in one.notes)
