"""What a resource tells that its maker did not say.

The members are those that Azure's answers have in the recordings of the SDK's own tests
(azure-mgmt-compute 30.0.0, 2023).
"""

from __future__ import annotations

import uuid

from airflow_multicloud.testing.local_clouds.azure.compute.disks import IMAGE_GIB
from airflow_multicloud.testing.local_clouds.azure.compute.lookups import newest
from airflow_multicloud.testing.local_clouds.azure.compute.world import Body


def fill_machine(properties: Body) -> None:
    """What a machine tells that its maker did not say."""
    storage, system = properties["storageProfile"], properties["osProfile"]
    storage["osDisk"] = {
        "osType": "Linux",
        "caching": "None",
        "deleteOption": "Detach",
        "diskSizeGB": IMAGE_GIB,
        **storage["osDisk"],
    }
    storage.setdefault("dataDisks", [])
    image = storage["imageReference"]
    if "publisher" in image:
        latest = image["version"] == "latest"
        image["exactVersion"] = newest(image) if latest else image["version"]
    for key, value in (
        ("secrets", []),
        ("allowExtensionOperations", True),
        ("requireGuestProvisionSignal", True),
    ):
        system.setdefault(key, value)


def fill_interface(properties: Body) -> None:
    """What an interface tells that its maker did not say."""
    defaults = {
        "dnsSettings": {
            "dnsServers": [],
            "appliedDnsServers": [],
            "internalDomainNameSuffix": "local.internal.cloudapp.net",
        },
        "enableAcceleratedNetworking": False,
        "vnetEncryptionSupported": False,
        "enableIPForwarding": False,
        "disableTcpStateTracking": False,
        "hostedWorkloads": [],
        "tapConfigurations": [],
        "nicType": "Standard",
        "resourceGuid": str(uuid.uuid4()),
    }
    for key, value in defaults.items():
        properties.setdefault(key, value)
