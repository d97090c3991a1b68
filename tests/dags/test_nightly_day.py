"""Which day a run of the nightly cost DAG is of, with and without partitions."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.execution_time import macros

from .test_nightly_cost import load

if TYPE_CHECKING:
    from airflow.sdk import DAG

MORNING = datetime(2026, 10, 28, 6, 30, tzinfo=UTC)


def rendered(dag: DAG, attribute: str, **context: Any) -> str:
    template = getattr(dag.get_task("aws.ingest"), attribute)
    run = SimpleNamespace(run_after=MORNING, partition_key=context.pop("partition_key", None))
    known = {"params": {"day": None}, "dag_run": run, "macros": macros, **context}
    return str(dag.get_template_env().from_string(template).render(known))


@pytest.fixture
def no_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Airflow 3.1 has in its SDK."""
    sdk = sys.modules["airflow.sdk"]
    known = vars(sdk)["__getattr__"]

    def lacking(name: str) -> Any:
        if name == "CronPartitionTimetable":
            raise AttributeError(name)
        return known(name)

    monkeypatch.setattr(sdk, "__getattr__", lacking)
    monkeypatch.delattr(sdk, "CronPartitionTimetable", raising=False)


def test_a_scheduled_run_is_of_its_partition() -> None:
    dag = load()
    assert rendered(dag, "last", partition_key="2026-10-27") == "2026-10-27"
    assert rendered(dag, "first", partition_key="2026-10-27") == "2026-09-01"


def test_a_run_without_a_partition_is_of_the_day_it_runs_on() -> None:
    assert rendered(load(), "last") == "2026-10-28"


def test_a_param_says_the_day_before_all_else() -> None:
    day = {"day": "2026-07-31"}
    assert rendered(load(), "last", params=day, partition_key="2026-10-27") == "2026-07-31"


@pytest.mark.parametrize("key", ["../../elsewhere", "2026-10-27/../x", "aws|2026-10-27"])
def test_a_partition_that_is_no_day_ends_the_run(key: str) -> None:
    with pytest.raises(ValueError, match=r"does not match format|unconverted data"):
        rendered(load(), "last", partition_key=key)


@pytest.mark.usefixtures("no_partitions")
def test_where_airflow_has_no_partitions_the_data_interval_says_the_day() -> None:
    dag = load()
    start = datetime(2026, 10, 27, 6, 30, tzinfo=UTC)
    assert rendered(dag, "last", data_interval_start=start) == "2026-10-27"
    assert rendered(dag, "first", data_interval_start=start) == "2026-09-01"
    assert rendered(dag, "last", data_interval_start=None) == "2026-10-28"


@pytest.mark.usefixtures("no_partitions")
def test_where_airflow_has_no_partitions_the_schedule_is_the_same() -> None:
    from airflow.timetables.trigger import CronTriggerTimetable

    dag = load()
    assert isinstance(dag.timetable, CronTriggerTimetable)
    interval = dag.timetable.infer_manual_data_interval(run_after=MORNING)
    assert (interval.start.isoformat(), interval.end) == ("2026-10-27T06:30:00+00:00", MORNING)
