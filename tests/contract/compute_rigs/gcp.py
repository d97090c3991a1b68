"""The machines of the local Compute Engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_multicloud.ports.compute import Compute, LaunchRequest, Network, SizeNeed
from airflow_multicloud.testing.contracts.compute.rigs import ComputeRigSpec
from airflow_multicloud.testing.local_clouds.kit.machine_seeds import plant

if TYPE_CHECKING:
    import pytest

    from airflow_multicloud.testing.machine_faults import MachineFault

_REQUEST = LaunchRequest(
    region="us-central1",
    zone="us-central1-a",
    size="e2-small",
    network=Network(subnets=("default",), security_groups=("web",)),
)


def rig() -> ComputeRigSpec:
    from airflow_multicloud.clouds.gcp.compute import Hook

    return ComputeRigSpec(
        name="local_compute_engine",
        cloud="gcp",
        hook=Hook,
        open=_open,
        plant=_plant,
        request=_REQUEST,
        other_zone=replace(_REQUEST, zone="us-central1-b"),
        need=SizeNeed(vcpus=2, memory_bytes=3 * 2**30),
        wrong={
            "region": replace(_REQUEST, region="us-nowhere1"),
            "size": replace(_REQUEST, size="e9-gigantic"),
            "image": replace(_REQUEST, image="projects/debian-cloud/global/images/no-such-image"),
            "subnets": replace(_REQUEST, network=Network(subnets=("no-such-subnet",))),
            "security_groups": replace(
                _REQUEST, network=Network(subnets=("default",), security_groups=("Not A Tag",))
            ),
        },
    )


def _open(request: pytest.FixtureRequest) -> Compute:
    from airflow_multicloud import registry

    request.getfixturevalue("local_compute_engine")
    hook: Any = registry.resolve(Compute, "compute_local")
    found: Compute = hook
    return found


def _plant(request: pytest.FixtureRequest, faults: Sequence[MachineFault]) -> None:
    server = request.getfixturevalue("local_compute_engine")
    plant(server.endpoint, faults)
