"""Bodies of requests that the hook does not make."""

from __future__ import annotations

from collections.abc import Mapping

from azure.mgmt.compute import models
from azure.mgmt.network import models as network

from airflow_multicloud.testing.local_clouds.azure.compute import REGION, subnet_id


def interface(tags: Mapping[str, str] | None = None) -> network.NetworkInterface:
    configuration = network.NetworkInterfaceIPConfiguration(
        name="c",
        properties=network.NetworkInterfaceIPConfigurationPropertiesFormat(
            subnet=network.Subnet(id=subnet_id())
        ),
    )
    return network.NetworkInterface(
        location=REGION,
        tags=dict(tags or {}),
        properties=network.NetworkInterfacePropertiesFormat(ip_configurations=[configuration]),
    )


def machine(
    name: str, nic: str, *, delete_option: str = "Delete", tags: Mapping[str, str] | None = None
) -> models.VirtualMachine:
    image = models.ImageReference(
        publisher="Canonical", offer="ubuntu-24_04-lts", sku="server", version="latest"
    )
    disk = models.OSDisk(
        name=f"{name}-disk", create_option="FromImage", delete_option=delete_option
    )
    reference = models.NetworkInterfaceReference(
        id=nic,
        properties=models.NetworkInterfaceReferenceProperties(
            primary=True, delete_option=delete_option
        ),
    )
    return models.VirtualMachine(
        location=REGION,
        tags=dict(tags or {}),
        properties=models.VirtualMachineProperties(
            hardware_profile=models.HardwareProfile(vm_size="Standard_B1ms"),
            storage_profile=models.StorageProfile(image_reference=image, os_disk=disk),
            os_profile=models.OSProfile(
                computer_name=name, admin_username="someone", custom_data="IyEvYmluL3NoCg=="
            ),
            network_profile=models.NetworkProfile(network_interfaces=[reference]),
        ),
    )
