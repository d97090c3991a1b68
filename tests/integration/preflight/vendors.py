"""What the clouds say that each of their calls needs, copied from their own pages.

Nothing here knows what this package calls, or what it says of its calls.
"""

from __future__ import annotations

from collections.abc import Mapping

Permissions = Mapping[str, frozenset[str]]


def each(service: str, names: str) -> dict[str, frozenset[str]]:
    """Of actions that are called as their calls are."""
    return {f"{service}:{name}": frozenset({f"{service}:{name}"}) for name in names.split()}


def listed(start: str, end: str, table: str) -> dict[str, frozenset[str]]:
    """``call: permission permission``, a line each; what begins and ends all is given once."""
    rows = (line.rpartition(": ") for line in table.strip().splitlines())
    return {
        f"{start}{call.strip()}": frozenset(f"{end}{one}" for one in needed.split())
        for call, _, needed in rows
    }


#: docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html;
#: API_CreateSecret.html: "If you include tags in the secret, you also need
#: secretsmanager:TagResource."
_SECRETS_MANAGER = {
    "sts:GetCallerIdentity": frozenset[str](),
    **each(
        "secretsmanager",
        "DescribeSecret GetSecretValue ListSecretVersionIds ListSecrets PutSecretValue TagResource "
        "UntagResource UpdateSecretVersionStage DeleteSecret RestoreSecret",
    ),
    "secretsmanager:CreateSecret": frozenset(
        {"secretsmanager:CreateSecret", "secretsmanager:TagResource"}
    ),
}
#: https://cloud.google.com/secret-manager/docs/access-control, "API permissions".
_SECRET_MANAGER = {
    # https://cloud.google.com/resource-manager/reference/rest/v3/projects/get
    "cloudresourcemanager.projects.get": frozenset({"resourcemanager.projects.get"}),
} | listed(
    "google.cloud.secretmanager.v1.SecretManagerService/",
    "secretmanager.",
    """
    ListSecrets: secrets.list
    CreateSecret: secrets.create
    AddSecretVersion: versions.add
    GetSecret: secrets.get
    UpdateSecret: secrets.update
    DeleteSecret: secrets.delete
    ListSecretVersions: versions.list
    GetSecretVersion: versions.get
    AccessSecretVersion: versions.access
    DisableSecretVersion: versions.disable
    EnableSecretVersion: versions.enable
    DestroySecretVersion: versions.destroy
    """,
)
#: https://learn.microsoft.com/azure/role-based-access-control/permissions/security: "List or view
#: the properties of a secret, but not its value" (readMetadata), "Gets the value of a secret"
#: (getSecret), "Creates new secret" (setSecret), "Updates the specified attributes" (update),
#: "Deletes a secret" (delete), "Recovers the deleted secret" (recover).
_KEY_VAULT = listed(
    "",
    "Microsoft.KeyVault/vaults/secrets/",
    """
    GET secrets: readMetadata/action
    GET secrets/{name}/versions: readMetadata/action
    GET deletedsecrets/{name}: readMetadata/action
    GET secrets/{name}: getSecret/action
    GET secrets/{name}/{version}: getSecret/action
    PUT secrets/{name}: setSecret/action
    PATCH secrets/{name}/{version}: update/action
    DELETE secrets/{name}: delete
    POST deletedsecrets/{name}/recover: recover/action
    """,
)

SECRETS: Mapping[str, Permissions] = {
    "aws": _SECRETS_MANAGER,
    "gcp": _SECRET_MANAGER,
    "azure": _KEY_VAULT,
}

#: docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html, with the
#: "dependent actions" of what is given tags.
_RDS = {
    **each(
        "rds",
        "DescribeDBInstances DescribeDBInstanceAutomatedBackups DescribeDBSnapshots "
        "DeleteDBSnapshot PromoteReadReplica DeleteDBInstance",
    ),
    **{
        f"rds:{name}": frozenset({f"rds:{name}", "rds:AddTagsToResource"})
        for name in (
            "CreateDBSnapshot",
            "RestoreDBInstanceFromDBSnapshot",
            "RestoreDBInstanceToPointInTime",
        )
    },
    "monitoring:GetMetricData": frozenset({"cloudwatch:GetMetricData"}),
    "sts:GetCallerIdentity": frozenset[str](),
}
#: https://cloud.google.com/sql/docs/postgres/audit-logging, "API interface audit logs", and of
#: restoring to a new instance https://cloud.google.com/sql/docs/postgres/iam-permissions.
_CLOUD_SQL = {
    "monitoring.projects.timeSeries.list": frozenset({"monitoring.timeSeries.list"}),
    **listed(
        "sql.",
        "cloudsql.",
        """
        instances.get: instances.get
        instances.getLatestRecoveryTime: instances.get
        instances.list: instances.list
        instances.clone: instances.clone
        instances.patch: instances.update
        instances.promoteReplica: instances.promoteReplica
        instances.restoreBackup: backupRuns.get instances.restoreBackup instances.create
        instances.delete: instances.delete
        operations.get: instances.get
        operations.list: instances.get
        Backups.ListBackups: backupRuns.list instances.list
        Backups.GetBackup: backupRuns.get
        Backups.CreateBackup: backupRuns.create
        Backups.DeleteBackup: backupRuns.delete
        """,
    ),
}
#: https://learn.microsoft.com/azure/role-based-access-control/permissions/databases. A server in a
#: subnet: "the user must have" subnets/join, and join of the private DNS zone.
_FLEXIBLE_SERVERS = listed(
    "",
    "Microsoft.",
    """
    GET flexibleServers: DBforPostgreSQL/flexibleServers/read
    GET flexibleServers/{name}: DBforPostgreSQL/flexibleServers/read
    GET flexibleServers/{name}/replicas: DBforPostgreSQL/flexibleServers/replicas/read
    GET flexibleServers/{name}/backups: DBforPostgreSQL/flexibleServers/backups/read
    GET flexibleServers/{name}/backups/{name}: DBforPostgreSQL/flexibleServers/backups/read
    PUT flexibleServers/{name}/backups/{name}: DBforPostgreSQL/flexibleServers/backups/write
    DELETE flexibleServers/{name}/backups/{name}: DBforPostgreSQL/flexibleServers/backups/delete
    PATCH flexibleServers/{name}: DBforPostgreSQL/flexibleServers/write
    DELETE flexibleServers/{name}: DBforPostgreSQL/flexibleServers/delete
    GET azureAsyncOperation: DBforPostgreSQL/locations/azureAsyncOperation/read
    GET locks: Authorization/locks/read
    GET locks of a server: Authorization/locks/read
    PUT locks: Authorization/locks/write
    PATCH tags: Resources/tags/write
    GET metrics: Insights/metrics/read
    """,
) | {
    "PUT flexibleServers/{name}": frozenset(
        {
            "Microsoft.DBforPostgreSQL/flexibleServers/write",
            "Microsoft.Network/virtualNetworks/subnets/join/action",
            "Microsoft.Network/privateDnsZones/join/action",
        }
    )
}

#: The same page, Microsoft.Sql.
_AZURE_SQL = listed(
    "",
    "Microsoft.",
    """
    GET servers: Sql/servers/read
    GET servers/{name}: Sql/servers/read
    GET databases: Sql/servers/databases/read
    GET databases/{name}: Sql/servers/databases/read
    PUT databases/{name}: Sql/servers/databases/write
    DELETE databases/{name}: Sql/servers/databases/delete
    GET databases/{name}/replicationLinks: Sql/servers/databases/replicationLinks/read
    POST failover: Sql/servers/databases/replicationLinks/failover/action
    GET databaseAzureAsyncOperation: Sql/locations/databaseAzureAsyncOperation/read
    GET locks of a database: Authorization/locks/read
    """,
)

DATABASES: Mapping[str, Permissions] = {
    "aws": _RDS,
    "gcp": _CLOUD_SQL,
    "azure": _FLEXIBLE_SERVERS | _AZURE_SQL,
}
