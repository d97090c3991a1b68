"""Commands that check connections, and stand in for the clouds."""

from __future__ import annotations

from airflow_multicloud.cli.definitions.parts import arg, command, flag

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

PREFLIGHT = command(
    "preflight",
    "Check permissions before work, or write the smallest policies for it",
    arg("file", metavar="FILE", help="the operations, in JSON or YAML; see above"),
    arg(
        "--render",
        choices=("aws", "gcp", "azure"),
        help="ask nobody: print, as JSON, the IAM policy, custom roles or role definitions that\n"
        "allow each connection just what the operations need on that cloud",
    ),
    flag("--warn-unknown", "what a cloud can't say does not count as denied"),
    description="FILE has a list of operations, each with the parameters of its operator:\n"
    '[{"replicate": {"source": "s3://lake/sales/", "destinations": ["gs://lake/sales/"]}}].\n'
    "There are replicate, upload, verify, fetch, drill, export_metrics, ship_logs and query_logs."
    "\nNothing is changed by asking.",
    examples="""\
  airflow multicloud preflight nightly.yaml
  airflow multicloud preflight nightly.yaml --render aws
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
