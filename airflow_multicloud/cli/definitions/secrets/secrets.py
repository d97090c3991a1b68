"""Commands that keep secrets equal, compare them and list them; none shows a value."""

from __future__ import annotations

from airflow_multicloud.cli.definitions.parts import OUTPUT_WITH_CSV, arg, command, flag

_SOURCE = arg("source", metavar="SOURCE", help="the connection that is copied from")
_TO = arg(
    "--to",
    dest="destinations",
    action="append",
    required=True,
    metavar="CONN_ID",
    help="a connection that is compared with it; may be given more than once",
)
_NAME = arg(
    "--name",
    dest="names",
    action="append",
    metavar="NAME",
    help="a secret; may be given more than once",
)
_PREFIX = arg("--prefix", metavar="PREFIX", help="all secrets of SOURCE whose names begin so")
_ACCOUNT = arg(
    "--account",
    dest="accounts",
    action="append",
    metavar="CONN_ID=STORE",
    help="which account, project or vault a connection must lead to, or its store's full name;\n"
    "nothing is read when it leads elsewhere",
)
_NO_TAGS = flag("--no-tags", "leave tags alone")

SYNC_SECRETS = command(
    "sync-secrets",
    "Make secrets of several clouds equal to those of one",
    *(_SOURCE, _TO, _NAME, _PREFIX),
    arg(
        "--on-conflict",
        choices=("fail", "keep", "overwrite"),
        help="where somebody else wrote or removed: leave it and fail, leave it, or replace it\n"
        "(default: fail)",
    ),
    arg(
        "--deletion-policy",
        choices=("retain", "remove"),
        help="what to do with copies whose secret is gone (default: retain)",
    ),
    arg(
        "--max-replace",
        metavar="N",
        help="write nothing if more values would be replaced (default: 10)",
    ),
    arg(
        "--max-remove",
        metavar="N",
        help="write nothing if more copies would be removed (default: 10)",
    ),
    _ACCOUNT,
    _NO_TAGS,
    flag("--dry-run", "only show what would be done"),
    service="secrets",
    description="Values are compared without being shown. What was created, replaced, tagged or "
    "removed is\nnamed on stderr, with what differs and was left alone.",
    examples="""\
  airflow multicloud sync-secrets aws_default --to google_cloud_default --prefix airflow/ --dry-run
  airflow multicloud sync-secrets aws_default --to google_cloud_default --to azure_default \\
      --name airflow/connections/warehouse --account aws_default=123456789012
""",
)

SECRET_DRIFT = command(
    "secret-drift",
    "Show which secrets of several clouds differ from those of one",
    *(_SOURCE, _TO, _NAME, _PREFIX, _ACCOUNT, _NO_TAGS),
    service="secrets",
    description="Nothing is written, and no value is shown. The exit code is 3 when something "
    "differs or\ncould not be compared.",
    examples="""\
  airflow multicloud secret-drift aws_default --to azure_default --prefix airflow/
""",
)

LIST_SECRETS = command(
    "list-secrets",
    "List the secrets of a store, without values",
    arg("conn_id", metavar="CONN_ID", help="the connection"),
    arg("--prefix", metavar="PREFIX", help="only those whose names begin so"),
    output=OUTPUT_WITH_CSV,
    service="secrets",
    description="Names are the same in every cloud. Removed secrets are not listed.",
    examples="""\
  airflow multicloud list-secrets azure_default --prefix airflow/
""",
)

COMMANDS = (SYNC_SECRETS, SECRET_DRIFT, LIST_SECRETS)
