"""A vault of Azure Key Vault on loopback, in memory, over TLS.

Requests are checked against the SDK's own description of them, as those of :mod:`..arm` are, and
against the published limits. Who has no token is told by the vault's challenge where to get one.
Errors are in the form that recordings of real vaults have.

Seeds (:class:`~airflow_multicloud.testing.local_clouds.kit.admin.Admin`): faults in the form of
:class:`~airflow_multicloud.testing.secret_faults.SecretFault`, by
:func:`~airflow_multicloud.testing.local_clouds.kit.secret_seeds.plant`; and as ``vault`` settings,
the last of which count: ``{"same_second": true}`` has the versions of a secret made in one second,
``{"recovery_level": "Purgeable"}`` is a vault without soft delete, ``{"slow": 2}`` has that many
looks at what is deleted or recovered find it in neither list. Otherwise versions of one secret are
a second apart, so that their order is told.

Simulated: see :mod:`..arm`.
"""

from __future__ import annotations

from pathlib import Path

from airflow_multicloud.testing.local_clouds.azure.arm import azure_connection
from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec, python_command
from airflow_multicloud.testing.local_clouds.kit.sockets import LOOPBACK, free_port

#: Whom a vault's tokens are for.
AUDIENCE = "https://vault.azure.net"


def key_vault(
    data_dir: Path, *, port: int | None = None, admin_port: int | None = None
) -> ServerSpec:
    """A vault and Entra's tokens.

    The server's own endpoint is its administration; connection ``azure_secrets_local`` leads to
    the vault.

    :param port: of the vault.
    :param admin_port: of the administration.
    """
    port, admin_port = port or free_port(), admin_port or free_port()
    directory = data_dir / "azure-secrets"
    connection = azure_connection(port, admin_port, directory / "ca.pem")
    extra = connection["extra"]
    assert isinstance(extra, dict)  # noqa: S101 - for the type checker
    extra["key_vault_url"] = f"https://{LOOPBACK}:{port}"
    return ServerSpec(
        name="azure-secrets",
        port=admin_port,
        command=python_command(
            __name__,
            *("--port", str(port)),
            *("--admin-port", str(admin_port)),
            *("--directory", str(directory)),
        ),
        ready_path="/",
        connections={"azure_secrets_local": connection},
    )
