"""What the rigs of Google's gRPC services share: a server, and a key that it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_multicloud.testing.contracts.rigs import connected
from airflow_multicloud.testing.local_clouds.gcp.service_account import new_key

if TYPE_CHECKING:
    import pytest

    from airflow_multicloud.testing.local_clouds import LocalServer

P = TypeVar("P")

SERVER = "local_gcp_telemetry"
CONN_ID = "gcp_telemetry_local"


def refused(
    port: type[P], conn_id: str = CONN_ID, fixture: str = SERVER
) -> Callable[[pytest.FixtureRequest], P]:
    """Opens a hook of a service account whose key Google does not know.

    :param conn_id: the connection of the account whose key it knows.
    :param fixture: of the server.
    """

    def opened(request: pytest.FixtureRequest) -> P:
        server: LocalServer = request.getfixturevalue(fixture)
        connection: Any = server.spec.connections[conn_id]
        account = json.loads(connection["extra"]["keyfile_dict"]) | {"private_key": new_key()}
        extra = {**connection["extra"], "keyfile_dict": json.dumps(account)}
        patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
        patch.setenv("AIRFLOW_CONN_GCP_REFUSED", json.dumps({**connection, "extra": extra}))
        return connected(port, "gcp_refused", fixture)(request)

    return opened
