"""A local Secrets Manager, in memory.

In front of everything, as of :mod:`..telemetry`: each request's signature (Signature Version 4,
with the local key) and its form by botocore's model. Behind it the operations of secrets, versions,
staging labels and tags, by the AWS Secrets Manager API Reference. moto keeps secrets too, but it
gives every version the time of the question, has one page of versions, lets a label be taken from
a version that another call has taken it from already, lets a removed secret be written, and removes
every label of a version that is replaced. STS is moto's, for callers with the local key.

To be planted: :class:`~airflow_multicloud.testing.secret_faults.SecretFault`, seeded as
``secret_faults``, and records seeded as ``secrets``: ``{"page": n}`` makes all pages so small,
``{"name": …, "primary_region": …}`` makes a secret a replica, and ``{"name": …, "tags": {…}}``
gives it tags that nobody may write (``aws:…``).

What this does not prove: permissions and KMS keys (whoever signs may do all), eventual consistency,
the quota of versions, rotation. It has been compared with AWS's documentation, not with AWS.
"""

from __future__ import annotations

from pathlib import Path

from airflow_multicloud.testing.local_clouds.aws import connection
from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec, python_command
from airflow_multicloud.testing.local_clouds.kit.sockets import free_port, url_at


def secrets_manager(
    data_dir: Path,  # noqa: ARG001 - in memory only
    *,
    port: int | None = None,
    admin_port: int | None = None,
) -> ServerSpec:
    """Secrets, in memory; connection ``aws_secrets_local``, and one with a wrong key.

    The server's own endpoint is its administration.

    :param port: of the APIs.
    :param admin_port: of the administration.
    """
    port, admin_port = port or free_port(), admin_port or free_port()
    endpoint = url_at(port)
    right = connection(
        endpoint_url=endpoint,
        # Airflow's AWS hook ignores endpoint_url for STS.
        service_config={"sts": {"endpoint_url": endpoint}},
        local_admin=url_at(admin_port),
    )
    return ServerSpec(
        name="aws-secrets",
        port=admin_port,
        command=python_command(
            __name__, *("--port", str(port)), *("--admin-port", str(admin_port))
        ),
        ready_path="/",
        connections={
            "aws_secrets_local": right,
            "aws_secrets_wrong_key": {**right, "password": "another-secret-key"},
        },
    )
