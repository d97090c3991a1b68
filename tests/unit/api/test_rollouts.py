"""Deploying and rolling back in plain Python."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from airflow_multicloud import api
from airflow_multicloud.testing.machine_faults import FaultKind, MachineCall, MachineFault
from airflow_multicloud.testing.memory_cloud import compute
from tests.unit.operators.rollouts import BEGINNING, CONNS, POLICY, TARGETS, plant, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def artifact(memory_account: Callable[[str, str], str], tmp_path: Path) -> Iterator[Path]:
    for conn_id in CONNS.values():
        memory_account(conn_id, "lab")
        compute.reset(conn_id)
    file = tmp_path / "shop-1.4.tar.gz"
    file.write_bytes(b"an artifact")
    yield file
    for conn_id in CONNS.values():
        compute.reset(conn_id)


def given(artifact: Path, **changed: Any) -> dict[str, Any]:
    usual = {"deployment_id": "shop", "artifact": artifact, "targets": TARGETS, "policy": POLICY}
    return {**usual, **changed}


def provider(name: str, **changed: Any) -> api.DeploymentProvider:
    usual: dict[str, Any] = {
        "conn_id": CONNS[name],
        "size": "small",
        "artifacts": f"mem://{CONNS[name]}@lab/releases/{{region}}/",
        "networks": {
            "mem-1": api.Network(subnets=("net-1",)),
            "mem-2": {"subnets": ["net-2"]},
        },
        "name": name,
    }
    return api.DeploymentProvider(**{**usual, **changed})


def deployer(**changed: Any) -> api.MultiCloudDeployer:
    providers = [provider("one"), provider("two", networks={"mem-2": {"subnets": ["net-2"]}})]
    return api.MultiCloudDeployer(providers, **{"policy": POLICY, **changed})


def test_what_was_planned_is_deployed_and_comes_back(artifact: Path) -> None:
    plan = api.plan_multicloud(given(artifact, revision="1"))
    assert running() == {"one": [], "two": []}
    assert plan.lines[-1] == f"plan hash {plan.hash}"
    assert plan.document["hash"] == plan.hash
    told: list[str] = []
    deployment = api.Deployment.of(given(artifact, revision="1"))
    result = api.deploy_multicloud(deployment, plan, listener=told.append)
    assert (result.succeeded, result.plan_hash) == (True, plan.hash)
    assert any(line.startswith("two/0: settled memory/") for line in told)
    for approved in (plan, plan.document, plan.hash):
        with pytest.raises(api.DeploymentError) as caught:
            api.deploy_multicloud(given(artifact, revision="2"), approved)
        assert caught.value.kind is api.ErrorKind.PRECONDITION_FAILED
    assert api.deploy_multicloud(given(artifact, revision="2", command="./2")).succeeded
    back = api.plan_rollback("shop", "1", TARGETS, policy=POLICY)
    assert back.plan.revision == "1"
    assert api.roll_back_deployment("shop", "1", TARGETS, back, policy=POLICY).succeeded
    assert running() == {"one": ["1", "1"], "two": ["1"]}


def test_what_fails_is_in_the_result(artifact: Path) -> None:
    kind = api.ErrorKind.QUOTA
    plant("two", MachineFault(kind=FaultKind.REFUSE, call=MachineCall.LAUNCH, error=kind))
    result = api.deploy_multicloud(given(artifact))
    assert (result.succeeded, result.success_rate) == (False, 0.5)
    with pytest.raises(api.DeploymentError, match="two: failed"):
        result.raise_if_failed()


def test_what_fails_is_in_the_trace(artifact: Path, spans: InMemorySpanExporter) -> None:
    kind = api.ErrorKind.QUOTA
    plant("two", MachineFault(kind=FaultKind.REFUSE, call=MachineCall.LAUNCH, error=kind))
    api.deploy_multicloud(given(artifact))
    found = spans.get_finished_spans()
    assert found[-1].name == "multicloud.deploy"
    failed = [span for span in found if not span.status.is_ok and span.name.endswith(".slot")]
    for span in (found[-1], *failed):
        assert dict(span.attributes or {})["error.type"] == "quota"
    assert {dict(span.attributes or {})["multicloud.target"] for span in failed} == {"two"}
    api.tear_down_deployment("shop", [*CONNS.values()], confirm_after=timedelta(0))
    assert spans.get_finished_spans()[-1].name == "multicloud.teardown"
    assert spans.get_finished_spans()[-1].status.status_code.name == "UNSET"


def test_an_older_run_yields(artifact: Path) -> None:
    assert api.deploy_multicloud(given(artifact, revision="2"), order=BEGINNING).succeeded
    older = BEGINNING - timedelta(hours=1)
    result = api.deploy_multicloud(given(artifact, revision="1", command="./1"), order=older)
    assert {one.outcome.value for one in result.targets} == {"skipped"}
    assert running() == {"one": ["2", "2"], "two": ["2"]}


def test_no_target_to_roll_back_at(artifact: Path) -> None:
    assert artifact
    with pytest.raises(api.DeploymentError, match="targets: nothing given"):
        api.roll_back_deployment("shop", "1", [])


def test_regions_are_picked_from_the_providers(artifact: Path) -> None:
    result = deployer().deploy(artifact, regions=["mem-2"])
    assert (result.deployment_id, result.succeeded) == ("shop", True)
    assert [one.name for one in result.targets] == ["one-mem-2", "two-mem-2"]
    assert {i.region for one in result.targets for i in one.instances} == {"mem-2"}
    everywhere = deployer().plan(artifact)
    names = [one.name for one in everywhere.plan.targets]
    assert names == ["one-mem-1", "one-mem-2", "two-mem-2"]
    places = {c.artifacts for one in everywhere.plan.targets for c in one.candidates}
    assert "mem://memory_one@lab/releases/mem-1/" in places
    # What runs in a region that is not asked for stays.
    later = deployer().deploy(artifact, ["mem-1"], approved_plan=None, revision="2")
    assert [one.name for one in later.targets] == ["one-mem-1"]
    assert len(running()["one"]) == 2


@pytest.mark.parametrize(
    ("regions", "said"),
    [
        (["mars-1"], "regions: 'mars-1' given, expected regions of providers: mem-1, mem-2"),
        ([], "regions: nothing given, expected some of mem-1, mem-2"),
        (["mem-1", "mem-1"], "regions: 'mem-1, mem-1' given, expected each once"),
    ],
)
def test_regions_that_can_not_be_used(artifact: Path, regions: list[str], said: str) -> None:
    with pytest.raises(api.DeploymentError, match=said) as caught:
        deployer().deploy(artifact, regions)
    assert caught.value.kind is api.ErrorKind.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("shop-1.4.tar.gz", "shop"),
        ("shop.tar.gz", "shop"),
        ("web-shop_v2.tgz", "web-shop"),
        ("app2.tar", "app2"),
        ("s3.bin", "s3"),
    ],
)
def test_a_deployment_is_named_after_its_artifact(artifact: Path, name: str, named: str) -> None:
    assert deployer().deployment(artifact.with_name(name)).deployment_id == named
    given = deployer(deployment_id="other").deployment(artifact.with_name(name))
    assert given.deployment_id == "other"


def test_what_a_provider_can_not_be(artifact: Path) -> None:
    with pytest.raises(api.DeploymentError, match="deployment_id: not given"):
        deployer().deployment(artifact.with_name("1.4.tar.gz"))
    with pytest.raises(api.DeploymentError, match="providers: nothing given"):
        api.MultiCloudDeployer([])
    with pytest.raises(api.DeploymentError, match="networks: nothing given"):
        provider("one", networks={})
    with pytest.raises(api.DeploymentError, match="zones: 'mem-3' given, expected regions of"):
        provider("one", zones={"mem-3": ["mem-3a"]})
    with pytest.raises(api.DeploymentError, match="target one-mem-1: 'nett' given"):
        api.MultiCloudDeployer([provider("one", options={"nett": 1})]).deployment(artifact)
