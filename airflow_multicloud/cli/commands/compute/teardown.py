"""``airflow multicloud teardown``: remove everything of a deployment."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from airflow_multicloud.api import (
    DeploymentsReport,
    TeardownResult,
    list_deployments,
    tear_down_deployment,
)
from airflow_multicloud.cli import exit_codes
from airflow_multicloud.cli.commands.compute.deployments import code_of, rows
from airflow_multicloud.cli.commands.compute.places import regions_of, told
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result, error_line, say
from airflow_multicloud.cli.running import command
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import CloudError, DeploymentError, ErrorKind


@command(interrupted="what is being removed goes on ending; the same command removes the rest")
def run(args: Namespace) -> Result:
    """Name it, ask, remove it; or with ``--dry-run`` only name it."""
    regions = regions_of(args)
    if not (args.yes or args.dry_run or sys.stdin.isatty()):
        raise DeploymentError(
            "--yes: not given, and there is no terminal to ask on; give --yes, or --dry-run",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    report = list_deployments(args.conn, regions=regions, deployment_id=args.deployment_id)
    if args.dry_run:
        return _named(report, "nothing was changed (--dry-run)", code_of(report))
    if not args.yes and _found(report) and not _confirmed(report):
        return _named(report, "nothing was changed: it was not confirmed", ExitCode.INTERRUPTED)
    given = {
        "timeout": args.timeout,
        "poll_interval": args.poll_interval,
        "confirm_after": args.confirm_after,
    }
    result = tear_down_deployment(
        args.deployment_id,
        args.conn,
        regions=regions,
        **{name: value for name, value in given.items() if value is not None},
    )
    return Result([*_rows(result)], [to_document(result)], *_ended(result))


def _found(report: DeploymentsReport) -> int:
    return sum(1 for _ in rows(report))


def _named(report: DeploymentsReport, why: str, code: ExitCode) -> Result:
    remarks = [*told(report.unreachable), why]
    return Result([*rows(report)], [to_document(report)], remarks, code)


def _confirmed(report: DeploymentsReport) -> bool:
    for row in rows(report):
        say(f"to be removed: {row['target']}: {row['id']} ({row['state']}) at {row['place']}")
    for line in told(report.unreachable):
        say(line)
    say(f"remove {_found(report)} with their disks? There is no way back. [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _rows(result: TeardownResult) -> Iterator[dict[str, Any]]:
    for place in result.places:
        for one in place.removed:
            if one.id not in place.left:
                yield {
                    "outcome": "removed",
                    "conn_id": place.conn_id,
                    "region": one.region,
                    "target": one.target,
                    "name": one.name,
                    "id": one.id,
                }
        for left in place.left:
            nothing = dict.fromkeys(("region", "target", "name"))
            yield {"outcome": "still there", "conn_id": place.conn_id, **nothing, "id": left}


def _ended(result: TeardownResult) -> tuple[list[str], ExitCode]:
    """The closing listings, and the exit code."""
    remarks = [
        f"{place.conn_id}: nothing is left, as listed at {place.listed_at:%Y-%m-%d %H:%M:%S} UTC"
        for place in result.places
        if place.listed_at is not None and place.error_kind is None
    ]
    try:
        result.raise_if_failed()
    except CloudError as err:
        return [*remarks, error_line(err.kind, err)], exit_codes.of_error(err)
    return remarks, ExitCode.DONE
