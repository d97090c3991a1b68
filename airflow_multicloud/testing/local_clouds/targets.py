"""Targets of a deployment in the local clouds, ready to be deployed to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from airflow_multicloud.testing.local_clouds.aws.compute import REGIONS as AWS_REGIONS
from airflow_multicloud.testing.local_clouds.aws.compute import security_group_of, subnet_of
from airflow_multicloud.testing.local_clouds.azure.compute import (
    EMPTY_GROUP,
    REGION,
    security_group_id,
    subnet_id,
)


def _aws() -> dict[str, Any]:
    region = "us-east-1"
    zones = AWS_REGIONS[region][:2]
    return {
        "conn_id": "aws_compute_local",
        "region": region,
        "zones": list(zones),
        "size": "t3.small",
        "network": {
            "subnets": [subnet_of(zone) for zone in zones],
            "security_groups": [security_group_of(region)],
        },
    }


def _gcp() -> dict[str, Any]:
    return {
        "conn_id": "compute_local",
        "region": "us-central1",
        "zones": ["us-central1-a", "us-central1-b"],
        "size": "e2-small",
        "network": {"subnets": ["default"], "security_groups": ["web"]},
    }


def _azure() -> dict[str, Any]:
    return {
        "conn_id": "azure_local",
        "region": REGION,
        "zones": ["1", "2"],
        "size": "Standard_B1ms",
        "network": {"subnets": [subnet_id()], "security_groups": [security_group_id()]},
        "resource_group": EMPTY_GROUP,
    }


_TARGETS: Mapping[str, Callable[[], dict[str, Any]]] = MappingProxyType(
    {"aws": _aws, "gcp": _gcp, "azure": _azure}
)


def local_target(cloud: str, *, artifacts: str, **given: Any) -> dict[str, Any]:
    """A target of one instance, in two zones, as ``DeployOperator`` and ``Deployment`` take it.

    :param cloud: ``aws``, ``gcp`` or ``azure``; also the target's name.
    :param artifacts: the URI of a prefix that the artifact is put under.
    :param given: what is to be another than it is here.
    """
    return {"name": cloud, **_TARGETS[cloud](), "artifacts": artifacts, **given}
