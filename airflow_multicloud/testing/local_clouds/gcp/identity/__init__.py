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

from airflow_multicloud.testing.local_clouds.gcp.account_server import account_server, connecting
from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec

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
    return account_server(
        __name__,
        conn_id="gcp_identity_local",
        connect=connecting(SERVICES),
        port=port,
        admin_port=admin_port,
    )
