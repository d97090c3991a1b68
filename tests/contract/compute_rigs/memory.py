"""The machines of the memory cloud."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_multicloud.ports.compute import LaunchRequest, Network, SizeNeed
from airflow_multicloud.testing.contracts.compute.rigs import ComputeRigSpec
from airflow_multicloud.testing.memory_cloud.compute import Hook, machines_of

if TYPE_CHECKING:
    import pytest

    from airflow_multicloud.testing.machine_faults import MachineFault

_CONN_ID = "compute_contract"
_REQUEST = LaunchRequest(
    region="mem-1",
    zone="mem-1a",
    size="small",
    network=Network(subnets=("net-1",), security_groups=("web",)),
)


def rig() -> ComputeRigSpec:
    return ComputeRigSpec(
        name="memory",
        cloud="memory",
        hook=Hook,
        open=lambda _request: Hook(_CONN_ID),
        plant=_plant,
        request=_REQUEST,
        other_zone=replace(_REQUEST, zone="mem-1b"),
        need=SizeNeed(vcpus=2, memory_bytes=2**31),
        wrong={
            "region": replace(_REQUEST, region="nowhere"),
            "size": replace(_REQUEST, size="gigantic"),
            "image": replace(_REQUEST, image="no-such-image"),
            "subnets": replace(_REQUEST, network=Network(subnets=("net-2",))),
            "security_groups": replace(
                _REQUEST, network=Network(subnets=("net-1",), security_groups=("none",))
            ),
        },
    )


def _plant(_request: pytest.FixtureRequest, faults: Sequence[MachineFault]) -> None:
    planted = machines_of(_CONN_ID).faults
    planted.clear()
    planted.plant(faults)
