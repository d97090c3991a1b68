"""Databases that tasks snapshot, restore, promote and remove, in runs of DAGs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG, task

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.operators.database import (
    DatabaseStatusOperator,
    PromoteReplicaOperator,
    RemoveDatabaseOperator,
    RestoreDatabaseOperator,
    SnapshotDatabaseOperator,
    StartDatabaseOperator,
    StopDatabaseOperator,
)
from airflow_multicloud.sensors.database import DatabaseReplicaLagSensor
from airflow_multicloud.testing.memory_cloud.database import Databases, databases_of, reset
from airflow_multicloud.testing.sql_faults import (
    DatabaseCall,
    DatabaseFault,
    DatabaseFaultKind,
)

from .airflow_runs import run_dag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONN = "databases"
WAIT: dict[str, Any] = {"poll_interval": 0.05}
NOW: dict[str, Any] = {"confirm_after": timedelta(0)}

pytestmark = pytest.mark.usefixtures("airflow_db")


@pytest.fixture
def space(memory_account: Callable[[str, str], str]) -> Iterator[Databases]:
    memory_account(CONN, "bucket")
    reset(CONN)
    made = databases_of(CONN)
    made.create("shop", {"orders": [(1, "a"), (2, "b")]})
    yield made
    reset(CONN)


@pytest.mark.parametrize("deferrable", [False, True], ids=["here", "deferred"])
def test_a_snapshot_is_restored_into_scratch_and_removed(
    space: Databases, *, deferrable: bool
) -> None:
    wait = {**WAIT, "deferrable": deferrable}
    with DAG(f"restores-{deferrable}", schedule=None) as dag:
        snapshot = SnapshotDatabaseOperator(
            task_id="snapshot", conn_id=CONN, database="shop", **wait
        )
        restore = RestoreDatabaseOperator(
            task_id="restore", conn_id=CONN, snapshot=snapshot.output, **wait
        )
        look = DatabaseStatusOperator(task_id="look", conn_id=CONN, database=restore.output)
        remove = RemoveDatabaseOperator(
            task_id="remove", conn_id=CONN, restore_task_id="restore", **NOW, **wait
        )
        snapshot >> restore >> look >> remove.as_teardown(setups=restore)
    run = run_dag(dag)
    assert run.state == "success"
    taken, restored = run.xcom("snapshot"), run.xcom("restore")
    assert (taken["found"], restored["found"], restored["scratch"]) == (False, False, True)
    assert restored["source"] == taken["id"]
    assert restored["restored_moment"][:19] == taken["taken_at"][:19]
    assert restored["endpoint"] == {"host": f"{restored['name']}.memory.test", "port": 5432}
    assert run.xcom("look")["state"] == "available"
    assert [one["id"] for one in run.xcom("remove")["removed"]] == [restored["id"]]
    assert [*space.servers] == ["shop"]
    assert [*space.snapshots] == [taken["name"]]


def test_a_teardown_removes_what_a_restore_that_failed_has_left(space: Databases) -> None:
    space.faults.plant(
        [
            DatabaseFault(
                kind=DatabaseFaultKind.FAIL_LATER,
                call=DatabaseCall.RESTORE,
                error=ErrorKind.CAPACITY,
            )
        ]
    )
    with DAG("left", schedule=None) as dag:
        restore = RestoreDatabaseOperator(
            task_id="restore", conn_id=CONN, database="shop", retries=0, **WAIT
        )
        remove = RemoveDatabaseOperator(
            task_id="remove", conn_id=CONN, restore_task_id="restore", **NOW, **WAIT
        )
        restore >> remove.as_teardown(setups=restore)
    run = run_dag(dag)
    assert run.state_of("restore") == "failed"
    assert len(run.xcom("remove")["removed"]) == 1
    assert [*space.servers] == ["shop"]


def test_mapped_restores_are_apart_and_go_together(space: Databases) -> None:
    space.create("till", {"orders": [(3, "c")]})
    with DAG("mapped", schedule=None) as dag:
        restore = RestoreDatabaseOperator.partial(
            task_id="restore", conn_id=CONN, deferrable=True, **WAIT
        ).expand(database=["shop", "till"])

        @task
        def rows(restored: dict[str, Any]) -> list[Any]:
            return [list(row) for row in databases_of(CONN).rows(restored["name"], "orders")]

        remove = RemoveDatabaseOperator(
            task_id="remove", conn_id=CONN, restore_task_id="restore", **NOW, **WAIT
        )
        rows.expand(restored=restore.output) >> remove
    run = run_dag(dag)
    assert run.state == "success"
    assert run.xcom("rows", map_index=0) == [[1, "a"], [2, "b"]]
    assert run.xcom("rows", map_index=1) == [[3, "c"]]
    assert len(run.xcom("remove")["removed"]) == 2
    assert {*space.servers} == {"shop", "till"}


def test_a_promotion_waits_for_the_lag_and_is_guarded(space: Databases) -> None:
    space.replicate("shop", "copy")
    guard: dict[str, Any] = {"conn_id": CONN, "replica": "copy", "confirm": "copy"}
    with DAG("promotes", schedule=None) as dag:
        near = DatabaseReplicaLagSensor(
            task_id="near", conn_id=CONN, replica="copy", max_lag=timedelta(seconds=5)
        )
        promote = PromoteReplicaOperator(
            task_id="promote", allow=["copy"], max_lag=timedelta(seconds=5), deferrable=True,
            **guard, **WAIT,
        )  # fmt: skip
        again = PromoteReplicaOperator(task_id="again", allow=["copy"], **guard, **WAIT)
        near >> promote >> again
    run = run_dag(dag)
    assert run.state == "success"
    assert run.xcom("near")["lag_seconds"] == 0
    assert (run.xcom("promote")["already"], run.xcom("again")["already"]) == (False, True)
    assert run.xcom("promote")["database"]["role"] == "primary"
    assert space.rows("copy", "orders") == [(1, "a"), (2, "b")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"confirm": "shop"},
        {"confirm": ""},
        {"confirm": "{{ None }}"},
        {"allow": []},
        {"allow": ""},
        {"allow": [""]},
        {"allow": "{{ params.nothing }}"},
        {"allow": ["co*"]},
        {"allow": ["memory/another/databases/copy"]},
        {"account": "{{ params.nothing }}"},
        {"account": "another"},
        {"max_lag": timedelta(seconds=1)},
    ],
    ids=str,
)
def test_a_promotion_is_refused(space: Databases, wrong: dict[str, Any]) -> None:
    space.replicate("shop", "copy")
    space.hide_lag("copy")
    given = {"confirm": "copy", "allow": ["copy"], **wrong}
    with DAG("refuses", schedule=None, params={"nothing": ""}) as dag:
        PromoteReplicaOperator(
            task_id="promote", conn_id=CONN, replica="copy", retries=2, **given, **WAIT
        )
    run = run_dag(dag)
    assert run.state == "failed"
    assert run.tries["promote", -1] == 1
    assert space.servers["copy"].primary == "shop"


def test_power(space: Databases) -> None:
    with DAG("powers-database", schedule=None) as dag:
        stop = StopDatabaseOperator(
            task_id="stop", conn_id=CONN, database="shop", deferrable=True, **WAIT
        )
        stop >> StartDatabaseOperator(task_id="start", conn_id=CONN, database="shop", **WAIT)
    run = run_dag(dag)
    assert (run.xcom("stop")["state"], run.xcom("start")["state"]) == ("stopped", "available")
    assert space.rows("shop", "orders") == [(1, "a"), (2, "b")]


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        (RestoreDatabaseOperator, {}, "database, snapshot: nothing given"),
        (RestoreDatabaseOperator, {"database": "a", "snapshot": "b"}, "exactly one of them"),
        (RestoreDatabaseOperator, {"snapshot": "b", "at": "latest"}, "at: .*none with snapshot"),
        (RestoreDatabaseOperator, {"database": "a", "scratch": False}, "name: nothing given"),
        (RestoreDatabaseOperator, {"database": "a", "deletion_protected": True}, "deletion_prot"),
        (RemoveDatabaseOperator, {}, "restore_task_id, database"),
        (RemoveDatabaseOperator, {"database": "a", "confirm": "a"}, "confirm, allow"),
        (RemoveDatabaseOperator, {"restore_task_id": "a", "confirm": "a", "allow": ["a"]}, "only"),
    ],
)
def test_what_does_not_go_together_is_refused_when_the_dag_is_parsed(
    kind: Any, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        kind(task_id="wrong", conn_id=CONN, **given)
