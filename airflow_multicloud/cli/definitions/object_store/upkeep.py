"""Commands that look after replicas."""

from __future__ import annotations

from airflow_multicloud.cli.definitions.object_store.replication import SELECTION
from airflow_multicloud.cli.definitions.parts import LOCATIONS, arg, command, flag
from airflow_multicloud.cli.values import duration

STATUS = command(
    "status",
    "Say how replicas stand: last proven state, lag, findings",
    arg("replica", nargs="+", metavar="REPLICA", help="replicas' URIs, as they were destinations"),
    arg(
        "--max-lag",
        type=duration,
        metavar="TIME",
        help="a lag of more than this, like 2h, is a finding, and ends with exit code 3",
    ),
    *SELECTION,
    service="object_store",
    description="By what its ledger says: a few listings and small "
    "reads.\nNothing is verified again; 'verify' does that.\nA replica that only some objects "
    "are replicated to is asked for by the same filters\n(without them all objects are meant, "
    f"and its age is not known).\n{LOCATIONS}",
    examples="""\
  airflow multicloud status gs://google_cloud_default@lake/sales/ abfs://wasb_default@lake/sales/
  airflow multicloud status gs://lake/sales/ --max-lag 2h -q || alert-someone
""",
)

RUNS = command(
    "runs",
    "List the runs recorded beside a replica",
    arg("replica", metavar="REPLICA", help="the replica's URI, as it was a destination"),
    arg("--limit", type=int, default=20, metavar="N", help="at most so many (default: 20)"),
    service="object_store",
    description=f"The newest first; 'verify --run-id' takes each of them.\n{LOCATIONS}",
    examples="""\
  airflow multicloud runs gs://google_cloud_default@lake/sales/
""",
)

CLEANUP = command(
    "cleanup",
    "Remove what killed runs have left: parts, plans, half-written files",
    arg(
        "place",
        nargs="+",
        metavar="PLACE",
        help="URIs of prefixes that were written to (a bucket is one), and directories",
    ),
    arg(
        "--older-than",
        type=duration,
        metavar="TIME",
        help="leave alone what was used since: a run may be under way (default: 1d)",
    ),
    arg(
        "--keep-commits",
        type=int,
        metavar="N",
        help="also delete old commits of the ledgers there, but for the newest N (default: all\n"
        "are kept; with --keep-days: 100), and",
    ),
    arg(
        "--keep-days",
        type=int,
        metavar="N",
        help="but for those that were the newest within so many days, at least 30 (with\n"
        "--keep-commits: 90)",
    ),
    flag("--dry-run", "only name what would be removed"),
    service="object_store",
    description="The next run of the same replication goes on from what a killed one left, and "
    f"tidies up;\nthis is for what no run comes back to.\n{LOCATIONS}",
    examples="""\
  airflow multicloud cleanup gs://google_cloud_default@lake/ abfs://wasb_default@lake/ --dry-run
  airflow multicloud cleanup s3://lake/sales/ /data/sales --older-than 7d
  airflow multicloud cleanup s3://lake/ --keep-commits 500 --keep-days 365
""",
)
