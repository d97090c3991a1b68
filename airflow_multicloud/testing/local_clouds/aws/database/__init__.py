"""A local RDS: the API by botocore's model of it, and a PostgreSQL server behind each instance.

- Every request is checked by its signature and by botocore's model: an unknown action or parameter,
  one of another type, and one that is required and missing are refused (:mod:`.queries`). What is
  answered is checked by the same model.
- An instance is a PostgreSQL server of its own (:mod:`..kit.postgres`) at the endpoint that RDS
  tells; a read replica streams from its primary, a promotion promotes it; a snapshot is a copy of
  the data, and a restore starts a new server from it, or from the archive to a point in time. The
  master user and its password come along, as with RDS. States change when the work is done.
- CloudWatch's ``GetMetricData`` answers ``AWS/RDS`` ``ReplicaLag`` with the lag that the replica
  has at that moment; RDS measures once a minute.
- STS's ``GetCallerIdentity`` tells the account (:mod:`.callers`).
- Faults can be planted (:class:`~airflow_multicloud.testing.sql_faults.DatabaseFault`), a replica
  held and a snapshot damaged (:class:`..kit.sql_admin.DatabaseOwner`).

moto is not used: its instances and snapshots are available at once, a restore has no tags of its
own, and nothing is behind an endpoint. What is offered here is one engine, PostgreSQL, and the
actions that :mod:`.server` lists; others are refused as unknown. What this does not prove:
permissions (whoever signs may do all), limits, throttling, how long RDS takes, and what it checks
beyond its model and the rules that are named here. It has been compared with RDS's documentation,
not with RDS.
"""

from __future__ import annotations

from pathlib import Path

from airflow_multicloud.testing.local_clouds.aws import connection
from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec, python_command
from airflow_multicloud.testing.local_clouds.kit.sockets import free_port, url_at

ACCOUNT_ID = "123456789012"
#: DB subnet group → its VPC. RDS takes ``default`` where none is named.
SUBNET_GROUPS = {"default": "vpc-default", "app": "vpc-app"}
#: Security group → its VPC. RDS takes that of the VPC's default where none is named.
SECURITY_GROUPS = {
    "sg-0d000000000000000": "vpc-default",
    "sg-0a000000000000000": "vpc-app",
    "sg-0a000000000000001": "vpc-app",
}
CLASSES = ("db.t4g.micro", "db.t4g.small", "db.m7g.large")
ENGINE_VERSION = "18.1"
#: Parameter group → its family. A version of the first is what an instance was before an upgrade,
#: as it shows it: PostgreSQL of :data:`ENGINE_VERSION` runs either way.
PARAMETER_GROUPS = {
    "default.postgres17": "postgres17",
    "default.postgres18": "postgres18",
    "app-postgres17": "postgres17",
    "app-postgres18": "postgres18",
}
ENGINE_VERSIONS = ("17.7", ENGINE_VERSION)


def rds(
    data_dir: Path,  # noqa: ARG001 - PostgreSQL keeps its data where its user may go
    *,
    port: int | None = None,
    admin_port: int | None = None,
) -> ServerSpec:
    """RDS with what of CloudWatch it needs; connection ``aws_database_local``.

    The server's own endpoint is its administration.

    :param port: of the APIs.
    :param admin_port: of the administration.
    """
    port, admin_port = port or free_port(), admin_port or free_port()
    return ServerSpec(
        name="aws-database",
        port=admin_port,
        command=python_command(
            __name__, *("--port", str(port)), *("--admin-port", str(admin_port))
        ),
        ready_path="/",
        connections={
            "aws_database_local": connection(
                endpoint_url=url_at(port), local_admin=url_at(admin_port)
            )
        },
    )
