"""What a plan's script starts on a real machine is the delivered artifact, and is healthy."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.rollout.artifacts import deliver_artifact, look_at_artifact
from airflow_multicloud.core.rollout.planning import plan_deployment
from airflow_multicloud.core.rollout.plans import TargetPlan
from airflow_multicloud.core.rollout.site import Site
from airflow_multicloud.core.rollout.sites import sites_of
from airflow_multicloud.ports.compute import Instance, InstanceRef, InstanceState
from airflow_multicloud.testing.local_clouds.kit.machines import Machines
from airflow_multicloud.testing.local_clouds.kit.sockets import free_port
from airflow_multicloud.testing.sample_app import write_sample_app
from tests.unit.rollout.givens import deployment
from tests.unit.rollout.worlds import ORDER, opened

PORT = 40_507


def delivered(folder: Path, expect: str) -> tuple[Site, TargetPlan, Endpoint]:
    file = write_sample_app(folder / "app.tar.gz")
    given = deployment(
        artifact=str(file),
        revision="r1",
        port=PORT,
        health={"port": PORT, "expect": expect, "timeout_seconds": 2},
    )
    targets = opened(given)
    artifact = look_at_artifact(file)
    plan = plan_deployment(given, artifact, targets, ORDER)
    places = targets["one"].places
    (done,) = deliver_artifact(file, artifact, "shop", places)
    (place,) = places.values()
    copy = replace(place, location=place.location.with_key(done.uri.partition("lab/")[2]))
    return sites_of(plan, targets)["one"], plan.targets[0], copy


def instance_at(address: str) -> Instance:
    return Instance(
        ref=InstanceRef("a", "mem-1"),
        name="a",
        state=InstanceState.RUNNING,
        account_id="a",
        size="small",
        image="linux-1",
        address=address,
    )


def complaint_of(site: Site, target: TargetPlan, machines: Machines) -> str | None:
    """What the health check says in the end of a machine that ran the script."""
    machines.boot("a", site.script(target.candidates[0]).encode())
    instance, until = instance_at(machines.address("a")), time.monotonic() + 20
    while (complaint := site.why_not_healthy(instance)) is not None:
        ended = "refused: " in machines.console("a")
        if "answer" in complaint or ended or time.monotonic() > until:
            return complaint
        time.sleep(0.05)
    return None


@pytest.mark.parametrize(("expect", "healthy"), [("{revision}", True), ("r2", False)])
def test_a_booted_plan_is_healthy_when_it_says_what_is_expected(
    tmp_path: Path, expect: str, healthy: bool
) -> None:
    site, target, _ = delivered(tmp_path, expect)
    with closing(Machines(tmp_path / "machines", port=free_port())) as machines:
        complaint = complaint_of(site, target, machines)
        assert (complaint is None) == healthy, machines.console("a")


def test_a_copy_that_was_exchanged_is_not_run(tmp_path: Path) -> None:
    site, target, copy = delivered(tmp_path, "{revision}")
    other = write_sample_app(tmp_path / "other.tar.gz", note="another").read_bytes()
    copy.store.put_object(copy.location.ref, other)
    with closing(Machines(tmp_path / "machines", port=free_port())) as machines:
        assert complaint_of(site, target, machines) is not None
        assert "refused: the artifact" in machines.console("a")
