"""What the rigs of Azure Monitor's metrics and logs share: their server."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from airflow_multicloud.testing.contracts.rigs import connected

if TYPE_CHECKING:
    import pytest


P = TypeVar("P")

CONN_ID = "azure_telemetry_local"
SERVER = "local_azure_telemetry"


def refused(port: type[P], conn_id: str = CONN_ID) -> Callable[[pytest.FixtureRequest], P]:
    """Opens a hook whose secret is a wrong one."""

    def opened(request: pytest.FixtureRequest) -> P:
        request.getfixturevalue(SERVER)
        connection = json.loads(os.environ[f"AIRFLOW_CONN_{conn_id.upper()}"])
        name = "azure_telemetry_refused"
        patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
        changed = {**connection, "password": "wrong"}
        patch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(changed))
        return connected(port, name)(request)

    return opened
