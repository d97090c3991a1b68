"""Snapshots that tasks remove: older ones of a series, those of a run, and one that is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import DAG

from airflow_multicloud import api
from airflow_multicloud.core.database.snapshots import TakenSnapshot, taken_snapshot
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.operators.database import RemoveSnapshotOperator, SnapshotDatabaseOperator
from airflow_multicloud.ports.operations import Operation, OperationState
from airflow_multicloud.testing.memory_cloud.database import Databases, Hook, databases_of, reset
from airflow_multicloud.testing.sql_faults import (
    DatabaseCall,
    DatabaseFault,
    DatabaseFaultKind,
)

from .airflow_runs import Bare, run_dag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONN = "databases_of_series"
WAIT: dict[str, Any] = {"poll_interval": 0.05}
SOON: dict[str, Any] = {"poll_interval": timedelta(milliseconds=10)}
NOW: dict[str, Any] = {"confirm_after": timedelta(0)}


@pytest.fixture
def space(memory_account: Callable[[str, str], str]) -> Iterator[Databases]:
    memory_account(CONN, "bucket")
    reset(CONN)
    made = databases_of(CONN)
    made.create("shop", {"orders": [(1, "a")]})
    yield made
    reset(CONN)


def refuse(space: Databases, name: str) -> None:
    fault = DatabaseFaultKind.REFUSE
    space.faults.plant(
        [
            DatabaseFault(
                kind=fault, call=DatabaseCall.REMOVE, error=ErrorKind.QUOTA, name=name, times=9
            )
        ]
    )


@pytest.mark.usefixtures("airflow_db")
@pytest.mark.parametrize("deferrable", [False, True])
def test_runs_keep_the_newest_of_their_series(space: Databases, *, deferrable: bool) -> None:
    """The tasks are mapped, over two instances; a removal that fails is told, and costs itself."""
    space.create("till", {"orders": [(3, "c")]})
    api.snapshot_database(CONN, "shop", name="of-somebody", **SOON)
    taken: list[list[str]] = []
    with DAG("nightly", schedule=None) as dag:
        SnapshotDatabaseOperator.partial(
            task_id="snapshot", conn_id=CONN, keep=2, deferrable=deferrable, **WAIT
        ).expand(database=["shop", "till"])
    for _ in range(4):
        space.advance(timedelta(days=1))
        run = run_dag(dag)
        assert run.state == "success"
        taken.append([run.xcom("snapshot", map_index=n)["name"] for n in range(2)])
    retention = run.xcom("snapshot", map_index=0)["retention"]
    assert (retention["keep"], retention["kept"], retention["left"]) == (2, 2, [])
    assert [one["name"] for one in retention["removed"]] == [taken[1][0]]
    assert {*space.snapshots} == {"of-somebody", *taken[2], *taken[3]}
    refuse(space, taken[2][1])
    space.advance(timedelta(days=1))
    run = run_dag(dag)
    assert run.state == "success"
    first, second = (run.xcom("snapshot", map_index=n)["retention"] for n in range(2))
    assert [one["name"] for one in first["removed"]] == [taken[2][0]]
    assert ([one["name"] for one in second["left"]], second["removed"]) == ([taken[2][1]], [])
    assert (second["left"][0]["kind"], second["kept"]) == ("quota", 3)


def of_run(run_id: str) -> Bare:
    context = Bare()
    context["ti"].run_id = run_id
    return context


def nightly(**given: Any) -> SnapshotDatabaseOperator:
    more = {"conn_id": CONN, "database": "shop", "keep": 1, **WAIT, **given}
    return SnapshotDatabaseOperator(task_id="nightly", **more)


def test_older_ones_that_do_not_go_in_time_fail_no_task(space: Databases) -> None:
    """The task's time is not over when the snapshot is there and an older one can't go."""
    name = nightly().execute(of_run("first"))["name"]
    space.advance(timedelta(days=1))
    space.faults.plant(
        [
            DatabaseFault(
                kind=DatabaseFaultKind.REFUSE, call=DatabaseCall.REMOVE, error=ErrorKind.BUSY,
                name=name, times=999,
            )
        ]
    )  # fmt: skip
    short: dict[str, Any] = {"timeout": timedelta(seconds=1), "poll_interval": 0.2}
    told = nightly(**short).execute(of_run("second"))
    assert [(one["name"], one["kind"]) for one in told["retention"]["left"]] == [(name, "timeout")]
    assert {*space.snapshots} == {name, told["name"]}


@pytest.mark.parametrize("call", ["describe_operation", "list_snapshots"])
def test_what_can_not_be_asked_about_older_ones_fails_no_task(
    space: Databases, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    first = nightly().execute(of_run("first"))["name"]
    space.advance(timedelta(days=1))
    remove, asked, taken = Hook.remove_snapshot, getattr(Hook, call), taken_snapshot
    denied = False

    def going_on(self: Hook, ref: Any, *, token: str) -> Operation:
        nonlocal denied
        denied = True
        return replace(remove(self, ref, token=token), state=OperationState.RUNNING)

    def deny(self: Hook, *given: Any) -> Any:
        if denied:
            raise DatabaseError(f"{call}: no", kind=ErrorKind.PERMISSION_DENIED)
        return asked(self, *given)

    def then_denied(*given: Any, **more: Any) -> TakenSnapshot:
        nonlocal denied
        found = taken(*given, **more)
        denied = call == "list_snapshots"
        return found

    monkeypatch.setattr(Hook, "remove_snapshot", going_on)
    monkeypatch.setattr(Hook, call, deny)
    monkeypatch.setattr(
        "airflow_multicloud.operators.database.snapshot.taken_snapshot", then_denied
    )
    monkeypatch.setattr("airflow_multicloud.api.database.snapshots.taken_snapshot", then_denied)
    told = nightly().execute(of_run("second"))
    given_up = {"kind": "permission_denied", "error": f"{call}: no"}
    assert told["retention"]["given_up"] == given_up
    gone = [] if call == "list_snapshots" else [first]
    assert [one["name"] for one in told["retention"]["removed"]] == gone
    assert told["retention"]["kept"] == (None if call == "list_snapshots" else 1)
    assert told["name"] in space.snapshots
    for number in range(2):
        denied = False
        space.advance(timedelta(days=1))
        called = api.snapshot_database(
            CONN, "shop", keep=1, series="api", run=str(number), **SOON
        ).retention
    assert called is not None
    assert to_document(called)["given_up"] == given_up


def test_keep_without_an_airflow_id_is_warned_of(
    space: Databases, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Another Airflow with the same DAG may remove what this one has taken."""
    said = "nothing tells this Airflow from others"
    given: dict[str, Any] = {"task_id": "take", "conn_id": CONN, "database": "shop", **WAIT}
    done(SnapshotDatabaseOperator(**given))
    assert said not in caplog.text
    done(SnapshotDatabaseOperator(keep=1, **given))
    assert said in caplog.text
    caplog.clear()
    monkeypatch.setenv("AIRFLOW__MULTICLOUD__AIRFLOW_ID", "production")
    done(SnapshotDatabaseOperator(keep=1, **given))
    api.snapshot_database(CONN, "shop", keep=1, series="nightly", **SOON)
    assert said not in caplog.text
    monkeypatch.delenv("AIRFLOW__MULTICLOUD__AIRFLOW_ID")
    api.snapshot_database(CONN, "shop", keep=1, series="nightly", **SOON)
    assert said in caplog.text
    assert space.snapshots


@pytest.mark.usefixtures("airflow_db")
def test_the_snapshots_of_a_run_are_torn_down(space: Databases) -> None:
    space.create("till", {"orders": [(3, "c")]})
    kept = api.snapshot_database(CONN, "shop", run="kept", **SOON)
    with DAG("torn_down", schedule=None) as dag:
        snapshots = SnapshotDatabaseOperator.partial(
            task_id="snapshot", conn_id=CONN, **WAIT
        ).expand(database=["shop", "till"])
        remove = RemoveSnapshotOperator(
            task_id="remove", conn_id=CONN, snapshot_task_id="snapshot", deferrable=True,
            **NOW, **WAIT,
        )  # fmt: skip
        snapshots >> remove
    run = run_dag(dag)
    assert run.state == "success"
    names = {run.xcom("snapshot", map_index=n)["name"] for n in range(2)}
    assert {one["name"] for one in run.xcom("remove")["removed"]} == names
    assert [*space.snapshots] == [kept.name]


def done(operator: Any) -> Any:
    """What a task returns that waits in its worker."""
    return operator.execute(Bare())


def test_a_snapshot_goes_only_when_it_is_confirmed_and_allowed(space: Databases) -> None:
    taken = done(
        SnapshotDatabaseOperator(task_id="take", conn_id=CONN, database="shop", name="last", **WAIT)
    )

    def removal(**given: Any) -> Any:
        more = {"snapshot": taken, "confirm": "last", "allow": ["last"], **NOW, **WAIT, **given}
        return RemoveSnapshotOperator(task_id="remove", conn_id=CONN, **more)

    for wrong in (
        {"confirm": "other"},
        {"confirm": ""},
        {"allow": ["la*"]},
        {"allow": ""},
        {"snapshot": ""},
        {"account": "another"},
        {"account": ""},
    ):
        with pytest.raises(AirflowFailException, match=next(iter(wrong))):
            done(removal(**wrong))
        assert "last" in space.snapshots, wrong
    gone = done(removal(allow=[taken["id"]]))
    assert [one["name"] for one in gone["removed"]] == ["last"]
    assert done(removal())["removed"] == []
    assert "last" not in space.snapshots


def test_where_snapshots_were_looked_for_is_told(
    space: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    """A task that died may have said nothing; what it has taken elsewhere is then still there."""
    far = space.create("till", {"orders": [(3, "c")]}, region="mem-2")
    taken = api.snapshot_database(CONN, far.id, **SOON)
    with DAG("elsewhere", schedule=None):
        SnapshotDatabaseOperator(task_id="take", conn_id=CONN, database="{{ params.it }}", **WAIT)
        SnapshotDatabaseOperator(task_id="far", conn_id=CONN, database=far.id, **WAIT)

        def remove(task_id: str, of: str, **given: Any) -> RemoveSnapshotOperator:
            more = {"conn_id": CONN, "snapshot_task_id": of, **NOW, **WAIT, **given}
            return RemoveSnapshotOperator(task_id=task_id, **more)

        waits = {"confirm_after": timedelta(milliseconds=10)}
        unknown = [remove("unknown", "take"), remove("waits", "take", **waits)]
        known = [remove("by_task", "far"), remove("by_itself", "take", database=far.id, **waits)]
    said = "take has not told what it takes snapshots of"
    for operators, region in ((known, "mem-2"), (unknown, "mem-1")):
        for one in operators:
            capsys.readouterr()
            told = done(one)
            assert [place["region"] for place in told["searched"]] == [region]
            assert told["removed"] == []
            assert (said in capsys.readouterr().out) == (one in unknown)
    gone = api.remove_snapshot(CONN, taken.id, confirm=taken.name, allow=[taken.name], **SOON)
    assert [place.region for place in gone.searched] == ["mem-2"]


def test_what_is_left_fails_the_removal_and_not_the_others(space: Databases) -> None:
    with DAG("left", schedule=None):
        take = SnapshotDatabaseOperator(task_id="take", conn_id=CONN, database="shop", **WAIT)
        remove = RemoveSnapshotOperator(
            task_id="remove", conn_id=CONN, snapshot_task_id="take", **NOW, **WAIT
        )
        misnamed = RemoveSnapshotOperator(
            task_id="misnamed", conn_id=CONN, snapshot_task_id="taken", **NOW, **WAIT
        )
    name = done(take)["name"]
    refuse(space, name)
    with pytest.raises(AirflowFailException, match=f"not removed: .*{name}"):
        done(remove)
    space.faults.clear()
    assert [one["name"] for one in done(remove)["removed"]] == [name]
    with pytest.raises(AirflowFailException, match="snapshot_task_id: 'taken' given"):
        done(misnamed)


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        (SnapshotDatabaseOperator, {"database": "shop", "keep": 0}, "keep: 0 given"),
        (SnapshotDatabaseOperator, {"database": "shop", "keep": True}, "keep: True given"),
        (RemoveSnapshotOperator, {}, "exactly one of them"),
        (RemoveSnapshotOperator, {"snapshot_task_id": "a", "snapshot": "b"}, "exactly one"),
        (RemoveSnapshotOperator, {"snapshot": "b"}, "confirm, allow: expected with"),
        (RemoveSnapshotOperator, {"snapshot": "b", "confirm": "b"}, "confirm, allow"),
        (RemoveSnapshotOperator, {"snapshot_task_id": "a", "confirm": "b"}, "only with snapshot"),
        (RemoveSnapshotOperator, {"snapshot_task_id": "a", "region": "b"}, "region: expected only"),
        (
            RemoveSnapshotOperator,
            {"snapshot": "b", "confirm": "b", "allow": ["b"], "database": "a"},
            "database: expected only",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_when_the_dag_is_parsed(
    kind: Any, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        kind(task_id="wrong", conn_id=CONN, **given)


def test_the_python_api(space: Databases) -> None:
    for number in range(3):
        space.advance(timedelta(days=1))
        given: dict[str, Any] = {"name": f"n{number}", "series": "nightly", **SOON}
        taken = api.snapshot_database(CONN, "shop", keep=2, **given)
    assert taken.retention is not None
    assert [one.name for one in taken.retention.removed] == ["n0"]
    assert {*space.snapshots} == {"n1", "n2"}
    api.snapshot_database(CONN, "shop", name="n3", series="weekly", keep=1, **SOON)
    assert {*space.snapshots} == {"n1", "n2", "n3"}
    for wrong, said in (({"keep": 1}, "series"), ({"keep": 0, "series": "a"}, "keep")):
        with pytest.raises(DatabaseError, match=f"^{said}:"):
            api.snapshot_database(CONN, "shop", **wrong)
    gone = api.remove_snapshot(CONN, taken.id, confirm="n2", allow=["n2"], **SOON)
    assert [one.name for one in gone.removed] == ["n2"]
    refuse(space, "n1")
    again = api.snapshot_database(CONN, "shop", keep=1, name="n4", series="nightly", **SOON)
    assert again.retention is not None
    assert [one.name for one in again.retention.left] == ["n1"]
