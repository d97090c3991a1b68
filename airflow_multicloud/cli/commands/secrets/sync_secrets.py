"""``airflow multicloud sync-secrets``: secrets of several clouds made equal to those of one."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping
from typing import Any

from airflow_multicloud.api import SyncFailedError, SyncReport, sync_secrets
from airflow_multicloud.cli import exit_codes
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.pairs import pairs
from airflow_multicloud.cli.running import command
from airflow_multicloud.documents import to_document


@command(interrupted="what was written until then stays; the same command does the rest")
def run(args: Namespace) -> Result:
    """Synchronise; what failed or is a conflict is an exit code, with the account shown."""
    code = ExitCode.DONE
    options = ("on_conflict", "deletion_policy", "max_replace", "max_remove")
    try:
        report = sync_secrets(
            args.source,
            args.destinations,
            **meant(args),
            dry_run=args.dry_run,
            **{name: getattr(args, name) for name in options if getattr(args, name) is not None},
        )
    except SyncFailedError as err:
        report, code = err.report, exit_codes.of_error(err)
    remarks = [*told(report)]
    if report.refused is not None:
        remarks.append(f"refused: {report.refused}")
    elif report.dry_run:
        remarks.append("nothing was written (--dry-run)")
    return Result(rows(report), [to_document(report)], remarks, code)


def meant(args: Namespace) -> Mapping[str, Any]:
    """Which secrets are meant, and where they must be."""
    accounts = pairs("--account", args.accounts or (), "CONN_ID=STORE")
    return {
        "names": args.names,
        "prefix": args.prefix,
        "preserve_tags": not args.no_tags,
        "accounts": dict(accounts) or None,
    }


def rows(report: SyncReport) -> list[dict[str, Any]]:
    """A line for each destination."""
    columns = (
        *("conn_id", "created", "replaced", "unchanged", "tagged", "kept", "conflict"),
        *("removed", "failed", "skipped"),
    )
    return [{name: getattr(one, name) for name in columns} for one in report.destinations]


def told(report: SyncReport) -> Iterator[str]:
    """What was changed or would be, and what the matter is."""
    for one in report.destinations:
        if one.error is not None:
            yield f"{one.conn_id}: {one.error_kind}: {one.error}"
    for change in report.changes:
        yield f"{change.conn_id}: {change.name}: {change.outcome}"
    for finding in report.findings:
        yield str(finding)
    for what, shown, count in (
        ("changes", len(report.changes), report.changes_count),
        ("findings", len(report.findings), report.findings_count),
    ):
        if count > shown:
            yield f"and {count - shown} more {what}"
