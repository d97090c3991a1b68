"""An operator that waits, in a whole Airflow: in its triggerer, and in a worker."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.demo import first_runs

from .running_airflow import Airflow, TaskRun, begin_run, running_airflow
from .waiting_tasks import CONSOLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAG_FILE = """
from datetime import timedelta
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset
from tests.integration.waiting_tasks import WaitForFiles

for dag_id, deferrable in (("deferred", True), ("running", False)):
    with DAG(dag_id, schedule=None):
        WaitForFiles(
            task_id="wait", directory="{{ dag_run.conf['directory'] }}", deferrable=deferrable,
            poll_interval=0.2, outlets=[Asset("waited")], retries=2, retry_delay=timedelta(0),
        )
with DAG("first", schedule=None, is_paused_upon_creation=True):
    EmptyOperator(task_id="nothing")
"""


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    home, dags = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("dags")
    (dags / "waiting.py").write_text(DAG_FILE)
    with running_airflow(home, dags) as airflow:
        airflow.until("the DAGs", lambda: airflow.knows("deferred") and airflow.knows("running"))
        yield airflow


def processes(directory: Path, name: str) -> set[str]:
    path = directory / name
    return {*path.read_text().split()} if path.exists() else set()


def waiting(airflow: Airflow, directory: Path, state: str = "deferred") -> TaskRun:
    """A task that waits: ``deferred``, or ``running`` in a worker."""
    task = begin_run(airflow, state, "wait", directory=str(directory))
    airflow.until("a look", lambda: processes(directory, "looks"))
    if state == "deferred":
        task.deferred_times(1)
    assert task.until(state)["try_number"] == 1
    return task


def end(task: TaskRun, directory: Path) -> None:
    """Let both of its waits end, and see how it does."""
    (directory / "1").touch()
    task.deferred_times(2)
    (directory / "2").touch()
    assert task.until("success")["try_number"] == 1
    assert task.xcom() == {"found": [1, 2]}


def test_it_ends_well_after_several_waits(airflow: Airflow, tmp_path: Path) -> None:
    task = waiting(airflow, tmp_path)
    links = airflow.ask("GET", f"{task.path}/links")["extra_links"]
    assert links == {"AWS console": None, "Azure portal": None, "Google Cloud console": CONSOLE}
    (tmp_path / "away").touch()
    seen = (tmp_path / "looks").stat().st_size
    airflow.until("another look", lambda: (tmp_path / "looks").stat().st_size >= 3 * seen)
    assert task.seen()["state"] == "deferred"  # That passes.
    (tmp_path / "away").unlink()
    end(task, tmp_path)
    assert task.xcom("report") == {"found": [1, 2]}
    assert airflow.ask("GET", f"{task.path}/links")["extra_links"] == links
    events = airflow.ask("GET", "assets/events?source_dag_id=deferred")["asset_events"]
    (event,) = [event for event in events if event["source_run_id"] == task.run_id]
    assert event["extra"]["multicloud"] == {"found": [1, 2]}
    (triggerer,) = processes(tmp_path, "looks")
    steps = processes(tmp_path, "steps")
    assert len(steps) == 2  # each in a worker's process of its own
    assert triggerer not in steps
    assert not [*tmp_path.glob("cancelled-*")]


def test_what_no_retry_mends_fails_it_at_once(airflow: Airflow, tmp_path: Path) -> None:
    task = waiting(airflow, tmp_path)
    (tmp_path / "denied").touch()
    assert task.until("failed")["try_number"] == 1
    assert len(processes(tmp_path, "steps")) == 1
    why = "permission_denied: not yours"  # in the log, whose last lines come when it has failed
    airflow.until(why, lambda: why in str(airflow.ask("GET", f"{task.path}/logs/1")))
    assert not [*tmp_path.glob("cancelled-*")]


@pytest.mark.parametrize("state", ["deferred", "running"])
def test_marked_as_failed_it_is_called_off(airflow: Airflow, tmp_path: Path, state: str) -> None:
    task = waiting(airflow, tmp_path, state)
    airflow.ask("PATCH", task.path, new_state="failed")
    airflow.until("a cancellation", lambda: processes(tmp_path, "cancelled-1"))
    assert processes(tmp_path, "cancelled-1") == processes(tmp_path, "looks")
    assert task.seen()["state"] == "failed"


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_a_triggerer_that_restarts_calls_nothing_off(
    airflow: Airflow, tmp_path: Path, by: signal.Signals
) -> None:
    task = waiting(airflow, tmp_path)
    airflow.stop("triggerer", by)
    airflow.start("triggerer")
    airflow.until("looks of the new one", lambda: len(processes(tmp_path, "looks")) == 2)
    end(task, tmp_path)
    assert not [*tmp_path.glob("cancelled-*")]


def test_make_ui_runs_dags_once(airflow: Airflow) -> None:
    first_runs.main(airflow.url, {"first": {}})
    (run,) = airflow.ask("GET", "dags/first/dagRuns")["dag_runs"]
    path = f"dags/first/dagRuns/{run['dag_run_id']}"
    airflow.until("the run", lambda: airflow.ask("GET", path)["state"] == "success")
