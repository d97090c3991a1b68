"""A DAG that waits for a day's bills of all three clouds, as docs/costs.md has it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.demo import bills

from ..integration.airflow_runs import allow, make_known, run_dag  # noqa: TID252
from .test_nightly_cost import load

if TYPE_CHECKING:
    from airflow.sdk import DAG
    from sqlalchemy.orm import Session

PAGE = Path(__file__).parents[2] / "docs" / "costs.md"

DAY = bills.DAY.isoformat()

pytestmark = pytest.mark.usefixtures("airflow_db", "local_clouds", "local_bigquery")


@pytest.fixture
def consumer() -> str:
    """The page's own DAG, known to the database and switched on; its id."""
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    (code,) = re.findall(
        r"^```python\n(import pendulum.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    scope: dict[str, Any] = {}
    exec(compile(code, str(PAGE), "exec"), scope)
    dag: DAG = scope["dag"]
    make_known(dag)
    with create_session() as session:
        known = session.get(DagModel, dag.dag_id)
        assert known is not None
        known.is_paused = False
    return dag.dag_id


def runs_after_a_tick(dag_id: str) -> list[str | None]:
    """The partitions of all runs, once the scheduler has made those that are due."""
    from airflow.jobs.job import Job
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        scheduler = SchedulerJobRunner(Job())
        scheduler._create_dagruns_for_partitioned_asset_dags(session)
    with create_session() as session:
        found = select(DagRun.partition_key).where(DagRun.dag_id == dag_id).order_by(DagRun.id)
        return list(session.scalars(found))


def ingested(cloud: str, day: str) -> None:
    """What a task of nightly_cost that has ingested one cloud's bill leaves behind."""
    from airflow.assets.manager import asset_manager
    from airflow.models.asset import AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        bill = session.scalars(select(AssetModel).where(AssetModel.name == f"bill_{cloud}")).one()
        asset_manager.register_asset_change(asset=bill, partition_key=day, session=session)


@pytest.fixture
def partition(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of ``dag.test()``, which can't be told one, have the day as their partition."""
    from airflow.models import dagrun

    create = dagrun.get_or_create_dagrun

    def with_partition(*, session: Session, **arguments: Any) -> dagrun.DagRun:
        made = create(session=session, **arguments)
        made.partition_key = DAY
        made.partition_date = datetime.combine(bills.DAY, time(), UTC)
        session.commit()
        return made

    monkeypatch.setattr(dagrun, "get_or_create_dagrun", with_partition)


@pytest.mark.usefixtures("partition")
def test_one_run_a_day_once_all_three_are_there(
    consumer: str, exports: bills.Exports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = runs_after_a_tick(consumer)
    ingesting = load().partial_subset("ingest", include_upstream=True)
    places = {
        **{f"{cloud}_export": uri for cloud, uri in exports.uris.items()},
        "store": str(tmp_path / "costs"),
    }
    allow(monkeypatch, "nightly_cost", **places)
    night = run_dag(ingesting, places)
    assert night.state == "success"
    # No param said which month: the day is the partition's, and the month before it may change.
    for cloud in exports.uris:
        read = [p["billing_period"] for p in night.xcom(f"{cloud}.ingest")]
        assert read == ["2026-09-01", "2026-10-01"]
    # However many months were read, the event is of the one day.
    for _ in range(2):
        assert runs_after_a_tick(consumer) == [*before, DAY]


def test_two_clouds_of_a_day_and_one_of_another_do_not_run_it(consumer: str) -> None:
    before = runs_after_a_tick(consumer)
    for cloud, day in (("aws", "2026-10-20"), ("gcp", "2026-10-20"), ("azure", "2026-10-21")):
        ingested(cloud, day)
        assert runs_after_a_tick(consumer) == before
    ingested("azure", "2026-10-20")
    assert runs_after_a_tick(consumer) == [*before, "2026-10-20"]
    # Ingested again: once more, when all three have come again.
    for cloud in ("aws", "gcp", "azure"):
        assert runs_after_a_tick(consumer) == [*before, "2026-10-20"]
        ingested(cloud, "2026-10-20")
    assert runs_after_a_tick(consumer) == [*before, "2026-10-20", "2026-10-20"]
