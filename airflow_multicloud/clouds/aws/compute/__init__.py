"""Amazon EC2: virtual machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from airflow_multicloud.clouds.aws.compute.console import Consoles
from airflow_multicloud.clouds.aws.compute.labelling import Labels
from airflow_multicloud.clouds.aws.compute.launching import Launches
from airflow_multicloud.clouds.aws.compute.power import Power
from airflow_multicloud.clouds.aws.compute.resolving import LaunchResolver
from airflow_multicloud.clouds.aws.compute.terminating import Terminations
from airflow_multicloud.ports.compute import Compute, ConsoleOutput, InstanceLabels


class Ec2ComputeHook(LaunchResolver, Launches, Terminations, Power, Labels, Consoles):
    """Amazon EC2 on an Airflow connection of type ``aws``.

    Making one reads the connection and must happen on the task's own thread; all else may come
    from any.
    """


Hook: type[Compute] = Ec2ComputeHook

if TYPE_CHECKING:

    class _Capabilities(InstanceLabels, ConsoleOutput, Protocol):
        """What EC2 has besides; the type checker proves it, too."""

    _CAPABILITIES: type[_Capabilities] = Ec2ComputeHook
