"""Cloud Logging of the local Google Cloud."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_multicloud.clouds.gcp.logs import GCPLogsHook
from airflow_multicloud.ports.logs import Logs
from airflow_multicloud.testing.contracts.logs.rigs import LogsRigSpec
from airflow_multicloud.testing.contracts.rigs import connected
from airflow_multicloud.testing.local_clouds.gcp.service_account import new_key
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import plant

if TYPE_CHECKING:
    import pytest

    from airflow_multicloud.testing.delivery_faults import DeliveryFault
    from airflow_multicloud.testing.local_clouds import LocalServer

_CONN_ID = "gcp_telemetry_local"
_SERVER = "local_gcp_telemetry"


def rig() -> LogsRigSpec:
    return LogsRigSpec(
        name="local_cloud_logging",
        cloud="gcp",
        hook=GCPLogsHook,
        open=connected(Logs, _CONN_ID, _SERVER),
        plant=_plant,
        open_refused=_open_refused,
        knows_logs=False,
    )


def _plant(request: pytest.FixtureRequest, faults: Sequence[DeliveryFault]) -> None:
    server: LocalServer = request.getfixturevalue(_SERVER)
    plant(server.endpoint, "logs", faults)


def _open_refused(request: pytest.FixtureRequest) -> Logs:
    """A service account whose key Google does not know."""
    server: LocalServer = request.getfixturevalue(_SERVER)
    connection: Any = server.spec.connections[_CONN_ID]
    account = json.loads(connection["extra"]["keyfile_dict"]) | {"private_key": new_key()}
    extra = {**connection["extra"], "keyfile_dict": json.dumps(account)}
    monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    monkeypatch.setenv("AIRFLOW_CONN_GCP_REFUSED", json.dumps({**connection, "extra": extra}))
    return GCPLogsHook("gcp_refused")
