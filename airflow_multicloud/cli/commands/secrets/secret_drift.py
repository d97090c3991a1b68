"""``airflow multicloud secret-drift``: which secrets of several clouds differ from those of one."""

from __future__ import annotations

from argparse import Namespace

from airflow_multicloud.api import secret_drift
from airflow_multicloud.cli.commands.secrets.sync_secrets import meant, rows, told
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.running import command
from airflow_multicloud.documents import to_document


@command()
def run(args: Namespace) -> Result:
    """Compare; what differs is an exit code."""
    report = secret_drift(args.source, args.destinations, **meant(args))
    code = ExitCode.DONE if report.in_sync else ExitCode.NOT_SOUND
    return Result(rows(report), [to_document(report)], [*told(report)], code)
