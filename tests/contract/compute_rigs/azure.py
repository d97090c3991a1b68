"""Virtual machines of the local Azure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_multicloud.clouds.azure.compute import Hook
from airflow_multicloud.ports.compute import Compute, LaunchRequest, Network, SizeNeed
from airflow_multicloud.testing.contracts.compute.rigs import ComputeRigSpec
from airflow_multicloud.testing.contracts.rigs import connected
from airflow_multicloud.testing.local_clouds.azure.compute import (
    EMPTY_GROUP,
    IDENTITY_ID,
    OTHER_REGION,
    REGION,
    security_group_id,
    subnet_id,
)
from airflow_multicloud.testing.local_clouds.kit.machine_seeds import plant

if TYPE_CHECKING:
    import pytest

    from airflow_multicloud.testing.local_clouds import LocalServer
    from airflow_multicloud.testing.machine_faults import MachineFault

REQUEST = LaunchRequest(
    region=REGION,
    zone="1",
    size="Standard_B1ms",
    network=Network(subnets=(subnet_id(),), security_groups=(security_group_id(),)),
    resource_group=EMPTY_GROUP,
    identity=IDENTITY_ID,
)


def rig() -> ComputeRigSpec:
    network = REQUEST.network
    return ComputeRigSpec(
        name="local_azure",
        cloud="azure",
        hook=Hook,
        open=connected(Compute, "azure_local", "local_azure"),
        plant=_plant,
        request=REQUEST,
        other_zone=replace(REQUEST, zone="2"),
        need=SizeNeed(vcpus=2, memory_bytes=2**31),
        wrong={
            "region": replace(REQUEST, region="nowhere"),
            "zone": replace(REQUEST, zone="4"),
            "size": replace(REQUEST, size="Standard_Gigantic"),
            "image": replace(REQUEST, image="Canonical:no-such-offer:server:latest"),
            "subnets": replace(REQUEST, network=replace(network, subnets=(f"{subnet_id()}-none",))),
            "security_groups": replace(
                REQUEST,
                network=replace(network, security_groups=(security_group_id(OTHER_REGION),)),
            ),
        },
    )


def _plant(request: pytest.FixtureRequest, faults: Sequence[MachineFault]) -> None:
    server: LocalServer = request.getfixturevalue("local_azure")
    plant(server.endpoint, faults)
