"""What the last task of a DAG exports, and that the run's state does not depend on it.

The release DAG stands for the three: they have the same last task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.delivery_faults import DeliveryFault, DeliveryFaultKind
from airflow_multicloud.testing.machine_faults import FaultKind, MachineCall, MachineFault
from tests.unit.operators.rollouts import plant

from .test_release import artifact, load, page_of, release  # noqa: F401  # a fixture

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Figures

pytestmark = pytest.mark.usefixtures("airflow_db")

SHOP = ("multicloud.deployment", "shop")


def test_the_figures_of_a_release(artifact: Path, figures: Figures) -> None:  # noqa: F811
    run = release(artifact, metrics_to=[figures.conn_id])
    assert (run.state, run.state_of("export")) == ("success", "success")
    report = run.xcom("deploy")
    assert figures.of("multicloud.release.success") == {(SHOP,): 1}
    assert figures.one("multicloud.release.success_rate") == 1
    assert 0 < (figures.one("multicloud.release.duration") or 0) < 600
    assert figures.one("multicloud.release.uploaded") == len(b"an artifact")
    targets = {(SHOP, ("multicloud.outcome", name)): n for name, n in report["counts"].items()}
    assert figures.of("multicloud.release.targets") == targets
    assert sum(targets.values()) == 2
    (whose,) = {
        (p.attributes["airflow.dag_id"], p.attributes["airflow.task_id"]) for p in figures.points
    }
    assert whose == ("release", "export")
    exported = run.xcom("export", key="metrics_report")
    assert exported["destinations"][0]["accepted"] == len(figures.points)
    assert run.state_of("summary_page") == "success"
    assert f'<td class="n">{len(figures.points)}</td>' in page_of(run)

    # What is there already is not uploaded again.
    release(artifact, metrics_to=[figures.conn_id])
    sizes = [p.data for p in figures.points if p.name == "multicloud.release.uploaded"]
    assert [one.value for one in sizes] == [len(b"an artifact"), 0]  # type: ignore[union-attr]


def test_a_release_that_fails_exports_what_was_measured(artifact: Path, figures: Figures) -> None:  # noqa: F811
    denied = ErrorKind.PERMISSION_DENIED
    plant("two", MachineFault(kind=FaultKind.REFUSE, call=MachineCall.LAUNCH, error=denied))
    run = release(artifact, metrics_to=[figures.conn_id])
    assert (run.state, run.state_of("deploy"), run.state_of("export")) == (
        *("failed", "failed"),
        "success",
    )
    assert figures.one("multicloud.release.success") == 0
    assert figures.one("multicloud.release.success_rate") == 0
    failed = figures.of("multicloud.release.targets")[SHOP, ("multicloud.outcome", "failed")]
    assert failed == 1


def test_what_was_not_reached_is_left_out(artifact: Path, figures: Figures) -> None:  # noqa: F811
    run = release(artifact, targets=["mars"], metrics_to=[figures.conn_id])
    assert (run.state, run.state_of("choose"), run.state_of("export")) == (
        *("failed", "failed"),
        "success",
    )
    assert [p.name for p in figures.points] == ["multicloud.release.success"]
    assert figures.one("multicloud.release.success") == 0


@pytest.mark.parametrize(
    "conf", [{"deployment_id": "other"}, {"metrics_to": ["memory_metrics", "unlisted"]}]
)
def test_nothing_is_exported_where_the_params_are_not_allowed(
    artifact: Path,  # noqa: F811
    figures: Figures,
    conf: dict[str, Any],
) -> None:
    run = release(artifact, **{"metrics_to": [figures.conn_id], **conf})
    assert (run.state, run.state_of("check_params")) == ("failed", "failed")
    assert run.state_of("export") == "upstream_failed"
    assert figures.points == []


def test_an_export_that_fails_is_red_and_the_run_stays_what_it_is(
    artifact: Path,  # noqa: F811
    figures: Figures,
) -> None:
    figures.faults.plant([DeliveryFault(kind=DeliveryFaultKind.REJECT, name="uploaded")])
    run = release(artifact, metrics_to=[figures.conn_id])
    assert (run.state, run.state_of("export")) == ("success", "failed")
    # One figure that is refused costs no other.
    assert figures.one("multicloud.release.uploaded") is None
    assert figures.one("multicloud.release.success") == 1


def test_a_task_that_is_cleared_is_exported_again() -> None:
    """Airflow clears a setup and a teardown with the tasks between them."""
    dag = load()
    for task_id in ("upload", "deploy", "summary"):
        cleared = dag.partial_subset([task_id], include_upstream=False, include_downstream=False)
        assert set(cleared.task_dict) == {"check_params", task_id, "export", "summary_page"}


def test_a_summary_tells_nothing_of_before_a_clear(artifact: Path) -> None:  # noqa: F811
    """XCom keeps what ``deploy`` told until it runs again: it did not come that far this time."""
    told = {"counts": {"succeeded": 1}, "deployment_id": "shop", "revision": "old"}
    report = {**told, "succeeded": True, "targets": []}

    class Cleared:
        dag_id, run_id = "release", "manual"

        def get_task_states(self, **_: object) -> dict[str, dict[str, str]]:
            return {"manual": {"upload": "failed", "deploy": "upstream_failed"}}

        def xcom_pull(self, **_: object) -> object:
            return report

    summary = load().get_task("summary")
    with pytest.raises(AirflowFailException, match="nothing was rolled out"):
        summary.python_callable(ti=Cleared())
