"""The local clouds, each behind a proxy that breaks what it is told to."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.clouds.gcp import rest as _rest
from airflow_multicloud.clouds.gcp.object_store import client as _client

from .proxy import FaultProxy, proxied_connection
from .rigs import Rig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.testing.local_clouds import LocalClouds

#: Seconds without a byte until a client gives up.
PATIENCE = 1

#: What makes each client impatient, in its connection's extra.
_IMPATIENT: dict[str, dict[str, Any]] = {
    "aws": {
        "config_kwargs": {
            "connect_timeout": PATIENCE,
            "read_timeout": PATIENCE,
            "retries": {"mode": "standard", "total_max_attempts": 3},
        }
    },
    "gcp": {"num_retries": 2},
    "azure": {
        "connection_timeout": PATIENCE,
        "read_timeout": PATIENCE,
        "retry_total": 2,
        "initial_backoff": 0,
        "increment_base": 1,
        "random_jitter_range": 0,
    },
}


@pytest.fixture(scope="session")
def rigs(local_clouds: LocalClouds) -> Iterator[dict[str, Rig]]:
    """One rig per cloud, and ``second-s3``, which keeps the time when an upload was begun."""
    servers = {
        "aws": local_clouds.aws,
        "gcp": local_clouds.gcp,
        "azure": local_clouds.azure,
        "second-s3": local_clouds.second_s3,
    }
    made: dict[str, Rig] = {}
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        # There is no setting for these: they are constants of the hook.
        patch.setattr(_client, "READ_SECONDS", PATIENCE)
        patch.setattr(_rest, "READ_SECONDS", PATIENCE)
        for name, server in servers.items():
            cloud = "aws" if name == "second-s3" else name
            ((direct, connection),) = server.spec.connections.items()
            proxy = stack.enter_context(FaultProxy(server.spec.port, rewrite_host=cloud == "gcp"))
            conns = [f"{kind}_{name.replace('-', '_')}" for kind in ("faulty", "patient")]
            for conn_id in conns:
                extra = _IMPATIENT[cloud] if conn_id.startswith("faulty") else {}
                proxied = proxied_connection(connection, proxy.port, extra)
                patch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", proxied)
            made[name] = Rig(
                cloud, proxy, faulty_conn=conns[0], patient_conn=conns[1], direct_conn=direct
            )
        yield made
