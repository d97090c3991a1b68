"""A local Azure Resource Manager: TLS, Entra tokens, and the services tests need so far.

Simulated, and strict where a simulation can be: every request is checked against the SDK's own
description of it (path, method, ``api-version``, query parameters, and the body's fields:
unknown, read-only, missing, of another type), and every answer against the model that the SDK
reads it with. That is the client's view of the service, not the service's: what passes here may
still be refused by Azure, but what is refused here is not what the SDK would send.

Served by the packages beside this one: Microsoft Entra's token endpoint (client secret), Cost
Management's Query, Advisor's recommendations, the Azure Retail Prices API, virtual machines with
their disks and network interfaces, and the caller's permissions (Microsoft.Authorization; they are
told, and keep nobody from anything). A service more is a module
with ``routes``, named in :mod:`.__main__`.

Run by :func:`resource_manager`; seeded and told to fail through
:class:`~airflow_multicloud.testing.local_clouds.kit.admin.Admin`.
"""

from __future__ import annotations

from pathlib import Path

from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec, python_command
from airflow_multicloud.testing.local_clouds.kit.sockets import LOOPBACK, free_port, url_at

# All made up, none a secret of anything.
#: The application's in the directory, which role and deny assignments name.
OBJECT_ID = "44444444-4444-4444-8444-444444444444"
TENANT_ID = "11111111-1111-4111-8111-111111111111"
CLIENT_ID = "22222222-2222-4222-8222-222222222222"
CLIENT_SECRET = "local-client-secret"  # noqa: S105 - opens nothing but this server
SUBSCRIPTION_ID = "33333333-3333-4333-8333-333333333333"

#: The audience of Azure Resource Manager's tokens, whatever host it is reached by.
AUDIENCE = "https://management.azure.com"


def resource_manager(
    data_dir: Path, *, port: int | None = None, admin_port: int | None = None
) -> ServerSpec:
    """Azure Resource Manager, Entra's tokens and the Retail Prices API, in memory, over TLS.

    The server's own endpoint is its administration; connection ``azure_local`` leads to Azure.

    :param port: of Azure.
    :param admin_port: of the administration.
    """
    port, admin_port = port or free_port(), admin_port or free_port()
    directory = data_dir / "azure-arm"
    return ServerSpec(
        name="azure-arm",
        port=admin_port,
        command=python_command(
            __name__,
            *("--port", str(port)),
            *("--admin-port", str(admin_port)),
            *("--directory", str(directory)),
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
            "local_admin": url_at(admin_port),
        },
    }
