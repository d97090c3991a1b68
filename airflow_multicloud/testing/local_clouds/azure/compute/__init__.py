"""Local Azure Virtual Machines, disks and network interfaces, on the local Resource Manager.

Simulated. Paths, ``api-version``, query parameters and bodies are checked against the SDK's own
request builders and models, and answers against the models it reads them with; what the services
do besides is written after their reference and after recordings of real calls that the SDK's own
tests hold (azure-mgmt-compute: a machine and a disk, 2023): status codes (an interface and a
machine 201, a deletion and a start 202, an update of a machine 200 and of a disk 202), the headers
``Azure-AsyncOperation``, ``Location`` and ``Retry-After``, the bodies of operations, and what a
machine, its instance view and an interface look like. The project's tests compare both. Error codes
and messages are those that the reference pages name. Nothing of it was compared with Azure as it is
today.

Machines really boot: see :mod:`airflow_multicloud.testing.local_clouds.kit.machines`. Unlike on
Azure, the startup script runs at every start, and an operation ends after a certain number of
looks. An interface whose machine failed can be deleted at once, where Azure reserves it for three
minutes. A disk does not get the machine's tags, which is the harder case.

What lies here from the start are groups, networks and security groups; their ids are below. A
record of service ``machine_faults`` is a
:class:`~airflow_multicloud.testing.machine_faults.MachineFault` as a document, or
``{"clear": true}``, which takes all away.
"""

from __future__ import annotations

from airflow_multicloud.testing.local_clouds.azure.arm import SUBSCRIPTION_ID

#: Regions, of three zones each.
REGION, OTHER_REGION = "westeurope", "northeurope"
#: Networks lie in the first; the second is empty.
RESOURCE_GROUP, EMPTY_GROUP = "local-network", "local-machines"

_NETWORKS = (
    f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{RESOURCE_GROUP}/providers/Microsoft.Network"
)


def subnet_id(region: str = REGION) -> str:
    """The subnet of a region."""
    return f"{_NETWORKS}/virtualNetworks/net-{region}/subnets/default"


def security_group_id(region: str = REGION) -> str:
    """The network security group of a region."""
    return f"{_NETWORKS}/networkSecurityGroups/web-{region}"


#: An identity that machines may get; nobody looks whether one is there.
IDENTITY_ID = (
    f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{RESOURCE_GROUP}"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/runner"
)
