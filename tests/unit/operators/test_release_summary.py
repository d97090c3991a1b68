"""The operator that sums a release up, over what the tasks of its run have told."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_multicloud.core.rollout.summary import ApprovalState
from airflow_multicloud.operators.compute import ReleaseSummaryOperator
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.rollout.test_summary import a_result

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PLACES = ["mem://memory_one@lab/builds/", "mem://memory_two@lab/builds/"]
ANSWER = {
    "chosen_options": ["Approve"],
    "responded_by_user": {"id": "7", "name": "ada"},
    "responded_at": "2026-11-30T09:00:00+00:00",
}


class Ti:
    """The task instance: what Airflow answers it."""

    dag_id, run_id, map_index, try_number = "release", "manual__1", -1, 1

    def __init__(self, states: Mapping[str, str], xcoms: Mapping[str, Any]) -> None:
        self.states, self.xcoms = states, xcoms
        self.pushed: dict[str, Any] = {}

    def get_task_states(self, **_given: Any) -> dict[str, Any]:
        return {self.run_id: self.states}

    def xcom_pull(self, *, task_ids: str, key: str, map_indexes: int) -> Any:
        return self.xcoms.get(f"{task_ids}.{key}")

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


@pytest.fixture(autouse=True)
def _connected(memory_account: Callable[[str, str], str]) -> None:
    memory_account("memory_one", "lab")
    memory_account("memory_two", "lab")


def summed_up(
    states: Mapping[str, str], xcoms: Mapping[str, Any], **given: Any
) -> tuple[dict[str, Any], Exception | None]:
    """What it told, and what it raised, if so."""
    usual: dict[str, Any] = {
        "task_id": "page",
        "deployment_id": "shop",
        "places": PLACES,
        "deploy_task_id": "deploy",
        "approval_task_id": "approve",
    }
    operator = ReleaseSummaryOperator(**{**usual, **given})
    ti = Ti(states, xcoms)
    context: Any = {"ti": ti, "dag": SimpleNamespace(dag_id="release"), "run_id": "manual__1"}
    try:
        operator.execute(context)
    except Exception as err:  # noqa: BLE001 - whichever it is
        return ti.pushed.get("report", {}), err
    return ti.pushed["report"], None


def kept(conn_id: str) -> list[str]:
    return [one.key for one in object_store.Hook(conn_id).list_objects("lab", "builds/")]


def test_it_reads_what_its_run_has_told() -> None:
    told = {"deploy.deployment_report": a_result(), "approve.return_value": ANSWER}
    report, failed = summed_up({"deploy": "success", "approve": "success"}, told)
    assert failed is None
    assert (report["verdict"], report["approved_by"]) == ("SUCCEEDED", "ada")
    assert (report["plan_hash"], report["revision"]) == ("cd" * 32, "abababababab")
    assert [page["uri"].rpartition("/summaries/")[0] + "/" for page in report["pages"]] == PLACES
    assert len({page["sha256"] for page in report["pages"]}) == 1
    assert report["uri"] == report["pages"][0]["uri"]
    assert len(kept("memory_one")) == len(kept("memory_two")) == 1


@pytest.mark.parametrize(
    ("state", "answer", "approval", "by"),
    [
        ("success", ANSWER, ApprovalState.APPROVED, "ada"),
        ("success", {**ANSWER, "responded_at": datetime.now(UTC)}, ApprovalState.APPROVED, "ada"),
        ("success", {**ANSWER, "responded_by_user": None}, ApprovalState.APPROVED, None),
        ("success", None, ApprovalState.APPROVED, None),  # It was marked as successful.
        ("skipped", ANSWER, ApprovalState.NOT_ASKED, None),
        ("failed", ANSWER, ApprovalState.NOT_APPROVED, None),
        ("upstream_failed", ANSWER, ApprovalState.NOT_REACHED, None),
    ],
)
def test_who_approved(state: str, answer: Any, approval: ApprovalState, by: str | None) -> None:
    report, failed = summed_up({"approve": state}, {"approve.return_value": answer})
    assert failed is None
    assert (report["approval"], report["approved_by"]) == (approval, by)


def test_what_a_task_told_before_the_run_was_cleared_is_not_summed_up() -> None:
    told = {"deploy.deployment_report": a_result()}
    report, _ = summed_up({"deploy": "upstream_failed", "preflight": "failed"}, told)
    assert report["verdict"] == "NOT_ROLLED_OUT"
    assert report["findings"] == ["The task preflight failed; its log says why."]


def test_a_place_that_does_not_take_it_costs_no_other() -> None:
    report, failed = summed_up({}, {}, places=["mem://memory_one@gone/builds/", PLACES[1]])
    assert isinstance(failed, AirflowFailException)
    assert [page["uri"] for page in report["pages"]] == [report["uri"]]
    assert report["uri"].startswith(PLACES[1])


def test_places_of_a_template_that_found_nothing_are_refused() -> None:
    _, failed = summed_up({}, {}, places="None")
    assert "places: 'None' given, expected a list of URIs" in str(failed)
