"""What a run's last task is told of the others, also after the run was cleared."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_multicloud.operators.metrics.run_reports import RunReports, skip_if_empty

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context


class Asking:
    """The task instance of the task that asks: what Airflow answers it."""

    dag_id, run_id = "shop", "manual__1"
    task = SimpleNamespace(upstream_task_ids={"judge", "check"})

    def __init__(
        self, states: Mapping[str, str | None], xcoms: Mapping[tuple[str, int], Any]
    ) -> None:
        self._states, self._xcoms = states, xcoms

    def get_task_states(self, *, dag_id: str, run_ids: list[str]) -> dict[str, Any]:
        assert (dag_id, run_ids) == (self.dag_id, [self.run_id])
        return {self.run_id: self._states} if self._states else {}

    def xcom_pull(self, *, task_ids: str, key: str, map_indexes: int) -> Any:
        return self._xcoms.get((f"{task_ids}.{key}", map_indexes))


@pytest.mark.parametrize(
    ("judge", "succeeded"),
    [("success", True), ("skipped", True), ("failed", False), ("upstream_failed", False)],
)
def test_a_run_is_judged_by_the_tasks_right_before(judge: str, succeeded: bool) -> None:
    states = {"judge": judge, "check": "success", "earlier": "failed"}
    assert RunReports(Asking(states, {})).succeeded is succeeded


@pytest.mark.parametrize(
    ("state", "told"),
    [("success", 1), ("failed", 1), ("upstream_failed", None), ("skipped", None), (None, None)],
)
def test_what_a_task_told_before_the_run_was_cleared_is_not_of_this_run(
    state: str | None, told: int | None
) -> None:
    reports = RunReports(Asking({"judge": state}, {("judge.report", -1): 1}))
    assert reports.of("judge", "report") == told


def test_what_has_failed_and_how_a_task_stands() -> None:
    reports = RunReports(Asking({"judge": "failed", "b": "upstream_failed", "a": "failed"}, {}))
    assert reports.failed == ("a", "judge")
    assert (reports.state_of("b"), reports.state_of("later")) == ("upstream_failed", None)


def test_of_a_task_that_is_not_there_nothing_is_told() -> None:
    reports = RunReports(Asking({}, {("judge.report", -1): 1}))
    assert reports.of("judge", "report") is None
    assert reports.of_each("judge", "report") == []


def test_each_of_a_mapped_tasks() -> None:
    states = {f"verify_{n}": "success" if n != 2 else "upstream_failed" for n in range(4)}
    told = {("verify.return_value", n): f"told {n}" for n in (0, 2, 3)}
    assert RunReports(Asking(states, told)).of_each("verify") == ["told 0", "told 3"]


def test_no_destination_skips() -> None:
    skip = skip_if_empty("metrics_to")
    skip(cast("Context", {"params": {"metrics_to": ["aws_default"]}}))
    with pytest.raises(AirflowSkipException, match="metrics_to is empty"):
        skip(cast("Context", {"params": {"metrics_to": []}}))
