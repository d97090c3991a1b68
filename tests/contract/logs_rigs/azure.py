"""Logs Ingestion and Log Analytics of the local Azure."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.clouds.azure.logs import Hook
from airflow_multicloud.ports.logs import Logs
from airflow_multicloud.testing.contracts.logs.rigs import LogsRigSpec
from airflow_multicloud.testing.contracts.rigs import connected
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import plant

if TYPE_CHECKING:
    from airflow_multicloud.testing.delivery_faults import DeliveryFault
    from airflow_multicloud.testing.local_clouds import LocalServer

_CONN_ID = "azure_telemetry_local"
_FIXTURE = "local_azure_telemetry"


def rig() -> LogsRigSpec:
    return LogsRigSpec(
        name="local_azure",
        cloud="azure",
        hook=Hook,
        open=connected(Logs, _CONN_ID, _FIXTURE),
        plant=_plant,
        open_refused=_open_refused,
        # A log is a value in a column, not a thing that is there or not.
        knows_logs=False,
    )


def _plant(request: pytest.FixtureRequest, faults: Sequence[DeliveryFault]) -> None:
    server: LocalServer = request.getfixturevalue(_FIXTURE)
    plant(server.endpoint, "logs", faults)


def _open_refused(request: pytest.FixtureRequest) -> Logs:
    request.getfixturevalue(_FIXTURE)
    connection = json.loads(os.environ[f"AIRFLOW_CONN_{_CONN_ID.upper()}"])
    name = "azure_telemetry_refused"
    patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    patch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps({**connection, "password": "wrong"}))
    return connected(Logs, name)(request)
