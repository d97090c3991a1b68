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

LOCAL = command(
    "local",
    "Run servers on this machine that stand in for the clouds",
    arg("--data-dir", metavar="DIRECTORY", help="keep data and logs here (default: temporary)"),
    flag("--second-s3", "also run a second AWS, connection aws_second"),
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
  airflow multicloud local -- airflow standalone
""",
)
