"""What people give is checked when it is constructed, and the error names the parameter."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_multicloud.core.rollout.deployment import Deployment
from airflow_multicloud.core.rollout.health import HealthCheck, HealthCheckKind
from airflow_multicloud.core.rollout.policy import RollbackScope, RolloutPolicy
from airflow_multicloud.core.rollout.targets import Alternative, Target, read_targets
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import Architecture, Network, SizeNeed
from airflow_multicloud.testing import memory_cloud
from tests.unit.rollout.givens import deployment, target

GIB = 2**30


@pytest.fixture(autouse=True)
def _memory() -> None:
    memory_cloud.register()


def refusal(**changed: Any) -> str:
    with pytest.raises(DeploymentError) as caught:
        Target.of(target(**changed))
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    return str(caught.value)


def test_a_target_is_read_from_a_document() -> None:
    found = Target.of(
        target(
            size={"vcpus": 2, "memory_gib": 1.5},
            zones=["mem-1b", "mem-1a"],
            architecture="arm64",
            count=3,
            required=True,
            alternatives=[{"size": "large"}, {"region": "mem-2", "network": {"subnets": "net-2"}}],
        )
    )
    assert found.size == SizeNeed(vcpus=2, memory_bytes=3 * GIB // 2)
    assert found.network == Network(subnets=("net-1",))
    assert found.architecture is Architecture.ARM64
    assert found.alternatives[1] == Alternative(region="mem-2", network=Network(subnets=("net-2",)))


def test_a_target_comes_back_from_its_document() -> None:
    found = Target.of(
        target(
            size={"vcpus": 2, "memory_gib": 4},
            alternatives=[{"size": {"vcpus": 1, "memory_gib": 1}}],
            zones="mem-1a",
        )
    )
    assert Target.of(json.loads(json.dumps(to_document(found)))) == found


def test_candidates_are_zones_then_the_alternatives_zones() -> None:
    found = Target.of(
        target(
            zones=["mem-1b", "mem-1a"],
            alternatives=[
                {"size": "large"},
                {"zones": ["mem-1c"]},
                {"region": "mem-2", "artifacts": "mem://memory_one@lab/two/"},
            ],
        )
    )
    tried = [(w.request.region, w.request.zone, w.request.size) for w in found.prospects()]
    assert tried == [
        ("mem-1", "mem-1b", "small"),
        ("mem-1", "mem-1a", "small"),
        ("mem-1", "mem-1b", "large"),
        ("mem-1", "mem-1a", "large"),
        ("mem-1", "mem-1c", "small"),
        ("mem-2", None, "small"),
    ]
    assert found.places() == ("mem://memory_one@lab/releases/", "mem://memory_one@lab/two/")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"colour": "red"}, "colour"),
        ({"region": ...}, "region missing"),
        ({"region": " mem-1"}, "region"),
        ({"region": "mem\n1"}, "region"),
        ({"region": "eu west"}, "region: 'eu west' given, expected a cloud's own name"),
        ({"region": "../x"}, "region"),
        ({"zones": ["a", "a/b"]}, "zones[1]"),
        ({"zones": "a,b"}, "zones[0]"),
        ({"alternatives": [{"region": "a/b"}]}, "alternatives[0]: region"),
        ({"alternatives": [{"zones": ["a b"]}]}, "alternatives[0]: zones[0]"),
        ({"alternatives": [{"size": "x"}] * 101}, "alternatives"),
        ({"disk_bytes": 10**40}, "disk_bytes"),
        ({"size": {"vcpus": 10**30, "memory_gib": 1}}, "vcpus"),
        ({"size": {"vcpus": 1, "memory_gib": 10**30}}, "memory_bytes"),
        ({"size": {"vcpus": 1, "memory_gib": float("inf")}}, "memory_gib"),
        ({"size": {"vcpus": 1, "memory_gib": float("nan")}}, "memory_gib"),
        ({"region": "{{ var.value.region }}"}, "region"),
        ({"conn_id": ""}, "conn_id"),
        ({"conn_id": 7}, "conn_id"),
        ({"count": 0}, "count"),
        ({"count": True}, "count"),
        ({"count": "2"}, "count"),
        ({"required": "yes"}, "required"),
        ({"architecture": "mips"}, "architecture"),
        ({"disk_bytes": 0}, "disk_bytes"),
        ({"zones": ["a", "a"]}, "zones"),
        ({"zones": [""]}, "zones"),
        ({"zones": {"a": 1}}, "zones"),
        ({"size": {}}, "vcpus, memory_bytes missing"),
        ({"size": {"vcpus": 0, "memory_gib": 1}}, "vcpus"),
        ({"size": {"vcpus": 1, "memory_gib": "1"}}, "memory_gib"),
        ({"size": {"vcpus": 1, "memory_gib": 1, "memory_bytes": 1}}, "memory_gib"),
        ({"size": 4}, "size"),
        ({"network": {"subnets": []}}, "subnets"),
        ({"network": {"subnets": ["net-1"], "vpc": "x"}}, "vpc"),
        ({"network": {"subnets": ["net-1"], "public_address": 1}}, "public_address"),
        ({"network": "net-1"}, "network"),
        ({"alternatives": [{}]}, "alternatives[0]"),
        ({"alternatives": [{"size": "large"}, {"speed": 1}]}, "alternatives[1]: fields: 'speed'"),
        ({"alternatives": "large"}, "alternatives"),
    ],
)
def test_a_wrong_field_is_named(changed: dict[str, object], named: str) -> None:
    said = refusal(**changed)
    assert "target one" in said
    assert named in said


@pytest.mark.parametrize(
    "artifacts",
    [
        "mem://memory_one@lab/releases",
        "mem://memory_one@lab/a/../b/",
        "mem://memory_one@lab/./",
        "mem://memory_one@lab//",
        "mem://memory_one@lab/.airflow-multicloud/x/",
        "mem://memory_one@lab/a b/",
        "mem://memory_one@lab/a%2fb/",
        "mem://memory_one@lab/a\nb/",
        "mem://memory_one@lab/{x}/",
        "mem://memory_one@lab/$(id)/",
        f"mem://memory_one@lab/{'a' * 401}/",
        "nowhere://lab/a/",
        "/srv/artifacts/",
        "mem://user:secret@lab/a/",
        "mem://user:secret@lab/a/ ",
        "mem:/user:secret@lab/",
    ],
)
def test_a_prefix_that_could_become_another_key_is_refused(artifacts: str) -> None:
    said = refusal(artifacts=artifacts)
    assert "artifacts" in said
    assert "\n" not in said
    assert "secret" not in said


@pytest.mark.parametrize("name", ["One", "a_b", "-a", "a-", "a" * 41, "a\nb", "..", "", 3])
def test_a_name_that_some_cloud_would_change_is_refused(name: object) -> None:
    with pytest.raises(DeploymentError, match="name"):
        Target.of(target(name=name))  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [7, "x", [7], ["x"], None, {"targets": []}])
def test_what_is_no_list_of_targets_is_refused(given: object) -> None:
    with pytest.raises(DeploymentError, match="targets"):
        read_targets(given)


def test_targets_may_be_the_text_that_a_template_renders_to() -> None:
    given = [target("one"), target("two")]
    assert [t.name for t in read_targets(json.dumps(given))] == ["one", "two"]
    assert read_targets(str(given)) == read_targets(given)


def test_a_deployment_is_read_from_a_document() -> None:
    found = deployment(
        health={"port": 80, "expect": "{revision}", "timeout_seconds": 1.5},
        policy={"canary": 0, "min_success": 1, "rollback": "all", "poll_interval_seconds": 1},
        url_lifetime_seconds=1800,
    )
    assert found.health == HealthCheck(port=80, expect="{revision}", timeout=timedelta(seconds=1.5))
    assert found.policy == RolloutPolicy(
        canary=0, min_success=1, rollback=RollbackScope.ALL, poll_interval=timedelta(seconds=1)
    )
    assert found.url_lifetime == timedelta(minutes=30)
    assert Deployment.of(json.loads(json.dumps(to_document(found)))) == found


def test_a_quorum_as_a_count_and_as_a_fraction_stay_apart() -> None:
    assert type(deployment(policy={"min_success": 1}).policy.min_success) is int
    assert type(deployment(policy={"min_success": 1.0}).policy.min_success) is float


PUBLIC = {"subnets": ["net-1"], "public_address": True}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"deployment_id": "Shop"}, "deployment_id"),
        ({"deployment_id": "shop\n"}, "deployment_id"),
        ({"artifact": ""}, "artifact"),
        ({"artifact": "/srv/"}, "artifact"),
        ({"artifact": "/srv/a b.tar"}, "artifact: file name"),
        ({"artifact": "/srv/.."}, "artifact: file name"),
        ({"artifact": "/srv/app.zip"}, "artifact: file name: 'app.zip' given"),
        ({"artifact": "mem://lab/app.tar.zst"}, "artifact: file name"),
        ({"artifact": "mem://lab/"}, "artifact"),
        ({"artifact": "mem://lab/a/%2e%2e"}, "artifact: file name"),
        ({"artifact": "mem://lab/a/{revision}"}, "artifact: file name"),
        ({"artifact": "nowhere://lab/app"}, "artifact"),
        ({"revision": "../x"}, "revision"),
        ({"revision": "1\n2"}, "revision"),
        ({"revision": ""}, "revision"),
        ({"revision": "a" * 48}, "revision"),
        ({"command": ""}, "command"),
        ({"command": "a\nb"}, "command"),
        ({"command": "./run | tee log"}, "command"),
        ({"port": 0}, "port"),
        ({"port": 65536}, "port"),
        ({"max_instances": 0}, "max_instances"),
        ({"url_lifetime_seconds": 600}, "url_lifetime"),
        ({"url_lifetime_seconds": 8 * 86400}, "url_lifetime"),
        ({"url_lifetime_seconds": 1e300}, "url_lifetime"),
        ({"url_lifetime_seconds": float("nan")}, "url_lifetime"),
        ({"max_instances": 10**9}, "max_instances"),
        ({"health": {"port": 80, "timeout_seconds": 301}}, "health: timeout"),
        ({"policy": {"boot_timeout_seconds": 8 * 86400}}, "boot_timeout"),
        ({"policy": {"health_timeout_seconds": 8e11}}, "health_timeout"),
        ({"policy": {"health_timeout_seconds": float("nan")}}, "health_timeout"),
        ({"policy": {"poll_interval_seconds": 3601}}, "poll_interval"),
        ({"policy": {"healthy_checks": 101}}, "healthy_checks"),
        ({"health": {"port": "80"}}, "health"),
        ({"health": {"port": 0}}, "health: port"),
        ({"health": {"port": 80, "kind": "tcp", "expect": "x"}}, "health: kind"),
        ({"health": {"port": 80, "path": "/a b"}}, "health: path"),
        ({"health": {"port": 80, "path": "/\r\nHost: x"}}, "health: path"),
        ({"health": {"port": 80, "public": True}}, "target one: network: public_address"),
        ({"health": 80}, "health"),
        ({"policy": {"canary": "1"}}, "policy"),
        ({"policy": {"min_success": 2}}, "min_success"),
        ({"policy": {"pace": 2}}, "pace"),
        ({"targets": []}, "targets"),
        ({"targets": [target("one"), target("two", count=50)]}, "max_instances"),
        ({"targets": [target("one"), target("two"), target("one")]}, "two targets named one"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_wrong_deployment_is_refused_by_name(changed: dict[str, object], named: str) -> None:
    with pytest.raises(DeploymentError) as caught:
        deployment(**changed)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_public_health_check_of_public_instances() -> None:
    found = deployment(target(network=PUBLIC), health={"port": 80, "public": True, "kind": "tcp"})
    assert found.health == HealthCheck(port=80, public=True, kind=HealthCheckKind.TCP)


def test_the_example_in_the_documentation() -> None:
    """It names every cloud, and every one of its fields is one that there is."""
    example = Path(__file__).parents[3] / "docs" / "how-to" / "shop.json"
    given = Deployment.of(json.loads(example.read_text()))
    assert [target.name for target in given.targets] == ["frankfurt", "berlin", "west"]
    assert given.health is not None
    assert given.targets[0].count == 2
