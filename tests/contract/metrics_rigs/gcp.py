"""The metrics of the local Cloud Monitoring."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_multicloud.ports.metrics import Metrics
from airflow_multicloud.testing.contracts.metrics.rigs import MetricsRigSpec
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import plant

if TYPE_CHECKING:
    import pytest

    from airflow_multicloud.testing.delivery_faults import DeliveryFault

_CONN_ID = "gcp_telemetry_local"


def rig() -> MetricsRigSpec:
    from airflow_multicloud.clouds.gcp.metrics import Hook

    return MetricsRigSpec(
        name="local_cloud_monitoring",
        cloud="gcp",
        hook=Hook,
        open=_open,
        open_refused=_open_refused,
        plant=_plant,
    )


def _open(request: pytest.FixtureRequest) -> Metrics:
    from airflow_multicloud import registry

    request.getfixturevalue("local_gcp_telemetry")
    hook: Any = registry.resolve(Metrics, _CONN_ID)
    found: Metrics = hook
    return found


def _open_refused(request: pytest.FixtureRequest) -> Metrics:
    """As a service account whose key is another one."""
    from airflow_multicloud import registry
    from airflow_multicloud.testing.local_clouds.gcp import service_account

    server = request.getfixturevalue("local_gcp_telemetry")
    connection: Any = json.loads(json.dumps(server.spec.connections[_CONN_ID]))
    account = json.loads(connection["extra"]["keyfile_dict"])
    account["private_key"] = service_account.new_key()
    connection["extra"]["keyfile_dict"] = json.dumps(account)
    patch = request.getfixturevalue("monkeypatch")
    patch.setenv("AIRFLOW_CONN_GCP_TELEMETRY_REFUSED", json.dumps(connection))
    hook: Any = registry.resolve(Metrics, "gcp_telemetry_refused")
    found: Metrics = hook
    return found


def _plant(request: pytest.FixtureRequest, faults: Sequence[DeliveryFault]) -> None:
    plant(request.getfixturevalue("local_gcp_telemetry").endpoint, "metrics", faults)
