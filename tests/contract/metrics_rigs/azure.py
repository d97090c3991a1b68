"""Application Insights and Log Analytics of the local Azure."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.clouds.azure.metrics import Hook
from airflow_multicloud.ports.metrics import Metrics
from airflow_multicloud.testing.contracts.metrics.rigs import MetricsRigSpec
from airflow_multicloud.testing.contracts.rigs import connected
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import plant

if TYPE_CHECKING:
    from airflow_multicloud.testing.delivery_faults import DeliveryFault
    from airflow_multicloud.testing.local_clouds import LocalServer

_CONN_ID = "azure_telemetry_local"
_RESOURCE_CONN_ID = "azure_resource_metrics_local"
_FIXTURE = "local_azure_telemetry"


def rig() -> MetricsRigSpec:
    return MetricsRigSpec(
        name="local_azure",
        cloud="azure",
        hook=Hook,
        open=connected(Metrics, _CONN_ID, _FIXTURE),
        plant=_plant,
        open_refused=lambda request: _open_refused(request, _CONN_ID),
    )


def resource_rig() -> MetricsRigSpec:
    """Custom metrics of an Azure resource."""
    return MetricsRigSpec(
        name="local_azure_resource",
        cloud="azure",
        hook=Hook,
        open=connected(Metrics, _RESOURCE_CONN_ID, _FIXTURE),
        plant=_plant,
        open_refused=lambda request: _open_refused(request, _RESOURCE_CONN_ID),
    )


def _plant(request: pytest.FixtureRequest, faults: Sequence[DeliveryFault]) -> None:
    server: LocalServer = request.getfixturevalue(_FIXTURE)
    plant(server.endpoint, "metrics", faults)


def _open_refused(request: pytest.FixtureRequest, conn_id: str) -> Metrics:
    request.getfixturevalue(_FIXTURE)
    connection = json.loads(os.environ[f"AIRFLOW_CONN_{conn_id.upper()}"])
    name = "azure_telemetry_refused"
    patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    patch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps({**connection, "password": "wrong"}))
    return Hook(name)
