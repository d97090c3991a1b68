"""What deployments need of machines: on which resources, and as the plan tells it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from airflow_multicloud.core.preflight.deployments import Deploy, StartInstance, Teardown
from airflow_multicloud.core.preflight.granting import calls_of, grants_of
from airflow_multicloud.core.rollout.targets import Target
from airflow_multicloud.ports.calls import Condition, Grant
from airflow_multicloud.ports.compute.launches import calls_of as calls_of_plan
from tests.integration.preflight.machines import COMPUTE, LAUNCHED_WITH

CLOUDS = ("aws", "gcp", "azure")
FACTS = {
    "partition": "aws",
    "region": "elsewhere",
    "account": "123456789012",
    "project": "shop",
    "subscription": "s",
    "resource_group": "of-the-store",
}
GROUP = "/subscriptions/s/resourceGroups"
VNET = f"{GROUP}/net/providers/Microsoft.Network/virtualNetworks/v"
EC2 = "arn:aws:ec2:here:123456789012"
TAGGED = Condition("aws:ResourceTag/multicloud-deployment", "shop")
WANTED = Condition("aws:RequestTag/multicloud-deployment", "shop")
AT_LAUNCH = Condition("ec2:CreateAction", "RunInstances")


def table(cloud: str) -> Any:
    return import_module(f"airflow_multicloud.clouds.{cloud}.compute.calls").TABLE


def target(**given: Any) -> dict[str, Any]:
    return {
        "name": "main",
        "conn_id": "c",
        "region": "here",
        "size": "s",
        "network": {"subnets": [f"{VNET}/subnets/n"]},
        "artifacts": "s3://c@b/apps/",
        **given,
    }


def grants(cloud: str, operation: Any) -> frozenset[Grant]:
    needs = [need for need in operation.needs() if need.service == "compute"]
    return grants_of(calls_of(needs, lambda _: (table(cloud), FACTS)))


def on(cloud: str, operation: Any, permission: str) -> set[str]:
    return {one.resource for one in grants(cloud, operation) if one.permission == permission}


def deploy(**given: Any) -> Deploy:
    return Deploy(deployment_id="shop", artifact="/app.tar.gz", targets=[target(**given)])


@pytest.mark.parametrize("cloud", CLOUDS)
def test_calls_need_what_their_cloud_says(cloud: str) -> None:
    told: dict[str, set[str]] = {}
    for calls in table(cloud).calls.values():
        for call in calls:
            told.setdefault(call.call, set()).update(call.permissions)
    stated = {name: set(COMPUTE[cloud].get(name, {"no page has it"})) for name in told}
    for call, more in LAUNCHED_WITH[cloud].values():
        stated[call] |= more
    assert told == stated


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize(
    "given",
    [
        {},
        {
            "size": {"vcpus": 1, "memory_gib": 1},
            "identity": "someone",
            "network": {
                "subnets": ["one", "two"],
                "security_groups": ["inner"],
                "public_address": True,
            },
        },
    ],
)
def test_a_plan_tells_the_same(cloud: str, given: dict[str, Any]) -> None:
    (prospect,) = Target.of(target(**given)).prospects()
    plan = calls_of_plan(table(cloud), prospect.request)
    told = {permission for call in plan for permission in call.permissions}
    assert told == {one.permission for one in grants(cloud, deploy(**given))}
    assert len({call.call for call in plan}) == len(plan)


def test_instances_of_another_deployment_are_left_alone_on_aws() -> None:
    found = grants("aws", deploy(network={"subnets": ["subnet-1"], "security_groups": ["sg-1"]}))
    assert Grant("ec2:TerminateInstances", f"{EC2}:instance/*", (TAGGED,)) in found
    assert Grant("ec2:RunInstances", f"{EC2}:volume/*", (WANTED,)) in found
    assert {one.conditions for one in found if one.permission == "ec2:CreateTags"} == {
        (TAGGED,),
        (AT_LAUNCH, WANTED),
    }
    used = {one.resource for one in found if one.permission == "ec2:RunInstances"}
    assert used >= {f"{EC2}:subnet/subnet-1", f"{EC2}:security-group/sg-1"}
    assert f"{EC2}:security-group/*" not in used
    powerful = {one for one in found if one.resource == "*"}
    assert all(one.permission.startswith("ec2:Describe") for one in powerful)


@pytest.mark.parametrize(
    ("image", "expected"),
    [(None, "*"), ("ami-1", "ami-1"), ("resolve:ssm:/shop/image", "*")],
)
def test_images_of_aws(image: str | None, expected: str) -> None:
    wanted = deploy(image=image)
    assert f"arn:aws:ec2:here::image/{expected}" in on("aws", wanted, "ec2:RunInstances")
    parameters = on("aws", wanted, "ssm:GetParameter")
    public = "al2023-ami-kernel-default-x86_64"
    prefix = "arn:aws:ssm:here:"
    assert parameters == {
        None: {f"{prefix}:parameter/aws/service/ami-amazon-linux-latest/{public}"},
        "ami-1": set(),
        "resolve:ssm:/shop/image": {f"{prefix}123456789012:parameter/shop/image"},
    }.get(image)


def test_everybody_may_use_a_public_image_of_google_cloud() -> None:
    images = "compute.images.useReadOnly"
    assert not on("gcp", deploy(image="projects/debian-cloud/global/images/family/d"), images)
    assert on("gcp", deploy(image="projects/own/global/images/i"), images) == {
        "//cloudresourcemanager.googleapis.com/projects/own"
    }


def test_a_subnetwork_of_another_project() -> None:
    shared = "projects/host/regions/here/subnetworks/n"
    network = {"subnets": [shared]}
    use = "compute.subnetworks.use"
    assert on("gcp", deploy(network=network), use) == {f"//compute.googleapis.com/{shared}"}
    assert on("gcp", deploy(network={"subnets": ["n"]}), use) == {
        f"//compute.googleapis.com/{shared.replace('host', 'shop')}"
    }


@pytest.mark.parametrize(("given", "group"), [(None, "net"), ("machines", "machines")])
def test_machines_of_azure_are_made_in_one_group(given: str | None, group: str) -> None:
    wanted = deploy(resource_group=given)
    made = on("azure", wanted, "Microsoft.Compute/virtualMachines/write")
    assert made == {f"{GROUP}/{group}"}
    joined = on("azure", wanted, "Microsoft.Network/virtualNetworks/subnets/join/action")
    assert joined == {f"{VNET}/subnets/n"}


VM = f"{GROUP}/g/providers/Microsoft.Compute/virtualMachines/m"
INSTANCE = "projects/shop/zones/z/instances/i"


@pytest.mark.parametrize(
    ("cloud", "instance", "permission", "expected"),
    [
        ("aws", "i-1", "ec2:StartInstances", f"{EC2}:instance/i-1"),
        ("gcp", INSTANCE, "compute.instances.start", f"//compute.googleapis.com/{INSTANCE}"),
        ("azure", VM, "Microsoft.Compute/virtualMachines/start/action", VM),
    ],
)
def test_one_instance_is_started(cloud, instance, permission, expected):
    wanted = StartInstance(conn_id="c", instance_id=instance, region="here")
    assert on(cloud, wanted, permission) == {expected}


@pytest.mark.parametrize(("regions", "named"), [({"c": ["here"]}, "here"), (None, "*")])
def test_a_teardown_in_its_regions_or_in_all(regions, named):
    wanted = Teardown(deployment_id="shop", conn_ids="c", regions=regions)
    assert on("aws", wanted, "ec2:TerminateInstances") == {
        f"arn:aws:ec2:{named}:123456789012:instance/*"
    }
    assert bool(on("aws", wanted, "ec2:DescribeRegions")) is (regions is None)
