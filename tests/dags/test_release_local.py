"""The shipped release DAG against the local clouds: an artifact that is fetched, run and asked."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud import api
from airflow_multicloud.testing.local_clouds.aws.compute import security_group_of, subnet_of
from airflow_multicloud.testing.local_clouds.azure.compute import EMPTY_GROUP, REGION, subnet_id
from airflow_multicloud.testing.sample_app import Behaviour, write_sample_app

from ..integration.airflow_runs import Run, allow, look_at, make_known  # noqa: TID252
from .test_release import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..integration.lab import Lab  # noqa: TID252

CONNS = ["aws_compute_local", "compute_local", "azure_local"]

pytestmark = pytest.mark.usefixtures(
    "airflow_db", "local_ec2", "local_compute_engine", "local_azure"
)


def targets(lab: Lab) -> list[dict[str, Any]]:
    # Whoever is anonymous, as the local Cloud Storage's connection is, can't sign URLs.
    places = [f"{uri}deployments/" for uri in (lab.s3, lab.s3, lab.azure)]
    network = {"subnets": [subnet_of("us-east-1a")]}
    network["security_groups"] = [security_group_of("us-east-1")]
    aws = {"region": "us-east-1", "zones": ["us-east-1a"], "size": "t3.small", "network": network}
    gcp = {"region": "us-central1", "zones": ["us-central1-a"], "size": "e2-small"}
    azure = {"region": REGION, "size": "Standard_B1ms", "resource_group": EMPTY_GROUP}
    azure["network"] = {"subnets": [subnet_id()]}
    gcp["network"] = {"subnets": ["default"]}
    named = zip(("aws", "gcp", "azure"), CONNS, places, (aws, gcp, azure), strict=True)
    return [{"name": n, "conn_id": c, "artifacts": p, **rest} for n, c, p, rest in named]


@pytest.fixture
def taken_down() -> Iterator[None]:
    yield
    api.tear_down_deployment("shop", CONNS, confirm_after=timedelta()).raise_if_failed()


def release(lab: Lab, artifact: Path, **conf: Any) -> Run:
    places = {"artifact": str(artifact), "destination": f"{lab.s3}builds/"}
    replicas = [f"{lab.gcs}builds/", f"{lab.azure}builds/"]
    policy = {"poll_interval_seconds": 0.2, "rollback": "all", "health_timeout_seconds": 20}
    given = {
        **places,
        "replicas": replicas,
        "approve": False,
        "policy": policy,
        "metrics_to": [],
        "on_unknown": "warn",  # The stand-ins can't say what is allowed.
        **conf,
    }
    with pytest.MonkeyPatch.context() as patch:
        allow(patch, "release", replicas=replicas, **places)
        patch.setenv("AIRFLOW_VAR_RELEASE_TARGETS", json.dumps(targets(lab)))
        dag = load()
        dag.get_task("deploy").retries = 0
        make_known(dag)
        return look_at(dag.test(run_conf=given))


def revisions() -> dict[str, list[str]]:
    (shop,) = api.list_deployments(CONNS, deployment_id="shop").deployments
    return {
        target.name: [i.revision for slot in target.slots for i in slot.instances]
        for target in shop.targets
    }


@pytest.mark.usefixtures("taken_down")
def test_a_release_and_one_that_is_broken(lab: Lab, tmp_path: Path) -> None:
    artifact = write_sample_app(tmp_path / "shop.tar.gz")
    run = release(lab, artifact, revision="1")
    assert run.state == "success", run.unsuccessful
    assert run.xcom("summary")["told"] == "shop 1: 3 succeeded"
    summary = run.xcom("summary_page", key="report")
    # The packaged prices are of few regions.
    assert (summary["verdict"], summary["cost_unknown"]) == ("SUCCEEDED", ["gcp", "azure"])
    assert summary["monthly_cost"] == [{"currency": "USD", "amount": "15.18"}]
    everywhere = {"aws": ["1"], "azure": ["1"], "gcp": ["1"]}
    assert revisions() == everywhere
    rows = {row.name: (row.runs, row.outcome) for row in run.shown("deployments").targets}
    assert rows == dict.fromkeys(everywhere, ("1", "succeeded"))

    broken = write_sample_app(artifact, behaviour=Behaviour.ANSWERS_500)
    run = release(lab, broken, revision="2")
    assert (run.state, run.state_of("deploy"), run.state_of("summary")) == ("failed",) * 3
    report = run.xcom("deploy", key="deployment_report")
    assert report["counts"]["rolled_back"] == 1  # the canary; no other was begun
    assert report["counts"]["skipped"] == 2
    assert "answered 500" in report["targets"][0]["error"]
    assert revisions() == everywhere
    rows = {row.name: (row.runs, row.wanted) for row in run.shown("deployments").targets}
    assert rows == dict.fromkeys(everywhere, ("1", "2"))
