"""EC2: moto behind stricter checks, with machines that boot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_multicloud.ports.compute import Compute, LaunchRequest, Network, SizeNeed
from airflow_multicloud.testing.contracts.compute.rigs import ComputeRigSpec
from airflow_multicloud.testing.contracts.rigs import connected
from airflow_multicloud.testing.local_clouds.aws.compute import security_group_of, subnet_of
from airflow_multicloud.testing.local_clouds.kit.machine_seeds import plant

if TYPE_CHECKING:
    import pytest

    from airflow_multicloud.testing.local_clouds import LocalServer
    from airflow_multicloud.testing.machine_faults import MachineFault

_CONN_ID = "aws_compute_local"
_REGION, _ZONE, _OTHER_ZONE = "us-east-1", "us-east-1a", "us-east-1b"
_REQUEST = LaunchRequest(
    region=_REGION,
    zone=_ZONE,
    size="t3.small",
    network=Network(
        subnets=(subnet_of(_ZONE), subnet_of(_OTHER_ZONE)),
        security_groups=(security_group_of(_REGION),),
    ),
)
GAPS = {
    "test_a_launch_fails_later[unsupported]": (
        "EC2 refuses a size that a zone has not at once: no StateReason says it later"
    ),
}


def rig() -> ComputeRigSpec:
    from airflow_multicloud.clouds.aws.compute import Hook

    return ComputeRigSpec(
        name="local_ec2",
        cloud="aws",
        hook=Hook,
        open=connected(Compute, _CONN_ID, "local_ec2"),
        plant=_plant,
        request=_REQUEST,
        other_zone=replace(_REQUEST, zone=_OTHER_ZONE),
        need=SizeNeed(vcpus=2, memory_bytes=2**31),
        wrong={
            "region": replace(_REQUEST, region="nowhere-1"),
            "size": replace(_REQUEST, size="t9.gigantic"),
            "image": replace(_REQUEST, image="ami-00000000000000000"),
            "subnets": replace(_REQUEST, network=Network(subnets=("subnet-00000000000000000",))),
            "security_groups": replace(
                _REQUEST,
                network=replace(_REQUEST.network, security_groups=("sg-00000000000000000",)),
            ),
        },
        gaps=GAPS,
    )


def _plant(request: pytest.FixtureRequest, faults: Sequence[MachineFault]) -> None:
    server: LocalServer = request.getfixturevalue("local_ec2")
    plant(server.endpoint, faults)
