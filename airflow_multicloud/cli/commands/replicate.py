"""``airflow multicloud replicate``: make destinations proven replicas of a source."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from dataclasses import asdict, fields
from typing import Any

from airflow_multicloud.api import (
    ObjectFilter,
    ReplicationFailedError,
    ReplicationOptions,
    ReplicationReport,
    plan_replication,
    replicate,
)
from airflow_multicloud.cli.exit_codes import of_error
from airflow_multicloud.cli.output import Result, error_line
from airflow_multicloud.cli.progress import BAR_INTERVAL, progress_bar
from airflow_multicloud.cli.running import command
from airflow_multicloud.core.replication.report import DestinationReport


@command
def run(args: Namespace) -> Result:
    """Replicate, or with ``--dry-run`` say what would be done."""
    options = options_of(args)
    if args.dry_run:
        plans = [asdict(p) for p in plan_replication(args.source, args.destination, options)]
        return Result(plans, plans)
    try:
        with progress_bar("replicating") as listener:
            report = replicate(
                args.source,
                args.destination,
                options,
                run_id=args.run_id,
                listener=listener,
                interval=BAR_INTERVAL,
            )
    except ReplicationFailedError as err:
        remarks = [*remarks_on(err.report), error_line(err.kind, err)]
        return Result(_rows(err.report), [err.report.as_dict()], remarks, of_error(err))
    return Result(_rows(report), [report.as_dict()], remarks_on(report))


def options_of(args: Namespace) -> ReplicationOptions:
    """The options given; those that were left out keep the defaults of the Python API."""
    chosen = ObjectFilter(**_given(args, (f.name for f in fields(ObjectFilter))))
    names = (f.name for f in fields(ReplicationOptions) if f.name != "filter")
    return ReplicationOptions(filter=chosen, **_given(args, names))


def _given(args: Namespace, names: Iterable[str]) -> dict[str, Any]:
    given = {name: getattr(args, name) for name in names}
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in given.items()
        if value is not None
    }


def _rows(report: ReplicationReport) -> list[dict[str, object]]:
    return [
        {
            "destination": destination.uri,
            "objects": report.objects,
            "outcomes": outcomes(destination),
            "bytes_written": destination.bytes_written,
            "deleted": destination.deleted,
            "run_id": report.run_id,
        }
        for destination in report.destinations
    ]


def outcomes(destination: DestinationReport) -> str:
    """What became of a destination's objects, in a few words."""
    return ", ".join(f"{count} {o}" for o, count in sorted(destination.outcomes.items()))


def remarks_on(report: ReplicationReport) -> list[str]:
    """What failed, as far as the report names it, and what a destination could not keep."""
    not_kept = [
        f"note: {destination.uri} could not keep {what} of {count} objects"
        for destination in report.destinations
        for what, count in destination.not_kept.items()
    ]
    return [*(f"failed: {failure}" for failure in report.failures), *not_kept]
