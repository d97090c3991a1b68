"""A local IAM and STS: users, roles, sessions, and a simulator that evaluates real policies.

moto has no ``SimulatePrincipalPolicy``. Served here, by botocore's models (unknown, missing and
mistyped members, lengths, patterns and enumerations are refused), and with signatures checked:

- STS: ``GetCallerIdentity``, ``AssumeRole`` and ``GetFederationToken`` with session policies;
- IAM: ``GetRole`` and ``SimulatePrincipalPolicy`` (:mod:`.simulator`), which names the deciding
  statements, missing condition keys, the permissions boundary and the organization's policies; and
  what policies a user or role has, with their documents (:mod:`.listing`);
- of S3 ``HeadBucket`` and ``GetBucketPolicy``, of EC2 any request with ``DryRun``.

Every request is judged by the policies of who makes it (:mod:`.policies`): a key that was given
for less is refused the rest. At first the user and the role may do all; policies are seeded, see
:mod:`.world`. What this does not prove: IAM's own evaluation beyond what :mod:`.policies` says,
resource policies, and how long it takes until a change is seen. It has been compared with AWS's
documentation, not with AWS.
"""

from __future__ import annotations

from pathlib import Path

from airflow_multicloud.testing.local_clouds.aws import connection
from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec, python_command
from airflow_multicloud.testing.local_clouds.kit.sockets import free_port, url_at

ACCOUNT = "123456789012"
#: Whose the local key is.
USER = "user/tests/deployer"
#: That the user may take on.
ROLE = "role/tests/runner"


def iam(
    data_dir: Path,  # noqa: ARG001 - in memory only
    *,
    port: int | None = None,
    admin_port: int | None = None,
) -> ServerSpec:
    """IAM and STS, in memory; connections ``aws_identity_local`` (a user), ``aws_role_local``.

    The server's own endpoint is its administration.

    :param port: of the APIs.
    :param admin_port: of the administration.
    """
    port, admin_port = port or free_port(), admin_port or free_port()
    return ServerSpec(
        name="aws-identity",
        port=admin_port,
        command=python_command(
            __name__, *("--port", str(port)), *("--admin-port", str(admin_port))
        ),
        ready_path="/",
        connections={
            "aws_identity_local": identity_connection(url_at(port), url_at(admin_port)),
            "aws_role_local": identity_connection(
                url_at(port), url_at(admin_port), role_arn=f"arn:aws:iam::{ACCOUNT}:{ROLE}"
            ),
        },
    )


def identity_connection(endpoint: str, admin: str, **extra: object) -> dict[str, object]:
    """A connection to a local IAM.

    :param admin: its administration, as the extra ``local_admin``.
    """
    return connection(
        endpoint_url=endpoint,
        # Airflow's AWS hook ignores endpoint_url for STS.
        service_config={"sts": {"endpoint_url": endpoint}},
        local_admin=admin,
        **extra,
    )
