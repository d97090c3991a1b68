"""What the rigs of Azure Monitor's metrics and logs share: their server."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from airflow_multicloud.testing.contracts.rigs import connected
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import plant

if TYPE_CHECKING:
    import pytest

    from airflow_multicloud.testing.delivery_faults import DeliveryFault
    from airflow_multicloud.testing.local_clouds import LocalServer

P = TypeVar("P")

CONN_ID = "azure_telemetry_local"
FIXTURE = "local_azure_telemetry"


def planting(service: str) -> Callable[[pytest.FixtureRequest, Sequence[DeliveryFault]], None]:
    """Plants faults in ``metrics`` or ``logs``."""

    def planted(request: pytest.FixtureRequest, faults: Sequence[DeliveryFault]) -> None:
        server: LocalServer = request.getfixturevalue(FIXTURE)
        plant(server.endpoint, service, faults)

    return planted


def refused(port: type[P], conn_id: str = CONN_ID) -> Callable[[pytest.FixtureRequest], P]:
    """Opens a hook whose secret is a wrong one."""

    def opened(request: pytest.FixtureRequest) -> P:
        request.getfixturevalue(FIXTURE)
        connection = json.loads(os.environ[f"AIRFLOW_CONN_{conn_id.upper()}"])
        name = "azure_telemetry_refused"
        patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
        changed = {**connection, "password": "wrong"}
        patch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(changed))
        return connected(port, name)(request)

    return opened
