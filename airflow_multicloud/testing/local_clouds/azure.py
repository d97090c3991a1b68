"""Azure besides Blob Storage: how the local Resource Manager is run, and its connection."""

from __future__ import annotations

import sys
from pathlib import Path

from airflow_multicloud.testing.local_clouds.azure_arm import (
    CLIENT_ID,
    CLIENT_SECRET,
    SUBSCRIPTION_ID,
    TENANT_ID,
)
from airflow_multicloud.testing.local_clouds.process import ServerSpec
from airflow_multicloud.testing.local_clouds.sockets import LOOPBACK, free_port


def resource_manager(
    data_dir: Path, *, port: int | None = None, admin_port: int | None = None
) -> ServerSpec:
    """Azure Resource Manager, Entra's tokens and the Retail Prices API, in memory, over TLS.

    The server's own endpoint is its administration; connection ``azure_local`` leads to Azure.

    :param port: of Azure. :param admin_port: of the administration.
    """
    port, admin_port = port or free_port(), admin_port or free_port()
    directory = data_dir / "azure-arm"
    return ServerSpec(
        name="azure-arm",
        port=admin_port,
        command=(
            sys.executable,
            "-P",
            "-m",
            "airflow_multicloud.testing.local_clouds.azure_arm",
            "--port",
            str(port),
            "--admin-port",
            str(admin_port),
            "--directory",
            str(directory),
        ),
        ready_path="/",
        connections={"azure_local": azure_connection(port, admin_port, directory / "ca.pem")},
    )


def azure_connection(port: int, admin_port: int, authority: Path) -> dict[str, object]:
    """A connection of type ``azure`` to a local Resource Manager.

    :param admin_port: named in the extra ``local_admin``, for who seeds it.
    :param authority: the certificate authority to trust, a PEM file.
    """
    endpoint = f"https://{LOOPBACK}:{port}"
    return {
        "conn_type": "azure",
        "login": CLIENT_ID,
        "password": CLIENT_SECRET,
        "extra": {
            "tenantId": TENANT_ID,
            "subscriptionId": SUBSCRIPTION_ID,
            "management_endpoint": endpoint,
            "authority": endpoint,
            "retail_prices_endpoint": endpoint,
            "ca_bundle": str(authority),
            "local_admin": f"http://{LOOPBACK}:{admin_port}",
        },
    }
