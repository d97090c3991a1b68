"""``airflow multicloud init``: whether connections work, and what is missing."""

from __future__ import annotations

from argparse import Namespace

from airflow_multicloud.api import CloudProviderStatus, check_connection
from airflow_multicloud.cli import exit_codes
from airflow_multicloud.cli.connections import known_connections
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.hints import missing_connection
from airflow_multicloud.cli.output import Result, error_line
from airflow_multicloud.cli.running import command
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import ErrorKind


@command()
def run(args: Namespace) -> Result:
    """Check connections; the exit code is that of the first one that does not work."""
    conn_ids = dict.fromkeys(args.conn_id or known_connections())
    statuses = [check_connection(conn_id) for conn_id in conn_ids]
    failed = [(s, s.kind) for s in statuses if s.kind is not None]
    return Result(
        [_row(s) for s in statuses],
        [to_document(s) for s in statuses],
        [error_line(kind, f"{s.conn_id}: {s.problem}{_advice(s)}") for s, kind in failed],
        exit_codes.of_kind(failed[0][1]) if failed else ExitCode.DONE,
    )


def _row(status: CloudProviderStatus) -> dict[str, object]:
    return {
        "conn_id": status.conn_id,
        "cloud": status.cloud,
        "status": "ok" if status.available else status.kind,
        "account_id": status.account_id,
        "principal": status.principal,
        "region": status.region or ("not set" if status.available else None),
    }


def _advice(status: CloudProviderStatus) -> str:
    """Which connection was meant, or how to make one that does not exist."""
    missing = status.kind is ErrorKind.NOT_FOUND and status.cloud is None
    return missing_connection(status.conn_id) if missing else ""
