"""``airflow multicloud prices``: a newer price table."""

from __future__ import annotations

from argparse import Namespace

from airflow_multicloud.api import refresh_prices
from airflow_multicloud.cli.exit_codes import ExitCode
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.pairs import pairs
from airflow_multicloud.cli.running import command


@command()
def run(args: Namespace) -> Result:
    """Refresh; a list that could not be asked is an exit code, as the table is there."""
    regions: dict[str, list[str]] = {}
    for cloud, region in pairs("--region", args.region or ()):
        regions.setdefault(cloud, []).append(region)
    found = refresh_prices(args.target, args.conn_ids, regions=regions)
    row = {
        "uri": found.uri,
        "renewed": found.renewed,
        "changed": len(found.changed),
        "kept": len(found.kept),
        "oldest": found.oldest.isoformat(),
    }
    remarks = [f"changed: {price}" for price in found.changed]
    remarks += [f"no list answered for {price}" for price in found.kept]
    remarks += [f"{cloud}'s list could not be asked: {why}" for cloud, why in found.failed.items()]
    code = ExitCode.NOT_SOUND if found.failed else ExitCode.DONE
    return Result([row], [{**row, "failed": dict(found.failed)}], remarks, code)
