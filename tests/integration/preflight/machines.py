"""What the clouds say that each call of machines needs, copied from their own pages.

Nothing here knows what this package calls, or what it says of its calls.
"""

from __future__ import annotations

from collections.abc import Mapping

from .vendors import Permissions, each, listed

#: docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html, list_awsidentity
#: andaccessmanagementiam.html and list_awssystemsmanager.html. What RunInstances tags needs
#: CreateTags: "Grant permission to tag Amazon EC2 resources during creation".
_EC2 = {
    "sts:GetCallerIdentity": frozenset[str](),
    **each(
        "ec2",
        "DescribeRegions DescribeSubnets DescribeSecurityGroups DescribeInstanceTypes "
        "DescribeInstanceTypeOfferings DescribeImages DescribeInstances DescribeVolumes "
        "DescribeNetworkInterfaces CreateTags StopInstances StartInstances GetConsoleOutput "
        "TerminateInstances DeleteVolume DeleteNetworkInterface",
    ),
    **each("ssm", "GetParameter"),
    **each("iam", "GetInstanceProfile"),
    "ec2:RunInstances": frozenset({"ec2:RunInstances", "ec2:CreateTags"}),
}
#: https://cloud.google.com/compute/docs/instances/create-start-instance ("Permissions required for
#: this task") and the same of stopping, resuming, deleting, labelling, and of serial ports; of
#: operations https://cloud.google.com/compute/docs/api/how-tos/api-requests-responses.
_COMPUTE_ENGINE = {
    # "All users have access to public images".
    **dict.fromkeys(("compute.images.get", "compute.images.getFromFamily"), frozenset[str]()),
    **listed(
        "compute.",
        "compute.",
        """
    zones.list: zones.list
    machineTypes.get: machineTypes.get
    machineTypes.list: machineTypes.list
    machineTypes.aggregatedList: machineTypes.list
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
    ),
}
#: https://learn.microsoft.com/azure/role-based-access-control/permissions/compute and networking;
#: what a resource is attached to is joined: "LinkedAccessCheck" of each type.
_MACHINES = listed(
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
    "gcp": {
        "private_family": (
            "compute.images.getFromFamily",
            frozenset({"compute.images.getFromFamily"}),
        ),
        "private_name": ("compute.images.get", frozenset({"compute.images.get"})),
        **_launch(
            "compute.instances.insert",
            identity="compute.instances.setServiceAccount iam.serviceAccounts.actAs",
            public_address="compute.subnetworks.useExternalIp",
            security_groups="compute.instances.setTags",
            private_image="compute.images.useReadOnly",
        ),
    },
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
