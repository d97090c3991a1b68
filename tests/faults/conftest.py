"""The local clouds, each behind a proxy that breaks what it is told to."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.clouds.gcp import rest as _rest
from airflow_multicloud.clouds.gcp.object_store import client as _client
from airflow_multicloud.testing.local_clouds.gcp.service_account import account_connection

from .proxy import FaultProxy, proxied_connection
from .rigs import TRAFFIC, Rig

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_multicloud.testing.local_clouds import LocalClouds, LocalServer
    from airflow_multicloud.testing.local_clouds.gcp.object_store.xml_interface import XmlInterface

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
def rigs(local_clouds: LocalClouds, gcs_xml: XmlInterface) -> Iterator[dict[str, Rig]]:
    """One rig per cloud, and two more.

    ``second-s3`` keeps the time when an upload was begun; ``gcp-xml`` is the same Cloud Storage,
    where small objects are written by its XML interface.
    """
    xml = gcs_xml.endpoint
    servers = {
        "aws": _served(local_clouds.aws),
        "gcp": _served(local_clouds.gcp),
        "azure": _served(local_clouds.azure),
        "second-s3": _served(local_clouds.second_s3),
        "gcp-xml": _Served(
            int(xml.rpartition(":")[2]),
            "gcp_local",
            account_connection(xml, **{"gcs.endpoint": xml}),
        ),
    }
    made: dict[str, Rig] = {}
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        # There is no setting for these: they are constants of the hook.
        patch.setattr(_client, "READ_SECONDS", PATIENCE)
        patch.setattr(_rest, "READ_SECONDS", PATIENCE)
        for name, served in servers.items():
            cloud = {"second-s3": "aws", "gcp-xml": "gcp"}.get(name, name)
            proxy = stack.enter_context(FaultProxy(served.port, rewrite_host=cloud == "gcp"))
            conns = [f"{kind}_{name.replace('-', '_')}" for kind in ("faulty", "patient")]
            for conn_id in conns:
                extra = _IMPATIENT[cloud] if conn_id.startswith("faulty") else {}
                proxied = proxied_connection(served.connection, proxy.port, extra)
                patch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", proxied)
            made[name] = Rig(
                cloud,
                proxy,
                traffic=TRAFFIC[name if name in TRAFFIC else cloud],
                faulty_conn=conns[0],
                patient_conn=conns[1],
                direct_conn=served.direct,
            )
        yield made


@dataclass(frozen=True, slots=True)
class _Served:
    """A server, and the connection that leads to it; ``direct`` is one without a proxy."""

    port: int
    direct: str
    connection: Mapping[str, Any]


def _served(server: LocalServer) -> _Served:
    ((direct, connection),) = server.spec.connections.items()
    return _Served(server.spec.port, direct, connection)
