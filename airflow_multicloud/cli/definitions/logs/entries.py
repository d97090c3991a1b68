"""Commands that ship log records, and that query logs."""

from __future__ import annotations

from airflow_multicloud.cli.definitions.parts import OUTPUT_WITH_CSV, arg, command
from airflow_multicloud.cli.values import duration

_SEVERITIES = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")

SHIP_LOGS = command(
    "ship-logs",
    "Write the lines of a file to the logs of several clouds",
    arg("log", metavar="LOG", help="the log that is written to"),
    arg("source", metavar="FILE", help="a file's path, or an object's URI"),
    arg(
        "--to",
        dest="destinations",
        action="append",
        required=True,
        metavar="CONN_ID",
        help="a connection that they go to; may be given more than once",
    ),
    arg(
        "--source-format",
        choices=("json", "text"),
        help="what each line is: a JSON object or a message (default: json for .json, .jsonl and\n"
        ".ndjson, else text)",
    ),
    arg(
        "--on-invalid",
        choices=("fail", "drop"),
        help="what can't be written: send nothing at all, or leave it out (default: fail)",
    ),
    arg(
        "--min-success-ratio",
        metavar="RATIO",
        help="which share each destination must accept, from 0 to 1 (default: 1.0)",
    ),
    arg("--severity", choices=_SEVERITIES, help="of lines that have none (default: INFO)"),
    arg("--correlation-id", metavar="ID", help="of lines that have none, such as a trace's id"),
    arg(
        "--start",
        metavar="TIME",
        help="the time of the first line, for lines that have none: each is a microsecond after\n"
        "the one before it (default: now)",
    ),
    service="logs",
    description="Of a JSON object, time or timestamp, message, event or msg, severity or level, "
    "and\ncorrelation_id or trace_id are known; what else it has becomes attributes.\nThe result "
    "tells of each destination what became of every line.",
    examples="""\
  airflow multicloud ship-logs etl/nightly ./run.log --to aws_default
  airflow multicloud ship-logs etl/nightly s3://aws_default@lake/run.jsonl \\
      --to google_cloud_default --to azure_default --on-invalid drop
""",
)

QUERY_LOGS = command(
    "query-logs",
    "Show what several clouds have in a log, in the order of time",
    arg("log", metavar="LOG", help="the log, as it was written to"),
    arg(
        "--from",
        dest="connections",
        action="append",
        required=True,
        metavar="CONN_ID",
        help="a connection to ask; may be given more than once",
    ),
    arg("--since", metavar="TIME", help="the first moment, like 2026-11-29T12:00:00Z"),
    arg("--until", metavar="TIME", help="the moment after the last (default: now)"),
    arg("--window", type=duration, metavar="TIME", help="so long before --until (default: 1h)"),
    arg("--text", metavar="TEXT", help="a part of the message; upper and lower case differ"),
    arg("--severity", choices=_SEVERITIES, help="the least"),
    arg("--correlation-id", metavar="ID", help="such as a trace's id"),
    arg(
        "--limit",
        metavar="N",
        help="rows at most, the earliest ones (default: 1000; all with --to)",
    ),
    arg(
        "--to",
        dest="destination",
        metavar="PLACE",
        help="write the rows to this file or URI: .jsonl, .ndjson or .csv",
    ),
    arg("--min-clouds", metavar="N", help="how many connections must answer (default: all)"),
    output=OUTPUT_WITH_CSV,
    service="logs",
    description="A connection that can't be asked costs no other; what is missing is said on "
    "stderr.\nIn tables and CSV, control characters of messages are escaped; JSON has them "
    "exactly.",
    examples="""\
  airflow multicloud query-logs etl/nightly --from aws_default \\
      --from google_cloud_default --window 2h --severity WARN
  airflow multicloud query-logs etl/nightly --from azure_default \\
      --since 2026-11-29T00:00:00Z --until 2026-11-30T00:00:00Z --to day.csv
""",
)

COMMANDS = (SHIP_LOGS, QUERY_LOGS)
