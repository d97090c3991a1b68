"""The shipped release DAG, run whole against the memory cloud."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.locations import parse_location
from airflow_multicloud.ports.object_store import ObjectRef
from airflow_multicloud.testing.machine_faults import FaultKind, MachineCall, MachineFault
from airflow_multicloud.testing.memory_cloud import compute, object_store
from tests.unit.operators.rollouts import CONNS, POLICY, TARGETS, plant, running

from ..integration.airflow_runs import Run, allow, look_at, make_known  # noqa: TID252

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow.sdk import DAG

DAGS = Path(__file__).parents[2] / "dags"
METRICS = ["memory_metrics"]
DESTINATION, REPLICA = "mem://memory_one@lab/builds/", "mem://memory_two@lab/builds/"

pytestmark = pytest.mark.usefixtures("airflow_db")


def load() -> DAG:
    spec = importlib.util.spec_from_file_location("release", DAGS / "release.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    dag: DAG = module.dag
    for task in dag.tasks:
        task.retry_delay = task.retry_delay * 0
    return dag


@pytest.fixture
def artifact(memory_account: Callable[[str, str], str], tmp_path: Path) -> Iterator[Path]:
    for conn_id in CONNS.values():
        memory_account(conn_id, "lab")
        compute.reset(conn_id)
    file = tmp_path / "shop.tar.gz"
    file.write_bytes(b"an artifact")
    yield file
    for conn_id in CONNS.values():
        compute.reset(conn_id)


def release(artifact: Path, *, approved: bool = False, **conf: Any) -> Run:
    """Run it; an approval is given by marking its task, as ``dag.test`` can't be answered."""
    given = {
        "artifact": str(artifact),
        "destination": DESTINATION,
        "replicas": [REPLICA],
        "approve": False,
        "health": None,
        "policy": {**POLICY, "rollback": "all"},
        "metrics_to": [],
        "on_unknown": "warn",  # The memory cloud's machines tell no permissions.
        **conf,
    }
    with pytest.MonkeyPatch.context() as patch:
        places = {"artifact": str(artifact), "destination": DESTINATION, "replicas": [REPLICA]}
        allow(patch, "release", **places, metrics_to=METRICS, summaries=[REPLICA])
        patch.setenv("AIRFLOW_VAR_RELEASE_TARGETS", json.dumps(TARGETS))
        dag = load()
        make_known(dag)
        marked = {"mark_success_pattern": "approve"} if approved else {}
        return look_at(dag.test(run_conf=given, **marked))


def page_of(run: Run) -> str:
    """The summary's page, as it is kept."""
    report = run.xcom("summary_page", key="report")
    at = parse_location(report["uri"], parameter="uri")
    hook = object_store.Hook(at.conn_id or "")
    page = bytes(hook.get_object(ObjectRef(at.bucket, at.key)).read())
    assert sha256_of(page) == report["sha256"]
    return page.decode()


def test_a_release_that_goes_well(artifact: Path) -> None:
    run = release(artifact, revision="1")
    assert run.state == "success"
    rest = {s for (task, _), s in run.states.items() if task not in ("approve", "export")}
    assert rest == {"success"}
    assert run.state_of("approve") == "skipped"
    assert run.state_of("export") == "skipped"  # to no cloud
    assert running() == {"one": ["1", "1"], "two": ["1"]}
    plan, report = run.xcom("plan"), run.xcom("deploy")
    assert report["plan_hash"] == plan["hash"]
    assert plan["artifact"]["uri"] == f"{DESTINATION}shop.tar.gz"
    assert plan["artifact"]["sha256"] == run.xcom("upload")["sha256"]
    assert f"plan hash {plan['hash']}" in run.xcom("describe")
    assert "a month has 730 hours" in run.xcom("describe")
    assert run.xcom("health")["drift"] == []
    assert run.xcom("summary")["told"] == "shop 1: 2 succeeded"
    summary = run.xcom("summary_page", key="report")
    assert summary["uri"].startswith(f"{DESTINATION}summaries/")
    assert (summary["verdict"], summary["plan_hash"]) == ("SUCCEEDED", plan["hash"])
    assert summary["approval"] == "not asked"
    assert summary["cost_unknown"] == ["one", "two"]  # The memory cloud has no list prices.
    assert run.asset_events() == {
        "release": [{"multicloud": report}],
        "release_summary": [{"multicloud": summary}],
    }
    page = page_of(run)
    for told in (plan["hash"], plan["artifact"]["sha256"], f"{REPLICA}shop.tar.gz", "2 of 2"):
        assert told in page


def test_an_approved_release(artifact: Path) -> None:
    run = release(artifact, approve=True, approved=True)
    assert (run.state, run.state_of("approve")) == ("success", "success")
    assert len(running()["one"]) == 2
    assert run.xcom("summary_page", key="report")["approval"] == "approved"


def test_a_plan_that_may_cost_more_than_the_limit_ends_the_run(artifact: Path) -> None:
    run = release(artifact, max_monthly_cost="100 USD", summaries=[REPLICA])
    assert (run.state, run.state_of("plan"), run.tries["plan", -1]) == ("failed", "failed", 1)
    assert running() == {"one": [], "two": []}
    report = run.xcom("summary_page", key="report")
    assert report["uri"].startswith(f"{REPLICA}summaries/")
    assert report["verdict"] == "NOT_ROLLED_OUT"
    assert {"plan", "summary"} <= {finding.split()[2] for finding in report["findings"]}
    assert run.xcom("upload")["sha256"] in page_of(run)


def test_no_run_replaces_the_page_of_another(artifact: Path) -> None:
    pages = [release(artifact, targets=["two"]).xcom("summary_page", key="report") for _ in "ab"]
    assert len({page["uri"] for page in pages}) == 2


def test_a_release_that_fails_is_rolled_back_and_says_why(artifact: Path) -> None:
    assert release(artifact, revision="1").state == "success"
    artifact.write_bytes(b"another one")
    denied = ErrorKind.PERMISSION_DENIED
    plant("two", MachineFault(kind=FaultKind.REFUSE, call=MachineCall.LAUNCH, error=denied))
    run = release(artifact, revision="2")
    assert run.state == "failed"
    assert (run.state_of("deploy"), run.tries["deploy", -1]) == ("failed", 1)
    assert (run.state_of("health"), run.state_of("summary")) == ("upstream_failed", "failed")
    assert running() == {"one": ["1", "1"], "two": ["1"]}
    report = run.xcom("deploy", key="deployment_report")
    outcomes = {one["name"]: one["outcome"] for one in report["targets"]}
    assert outcomes == {"one": "rolled_back", "two": "failed"}
    assert [*run.asset_events()] == ["release_summary"]
    assert run.xcom("summary_page", key="report")["verdict"] == "FAILED"
    page = page_of(run)
    assert "rolled_back" in page
    assert "The task deploy failed" in page


def test_only_some_targets(artifact: Path) -> None:
    assert release(artifact, targets=["two"]).state == "success"
    assert [len(found) for found in running().values()] == [0, 1]


@pytest.mark.parametrize(
    ("conf", "task"),
    [({"targets": ["mars"]}, "choose"), ({"deployment_id": "other"}, "check_params")],
)
def test_what_is_not_listed_is_refused(artifact: Path, conf: dict[str, Any], task: str) -> None:
    run = release(artifact, **conf)
    assert (run.state, run.state_of(task)) == ("failed", "failed")
    assert run.state_of("summary") in ("failed", "upstream_failed")
    # Where the params are not allowed nothing is written.
    written = {"choose": "success", "check_params": "upstream_failed"}
    assert run.state_of("summary_page") == written[task]
    assert running() == {"one": [], "two": []}


def test_what_was_approved_is_what_runs() -> None:
    dag = load()
    assert dag.get_task("deploy").approved_plan.operator is dag.get_task("plan")
    approve = dag.get_task("approve")
    assert approve.fail_on_reject
    assert "deploy" in approve.downstream_task_ids
    same = ("deployment_id", "artifact", "artifact_sha256", "revision")
    same = (*same, "max_monthly_cost", "prices")
    plan, deploy = dag.get_task("plan"), dag.get_task("deploy")
    assert [getattr(plan, name) for name in same] == [getattr(deploy, name) for name in same]
