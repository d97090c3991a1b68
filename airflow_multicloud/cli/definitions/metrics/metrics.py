"""Commands about metrics."""

from __future__ import annotations

from airflow_multicloud.cli.definitions.parts import OUTPUT_WITH_CSV, arg, command, flag
from airflow_multicloud.cli.values import duration, moment

_NAMESPACE = arg(
    "--namespace",
    required=True,
    metavar="NAME",
    help="what the metrics are kept under at the cloud",
)

EXPORT_METRICS = command(
    "export-metrics",
    "Export metrics to one or more clouds, and account for each point",
    arg(
        "--to",
        dest="destinations",
        action="append",
        required=True,
        metavar="CONN_ID",
        help="a connection of a cloud to export to; may be given more than once",
    ),
    _NAMESPACE,
    arg(
        "--metric",
        action="append",
        metavar="NAME=VALUE",
        help="a gauge, measured now; may be given more than once",
    ),
    arg(
        "--attribute",
        action="append",
        metavar="NAME=VALUE",
        help="with --metric: an attribute of each; may be given more than once",
    ),
    arg("--unit", metavar="UNIT", help="with --metric: the unit of each, in UCUM, like By or s"),
    arg("--metrics", metavar="PLACE", help="a JSON list of metrics: file or URI"),
    arg("--otlp-json", metavar="PLACE", help="metrics as OTLP's JSON: file or URI"),
    arg("--prometheus-text", metavar="PLACE", help="metrics as Prometheus shows them: file or URI"),
    arg(
        "--on-invalid",
        choices=("fail", "drop"),
        help="when a point can't be exported to one of the clouds: send nothing, or leave it out "
        "there\n(default: fail)",
    ),
    arg(
        "--min-success-ratio",
        metavar="SHARE",
        help="of the points that each cloud must accept, from 0 to 1 (default: 1)",
    ),
    arg(
        "--transport",
        choices=("native", "otlp"),
        help="by the cloud's own API, or its OTLP endpoint (default: native)",
    ),
    flag("--dry-run", "only say which points can be exported where"),
    output=OUTPUT_WITH_CSV,
    service="metrics",
    description="Give one of --metric, --metrics, --otlp-json and --prometheus-text. Points "
    "without a time are\nmeasured now. A cloud that can't be used costs no other; the exit code is "
    "3 when one accepted\ntoo few points.",
    examples="""\
  airflow multicloud export-metrics --to aws_default --to google_cloud_default \\
      --namespace shop --metric shop.queue=3 --attribute country=de
  airflow multicloud export-metrics --to azure_default --namespace shop \\
      --otlp-json s3://aws_default@telemetry/metrics.jsonl --dry-run
""",
)

READ_METRIC = command(
    "read-metric",
    "Read a metric's points back from a cloud",
    arg("conn_id", metavar="CONN_ID", help="a connection of the cloud"),
    arg("name", metavar="NAME", help="of the metric, as it was exported"),
    _NAMESPACE,
    arg(
        "--since",
        type=moment,
        metavar="TIME",
        help="the first moment, in ISO 8601 (default: --last before --until)",
    ),
    arg("--until", type=moment, metavar="TIME", help="the moment after the last (default: now)"),
    arg("--last", type=duration, metavar="TIME", help="instead of --since, like 2h (default: 1h)"),
    arg(
        "--attribute",
        action="append",
        metavar="NAME=VALUE",
        help="which the points must have; may be given more than once",
    ),
    output=OUTPUT_WITH_CSV,
    service="metrics",
    description="Clouds show points minutes after they have taken them. No points: exit code 4.",
    examples="""\
  airflow multicloud read-metric aws_default shop.queue --namespace shop
  airflow multicloud read-metric azure_default shop.queue --namespace shop --last 2h -o csv
""",
)

COMMANDS = (EXPORT_METRICS, READ_METRIC)
