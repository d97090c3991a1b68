"""``airflow multicloud mb``: make buckets."""

from __future__ import annotations

from argparse import Namespace

from airflow_multicloud.api import make_bucket
from airflow_multicloud.cli import exit_codes
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result, error_line
from airflow_multicloud.cli.running import command
from airflow_multicloud.errors import CloudError


@command()
def run(args: Namespace) -> Result:
    """Make each bucket, unless it is there; one that can't be made costs no other."""
    rows: list[dict[str, str]] = []
    failed: list[CloudError] = []
    for uri in args.bucket:
        try:
            created = make_bucket(uri, location=args.location)
        except CloudError as err:
            rows.append({"bucket": uri, "outcome": str(err.kind)})
            failed.append(err)
        else:
            rows.append({"bucket": uri, "outcome": "created" if created else "was there"})
    remarks = [error_line(err.kind, err) for err in failed]
    return Result(rows, rows, remarks, exit_codes.of_error(failed[0]) if failed else ExitCode.DONE)
