"""Databases that tasks snapshot, restore, promote and remove, in runs of DAGs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import DAG, task

from airflow_multicloud.core.database.promotions import promoted_replica
from airflow_multicloud.errors import DatabaseError, ErrorKind
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

from .airflow_runs import Bare, run_dag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONN = "databases"
WAIT: dict[str, Any] = {"poll_interval": 0.05}
NOW: dict[str, Any] = {"confirm_after": timedelta(0)}


@pytest.fixture
def space(memory_account: Callable[[str, str], str]) -> Iterator[Databases]:
    memory_account(CONN, "bucket")
    reset(CONN)
    made = databases_of(CONN)
    made.create("shop", {"orders": [(1, "a"), (2, "b")]})
    yield made
    reset(CONN)


@pytest.mark.usefixtures("airflow_db")
def test_a_run_that_restores_reads_promotes_and_tears_down(space: Databases) -> None:
    """Most of it waits in the triggerer; the restores are mapped."""
    space.create("till", {"orders": [(3, "c")]})
    space.replicate("shop", "copy")
    wait = {**WAIT, "deferrable": True}
    with DAG("restores", schedule=None) as dag:
        snapshot = SnapshotDatabaseOperator.partial(task_id="snapshot", conn_id=CONN, **wait)
        snapshots = snapshot.expand(database=["shop", "till"])
        restore = RestoreDatabaseOperator.partial(task_id="restore", conn_id=CONN, **wait)
        restores = restore.expand(snapshot=snapshots.output)

        @task
        def rows(restored: dict[str, Any]) -> list[Any]:
            return [list(row) for row in databases_of(CONN).rows(restored["name"], "orders")]

        remove = RemoveDatabaseOperator(
            task_id="remove", conn_id=CONN, restore_task_id="restore", **NOW, **wait
        )
        rows.expand(restored=restores.output) >> remove.as_teardown(setups=restores)
        PromoteReplicaOperator(
            task_id="promote", conn_id=CONN, replica="copy", confirm="copy", allow=["copy"],
            max_lag=timedelta(seconds=5), **wait,
        )  # fmt: skip
    run = run_dag(dag)
    assert run.state == "success"
    for index, lines in enumerate(([[1, "a"], [2, "b"]], [[3, "c"]])):
        taken = run.xcom("snapshot", map_index=index)
        restored = run.xcom("restore", map_index=index)
        assert (taken["found"], restored["found"], restored["scratch"]) == (False, False, True)
        assert restored["source"] == taken["id"]
        assert restored["restored_moment"][:19] == taken["taken_at"][:19]
        host = f"{restored['name']}.memory.test"
        assert restored["endpoint"] == {"host": host, "port": 5432, "database": None}
        assert run.xcom("rows", map_index=index) == lines
    assert len(run.xcom("remove")["removed"]) == 2
    assert {*space.servers} == {"shop", "till", "copy"}
    assert len(space.snapshots) == 2
    promoted = run.xcom("promote")
    assert (promoted["already"], promoted["database"]["role"]) == (False, "primary")


def done(operator: Any) -> Any:
    """What a task returns that waits in its worker."""
    return operator.execute(Bare())


def test_a_teardown_removes_what_a_restore_that_failed_has_left(space: Databases) -> None:
    fault = DatabaseFaultKind.FAIL_LATER
    space.faults.plant(
        [DatabaseFault(kind=fault, call=DatabaseCall.RESTORE, error=ErrorKind.CAPACITY)]
    )
    with DAG("left", schedule=None):
        restore = RestoreDatabaseOperator(task_id="restore", conn_id=CONN, database="shop", **WAIT)
        remove = RemoveDatabaseOperator(
            task_id="remove", conn_id=CONN, restore_task_id="restore", **NOW, **WAIT
        )
    with pytest.raises(DatabaseError, match="planted"):
        done(restore)
    assert len(space.servers) == 2
    assert len(done(remove)["removed"]) == 1
    assert [*space.servers] == ["shop"]
    assert done(remove)["removed"] == []


@pytest.mark.usefixtures("airflow_db")
@pytest.mark.parametrize("fails", [True, False], ids=["fails", "succeeds"])
def test_a_teardown_looks_where_the_restore_made_it(
    space: Databases, capsys: pytest.CaptureFixture[str], *, fails: bool
) -> None:
    """In another region, by what the restore has told; mapped, and also when it has failed."""
    tills = [space.create(name, region="mem-2").id for name in ("till", "safe")]
    if fails:
        kind, call = DatabaseFaultKind.FAIL_LATER, DatabaseCall.RESTORE
        space.faults.plant([DatabaseFault(kind=kind, call=call, error=ErrorKind.CAPACITY)] * 2)
    with DAG("abroad", schedule=None) as dag:
        restore = RestoreDatabaseOperator.partial(task_id="restore", conn_id=CONN, **WAIT)
        restores = restore.expand(database=tills)
        remove = RemoveDatabaseOperator(
            task_id="remove", conn_id=CONN, restore_task_id="restore", trigger_rule="all_done",
            **NOW, **WAIT,
        )  # fmt: skip
        restores >> remove
    capsys.readouterr()
    run = run_dag(dag)
    assert "has not told" not in capsys.readouterr().out
    assert run.states["restore", 0] == ("failed" if fails else "success")
    told = run.xcom("remove")
    assert len(told["removed"]) == 2
    assert {one["region"] for one in told["removed"]} == {"mem-2"}
    assert [one["region"] for one in told["searched"]] == ["mem-1", "mem-2"]
    assert {*space.servers} == {"shop", "till", "safe"}


def telling(told: list[Any], instances: int = 1) -> Bare:
    """A context in which a restore has told these sources."""
    context = Bare()
    context["ti"].xcom_pull = lambda task_ids, key: told
    context["ti"].get_ti_count = lambda **asked: instances
    return context


def test_a_teardown_says_so_when_a_map_index_has_told_nothing(
    space: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its retry has died, and with its begin what the try before had told is gone."""
    tills = [space.create(name, region="mem-2").id for name in ("till", "safe")]
    with DAG("silent", schedule=None):
        RestoreDatabaseOperator.partial(task_id="restore", conn_id=CONN).expand(database=tills)
        remove = RemoveDatabaseOperator(
            task_id="remove", conn_id=CONN, restore_task_id="restore", **NOW, **WAIT
        )
    capsys.readouterr()
    remove.execute(telling([{"id": one} for one in tills], 2))  # type: ignore[arg-type]
    assert "has not told" not in capsys.readouterr().out
    remove.execute(telling([{"id": tills[0]}], 2))  # type: ignore[arg-type]
    assert "restore has not told what it restores" in capsys.readouterr().out


def test_a_teardown_looks_where_parameters_say_beside_what_was_told(space: Databases) -> None:
    till = space.create("till", region="mem-2").id
    with DAG("both", schedule=None):
        RestoreDatabaseOperator(task_id="restore", conn_id=CONN, database=till)
        remove = RemoveDatabaseOperator(
            task_id="remove", conn_id=CONN, restore_task_id="restore", **NOW, **WAIT
        )
    told: Any = remove.execute(telling([{"id": "shop"}]))  # type: ignore[arg-type]
    assert [one["region"] for one in told["searched"]] == ["mem-1", "mem-2"]


def test_a_teardown_that_takes_itself_for_another_airflow_is_no_success(
    space: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One worker knows another base_url than the other: it would find nothing."""
    with DAG("rolling", schedule=None):
        restore = RestoreDatabaseOperator(task_id="restore", conn_id=CONN, database="shop", **WAIT)
        remove = RemoveDatabaseOperator(
            task_id="remove", conn_id=CONN, restore_task_id="restore", **NOW, **WAIT
        )
    context = Bare()
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com")
    restore.execute(context)  # type: ignore[arg-type]
    told = telling([context.pushed["restore_source"]])
    monkeypatch.delenv("AIRFLOW__API__BASE_URL")
    with pytest.raises(AirflowFailException, match=r"precondition_failed: .*airflow_id"):
        remove.execute(told)  # type: ignore[arg-type]
    assert len(space.servers) == 2
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com")
    gone: Any = remove.execute(told)  # type: ignore[arg-type]
    assert len(gone["removed"]) == 1


def test_a_teardown_of_a_restore_that_told_nothing_says_where_it_looked(
    space: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    """The parameters of the restore tell, or else it is said that nothing does."""
    till = space.create("till", region="mem-2")

    def remove(database: str, **given: Any) -> Any:
        with DAG("silent", schedule=None):
            restore = RestoreDatabaseOperator(
                task_id="restore", conn_id=CONN, database=database, **WAIT
            )
            removal = RemoveDatabaseOperator(
                task_id="remove", conn_id=CONN, restore_task_id="restore", **given, **NOW, **WAIT
            )
        return restore, removal

    restore, known = remove(till.id)
    done(restore)
    _, unknown = remove("{{ params.database }}")
    capsys.readouterr()
    assert [one["region"] for one in done(unknown)["searched"]] == ["mem-1"]
    said = capsys.readouterr().out
    assert "there was nothing to remove in: the connection's account, mem-1" in said
    assert "restore has not told what it restores" in said
    assert len(done(known)["removed"]) == 1
    _, named = remove("{{ params.database }}", region="mem-2")
    assert [one["region"] for one in done(named)["searched"]] == ["mem-2"]
    assert "has not told" not in capsys.readouterr().out
    assert {*space.servers} == {"shop", "till"}


def test_a_teardown_of_a_task_that_is_not_there_is_refused(space: Databases) -> None:
    with DAG("misnamed", schedule=None):
        remove = RemoveDatabaseOperator(
            task_id="remove", conn_id=CONN, restore_task_id="restored", **NOW, **WAIT
        )
    with pytest.raises(AirflowFailException, match="restore_task_id: 'restored' given"):
        done(remove)
    assert [*space.servers] == ["shop"]


def test_what_was_kept_goes_only_when_it_is_confirmed_and_allowed(space: Databases) -> None:
    kept: dict[str, Any] = {"name": "shop2", "scratch": False, "labels": {"team": "sales"}}
    restored = done(
        RestoreDatabaseOperator(task_id="keep", conn_id=CONN, database="shop", **kept, **WAIT)
    )
    assert (restored["name"], restored["scratch"]) == ("shop2", False)
    assert space.servers["shop2"].labels["team"] == "sales"
    again = RestoreDatabaseOperator(task_id="keep", conn_id=CONN, database="shop", **kept, **WAIT)
    assert done(again)["found"] is True

    def removal(**given: Any) -> Any:
        more: dict[str, Any] = {"database": restored, **NOW, **WAIT, **given}
        return RemoveDatabaseOperator(task_id="remove", conn_id=CONN, **more)

    for wrong in (
        {},
        {"database": "shop"},
        {"database": "shop", "confirm": "shop", "allow": ["shop"]},
        {"confirm": "shop2", "allow": ["shop"]},
        {"confirm": "shop", "allow": ["shop2"]},
        {"confirm": "shop2", "allow": ["shop2"], "account": "another"},
        {"confirm": "", "allow": ["shop2"]},
    ):
        with pytest.raises(AirflowFailException):
            done(removal(**wrong))
        assert {*space.servers} == {"shop", "shop2"}, wrong
    gone = done(removal(confirm="shop2", allow=[restored["id"]], final_snapshot="last"))
    assert [one["name"] for one in gone["removed"]] == ["shop2"]
    assert ([*space.servers], [*space.snapshots]) == (["shop"], ["last"])


def test_a_clone_with_the_labels_of_a_scratch_instance_stays(space: Databases) -> None:
    with DAG("cloned", schedule=None):
        restore = RestoreDatabaseOperator(task_id="restore", conn_id=CONN, database="shop", **WAIT)
        remove = RemoveDatabaseOperator(
            task_id="remove", conn_id=CONN, restore_task_id="restore", **NOW, **WAIT
        )
    name = done(restore)["name"]
    space.create("clone", labels=space.servers[name].labels)
    space.create("half", labels={**space.servers[name].labels, "multicloud-token": "another"})
    assert [one["name"] for one in done(remove)["removed"]] == [name]
    assert {*space.servers} == {"shop", "clone", "half"}


def test_a_snapshot_with_a_name_is_taken_once(space: Databases) -> None:
    def snapshot(task_id: str = "snapshot", **given: Any) -> Any:
        more: dict[str, Any] = {"name": "nightly", **given}
        return SnapshotDatabaseOperator(
            task_id=task_id, conn_id=CONN, database="shop", **more, **WAIT
        )

    first, again = done(snapshot()), done(snapshot())
    assert (first["found"], again["found"]) == (False, True)
    assert (again["id"], again["taken_at"]) == (first["id"], first["taken_at"])
    with pytest.raises(AirflowFailException, match="already_exists"):
        done(snapshot("other"))
    for wrong in (
        {"account": "another"},
        {"name": ""},
        {"name": "Nightly"},
        {"labels": {"multicloud-token": "x"}},
        {"labels": {"team": "Sales"}},
    ):
        with pytest.raises(AirflowFailException, match=next(iter(wrong))):
            done(snapshot("other", **wrong))
    assert [*space.snapshots] == ["nightly"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"confirm": "shop"},
        {"confirm": ""},
        {"confirm": "None"},
        {"allow": []},
        {"allow": ""},
        {"allow": [""]},
        {"allow": "None"},
        {"allow": ["co*"]},
        {"allow": ["memory/another/databases/copy"]},
        {"account": ""},
        {"account": "another"},
        {"max_lag": timedelta(seconds=1)},
        {"replica": ""},
    ],
    ids=str,
)
def test_a_promotion_is_refused(space: Databases, wrong: dict[str, Any]) -> None:
    space.replicate("shop", "copy")
    space.hide_lag("copy")
    given = {"replica": "copy", "confirm": "copy", "allow": ["copy"], **wrong}
    with pytest.raises(AirflowFailException, match=next(iter(wrong))):
        done(PromoteReplicaOperator(task_id="promote", conn_id=CONN, **given, **WAIT))
    assert space.servers["copy"].primary == "shop"


def test_a_primary_is_promoted_already_and_an_unknown_lag_may_be_accepted(
    space: Databases,
) -> None:
    space.replicate("shop", "copy")
    space.hide_lag("copy")
    promote = PromoteReplicaOperator(
        task_id="promote", conn_id=CONN, replica="copy", confirm="copy", allow=["copy"],
        max_lag=timedelta(seconds=1), promote_unknown_lag=True, **WAIT,
    )  # fmt: skip
    assert done(promote)["already"] is False
    assert space.rows("copy", "orders") == [(1, "a"), (2, "b")]
    assert done(promote)["already"] is True


@pytest.mark.usefixtures("airflow_db")
def test_a_retry_does_not_say_that_others_have_promoted_it(
    space: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The try before it has: it was killed once the cloud had done it."""
    space.replicate("shop", "copy")
    seen: list[Any] = []

    def ended(*args: Any, **kwargs: Any) -> Any:
        found = promoted_replica(*args, **kwargs)
        if not seen:
            seen.append(found)
            raise DatabaseError("the worker is lost", kind=ErrorKind.UNAVAILABLE)
        return found

    monkeypatch.setattr("airflow_multicloud.operators.database.promote.promoted_replica", ended)
    with DAG("retried", schedule=None) as dag:
        PromoteReplicaOperator(
            task_id="promote", conn_id=CONN, replica="copy", confirm="copy", allow=["copy"],
            retries=1, retry_delay=timedelta(0), **WAIT,
        )  # fmt: skip
    run = run_dag(dag)
    assert (run.state, run.tries["promote", -1]) == ("success", 2)
    assert seen[0].already is False
    told = run.xcom("promote")
    assert (told["already"], told["database"]["role"]) == (None, "primary")


def test_the_lag_sensor(space: Databases) -> None:
    space.replicate("shop", "copy")

    def look(max_lag: float = 5.0) -> Any:
        sensor = DatabaseReplicaLagSensor(
            task_id="near", conn_id=CONN, replica="copy", max_lag=timedelta(seconds=max_lag)
        )
        return sensor.poke(Bare())  # type: ignore[arg-type]

    assert look().xcom_value["lag_seconds"] == 0
    space.pause("copy")
    space.insert("shop", "orders", (3, "c"))
    space.advance(timedelta(minutes=1))
    assert look().is_done is False
    assert look(90).is_done is True
    space.resume("copy")
    space.hide_lag("copy")
    assert look(3600).is_done is False
    space.servers["copy"].primary = None
    with pytest.raises(AirflowFailException, match="has it been promoted"):
        look()


def test_power_and_status(space: Databases) -> None:
    given: dict[str, Any] = {"conn_id": CONN, "database": "shop"}
    assert done(StopDatabaseOperator(task_id="stop", **given, **WAIT))["state"] == "stopped"
    status = DatabaseStatusOperator(task_id="status", **given)
    assert done(status)["state"] == "stopped"
    with pytest.raises(AirflowFailException, match="account"):
        done(StartDatabaseOperator(task_id="start", account="another", **given, **WAIT))
    assert done(StartDatabaseOperator(task_id="start", **given, **WAIT))["state"] == "available"
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
