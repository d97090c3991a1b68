"""Secret Manager on loopback, in memory.

By gRPC (:mod:`airflow_multicloud.testing.local_clouds.gcp.grpc`), without TLS. Callers are checked:
the token endpoint, on the administration's port, gives tokens for what the service account's key
has signed, and a call needs one of those. Names of resources are held against the patterns of the
service's discovery document, fields against what it says of them in words.

Beside the administration is as much of Resource Manager as says which project it is
(:mod:`.projects`).

Seeds (:class:`~airflow_multicloud.testing.local_clouds.kit.admin.Admin`): faults in the form of
:class:`~airflow_multicloud.testing.secret_faults.SecretFault`, by
:func:`~airflow_multicloud.testing.local_clouds.kit.secret_seeds.plant`; and as ``damage``
``{"name": "<id of a secret>"}``, whose newest value then does not fit its checksum any more.

Pages have a few entries, whatever is asked for: Google's may be shorter than asked for as well.

Simulated: nothing here was compared with Google's servers. Requests and answers are the client
library's own messages; what those don't say is told after Google's pages, which the modules name.
"""

from __future__ import annotations

from pathlib import Path

from airflow_multicloud.testing.local_clouds.gcp.account_server import account_server
from airflow_multicloud.testing.local_clouds.gcp.service_account import account_connection
from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec


def secret_manager(
    _data_dir: Path, *, port: int | None = None, admin_port: int | None = None
) -> ServerSpec:
    """Secret Manager by this package, in memory.

    The server's own endpoint is its administration; connection ``gcp_secrets_local`` leads to the
    service.

    :param port: of the service.
    :param admin_port: of the administration, the token endpoint and Resource Manager.
    """
    return account_server(
        __name__,
        conn_id="gcp_secrets_local",
        connect=_connection,
        port=port,
        admin_port=admin_port,
    )


def _connection(endpoint: str, admin: str) -> dict[str, object]:
    extra = {
        "secretmanager.endpoint": endpoint,
        "cloudresourcemanager.endpoint": admin,
        "local_admin": admin,
    }
    return account_connection(admin, **extra)
