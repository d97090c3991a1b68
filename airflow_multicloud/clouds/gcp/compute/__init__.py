"""Compute Engine: virtual machines, on Airflow's official hook and Google's own clients.

An instance is made with one boot disk, which goes with it. It carries the order's labels, and so
does its disk; a disk that is left without its instance is listed as ``incomplete``. The order's
token stands in the instance's metadata (``multicloud-token``), as does the startup script.

The connection's extra ``compute.endpoint`` says where else to ask than Google.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.clouds.gcp.compute.console import GCPConsole
from airflow_multicloud.clouds.gcp.compute.labelling import GCPLabelling
from airflow_multicloud.clouds.gcp.compute.launching import GCPLaunching
from airflow_multicloud.clouds.gcp.compute.listing import GCPListing
from airflow_multicloud.clouds.gcp.compute.power import GCPPower
from airflow_multicloud.clouds.gcp.compute.resolving import GCPResolving
from airflow_multicloud.clouds.gcp.compute.terminating import GCPTerminating
from airflow_multicloud.ports.compute import Compute, ConsoleOutput, InstanceLabels


class GCPComputeHook(
    GCPResolving,
    GCPLaunching,
    GCPTerminating,
    GCPPower,
    GCPListing,
    GCPLabelling,
    GCPConsole,
):
    """The compute port on Airflow's Compute Engine hook."""


#: What registry.resolve(Compute, …) makes for Google Cloud connections.
Hook: type[Compute] = GCPComputeHook

if TYPE_CHECKING:
    # The type checker proves every optional capability, too.
    _CAPABILITIES: tuple[type[InstanceLabels], type[ConsoleOutput]] = (GCPComputeHook,) * 2
