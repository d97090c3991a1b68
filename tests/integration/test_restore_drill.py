"""A restore drill on the local RDS: real databases, restored, verified by SQL and removed again."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import DAG

from airflow_multicloud.errors import DatabaseError
from airflow_multicloud.operators.database import (
    RemoveDatabaseOperator,
    RestoreDatabaseOperator,
    SnapshotDatabaseOperator,
    VerifyDatabaseOperator,
)
from tests.contract.database_rigs.aws import control
from tests.contract.database_rigs.sql import PASSWORD, USER, SqlLab

from .airflow_runs import Bare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_multicloud.ports.database import DatabaseRef
    from airflow_multicloud.testing.local_clouds import LocalServer

CONN, SQL = "aws_database_local", "drill_reader"
FAST: dict[str, Any] = {"conn_id": CONN, "poll_interval": 0.1}
CHECKS = [{"table": "items", "schema": "public", "rows": "baseline", "checksum": "baseline"}]


@pytest.fixture(scope="module")
def lab(local_rds: LocalServer) -> Iterator[SqlLab]:
    made = control(local_rds)
    found = SqlLab(made, local_rds.endpoint)
    yield found
    found.clear()
    made.close()


@pytest.fixture(scope="module")
def source(lab: SqlLab) -> DatabaseRef:
    return lab.primary("drilled", ["one", "two", "three"])


@pytest.fixture
def sql(monkeypatch: pytest.MonkeyPatch) -> str:
    """Credentials without a place: their own host is nowhere."""
    reader = {"conn_type": "postgres", "login": USER, "password": PASSWORD, "schema": "postgres"}
    nowhere = {**reader, "host": "127.0.0.1", "port": 1, "extra": {"sslmode": "disable"}}
    monkeypatch.setenv(f"AIRFLOW_CONN_{SQL.upper()}", json.dumps(nowhere))
    return SQL


def done(operator: Any) -> Any:
    return operator.execute(Bare())


def test_a_backup_is_proven_and_a_damaged_one_is_red(
    lab: SqlLab, source: DatabaseRef, sql: str, tmp_path: Path
) -> None:
    baseline = str(tmp_path / "baseline.json")
    at_source = {"conn_id": CONN, "database": source.id}
    recorded = done(
        VerifyDatabaseOperator(
            task_id="record", sql_conn_id=sql, checks=CHECKS, record_to=baseline, **at_source
        )
    )
    assert recorded["outcomes"]["recorded"] == 2
    with DAG("drill", schedule=None):
        tasks = {
            name: (
                SnapshotDatabaseOperator(task_id=f"take_{name}", database=source.id, **FAST),
                RemoveDatabaseOperator(
                    task_id=f"remove_{name}",
                    restore_task_id=f"restore_{name}",
                    confirm_after=timedelta(0),
                    **FAST,
                ),
            )
            for name in ("good", "bad")
        }
        restores = {
            name: RestoreDatabaseOperator(task_id=f"restore_{name}", snapshot="later", **FAST)
            for name in tasks
        }
    for name, (take, remove) in tasks.items():
        taken, restore = done(take), restores[name]
        if name == "bad":
            lab.damage(lab_ref(taken))
        restore.snapshot = taken
        restored = done(restore)
        assert done(restore)["id"] == restored["id"]
        verify = VerifyDatabaseOperator(
            task_id="verify", sql_conn_id=sql, checks=CHECKS, baseline=baseline, restored=restored
        )
        context: Any = Bare()
        if name == "good":
            assert verify.execute(context)["verified"] is True
        else:
            with pytest.raises((AirflowFailException, DatabaseError), match=r"public\.items"):
                verify.execute(context)
            assert context.pushed["database_verification"]["verified"] is False
        assert [one["id"] for one in done(remove)["removed"]] == [restored["id"]]
    assert lab.rows(source) == ["one", "three", "two"]


def lab_ref(taken: dict[str, Any]) -> DatabaseRef:
    from airflow_multicloud.ports.database import DatabaseRef

    return DatabaseRef(taken["id"], taken["region"])
