"""``airflow multicloud export-metrics``: metrics to the clouds."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from airflow_multicloud.api import (
    CheckReport,
    ExportReport,
    check_metrics,
    export_metrics_to_cloud,
)
from airflow_multicloud.cli import exit_codes
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.pairs import pairs
from airflow_multicloud.cli.running import command
from airflow_multicloud.core.metrics.checking import CheckedDestination
from airflow_multicloud.core.metrics.collecting import refused
from airflow_multicloud.core.metrics.report import DestinationExport
from airflow_multicloud.documents import to_document
from airflow_multicloud.opening.metrics import read_input

_EXPECTED = "NAME=VALUE, like shop.queue=3"


@command()
def run(args: Namespace) -> Result:
    """Export, or only check, and say what became of every point."""
    given = {
        "namespace": args.namespace,
        "metrics": _metrics(args),
        "otlp_json": args.otlp_json,
        "prometheus_text": args.prometheus_text,
        "transport": args.transport or "native",
    }
    if args.dry_run:
        return _checked(check_metrics(args.destinations, **given))
    report = export_metrics_to_cloud(
        args.destinations,
        on_invalid=args.on_invalid or "fail",
        min_success_ratio=args.min_success_ratio or 1.0,
        **given,
    )
    return _exported(report)


def _metrics(args: Namespace) -> list[dict[str, Any]] | None:
    """The metrics that are given as such; they may not be given in two ways."""
    if args.metric and args.metrics:
        raise refused("--metric and --metrics given, expected one of them")
    if not args.metric and (args.attribute or args.unit):
        raise refused("--attribute and --unit go with --metric only")
    if args.metrics:
        return _listed(args.metrics)
    if not args.metric:
        return None
    attributes = dict(pairs("--attribute", args.attribute or (), _EXPECTED))
    return [
        {"name": name, "value": value, "unit": args.unit or "", "attributes": attributes}
        for name, value in pairs("--metric", args.metric, _EXPECTED)
    ]


def _listed(place: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(read_input("metrics", place))
    except (ValueError, RecursionError) as err:
        raise refused(f"--metrics: {place} is no JSON: {err}") from None
    if not isinstance(found, list):
        raise refused(f"--metrics: {place} is no JSON list")
    return found


def _checked(report: CheckReport) -> Result:
    rows = [
        {
            "conn_id": one.conn_id,
            "cloud": one.cloud,
            "points_in": one.points_in,
            "exportable": one.exportable,
            "dropped": one.points_in - one.exportable,
        }
        for one in report.destinations
    ]
    code = ExitCode.DONE if report.sound else _code(report.destinations)
    return Result(rows, [to_document(report)], _remarks(report.destinations), code)


def _exported(report: ExportReport) -> Result:
    rows = [
        {
            "conn_id": one.conn_id,
            "cloud": one.cloud,
            "points_in": one.points_in,
            "accepted": one.accepted,
            "rejected": one.rejected,
            "unknown": one.unknown,
            "dropped": one.dropped,
            "requests": one.requests,
            "seconds": round(one.seconds, 3),
        }
        for one in report.destinations
    ]
    failed = [one for one in report.destinations if not one.succeeded]
    code = _code(failed) if failed else ExitCode.DONE
    return Result(rows, [to_document(report)], _remarks(report.destinations), code)


Told = DestinationExport | CheckedDestination


def _code(failed: Any) -> ExitCode:
    """That of the first error, when nothing but errors came of it; else that some are left."""
    kinds = [one.error_kind for one in failed]
    if kinds and all(kind is not None for kind in kinds):
        return exit_codes.of_kind(kinds[0])
    return ExitCode.NOT_SOUND


def _remarks(destinations: tuple[Told, ...]) -> list[str]:
    found: list[str] = []
    for one in destinations:
        if one.error is not None:
            found.append(f"{one.conn_id}: {one.error_kind}: {one.error}")
        for refusal in one.refusals:
            named = f": {', '.join(refusal.samples)}" if refusal.samples else ""
            found.append(
                f"{one.conn_id}: {refusal.count} {refusal.outcome}: {refusal.reason}{named}"
            )
        found += [
            f"note: {one.conn_id}: {change.count} points: {change.what}: {change.detail}"
            for change in one.conversions
        ]
    return found
