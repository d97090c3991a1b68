"""What a drill deploys when the primary's cloud is taken for lost, in the memory cloud."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.core.drill.serving import Recovered, Serving
from airflow_multicloud.core.rollout.names import DEPLOYMENT, REVISION
from airflow_multicloud.errors import DeploymentError, ErrorKind, StorageError
from airflow_multicloud.operators.compute import TeardownOperator
from airflow_multicloud.operators.drill import DrillDeployOperator, drilled_places
from airflow_multicloud.ports.object_store import ObjectRef
from airflow_multicloud.testing.machine_faults import FaultKind, MachineCall, MachineFault
from airflow_multicloud.testing.memory_cloud import compute, object_store
from tests.unit.operators.rollouts import CONNS, POLICY, TARGETS, RunContext, plant
from tests.unit.operators.test_operations import WAYS, carried_out
from tests.unit.rollout.givens import target

if TYPE_CHECKING:
    from pathlib import Path

ID = "drill-shop"
LOST = target("lost", conn_id="aws_default", artifacts="s3://aws_default@lab/releases/")
FAULT = datetime(2026, 11, 29, 11, tzinfo=UTC)
MEASURED = {"fault_at": FAULT.isoformat(), "recovered": {"objects": 1}}
CONTENT = b"an artifact"
REPLICAS = ["s3://aws_default@lab/copy/", "mem://memory_one@lab/data/", "mem://memory_two@lab/d/"]
DENIED = MachineFault(
    kind=FaultKind.REFUSE, call=MachineCall.LAUNCH, error=ErrorKind.PERMISSION_DENIED
)


@pytest.fixture(autouse=True)
def _places(artifact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second replica that is left has the artifact."""
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps({"conn_type": "aws"}))
    object_store.Hook("memory_two").put_object(ObjectRef("lab", "d/builds/shop.tar.gz"), CONTENT)


class _Context(RunContext):
    """As Airflow's: with the run's id and the DAG's."""

    def __getitem__(self, name: str) -> Any:
        known = {"dag": SimpleNamespace(dag_id="drills"), "run_id": f"run {self.hours}"}
        return known[name] if name in known else super().__getitem__(name)


def a_run(hours: int = 0) -> Any:
    """The context of a task in a run that was due so many hours after the first."""
    return _Context(hours=hours)


def drilling(**given: Any) -> DrillDeployOperator:
    usual: dict[str, Any] = {
        "task_id": "deploy",
        "deployment_id": ID,
        "primary": "s3://aws_default@lab/data/",
        "replicas": REPLICAS,
        "artifact": "builds/shop.tar.gz",
        "measurement": MEASURED,
        "targets": [LOST, *TARGETS],
        "policy": POLICY,
        "poll_interval": 0.01,
        "deferrable": False,
    }
    return DrillDeployOperator(**{**usual, **given})


def running() -> dict[str, list[str]]:
    return {
        name: [
            one.labels[REVISION]
            for one in compute.Hook(conn_id).list_instances({DEPLOYMENT: ID})
            if one.state.is_live
        ]
        for name, conn_id in CONNS.items()
    }


@WAYS
def test_it_serves_again_from_what_is_left_and_is_removed(deferrable: bool) -> None:
    context: Any = a_run()
    facts = carried_out(drilling(deferrable=deferrable), context)
    found = running()
    (revision,) = {one for listed in found.values() for one in listed}
    assert {name: len(listed) for name, listed in found.items()} == {"one": 2, "two": 1}
    assert revision.startswith("drill-")
    told = context.pushed["drill_deployment"]
    assert facts == context.pushed["deployment_report"]
    assert (told["fault_at"], told["targets"]) == (FAULT.isoformat(), ["one", "two"])
    ended = datetime.fromisoformat(facts["ended_at"])
    assert told["serving_again_seconds"] == pytest.approx((ended - FAULT).total_seconds(), abs=0.01)
    assert told["artifact"] == {
        "served_by": "mem://memory_two@lab/d/builds/shop.tar.gz",
        "sha256": sha256_of(CONTENT),
        "size": len(CONTENT),
        "left_out": ["lost"],
    }
    regions = drilled_places("s3://aws_default@lab/data/", [LOST, *TARGETS])
    assert regions == {"memory_one": ["mem-1"], "memory_two": ["mem-1"]}
    down = TeardownOperator(
        task_id="remove", deployment_id=ID, conn_ids=[*regions], regions=regions,
        poll_interval=0.01, confirm_after=timedelta(), deferrable=False,
    )  # fmt: skip
    assert carried_out(down, a_run())["removed"] == 3
    assert running() == {"one": [], "two": []}


def test_what_a_killed_drill_has_left_is_no_success_of_the_next() -> None:
    carried_out(drilling(), a_run())
    before = running()
    # A retry of the same run goes on with what is there, another run with nothing.
    again = carried_out(drilling(), a_run())
    assert again["counts"]["adopted"] == 2
    facts = carried_out(drilling(), a_run(hours=1))
    assert facts["counts"]["succeeded"] == 2
    assert {*before["one"]}.isdisjoint(running()["one"])
    assert len(running()["one"]) == 2


def test_a_deployment_that_fails_says_so_and_has_no_time() -> None:
    plant("two", DENIED)
    context: Any = a_run()
    with pytest.raises((AirflowException, DeploymentError), match="1 of 2 targets run it"):
        carried_out(drilling(policy={**POLICY, "canary": 0}), context)
    told = context.pushed["drill_deployment"]
    assert told["serving_again_seconds"] is None
    assert told["told"] == "drill-shop did not serve again"
    assert context.pushed["deployment_report"]["targets"][1]["error_kind"] == "permission_denied"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"deployment_id": "shop"}, "deployment_id: 'shop' given, expected one that begins with"),
        ({"measurement": {}}, "measurement: no time of a fault"),
        ({"measurement": None}, "measurement: no time of a fault"),
        (
            {"measurement": {**MEASURED, "fault_at": "yesterday"}},
            "measurement: fault_at: 'yesterday' given, expected a time with its zone",
        ),
        ({"measurement": {**MEASURED, "fault_at": 3}}, "measurement: fault_at: 3 given"),
        (
            {"measurement": {**MEASURED, "fault_at": "2026-11-29T11:00:00"}},
            "measurement: fault_at: '2026-11-29T11:00:00' given, expected a time with its zone",
        ),
        ({"primary": None}, "primary: None given, expected the URI of a prefix"),
        (
            {"measurement": {**MEASURED, "recovered": None}},
            "precondition_failed: measurement: nothing was recovered",
        ),
        ({"targets": [LOST]}, "targets: none is outside aws, the primary's cloud"),
        ({"replicas": REPLICAS[:1]}, "replicas: none is outside aws, the primary's cloud"),
        (
            {"targets": [target(artifacts="s3://aws_default@lab/releases/")]},
            r"target one: artifacts: s3://aws_default@lab/releases/ is in aws",
        ),
        ({"artifact": "s3://aws_default@lab/data/shop.tar.gz"}, "artifact: 's3://.* the key of"),
        ({"artifact": "builds/"}, "artifact: 'builds/' given, expected the key of one object"),
        ({"artifact": None}, "artifact: None given"),
        ({"artifact": "builds/.."}, r"artifact: file name: '\.\.' given"),
        ({"artifact": "builds/" + "x" * 300}, "artifact: file name: 'xxx"),
        ({"artifact": "builds/a\0b"}, "artifact: file name: "),
        ({"artifact": "builds/a\nb"}, "artifact: file name: "),
        ({"targets": [target(conn_id="nowhere")]}, "target one: conn_id: .*nowhere"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_made(given: dict[str, Any], said: str) -> None:
    with pytest.raises(AirflowFailException, match=said):
        drilling(**given).execute(a_run())
    assert running() == {"one": [], "two": []}


def test_an_artifact_that_no_replica_has_is_not_deployed() -> None:
    with pytest.raises((AirflowException, StorageError), match="memory_two"):
        drilling(artifact="builds/other.tar.gz").execute(a_run())
    assert running() == {"one": [], "two": []}


def test_clocks_that_disagree_give_no_time() -> None:
    serving = Serving(
        deployment_id=ID,
        revision="r",
        fault_at=FAULT,
        serving_at=FAULT - timedelta(seconds=1),
        artifact=Recovered(served_by="mem://a@b/c", sha256="0", size=1),
        targets=("one",),
    )
    assert serving.serving_again is None
    assert serving.told.startswith("clocks disagree: ")
