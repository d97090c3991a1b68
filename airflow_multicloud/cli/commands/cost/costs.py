"""``airflow multicloud costs``: what the clouds cost, from a cost store."""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow_multicloud.api import CloudCostAnalyzer
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result, say
from airflow_multicloud.cli.running import command
from airflow_multicloud.core.cost.report import service_rows, to_html
from airflow_multicloud.months import first_of_month, month_bounds


@command(interrupted="periods that were taken in are kept; the same command goes on from there")
def run(args: Namespace) -> Result:
    """Ingest what was asked for, compare, and write the page if asked for."""
    start, end = period(args, datetime.now(UTC).date())
    analyzer = CloudCostAnalyzer(
        args.store,
        currency=args.currency or "USD",
        basis=args.basis or "effective",
        rates_file=args.rates_file,
        max_stale_days=args.max_stale_days or 0,
        clouds=tuple(args.cloud) if args.cloud else None,
    )
    for export in args.ingest or ():
        for found in analyzer.ingest(export, first=start, last=end - timedelta(days=1)):
            say(f"{found.cloud} {found.billing_period:%Y-%m}: {found.change.reason}")
    asked: dict[str, Any] = {
        "group_by": args.group_by or ("ServiceName",),
        "limit": args.limit,
        "by": args.by and args.by.replace("-", "_"),
    }
    # What is printed and what is on the page are the same figures.
    document = analyzer.report(start, end, **asked) if args.html else None
    compared = document.comparison if document else analyzer.compare_costs(start, end, **asked)
    remarks = [f"missing: {cloud}: {why}" for cloud, why in compared.missing.items()]
    remarks += [f"{r.cloud}: {r.total}" for r in compared.reports]
    remarks += [
        f"not converted: {apart.on(compared.basis)} of {apart.cloud}: {apart.reason}"
        for apart in compared.unconverted
    ]
    remarks += [f"not counted: {overlap}" for overlap in compared.left_out]
    if not compared.reports and not compared.missing:
        remarks.append(f"the store {args.store} has no bills yet; give exports with --ingest")
    if compared.reports:
        remarks.append(f"smallest bill: {analyzer.get_smallest_bill(compared.reports)}")
    if document:
        Path(args.html).write_text(to_html(document), encoding="utf-8")
        remarks.append(f"written: {args.html}")
    rows = [row for report in compared.reports for row in service_rows(report)]
    code = ExitCode.DONE if compared.reports else ExitCode.NOT_FOUND
    return Result(rows, rows, remarks, code)


def period(args: Namespace, today: date) -> tuple[date, date]:
    """The days asked for: ``--month``, else ``--start`` and ``--end``, else this month so far."""
    if args.month:
        return month_bounds(args.month)
    start = args.start or first_of_month(today)
    return start, args.end or today + timedelta(days=1)
