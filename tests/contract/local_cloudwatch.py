"""What the rigs of CloudWatch's metrics and logs share: one server, and a key that it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from airflow_multicloud.testing.contracts.rigs import connected

if TYPE_CHECKING:
    import pytest

    from airflow_multicloud.testing.local_clouds import LocalServer

P = TypeVar("P")

SERVER = "local_cloudwatch"
CONN_ID = "aws_telemetry_local"


def refused(port: type[P]) -> Callable[[pytest.FixtureRequest], P]:
    def opened(request: pytest.FixtureRequest) -> P:
        server: LocalServer = request.getfixturevalue(SERVER)
        wrong = {**server.spec.connections[CONN_ID], "password": "another-secret-key"}
        patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
        patch.setenv("AIRFLOW_CONN_AWS_TELEMETRY_WRONG_KEY", json.dumps(wrong))
        return connected(port, "aws_telemetry_wrong_key", SERVER)(request)

    return opened
