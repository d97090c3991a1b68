"""A database that is restored into scratch, verified by SQL, and removed again."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from airflow_multicloud import api
from airflow_multicloud.demo.telemetry import Claim
from airflow_multicloud.testing.local_clouds.kit.sql_admin import DatabaseOwner

CONN_ID = "aws_database_local"
#: What SQL is asked with; its host is the instance's own.
SQL_CONN_ID = "shop_sql"
NAME = "shop"
_USER = "shopkeeper"
_DATABASE, _TABLE = "sales", "orders"
_RUN = "demo"
#: A local server needs no second between two looks.
_SOON: dict[str, Any] = {"poll_interval": timedelta(milliseconds=200)}
_CHECKS: list[dict[str, Any]] = [
    {
        "table": _TABLE,
        "rows": "baseline",
        "checksum": "baseline",
        "newest": "placed_at",
        "newest_at_least": "baseline",
    }
]
_SCHEMA = (
    "CREATE TABLE orders (id int PRIMARY KEY, amount numeric, placed_at timestamptz)",
    "INSERT INTO orders SELECT n, n * 1.25, now() - n * interval '1 minute' "
    "FROM generate_series(1, 5000) n",
)


def restore(home: Path, console: Console, claim: Claim) -> None:
    """Lose rows, restore a snapshot and a moment, verify both, and remove them again.

    :param home: where the baseline is written.
    """
    database = _create()
    baseline = str(home / "shop-baseline.json")
    api.verify_database(SQL_CONN_ID, _CHECKS, record_to=baseline)
    snapshot = api.snapshot_database(CONN_ID, database, **_SOON).id
    moment = _moment()
    _sql("DELETE FROM orders WHERE id % 3 = 0")
    lost = api.verify_database(SQL_CONN_ID, _CHECKS, baseline=baseline)
    table = Table("database", "rows", "checksum", "newest", "seconds", box=None, pad_edge=False)
    table.add_row(f"{NAME} itself, after a DELETE", *_cells(lost), "")
    try:
        good = [
            _restored(table, "from a snapshot", baseline, snapshot=snapshot),
            _restored(table, "as before the DELETE", baseline, database=database, at=moment),
        ]
        owner = DatabaseOwner(_connection(CONN_ID)["extra"]["local_admin"])
        owner.damage(snapshot, table=_TABLE, database=_DATABASE)
        bad = _restored(table, "from that snapshot, damaged", baseline, snapshot=snapshot)
    finally:
        console.print(table)
        gone = _remove_scratch()
    claim(
        "both restores are as the baseline says, by SQL: rows, checksum, newest time",
        holds=all(one.verified for one in good) and not lost.verified,
    )
    claim(
        "the damaged backup was restored without an error, and its verification is red: "
        f"{bad.outcomes['failed'] + bad.outcomes['error']} of {bad.checks} checks did not pass",
        holds=bad.failed and not bad.verified,
    )
    left = _names()
    claim(
        f"{gone} scratch instances removed; there is only {', '.join(left)}",
        holds=gone == len(good) + 1 and left == [NAME],
    )


def _restored(table: Table, how: str, baseline: str, **given: Any) -> api.DatabaseVerification:
    """Restore into scratch and verify; a line in the table."""
    started = time.monotonic()
    restored = api.restore_database(CONN_ID, run=f"{_RUN} {len(table.rows)}", **given, **_SOON)
    report = api.verify_database(SQL_CONN_ID, _CHECKS, baseline=baseline, restored=restored)
    table.add_row(f"{how}: {restored.name}", *_cells(report), f"{time.monotonic() - started:.1f}")
    return report


def _cells(report: api.DatabaseVerification) -> Iterator[str]:
    for one in report.results:
        style = "green" if one.outcome is api.CheckOutcome.PASSED else "red"
        yield f"[{style}]{_short(one.check, one.measured or one.why or '')}[/]"


def _short(check: str, measured: str) -> str:
    if check == "checksum":
        return f"{measured.rpartition(':')[2][:12]}…"
    return measured.partition(".")[0].replace("T", " ")


def _remove_scratch() -> int:
    """Of every run of the demo's; how many there were."""
    now = {"confirm_after": timedelta(0), **_SOON}
    runs = (f"{_RUN} {number}" for number in range(1, 4))
    return sum(len(api.remove_scratch_databases(CONN_ID, run, **now).removed) for run in runs)


def _create() -> str:
    """The instance with its rows, made with Airflow's own hooks; its full id."""
    from airflow.providers.amazon.aws.hooks.rds import RdsHook

    password = secrets.token_urlsafe(24)
    client = RdsHook(CONN_ID).conn
    made = client.create_db_instance(
        DBInstanceIdentifier=NAME,
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        MasterUsername=_USER,
        MasterUserPassword=password,
        DBName=_DATABASE,
        BackupRetentionPeriod=7,
    )["DBInstance"]
    client.get_waiter("db_instance_available").wait(
        DBInstanceIdentifier=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    endpoint = api.describe_database(CONN_ID, NAME).endpoint
    assert endpoint is not None  # noqa: S101 - an available instance has one
    connection = {
        "conn_type": "postgres",
        "host": endpoint.host,
        "port": endpoint.port,
        "login": _USER,
        "password": password,
        "schema": _DATABASE,
        "extra": {"sslmode": "disable"},  # The local servers are on this machine, without TLS.
    }
    os.environ[f"AIRFLOW_CONN_{SQL_CONN_ID.upper()}"] = json.dumps(connection)
    _sql(*_SCHEMA)
    found: str = made["DBInstanceArn"]
    return found


def _sql(*statements: str) -> None:
    from airflow.providers.postgres.hooks.postgres import PostgresHook

    PostgresHook(SQL_CONN_ID).run(list(statements), autocommit=True)


def _moment() -> datetime:
    """Now, with a little before and after it: the cloud's times are of milliseconds."""
    time.sleep(0.05)
    now = datetime.now(UTC)
    time.sleep(0.05)
    return now


def _names() -> list[str]:
    from airflow.providers.amazon.aws.hooks.rds import RdsHook

    found = RdsHook(CONN_ID).conn.describe_db_instances()["DBInstances"]
    return sorted(one["DBInstanceIdentifier"] for one in found)


def _connection(conn_id: str) -> dict[str, Any]:
    connection: dict[str, Any] = json.loads(os.environ[f"AIRFLOW_CONN_{conn_id.upper()}"])
    return connection
