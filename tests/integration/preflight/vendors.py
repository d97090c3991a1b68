"""What the clouds say that each of their calls needs, copied from their own pages.

Nothing here knows what this package calls, or what it says of its calls.
"""

from __future__ import annotations

from collections.abc import Mapping

Permissions = Mapping[str, frozenset[str]]


def _each(service: str, names: str) -> dict[str, frozenset[str]]:
    """Of actions that are called as their calls are."""
    return {f"{service}:{name}": frozenset({f"{service}:{name}"}) for name in names.split()}


def _listed(start: str, end: str, table: str) -> dict[str, frozenset[str]]:
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
    **_each(
        "secretsmanager",
        "DescribeSecret GetSecretValue ListSecretVersionIds ListSecrets PutSecretValue TagResource "
        "UntagResource UpdateSecretVersionStage DeleteSecret RestoreSecret",
    ),
    "secretsmanager:CreateSecret": frozenset(
        {"secretsmanager:CreateSecret", "secretsmanager:TagResource"}
    ),
}
#: https://cloud.google.com/secret-manager/docs/access-control, "API permissions".
_SECRET_MANAGER = _listed(
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
_KEY_VAULT = _listed(
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
    **_each(
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
}
#: https://cloud.google.com/sql/docs/postgres/audit-logging, "API interface audit logs", and of
#: restoring to a new instance https://cloud.google.com/sql/docs/postgres/iam-permissions.
_CLOUD_SQL = {
    "monitoring.projects.timeSeries.list": frozenset({"monitoring.timeSeries.list"}),
    **_listed(
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
_FLEXIBLE_SERVERS = _listed(
    "",
    "Microsoft.",
    """
    GET flexibleServers: DBforPostgreSQL/flexibleServers/read
    GET flexibleServers/{name}: DBforPostgreSQL/flexibleServers/read
    GET flexibleServers/{name}/replicas: DBforPostgreSQL/flexibleServers/replicas/read
    GET flexibleServers/{name}/backups: DBforPostgreSQL/flexibleServers/backups/read
    GET flexibleServers/{name}/backups/{name}: DBforPostgreSQL/flexibleServers/backups/read
    PUT flexibleServers/{name}/backups/{name}: DBforPostgreSQL/flexibleServers/backups/write
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

DATABASES: Mapping[str, Permissions] = {
    "aws": _RDS,
    "gcp": _CLOUD_SQL,
    "azure": _FLEXIBLE_SERVERS,
}

#: docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html, list_awsidentity
#: andaccessmanagementiam.html and list_awssystemsmanager.html. What RunInstances tags needs
#: CreateTags: "Grant permission to tag Amazon EC2 resources during creation".
_EC2 = {
    "sts:GetCallerIdentity": frozenset[str](),
    **_each(
        "ec2",
        "DescribeRegions DescribeSubnets DescribeSecurityGroups DescribeInstanceTypes "
        "DescribeInstanceTypeOfferings DescribeImages DescribeInstances DescribeVolumes "
        "DescribeNetworkInterfaces CreateTags StopInstances StartInstances GetConsoleOutput "
        "TerminateInstances DeleteVolume DeleteNetworkInterface",
    ),
    **_each("ssm", "GetParameter"),
    **_each("iam", "GetInstanceProfile"),
    "ec2:RunInstances": frozenset({"ec2:RunInstances", "ec2:CreateTags"}),
}
#: https://cloud.google.com/compute/docs/instances/create-start-instance ("Permissions required for
#: this task") and the same of stopping, resuming, deleting, labelling, and of serial ports; of
#: operations https://cloud.google.com/compute/docs/api/how-tos/api-requests-responses.
_COMPUTE_ENGINE = _listed(
    "compute.",
    "compute.",
    """
    zones.list: zones.list
    machineTypes.get: machineTypes.get
    machineTypes.list: machineTypes.list
    machineTypes.aggregatedList: machineTypes.list
    images.get: images.get
    images.getFromFamily: images.getFromFamily
    subnetworks.get: subnetworks.get
    instances.insert: instances.create instances.setLabels instances.setMetadata \
disks.create disks.setLabels subnetworks.use
    instances.get: instances.get
    instances.aggregatedList: instances.list
    instances.setLabels: instances.setLabels
    instances.start: instances.start
    instances.resume: instances.resume
    instances.stop: instances.stop
    instances.getSerialPortOutput: instances.getSerialPortOutput
    instances.delete: instances.delete disks.delete
    disks.get: disks.get
    disks.aggregatedList: disks.list
    disks.setLabels: disks.setLabels
    disks.delete: disks.delete
    zoneOperations.get: zoneOperations.get
    zoneOperations.wait: zoneOperations.get
    """,
)
#: https://learn.microsoft.com/azure/role-based-access-control/permissions/compute and networking;
#: what a resource is attached to is joined: "LinkedAccessCheck" of each type.
_MACHINES = _listed(
    "",
    "Microsoft.",
    """
    GET Microsoft.Compute/skus: Compute/skus/read
    GET Microsoft.Compute/locations/publishers/artifacttypes/offers/skus/versions: \
Compute/locations/publishers/artifacttypes/offers/skus/versions/read
    GET Microsoft.Compute/locations/operations: Compute/locations/operations/read
    GET Microsoft.Compute/locations/DiskOperations: Compute/locations/DiskOperations/read
    GET Microsoft.Compute/images: Compute/images/read
    GET Microsoft.Compute/virtualMachines: Compute/virtualMachines/read
    GET Microsoft.Compute/virtualMachines/instanceView: Compute/virtualMachines/instanceView/read
    PUT Microsoft.Compute/virtualMachines: Compute/virtualMachines/write \
Network/networkInterfaces/join/action
    PATCH Microsoft.Compute/virtualMachines: Compute/virtualMachines/write
    DELETE Microsoft.Compute/virtualMachines: Compute/virtualMachines/delete
    POST Microsoft.Compute/virtualMachines/start: Compute/virtualMachines/start/action
    POST Microsoft.Compute/virtualMachines/deallocate: Compute/virtualMachines/deallocate/action
    POST Microsoft.Compute/virtualMachines/retrieveBootDiagnosticsData: \
Compute/virtualMachines/retrieveBootDiagnosticsData/action
    GET Microsoft.Compute/disks: Compute/disks/read
    PATCH Microsoft.Compute/disks: Compute/disks/write
    DELETE Microsoft.Compute/disks: Compute/disks/delete
    GET Microsoft.Network/locations/operations: Network/locations/operations/read
    GET Microsoft.Network/virtualNetworks: Network/virtualNetworks/read
    GET Microsoft.Network/networkSecurityGroups: Network/networkSecurityGroups/read
    GET Microsoft.Network/networkInterfaces: Network/networkInterfaces/read
    PUT Microsoft.Network/networkInterfaces: Network/networkInterfaces/write \
Network/virtualNetworks/subnets/join/action
    PATCH Microsoft.Network/networkInterfaces: Network/networkInterfaces/write
    DELETE Microsoft.Network/networkInterfaces: Network/networkInterfaces/delete
    GET Microsoft.Network/publicIPAddresses: Network/publicIPAddresses/read
    PUT Microsoft.Network/publicIPAddresses: Network/publicIPAddresses/write
    PATCH Microsoft.Network/publicIPAddresses: Network/publicIPAddresses/write
    DELETE Microsoft.Network/publicIPAddresses: Network/publicIPAddresses/delete
    """,
)

COMPUTE: Mapping[str, Permissions] = {"aws": _EC2, "gcp": _COMPUTE_ENGINE, "azure": _MACHINES}


def _launch(call: str, **more: str) -> dict[str, tuple[str, frozenset[str]]]:
    return {what: (call, frozenset(needed.split())) for what, needed in more.items()}


#: Cloud → what an instance is asked for with → the call that needs more then, and what.
LAUNCHED_WITH: Mapping[str, Mapping[str, tuple[str, frozenset[str]]]] = {
    "aws": _launch("ec2:RunInstances", identity="iam:PassRole"),
    "gcp": _launch(
        "compute.instances.insert",
        identity="compute.instances.setServiceAccount iam.serviceAccounts.actAs",
        public_address="compute.subnetworks.useExternalIp",
        security_groups="compute.instances.setTags",
        private_image="compute.images.useReadOnly",
    ),
    "azure": {
        **_launch(
            "PUT Microsoft.Network/networkInterfaces",
            security_groups="Microsoft.Network/networkSecurityGroups/join/action",
            public_address="Microsoft.Network/publicIPAddresses/join/action",
        ),
        **_launch(
            "PUT Microsoft.Compute/virtualMachines",
            identity="Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
        ),
    },
}
