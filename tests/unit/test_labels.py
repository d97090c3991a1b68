"""Labels of the work under way, and real ids found again by what clouds made of them."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.telemetry import submit_in_context
from airflow_multicloud.labels import KnownIds, LabelRules, Work, current_work, working_for
from airflow_multicloud.triggers.poll import PollTrigger

if TYPE_CHECKING:
    from types import SimpleNamespace

GOOGLE = LabelRules(illegal=r"[^\w-]", longest=63, most_bytes=128, lower=True)


@pytest.fixture(autouse=True)
def outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DAG_ID", "TASK_ID", "DAG_RUN_ID", "TRY_NUMBER"):
        monkeypatch.delenv(f"AIRFLOW_CTX_{name}", raising=False)


def test_a_task_of_airflow(monkeypatch: pytest.MonkeyPatch) -> None:
    assert current_work() == Work()
    assert current_work().labels(GOOGLE) == {}
    monkeypatch.setenv("AIRFLOW_CTX_DAG_ID", "Nightly_Cost")
    monkeypatch.setenv("AIRFLOW_CTX_TASK_ID", "aws.ingest")
    monkeypatch.setenv("AIRFLOW_CTX_DAG_RUN_ID", "scheduled__2026-10-28T06:30:00+00:00")
    assert current_work().labels(GOOGLE) == {
        "airflow-dag": "nightly_cost",
        "airflow-task": "aws-ingest",
        "airflow-run": "scheduled__2026-10-28t06-30-00-00-00",
    }
    assert set(current_work().lasting().labels(GOOGLE)) == {"airflow-dag", "airflow-task"}


def test_the_try_is_known_and_no_label(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CTX_TRY_NUMBER", "3")
    assert current_work() == Work(try_number=3)
    assert Work(dag_id="d", map_index=2, try_number=3).labels(GOOGLE) == {"airflow-dag": "d"}
    assert Work(dag_id="d", run_id="r", try_number=3).lasting() == Work(dag_id="d")


def test_as_the_google_provider_labels_bigquery_jobs() -> None:
    from airflow.providers.google.cloud.operators.bigquery import BigQueryInsertJobOperator

    operator = BigQueryInsertJobOperator(task_id="Group.Load_all", configuration={})
    operator._add_job_labels()
    theirs = operator.configuration["labels"]
    work = Work(dag_id=operator.dag_id, task_id=operator.task_id)
    assert work.labels(GOOGLE) == theirs


def test_what_is_said_counts_more_also_in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CTX_DAG_ID", "of_the_process")
    with ThreadPoolExecutor(1) as pool, working_for(Work(dag_id="said")):
        assert submit_in_context(pool, current_work).result() == Work(dag_id="said")
    assert current_work() == Work(dag_id="of_the_process")


@pytest.mark.parametrize(
    "dag_id",
    ["sales", "Sales.EU", "a" * 63, "a" * 64, "A.b-" * 62, "Ночь" * 60, "Umsätze_" * 30, "ночь"],
)
def test_ids_are_found_again(dag_id: str) -> None:
    label = GOOGLE.legal(dag_id)
    assert len(label) <= 63
    assert len(label.encode()) <= 128
    assert KnownIds([dag_id, f"{dag_id}-2", f"{dag_id}x", "other"]).named(label) == dag_id


def test_ids_that_a_label_does_not_tell_apart() -> None:
    assert KnownIds(["a_b", "a.b"]).named("a-b") == "a-b"
    assert KnownIds([]).named("a-b") == "a-b"


def test_a_trigger_works_for_its_task() -> None:
    trigger = PollTrigger(check=f"{__name__}:_seen", arguments={"by": "trigger"}, poll_interval=1)
    trigger._task_instance = _waiting()  # type: ignore[assignment]

    async def first() -> object:
        async for event in trigger.run():
            return event.payload
        return None

    assert asyncio.run(first()) == {"by": "trigger", "dag": "nightly", "run": "manual__1"}


def _seen(*, by: str) -> dict[str, str]:
    return {"by": by, "dag": current_work().dag_id, "run": current_work().run_id}


def _waiting() -> SimpleNamespace:
    from types import SimpleNamespace

    return SimpleNamespace(dag_id="nightly", task_id="wait", run_id="manual__1")
