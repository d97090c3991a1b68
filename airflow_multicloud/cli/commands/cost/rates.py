"""``airflow multicloud rates``: newer exchange rates."""

from __future__ import annotations

from argparse import Namespace

from airflow_multicloud.api import ECB_URL, refresh_exchange_rates
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.running import command


@command()
def run(args: Namespace) -> Result:
    """Fetch, check, write."""
    found = refresh_exchange_rates(args.target, source=args.source or ECB_URL)
    row = {
        "uri": found.uri,
        "first_day": found.first_day.isoformat(),
        "last_day": found.last_day.isoformat(),
        "new_days": found.new_days,
        "currencies": len(found.currencies),
    }
    return Result([row], [row])
