"""Servers whose callers are the local Google Cloud's service account: two ports, and a connection.

One port is the service's, the other the administration's, which is the server's own endpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from airflow_multicloud.testing.local_clouds.gcp.service_account import (
    PUBLIC_KEY,
    account_connection,
    public_key,
)
from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec, python_command
from airflow_multicloud.testing.local_clouds.kit.sockets import free_port, url_at

#: Gives a connection, of the URLs of the service and of the administration.
Connect = Callable[[str, str], dict[str, object]]


def account_server(
    module: str, *, conn_id: str, connect: Connect, port: int | None, admin_port: int | None
) -> ServerSpec:
    """A server of this package.

    :param module: that is run, with ``--port`` and ``--admin-port``: ``….gcp.secrets``, say.
    :param conn_id: of its connection.
    :param port: a free one by default; likewise the administration's.
    """
    port, admin_port = port or free_port(), admin_port or free_port()
    return ServerSpec(
        name=f"gcp-{module.rpartition('.')[2]}",
        port=admin_port,
        command=python_command(module, *("--port", str(port)), *("--admin-port", str(admin_port))),
        environment={PUBLIC_KEY: public_key()},
        ready_path="/",
        connections={conn_id: connect(url_at(port), url_at(admin_port))},
    )


def connecting(services: Iterable[str]) -> Connect:
    """Connections for services that are all behind one port, which gives tokens, too.

    :param services: whose endpoints are named.
    """
    endpoints = tuple(f"{service}.endpoint" for service in services)

    def connect(endpoint: str, admin: str) -> dict[str, object]:
        named = dict.fromkeys(endpoints, endpoint)
        return account_connection(endpoint, local_admin=admin, num_retries=0, **named)

    return connect
