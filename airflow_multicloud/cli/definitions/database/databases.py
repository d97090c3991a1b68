"""Commands about managed databases."""

from __future__ import annotations

from typing import Any

from airflow.cli.cli_config import Arg

from airflow_multicloud.cli.definitions.parts import arg, command, flag
from airflow_multicloud.cli.values import duration, moment

_CONN = arg(
    "--conn", dest="conn_id", required=True, metavar="ID", help="the connection of its cloud"
)
_REGION = arg(
    "--region", metavar="REGION", help="in which it is (default: the connection's own region)"
)
_ACCOUNT = arg(
    "--account",
    metavar="ID",
    help="AWS account, Google project or Azure subscription that it must be in, or nothing is done",
)
_LABEL = arg(
    "--label",
    action="append",
    metavar="KEY=VALUE",
    help="a label besides those that find it; may be given more than once",
)
_RUN = arg(
    "--run",
    metavar="TEXT",
    help="on whose behalf: the same command with the same run finds what it has begun before\n"
    "(default: the --name, else each command is a run of its own)",
)
_WAITS = (
    arg("--timeout", type=duration, metavar="TIME", help="for all of it"),
    arg(
        "--poll-interval",
        type=duration,
        metavar="TIME",
        help="between two looks (default: 10s)",
    ),
)
_INSTANCE = "as its cloud writes it (an ARN, a path, a resource id), or its name"


def _database(**settings: Any) -> Arg:
    return arg("--database", metavar="ID", help=f"the instance, {_INSTANCE}", **settings)


DESCRIBE = command(
    "describe-database",
    "Say how a database is: role, state, endpoint, a replica's lag",
    _CONN,
    _database(required=True),
    _REGION,
    service="database",
    description="What its cloud says of an instance now. A lag that the cloud has not measured is "
    "empty, not zero.",
    examples="""\
  airflow multicloud describe-database --conn aws_default --database shop
  airflow multicloud describe-database --conn aws_default --database shop -o json
""",
)

SNAPSHOT = command(
    "snapshot-database",
    "Take a snapshot of a database",
    _CONN,
    _database(required=True),
    arg("--name", metavar="NAME", help="of the snapshot (default: derived from the run)"),
    _LABEL,
    _RUN,
    arg(
        "--series",
        metavar="TEXT",
        help="what it is one of: the snapshots of this instance with the same --series",
    ),
    arg(
        "--keep",
        type=int,
        metavar="N",
        help="once it is complete, remove all of the series but those of the newest N runs\n"
        "(default: none)",
    ),
    arg(
        "--min-age",
        type=duration,
        metavar="TIME",
        help="with --keep: nothing that is not so much older than the snapshot (default: 1d)",
    ),
    _REGION,
    _ACCOUNT,
    *_WAITS,
    service="database",
    description="It ends when the snapshot is complete. With a --name or a --run of its own the "
    "same command\nfinds the snapshot that it took before, and says so. What --keep can't remove "
    "is told, and changes no exit\ncode: the next one tries again.",
    examples="""\
  airflow multicloud snapshot-database --conn aws_default --database shop --name before-v7
  airflow multicloud snapshot-database --conn aws_default --database shop --series nightly --keep 7
""",
)

RESTORE = command(
    "restore-database",
    "Restore a database into a new instance: into scratch, unless told otherwise",
    _CONN,
    _database(),
    arg("--snapshot", metavar="ID", help="full id of the snapshot to restore, instead"),
    arg(
        "--at",
        type=moment,
        metavar="TIME",
        help="the moment to restore the database at, in ISO 8601 with its distance from UTC\n"
        "(default: the latest that its cloud can)",
    ),
    arg("--name", metavar="NAME", help="of the new instance (default: derived from the run)"),
    flag("--keep", "it is no scratch instance: nothing removes it with the others of its run"),
    _LABEL,
    arg("--size", help="instance class, tier or SKU (default: the source's own)"),
    arg("--subnet", metavar="ID", help="where it is attached (default: as its source)"),
    arg(
        "--security-group",
        action="append",
        metavar="ID",
        help="with --subnet, on AWS; may be given more than once",
    ),
    arg("--private-zone", metavar="ID", help="with --subnet, on Azure"),
    flag("--deletion-protected", "its cloud is to refuse to delete it; with --keep"),
    _RUN,
    _REGION,
    _ACCOUNT,
    *_WAITS,
    service="database",
    description="Nothing is ever restored over. It ends when the new instance is available, and "
    "says where it answers\nSQL. remove-database removes it again.",
    examples="""\
  airflow multicloud restore-database --conn aws_default --database shop --run drill-7
  airflow multicloud restore-database --conn aws_default --database shop --at 2026-01-31T12:00:00Z
  airflow multicloud restore-database --conn aws_default --name shop2 --keep \\
    --snapshot arn:aws:rds:eu-central-1:123456789012:snapshot:before-v7
""",
)

VERIFY = command(
    "verify-database",
    "Measure the tables of a database by SQL, and compare them with what is expected",
    arg(
        "--sql-conn",
        dest="sql_conn_id",
        required=True,
        metavar="ID",
        help="an Airflow connection of a database: whose credentials are used",
    ),
    arg(
        "--checks",
        required=True,
        metavar="FILE",
        help="what is expected of which table: a JSON list of objects, with table, schema, rows,\n"
        "rows_tolerance, at_least_rows, checksum, columns, newest, newest_at_least, max_age (s)",
    ),
    arg("--host", help="of the instance (default: the SQL connection's)"),
    arg("--port", help="with --host"),
    arg(
        "--conn",
        dest="conn_id",
        metavar="ID",
        help="the connection of the cloud of --database, which says where it answers",
    ),
    _database(),
    _REGION,
    arg("--schema", metavar="NAME", help="which of the server's databases"),
    arg(
        "--restored-moment",
        type=moment,
        metavar="TIME",
        help="that max_age is counted from (default: now)",
    ),
    arg("--baseline", metavar="PLACE", help="path or URI of what --record-to has written"),
    arg(
        "--record-to",
        metavar="PLACE",
        help="path or URI for what is measured, once all checks have passed",
    ),
    arg(
        "--statement-timeout",
        type=duration,
        metavar="TIME",
        help="for each statement (default: 10m)",
    ),
    service="database",
    description="Every table is measured, also when another one could not be. It ends with 3 when "
    "a check did not pass.",
    examples="""\
  airflow multicloud verify-database --sql-conn shop --checks checks.json --record-to before.json
  airflow multicloud verify-database --sql-conn shop --checks checks.json --baseline before.json \\
    --host 10.0.0.7 --port 5432
""",
)

PROMOTE = command(
    "promote-replica",
    "Make a replica of a database a primary of its own, for good",
    _CONN,
    arg("--replica", required=True, metavar="ID", help=f"the instance, {_INSTANCE}"),
    arg("--confirm", required=True, metavar="NAME", help="the instance's name once more"),
    arg(
        "--max-lag",
        type=duration,
        metavar="TIME",
        help="refuse it when it is further behind, or its lag is not known (default: any lag)",
    ),
    arg(
        "--max-lag-age",
        type=duration,
        metavar="TIME",
        help="how old the measurement of the lag may be (default: 10m)",
    ),
    flag("--promote-unknown-lag", "with --max-lag: also when its cloud has measured no lag at all"),
    _REGION,
    _ACCOUNT,
    *_WAITS,
    service="database",
    description="What the replica has not received by then is lost, and there is no way back. Its "
    "old primary is left\nas it is: keep your applications from it.",
    examples="""\
  airflow multicloud promote-replica --conn aws_default --replica shop-eu --confirm shop-eu \\
    --max-lag 30s
""",
)

REMOVE = command(
    "remove-database",
    "Remove what was restored, until a listing shows nothing of it",
    _CONN,
    _database(),
    arg("--confirm", metavar="NAME", help="with --database: the instance's name once more"),
    arg("--run", metavar="TEXT", help="all scratch instances of this run, instead"),
    arg(
        "--source",
        metavar="ID",
        help="with --run: what was restored; also look where that lies (region, project)",
    ),
    arg(
        "--confirm-after",
        type=duration,
        metavar="TIME",
        help="with --run: the last look is no earlier than this after the first (default: 5m)",
    ),
    arg("--final-snapshot", metavar="NAME", help="with --database: take this snapshot first"),
    _REGION,
    _ACCOUNT,
    *_WAITS,
    service="database",
    description="Only what this package has restored is removed, and only what carries the full "
    "identity of that\norder. What is protected from deletion or has replicas stays.",
    examples="""\
  airflow multicloud remove-database --conn aws_default --run drill-7
  airflow multicloud remove-database --conn aws_default --database shop2 --confirm shop2
""",
)

REMOVE_SNAPSHOT = command(
    "remove-snapshot",
    "Remove a snapshot that was taken by snapshot-database or in a DAG",
    _CONN,
    arg("--snapshot", required=True, metavar="ID", help="its full id"),
    arg("--confirm", required=True, metavar="NAME", help="its name"),
    _REGION,
    _ACCOUNT,
    *_WAITS,
    service="database",
    description="Only a snapshot that carries the full identity of an order of this package is "
    "removed. One that is not\nthere is a success.",
    examples="""\
  airflow multicloud remove-snapshot --conn aws_default --confirm before-v7 \\
    --snapshot arn:aws:rds:eu-central-1:123456789012:snapshot:before-v7
""",
)

COMMANDS = (DESCRIBE, SNAPSHOT, RESTORE, VERIFY, PROMOTE, REMOVE, REMOVE_SNAPSHOT)
