"""``airflow multicloud ship-logs``: lines of a file to the logs of several clouds."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from airflow_multicloud.api import Delivery, ShippingFailedError, ship_logs
from airflow_multicloud.cli import exit_codes
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.running import command
from airflow_multicloud.documents import to_document


@command(
    interrupted="what was accepted until then stays; the same command writes it once more, except "
    "where a cloud knows it by its insert id and time"
)
def run(args: Namespace) -> Result:
    """Ship it; a destination that accepted too little is an exit code, with the account shown."""
    code = ExitCode.DONE
    try:
        report = ship_logs(
            args.destinations,
            args.log,
            source=args.source,
            source_format=args.source_format,
            on_invalid=args.on_invalid or "fail",
            min_success_ratio=args.min_success_ratio or 1.0,
            severity=args.severity or "INFO",
            correlation_id=args.correlation_id,
            start=args.start,
        )
    except ShippingFailedError as err:
        report, code = err.report, exit_codes.of_error(err)
    remarks = [line for one in report.destinations for line in _remarks(one)]
    if report.read_error is not None:
        remarks.append(f"not read to its end: {report.read_error_kind}: {report.read_error}")
    return Result([_row(one) for one in report.destinations], [to_document(report)], remarks, code)


def _row(one: Delivery) -> dict[str, Any]:
    return {
        "conn_id": one.conn_id,
        "cloud": one.cloud,
        "given": one.given,
        "accepted": one.accepted,
        "rejected": one.rejected,
        "unknown": one.unknown,
        "dropped": one.dropped,
        "requests": one.requests,
    }


def _remarks(one: Delivery) -> Iterator[str]:
    if one.error is not None:
        yield f"{one.conn_id}: {one.error_kind}: {one.error}"
    for refusal in one.refusals:
        such = f" (such as {', '.join(refusal.samples)})" if refusal.samples else ""
        yield (
            f"{one.conn_id}: {refusal.count} {refusal.outcome}: {refusal.kind}: "
            f"{refusal.reason}{such}"
        )
    for lost in one.conversions:
        yield f"{one.conn_id}: {lost.count} {lost.what}: {lost.detail}"
