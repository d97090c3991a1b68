"""``airflow multicloud verify-database``: whether a database holds what it must."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

from airflow_multicloud.api import CheckOutcome, verify_database
from airflow_multicloud.cli import exit_codes
from airflow_multicloud.cli.commands.database.options import given
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result, error_line
from airflow_multicloud.cli.running import command
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import CloudError, DatabaseError, ErrorKind
from airflow_multicloud.opening.places import read_place

_OPTIONS = (
    *("host", "port", "conn_id", "database", "region", "schema", "restored_moment"),
    *("baseline", "record_to", "statement_timeout"),
)
_LIMIT = 16 << 20


@command()
def run(args: Namespace) -> Result:
    """Measure and compare."""
    report = verify_database(args.sql_conn_id, _checks(args.checks), **given(args, _OPTIONS))
    rows = [
        {
            "table": one.table,
            "check": one.check,
            "outcome": one.outcome.value,
            "expected": one.expected,
            "measured": one.measured,
            "why": one.why,
        }
        for one in report.results
    ]
    counts = ", ".join(f"{n} {outcome}" for outcome, n in report.outcomes.items() if n)
    remarks = [f"{report.host}:{report.port}: {counts}"]
    if report.baseline is not None:
        origin = report.baseline
        remarks.append(
            f"compared with a baseline that says it was measured on {origin.host} at "
            f"{origin.measured_at:%Y-%m-%d %H:%M:%S} UTC"
        )
    if report.recorded_to is not None:
        remarks.append(f"recorded to {report.recorded_to}")
    code = ExitCode.DONE
    try:
        report.raise_if_failed()
    except CloudError as err:
        error = any(one.outcome is CheckOutcome.ERROR for one in report.results)
        lost = error and not report.failed and err.kind is not ErrorKind.INTEGRITY
        code = exit_codes.of_error(err) if lost else ExitCode.NOT_SOUND
        remarks.append(error_line(err.kind, err))
    return Result(rows, [to_document(report)], remarks, code)


def _checks(place: str) -> list[dict[str, Any]]:
    where = place if "://" in place else Path(place)
    try:
        found = json.loads(read_place("checks", where, _LIMIT, error=DatabaseError))
    except (ValueError, RecursionError) as err:
        raise DatabaseError(
            f"checks: {place} is no JSON: {err}", kind=ErrorKind.INVALID_ARGUMENT
        ) from None
    if not isinstance(found, list):
        raise DatabaseError(f"checks: {place} has no list", kind=ErrorKind.INVALID_ARGUMENT)
    return found
