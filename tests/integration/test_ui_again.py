"""What the pages in Airflow's UI show of tasks that run again, and of runs that were deleted."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from airflow.models.asset import AssetEvent, AssetModel
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from airflow.sdk import DAG, Asset
from airflow.utils.session import create_session
from fastapi.testclient import TestClient
from sqlalchemy import delete, select, update

from airflow_multicloud.operators.compute import DeployOperator
from airflow_multicloud.operators.drill import DrillReportOperator
from airflow_multicloud.plugins.page import access
from airflow_multicloud.plugins.page.app import make_app
from airflow_multicloud.plugins.page.recorded import LONGEST

from .airflow_runs import run_dag
from .ui_runs import ANY_DRILL, judged, telling

if TYPE_CHECKING:
    from collections.abc import Iterator

RELEASE, EVIDENCE = Asset("again_release"), Asset("again_evidence")
DAG_ID = "again"


@dataclass
class Somebody:
    """Who may read some DAGs, and assets or not."""

    dags: set[str]
    assets: bool = True
    unreadable: set[int] = field(default_factory=set)

    def dag_ids(self, _session: object) -> set[str]:
        return self.dags

    def may_read_asset(self, asset_id: int) -> bool:
        return self.assets and asset_id not in self.unreadable


def run(revision: str, number: int) -> str:
    """A release and a drill that tell this; the run's id."""
    target = {"name": "eu", "cloud": "aws", "outcome": "succeeded", "instances": []}
    rollout = {"deployment_id": "shop", "revision": revision, "targets": [target]}
    made: dict[str, Any] = {"deployment_id": "shop", "artifact": "/a", "targets": []}
    with DAG(DAG_ID, schedule=None) as dag:
        telling(DeployOperator, "deploy", rollout, outlets=[RELEASE], **made)
        drilled = judged(number, "gs://any@again/")
        telling(DrillReportOperator, "judge", drilled, outlets=[EVIDENCE], **ANY_DRILL)
    return run_dag(dag).run_id


def change(model: Any, run_id: str, task_id: str, **values: Any) -> None:
    of_it = (model.dag_id == DAG_ID, model.run_id == run_id, model.task_id == task_id)
    with create_session() as session:
        session.execute(
            update(model).where(*of_it).values(**values) if values else delete(model).where(*of_it)
        )


def clear(run_id: str, task_id: str) -> None:
    """Airflow keeps the XComs until the task begins."""
    change(TaskInstance, run_id, task_id, state=None)


def begin(run_id: str, task_id: str, state: str = "running") -> None:
    """As a worker does: of the try before there is nothing in XCom any more."""
    change(XComModel, run_id, task_id)
    change(TaskInstance, run_id, task_id, state=state, start_date=datetime.now(UTC))


def forget(run_id: str) -> None:
    with create_session() as session:
        found = session.scalar(
            select(DagRun).where(DagRun.dag_id == DAG_ID, DagRun.run_id == run_id)
        )
        session.delete(found)


@pytest.fixture
def somebody() -> Somebody:
    return Somebody({DAG_ID})


@pytest.fixture
def pages(airflow_db: None, somebody: Somebody) -> Iterator[TestClient]:
    """The pages themselves; who may ask at all is tested with a server of Airflow's."""
    app = make_app()
    for asked in access.MAY_READ:
        app.dependency_overrides[asked.dependency] = lambda: None
    app.dependency_overrides[access._reader] = lambda: somebody
    with TestClient(app) as client:
        yield client
    with create_session() as session:
        assets = select(AssetModel.id).where(AssetModel.name.like("again_%"))
        session.execute(delete(AssetEvent).where(AssetEvent.asset_id.in_(assets)))
        for one in session.scalars(select(DagRun).where(DagRun.dag_id == DAG_ID)):
            session.delete(one)


def shown(pages: TestClient, path: str) -> str:
    answer = pages.get(path)
    assert answer.status_code == 200, answer.text
    text = answer.text.partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", text)))


def test_the_newest_rollout_is_not_forgotten(pages: TestClient, somebody: Somebody) -> None:
    first, second = run("1.0", 0), run("2.0", 1)
    assert re.search(r"eu aws 2\.0 since .* succeeded 2\.0", shown(pages, "/deployments"))

    clear(second, "deploy")
    page = shown(pages, "/deployments")
    assert "eu aws 2.0 since" in page
    assert "again, which runs, or is to run again" in page
    assert "has not succeeded" not in page

    begin(second, "deploy")
    page = shown(pages, "/deployments")
    assert "eu aws 2.0 since" in page
    assert "again, before it was run again; a later try has told nothing: running" in page
    tab = shown(pages, f"/task/{DAG_ID}/{second}/deploy/-1")
    assert "Before it was run again, in an asset's event" in tab
    assert "revision 2.0" in tab

    # Who may not read the asset sees what XCom has, and that there is more.
    somebody.assets = False
    page = shown(pages, "/deployments")
    assert "eu aws 1.0 since" in page
    assert "again; a later try has told nothing: running" in page
    assert "There is no report of it." in shown(pages, f"/task/{DAG_ID}/{second}/deploy/-1")
    somebody.assets = True

    begin(second, "deploy", "failed")
    assert "a later try has told nothing: failed" in shown(pages, "/deployments")

    forget(second)
    page = shown(pages, "/deployments")
    assert "eu aws 2.0 since" in page
    assert "again, whose run was deleted" in page
    assert pages.get(f"/task/{DAG_ID}/{second}/deploy/-1").status_code == 404
    assert f"{second}" not in pages.get("/deployments").text

    # The only one that is left, and nothing of a DAG that may not be read.
    forget(first)
    assert "eu aws 2.0 since" in shown(pages, "/deployments")
    somebody.dags = {"another"}
    assert "Nothing was deployed" in shown(pages, "/deployments")


def test_a_drill_has_one_row(pages: TestClient) -> None:
    first, second = run("1.0", 0), run("1.0", 1)
    begin(second, "judge")
    page = shown(pages, "/drills").partition("evidence")[2]
    assert page.count("PASSED") == 2
    assert page.count("before it was run again; a later try has told nothing: running") == 1
    # It is judged again: what this try tells counts, and nothing of the one before.
    with create_session() as session:
        told = judged(5, "gs://any@again/")
        XComModel.set(
            key="report", value=told, dag_id=DAG_ID, task_id="judge", run_id=second, session=session
        )
    change(TaskInstance, second, "judge", state="failed")
    page = shown(pages, "/drills").partition("evidence")[2]
    assert (page.count("PASSED"), page.count("FAILED_RTO")) == (1, 1)
    assert "before it was run again" not in page
    forget(first)
    page = shown(pages, "/drills").partition("evidence")[2]
    assert (page.count("PASSED"), page.count("FAILED_RTO")) == (1, 1)
    assert page.count("whose run was deleted") == 1
    assert "gs://any@again/ not known" in shown(pages, "/replicas")
    assert "FAILED_RTO" in shown(pages, "/replicas")


def test_events_that_no_task_has_told(pages: TestClient) -> None:
    run_id = run("1.0", 0)
    with create_session() as session:
        asset_id = session.scalar(select(AssetModel.id).where(AssetModel.name == RELEASE.name))
        facts = {"deployment_id": "shop", "revision": "forged", "targets": []}
        session.add(AssetEvent(asset_id=asset_id, extra={"multicloud": facts}))
        for task_id in ("judge", "no_task"):
            session.add(
                AssetEvent(
                    asset_id=asset_id,
                    extra={"multicloud": {**facts, "deployment_id": task_id}},
                    source_dag_id=DAG_ID,
                    source_run_id="gone",
                    source_task_id=task_id,
                    source_map_index=-1,
                )
            )
    begin(run_id, "deploy")
    page = shown(pages, "/deployments")
    assert "1.0 since" in page
    assert "forged" not in page


def told(asset_id: int, extra: Any, task_id: str = "deploy", **source: Any) -> AssetEvent:
    """An event of a task of the DAG whose run was deleted."""
    usual: dict[str, Any] = {"source_dag_id": DAG_ID, "source_run_id": "gone"}
    usual |= {"source_task_id": task_id, "source_map_index": -1}
    return AssetEvent(asset_id=asset_id, extra=extra, **{**usual, **source})


def test_events_of_others_hide_none(pages: TestClient, somebody: Somebody) -> None:
    """Events that say nothing here, or may not be read, cost no report its place."""
    run_id = run("1.0", 0)
    begin(run_id, "deploy")
    with create_session() as session:
        names = (RELEASE.name, EVIDENCE.name)
        known = select(AssetModel.name, AssetModel.id).where(AssetModel.name.in_(names))
        ids = {row.name: row.id for row in session.execute(known)}
        facts = {"deployment_id": "shop", "revision": "forged", "targets": []}
        crowd = [told(ids[RELEASE.name], {"rows": n}, source_run_id=f"{n}") for n in range(400)]
        crowd += [
            told(ids[RELEASE.name], {"multicloud": facts}, "judge", source_run_id=f"{n}")
            for n in range(400)
        ]
        crowd += [
            told(ids[EVIDENCE.name], {"multicloud": facts}, source_run_id=f"{n}")
            for n in range(400)
        ]
        session.add_all(crowd)
    somebody.unreadable = {ids[EVIDENCE.name]}
    page = shown(pages, "/deployments")
    assert "1.0 since" in page
    assert "forged" not in page


def test_extras_that_are_no_facts(pages: TestClient) -> None:
    run_id = run("1.0", 0)
    begin(run_id, "deploy")
    hostile = "<img src=x onerror=alert(1)>\0{{ 7 * 7 }}\u202e"
    target = {"name": hostile, "cloud": hostile, "outcome": "succeeded", "instances": []}
    facts = {"deployment_id": hostile, "revision": hostile, "targets": [target]}
    deep: Any = "x"
    for _ in range(400):
        deep = [deep]
    extras: list[Any] = [
        *([], "text", 3, True, {"multicloud": None}, {"multicloud": "{}"}, {"multicloud": [facts]}),
        *({"multicloud": {}}, {"multicloud": {"targets": deep}}, {"multicloud": deep}),
        {"multicloud": {"targets": [3, None, {}]}},
        {"multicloud": {"deployment_id": {"a": 1}, "revision": [], "targets": {}}},
        {"multicloud": {**facts, "huge": "x" * (LONGEST + 1)}},
        {"multicloud": facts},
    ]
    with create_session() as session:
        asset_id = session.scalar(select(AssetModel.id).where(AssetModel.name == RELEASE.name))
        assert asset_id is not None
        session.add_all(
            told(asset_id, one, source_run_id=f"{number}") for number, one in enumerate(extras)
        )
        # Of a run of another DAG, which may not be read.
        others = {"multicloud": {**facts, "revision": "theirs"}}
        session.add(told(asset_id, others, source_dag_id="another", source_run_id=run_id))
    page = pages.get("/deployments").text
    assert "1.0" in page
    assert "&lt;img src=x onerror=alert(1)&gt;\\x00{{ 7 * 7 }}\\u202e" in page
    assert "theirs" not in page
    assert not [one for one in ("<img", "\0", "\u202e") if one in page]
    tab = shown(pages, f"/task/{DAG_ID}/{run_id}/deploy/-1")
    assert "revision 1.0" in tab
    assert "theirs" not in tab


@pytest.mark.parametrize("may", [True, False])
def test_airflow_is_asked_for_each_asset(monkeypatch: pytest.MonkeyPatch, *, may: bool) -> None:
    asked: list[tuple[object, ...]] = []

    class Manager:
        def is_authorized_asset(self, *, method: str, user: object, details: Any) -> bool:
            asked.append((method, user, details.id))
            return may

    monkeypatch.setattr(access, "get_auth_manager", Manager)
    user: Any = object()
    assert access.Reader(user).may_read_asset(7) is may
    assert asked == [("GET", user, "7")]
