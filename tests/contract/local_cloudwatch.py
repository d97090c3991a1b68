"""What the rigs of CloudWatch's metrics and logs share: one server, and a key that it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from airflow_multicloud.testing.contracts.rigs import connected
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import plant

if TYPE_CHECKING:
    import pytest

    from airflow_multicloud.testing.delivery_faults import DeliveryFault
    from airflow_multicloud.testing.local_clouds import LocalServer

P = TypeVar("P")

SERVER = "local_cloudwatch"
CONN_ID = "aws_telemetry_local"


def planted(service: str) -> Callable[[pytest.FixtureRequest, Sequence[DeliveryFault]], None]:
    def plant_all(request: pytest.FixtureRequest, faults: Sequence[DeliveryFault]) -> None:
        server: LocalServer = request.getfixturevalue(SERVER)
        plant(server.endpoint, service, faults)

    return plant_all


def refused(port: type[P]) -> Callable[[pytest.FixtureRequest], P]:
    def opened(request: pytest.FixtureRequest) -> P:
        server: LocalServer = request.getfixturevalue(SERVER)
        wrong = {**server.spec.connections[CONN_ID], "password": "another-secret-key"}
        patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
        patch.setenv("AIRFLOW_CONN_AWS_TELEMETRY_WRONG_KEY", json.dumps(wrong))
        return connected(port, "aws_telemetry_wrong_key", SERVER)(request)

    return opened
