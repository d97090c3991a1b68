"""Azure Virtual Machines, each with its network interface in a subnet that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.clouds.azure.compute.console import Console
from airflow_multicloud.clouds.azure.compute.labelling import Labelling
from airflow_multicloud.clouds.azure.compute.listing import Listing
from airflow_multicloud.clouds.azure.compute.operations import InstanceOperations
from airflow_multicloud.clouds.azure.compute.resolving import LaunchResolution
from airflow_multicloud.ports.compute import Compute, ConsoleOutput, InstanceLabels


class VirtualMachinesHook(LaunchResolution, InstanceOperations, Listing, Labelling, Console):
    """The virtual machines of an Azure connection's subscription.

    :param azure_conn_id: the connection, of type ``azure``, or of type ``wasb`` with the
        credentials of a Microsoft Entra application; its extra names ``subscriptionId``.
    :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used.
    """


Hook: type[Compute] = VirtualMachinesHook

if TYPE_CHECKING:
    # The type checker proves the other protocols, too.
    _LABELS: type[InstanceLabels] = VirtualMachinesHook
    _CONSOLE: type[ConsoleOutput] = VirtualMachinesHook
