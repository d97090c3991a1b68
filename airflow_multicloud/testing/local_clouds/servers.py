"""The local servers by name: ``cloud.service``, and what runs each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import Path

from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.testing.local_clouds.aws import compute as aws_compute
from airflow_multicloud.testing.local_clouds.aws import cost as aws_cost
from airflow_multicloud.testing.local_clouds.aws import database as aws_database
from airflow_multicloud.testing.local_clouds.aws import identity as aws_identity
from airflow_multicloud.testing.local_clouds.aws import object_store as aws_object_store
from airflow_multicloud.testing.local_clouds.aws import secrets as aws_secrets
from airflow_multicloud.testing.local_clouds.aws import telemetry as aws_telemetry
from airflow_multicloud.testing.local_clouds.azure import arm as azure_arm
from airflow_multicloud.testing.local_clouds.azure import database as azure_database
from airflow_multicloud.testing.local_clouds.azure import object_store as azure_object_store
from airflow_multicloud.testing.local_clouds.azure import secrets as azure_secrets
from airflow_multicloud.testing.local_clouds.azure import telemetry as azure_telemetry
from airflow_multicloud.testing.local_clouds.gcp import compute as gcp_compute
from airflow_multicloud.testing.local_clouds.gcp import cost as gcp_cost
from airflow_multicloud.testing.local_clouds.gcp import database as gcp_database
from airflow_multicloud.testing.local_clouds.gcp import identity as gcp_identity
from airflow_multicloud.testing.local_clouds.gcp import object_store as gcp_object_store
from airflow_multicloud.testing.local_clouds.gcp import secrets as gcp_secrets
from airflow_multicloud.testing.local_clouds.gcp import telemetry as gcp_telemetry
from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec


class Server(StrEnum):
    """What can be run on this machine. Two names may be served by one process."""

    #: moto; connection ``aws_local``.
    AWS_OBJECT_STORE = "aws.object_store"
    #: ministack, a second AWS; ``aws_second``.
    AWS_SECOND_OBJECT_STORE = "aws.second_object_store"
    #: Cost Optimization Hub; ``cost_hub_local``.
    AWS_COST = "aws.cost"
    #: EC2 whose machines boot; ``aws_compute_local``.
    AWS_COMPUTE = "aws.compute"
    #: RDS, with a PostgreSQL server behind each instance; ``aws_database_local``.
    AWS_DATABASE = "aws.database"
    #: CloudWatch; ``aws_telemetry_local``.
    AWS_METRICS = "aws.metrics"
    #: CloudWatch Logs, in the same process; ``aws_telemetry_local``.
    AWS_LOGS = "aws.logs"
    #: Secrets Manager; ``aws_secrets_local``, and ``aws_secrets_wrong_key``, which it refuses.
    AWS_SECRETS = "aws.secrets"
    #: IAM and STS, whose policies are evaluated; ``aws_identity_local``, ``aws_role_local``.
    AWS_IDENTITY = "aws.identity"
    #: fake-gcs-server; ``gcp_local``.
    GCP_OBJECT_STORE = "gcp.object_store"
    #: bqemulator, where Google's bills lie; ``bigquery_local``.
    GCP_BIGQUERY = "gcp.bigquery"
    #: Recommender; ``recommender_local``.
    GCP_COST = "gcp.cost"
    #: Cloud Monitoring, Cloud Logging and the Telemetry API, in one process;
    #: ``gcp_telemetry_local``.
    GCP_METRICS = "gcp.metrics"
    GCP_LOGS = "gcp.logs"
    #: Secret Manager; ``gcp_secrets_local``.
    GCP_SECRETS = "gcp.secrets"
    #: Compute Engine, whose instances really boot; ``compute_local``. With Cloud Storage also
    #: ``gcp_signing_local``, for the places of artifacts.
    GCP_COMPUTE = "gcp.compute"
    #: Cloud SQL with real databases; ``gcp_database_local``.
    GCP_DATABASE = "gcp.database"
    #: Permissions of projects, buckets, secrets and service accounts; ``gcp_identity_local``.
    GCP_IDENTITY = "gcp.identity"
    #: Azurite; ``wasb_local``.
    AZURE_OBJECT_STORE = "azure.object_store"
    #: Resource Manager with Cost Management, Advisor and the Retail Prices API; ``azure_local``.
    AZURE_COST = "azure.cost"
    #: Virtual machines, in the same process; ``azure_local``.
    AZURE_COMPUTE = "azure.compute"
    #: The caller's permissions, in the same process; ``azure_local``.
    AZURE_IDENTITY = "azure.identity"
    #: Flexible servers, with a PostgreSQL server behind each; ``azure_database_local``.
    AZURE_DATABASE = "azure.database"
    #: Key Vault; ``azure_secrets_local``.
    AZURE_SECRETS = "azure.secrets"
    #: Application Insights and Log Analytics; ``azure_telemetry_local``.
    AZURE_METRICS = "azure.metrics"
    #: The Logs Ingestion API and Log Analytics, in the same process; ``azure_telemetry_local``.
    AZURE_LOGS = "azure.logs"


#: The three that always run unless others are named.
OBJECT_STORES = frozenset(
    {Server.AWS_OBJECT_STORE, Server.GCP_OBJECT_STORE, Server.AZURE_OBJECT_STORE}
)
#: Those that advise on savings; they say nothing until they are seeded.
ADVISERS = frozenset({Server.AWS_COST, Server.GCP_COST, Server.AZURE_COST})
#: Where machines run: processes, with the rights of who runs the servers.
MACHINES = frozenset({Server.AWS_COMPUTE, Server.GCP_COMPUTE, Server.AZURE_COMPUTE})
#: What the caller may do.
IDENTITIES = frozenset({Server.AWS_IDENTITY, Server.GCP_IDENTITY, Server.AZURE_IDENTITY})
#: Metrics and logs; one process a cloud.
TELEMETRY = frozenset(
    {
        *(Server.AWS_METRICS, Server.AWS_LOGS),
        *(Server.GCP_METRICS, Server.GCP_LOGS),
        *(Server.AZURE_METRICS, Server.AZURE_LOGS),
    }
)

#: Managed databases.
DATABASES = frozenset({Server.AWS_DATABASE, Server.AZURE_DATABASE, Server.GCP_DATABASE})

Maker = Callable[[Path], ServerSpec]

#: How each is run, given the directory for its data.
MAKERS: Mapping[Server, Maker] = {
    Server.AWS_OBJECT_STORE: aws_object_store.moto,
    Server.AWS_SECOND_OBJECT_STORE: aws_object_store.ministack,
    Server.AWS_COST: aws_cost.cost_hub,
    Server.AWS_COMPUTE: aws_compute.ec2,
    Server.AWS_DATABASE: aws_database.rds,
    Server.AWS_METRICS: aws_telemetry.cloudwatch,
    Server.AWS_LOGS: aws_telemetry.cloudwatch,
    Server.AWS_SECRETS: aws_secrets.secrets_manager,
    Server.AWS_IDENTITY: aws_identity.iam,
    Server.GCP_OBJECT_STORE: gcp_object_store.fake_gcs,
    Server.GCP_BIGQUERY: gcp_cost.bigquery,
    Server.GCP_COST: gcp_cost.recommender,
    Server.GCP_SECRETS: gcp_secrets.secret_manager,
    Server.GCP_COMPUTE: gcp_compute.compute_engine,
    Server.GCP_DATABASE: gcp_database.cloud_sql,
    Server.GCP_METRICS: gcp_telemetry.telemetry,
    Server.GCP_LOGS: gcp_telemetry.telemetry,
    Server.GCP_IDENTITY: gcp_identity.permissions,
    Server.AZURE_OBJECT_STORE: azure_object_store.azurite,
    Server.AZURE_COST: azure_arm.resource_manager,
    Server.AZURE_COMPUTE: azure_arm.resource_manager,
    Server.AZURE_DATABASE: azure_database.flexible_servers,
    Server.AZURE_IDENTITY: azure_arm.resource_manager,
    Server.AZURE_SECRETS: azure_secrets.key_vault,
    Server.AZURE_METRICS: azure_telemetry.monitor,
    Server.AZURE_LOGS: azure_telemetry.monitor,
}


def servers_named(names: Iterable[str]) -> frozenset[Server]:
    """The servers of these names.

    :param names: as in :class:`Server`; each may be several, separated by commas.
    :raises CloudError: for a name that no server has.
    """
    given = [name.strip() for text in names for name in text.split(",")]
    if unknown := sorted(set(given) - set(Server)):
        raise CloudError(
            f"servers: {', '.join(map(repr, unknown))} given; expected names out of "
            f"{', '.join(Server)}",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return frozenset(map(Server, given))
