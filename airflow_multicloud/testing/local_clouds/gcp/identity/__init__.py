"""Google Cloud's permissions on loopback: ``testIamPermissions`` of four APIs, and tokens for less.

Requests and answers are checked by Google's discovery documents (Resource Manager v3, Cloud Storage
v1, Secret Manager v1, IAM v1, STS v1); without a good token they are refused. A permission that
can't be tested on a kind of resource is refused with the whole request, as Google does.

At first the caller may do all in the project ``local`` and below; what it may not is seeded, see
:mod:`.grants`. A token that STS gave for less is good for what its boundary names only
(:mod:`.boundaries`).

What this does not prove: which permissions Google knows, how it evaluates conditions, deny policies
and boundaries of principals, and how long it takes until a change is seen. It has been compared
with Google's documentation, not with Google.
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

#: Whose endpoints a connection to it names.
SERVICES = ("cloudresourcemanager", "gcs", "iam", "secretmanager", "sts")


def permissions(
    data_dir: Path,  # noqa: ARG001 - in memory only
    *,
    port: int | None = None,
    admin_port: int | None = None,
) -> ServerSpec:
    """The APIs, in memory; connection ``gcp_identity_local``.

    The server's own endpoint is its administration.

    :param port: of the APIs.
    :param admin_port: of the administration.
    """
    port, admin_port = port or free_port(), admin_port or free_port()
    return ServerSpec(
        name="gcp-identity",
        port=admin_port,
        command=python_command(
            __name__, *("--port", str(port)), *("--admin-port", str(admin_port))
        ),
        environment={PUBLIC_KEY: public_key()},
        ready_path="/",
        connections={"gcp_identity_local": identity_connection(url_at(port), url_at(admin_port))},
    )


def identity_connection(endpoint: str, admin: str) -> dict[str, object]:
    """A connection to it, of a service account.

    :param admin: its administration, as the extra ``local_admin``.
    """
    endpoints = {f"{service}.endpoint": endpoint for service in SERVICES}
    return account_connection(endpoint, local_admin=admin, num_retries=0, **endpoints)
