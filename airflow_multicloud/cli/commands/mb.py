"""``airflow multicloud mb``: make buckets."""

from __future__ import annotations

from argparse import Namespace

from airflow_multicloud.api import make_bucket
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.running import command


@command()
def run(args: Namespace) -> Result:
    """Make each bucket, unless it is there."""
    rows = []
    for uri in args.bucket:
        created = make_bucket(uri, location=args.location)
        rows.append({"bucket": uri, "outcome": "created" if created else "was there"})
    return Result(rows, rows)
