"""The metrics of the memory cloud."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from airflow_multicloud.testing.contracts.metrics.rigs import MetricsRigSpec
from airflow_multicloud.testing.memory_cloud.metrics import Hook, metrics_of

if TYPE_CHECKING:
    import pytest

    from airflow_multicloud.testing.delivery_faults import DeliveryFault

_CONN_ID = "metrics_contract"


def rig() -> MetricsRigSpec:
    return MetricsRigSpec(
        name="memory",
        cloud="memory",
        hook=Hook,
        open=lambda _request: Hook(_CONN_ID),
        plant=_plant,
        gaps={
            "test_throttled_for_a_moment": "it has no client that would send again",
        },
    )


def _plant(_request: pytest.FixtureRequest, faults: Sequence[DeliveryFault]) -> None:
    planted = metrics_of(_CONN_ID).faults
    planted.clear()
    planted.plant(faults)
