"""Commands that look after replicas, and the machine."""

from __future__ import annotations

from airflow_multicloud.cli.definitions.parts import LOCATIONS, arg, command, flag
from airflow_multicloud.cli.values import duration

INIT = command(
    "init",
    "Check connections: identity, reachability, region, and what is missing",
    arg("conn_id", nargs="*", metavar="CONN_ID", help="connections; see above when left out"),
    description="Ask each connection's cloud who we are. Without CONN_ID: every connection of a "
    "cloud\nin the environment and in the metadata database and, for a cloud that has none, its\n"
    "default connection. Connections in a secrets backend must be named.",
    examples="""\
  airflow multicloud init
  airflow multicloud init aws_default google_cloud_default -o json
""",
)

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
    description="By what the last run recorded beside each replica: one listing and some small "
    f"reads.\nNothing is verified again; 'verify' does that.\n{LOCATIONS}",
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
    description=f"The newest first; 'verify --run-id' takes each of them.\n{LOCATIONS}",
    examples="""\
  airflow multicloud runs gs://google_cloud_default@lake/sales/
""",
)

DRILL = command(
    "drill",
    "Lose the primary on purpose, recover from the replicas, and write evidence",
    arg("primary", metavar="PRIMARY", help="the URI of the prefix that is replicated"),
    arg("replica", nargs="+", metavar="REPLICA", help="URIs, in the order of preference"),
    arg(
        "--fault",
        choices=("unavailable", "stalled", "permission_denied", "truncated", "corrupt"),
        help="how the primary misbehaves, for this command only (default: unavailable)",
    ),
    arg(
        "--fail-over-on",
        action="append",
        metavar="KIND",
        help="error kinds that trigger failover to the next candidate, as your fetches have them;\n"
        "may be given more than once (default: unavailable, timeout, throttled, not_found)",
    ),
    arg("--rto", type=duration, metavar="TIME", help="the time objective (default: 1h)"),
    arg("--rpo", type=duration, metavar="TIME", help="the point objective (default: 1h)"),
    arg(
        "--attempt-timeout",
        type=duration,
        metavar="TIME",
        help="the longest one candidate may take for one object (default: 5m)",
    ),
    arg(
        "--evidence",
        action="append",
        metavar="URI",
        help="a bucket that keeps the evidence; may be given more than once (default: those of\n"
        "the first two replicas in reach)",
    ),
    arg(
        "--restore-to",
        metavar="DIRECTORY",
        help="keep what was recovered here; it must be empty (default: it is deleted)",
    ),
    description="Replicates, verifies, writes a canary (_drill/canary.json) below PRIMARY, then "
    "recovers\neverything from the replicas and judges. Nothing at any cloud is switched off or "
    f"deleted.\n{LOCATIONS}",
    examples="""\
  airflow multicloud drill s3://aws_default@lake/sales/ gs://google_cloud_default@lake/sales/ \\
      abfs://wasb_default@lake/sales/ --rto 15m --rpo 1h
""",
)

CLEANUP = command(
    "cleanup",
    "Remove what killed runs have left: parts, journals, plans, half-written files",
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
    flag("--dry-run", "only name what would be removed"),
    description="The next run of the same replication goes on from what a killed one left, and "
    f"tidies up;\nthis is for what no run comes back to.\n{LOCATIONS}",
    examples="""\
  airflow multicloud cleanup gs://google_cloud_default@lake/ abfs://wasb_default@lake/ --dry-run
  airflow multicloud cleanup s3://lake/sales/ /data/sales --older-than 7d
""",
)

LOCAL = command(
    "local",
    "Run servers on this machine that stand in for the clouds",
    arg("--data-dir", metavar="DIRECTORY", help="keep data and logs here (default: temporary)"),
    arg(
        "--with",
        dest="servers",
        action="append",
        metavar="NAME",
        help="also run this server, like aws.second_object_store, gcp.bigquery, aws.cost, "
        "gcp.cost or azure.cost; may be repeated",
    ),
    arg(
        "command",
        nargs="...",
        metavar="-- COMMAND",
        help="run this with the connections set, then stop; its exit code is ours",
    ),
    description="Prints the connections aws_local, gcp_local and wasb_local as shell lines, and "
    "runs until\nCtrl-C. Needs the extra: pip install '.\\[local]' in a checkout. Linux only.",
    examples="""\
  airflow multicloud local -- bash
  airflow multicloud local --data-dir ./clouds
  airflow multicloud local --with gcp.bigquery --with aws.cost -- bash
  airflow multicloud local -- airflow standalone
""",
)
