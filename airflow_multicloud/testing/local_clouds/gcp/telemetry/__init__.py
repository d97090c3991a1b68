"""Cloud Monitoring and Cloud Logging on loopback, in one process.

By gRPC (:mod:`airflow_multicloud.testing.local_clouds.gcp.grpc`), without TLS; and the Telemetry
API's ``POST /v1/metrics`` by HTTP. Callers are checked: the token endpoint, on the administration's
port, gives tokens for what the service account's key has signed, and a call needs one of those.

Seeds (:class:`~airflow_multicloud.testing.local_clouds.kit.admin.Admin`): faults in the form of
:class:`~airflow_multicloud.testing.delivery_faults.DeliveryFault`, by
:func:`~airflow_multicloud.testing.local_clouds.kit.delivery_seeds.plant`. ``GET /otlp`` on the
administration's port shows what came by OTLP.

Simulated: nothing here was compared with Google's servers. Requests and answers are the client
libraries' own messages; what those don't say is told after Google's pages, which the modules name.
"""

from __future__ import annotations

from pathlib import Path

from airflow_multicloud.testing.local_clouds.gcp.service_account import (
    PUBLIC_KEY,
    account_connection,
    public_key,
)
from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec, python_command
from airflow_multicloud.testing.local_clouds.kit.sockets import free_port, url_at


def telemetry(
    _data_dir: Path,
    *,
    port: int | None = None,
    otlp_port: int | None = None,
    admin_port: int | None = None,
) -> ServerSpec:
    """Cloud Monitoring and Cloud Logging by this package, in memory.

    The server's own endpoint is its administration; connection ``gcp_telemetry_local`` leads to the
    services.

    :param port: of both gRPC services.
    :param otlp_port: of the Telemetry API.
    :param admin_port: of the administration and the token endpoint.
    """
    port, otlp_port = port or free_port(), otlp_port or free_port()
    admin_port = admin_port or free_port()
    extra = {
        "monitoring.endpoint": url_at(port),
        "logging.endpoint": url_at(port),
        "telemetry.endpoint": url_at(otlp_port),
        "telemetry.location": "us-central1",
        "local_admin": url_at(admin_port),
    }
    return ServerSpec(
        name="gcp-telemetry",
        port=admin_port,
        command=python_command(
            __name__,
            *("--port", str(port)),
            *("--otlp-port", str(otlp_port)),
            *("--admin-port", str(admin_port)),
        ),
        environment={PUBLIC_KEY: public_key()},
        ready_path="/",
        connections={"gcp_telemetry_local": account_connection(url_at(admin_port), **extra)},
    )
