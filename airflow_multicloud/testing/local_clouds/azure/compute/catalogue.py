"""What is offered: sizes as Resource Skus tell them, and images of the marketplace.

The sizes' figures are Azure's own; prices and most of their capabilities are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_multicloud.testing.local_clouds.azure.compute import OTHER_REGION, REGION

REGIONS = (REGION, OTHER_REGION)
ZONES = ("1", "2", "3")

# Size → what else its capabilities say.
_MORE: Mapping[str, Mapping[str, str]] = {
    "Standard_D4ads_v5": {"MaxResourceVolumeMB": "153600"},
    "Standard_DC4as_v5": {"ConfidentialComputingType": "SNP"},
    "Standard_E8-4s_v5": {"vCPUsAvailable": "4"},
    "Standard_NC4as_T4_v3": {"GPUs": "1"},
}
# Name, vCPUs, memory, architecture, generations, why not for the subscription.
_SIZES: Sequence[tuple[str, int, str, str, str, str | None]] = (
    ("Standard_A0", 1, "0.75", "x64", "V1", None),
    ("Standard_B1ms", 1, "2", "x64", "V1,V2", None),
    ("Standard_B2s", 2, "4", "x64", "V1,V2", None),
    ("Standard_D2s_v5", 2, "8", "x64", "V1,V2", None),
    ("Standard_D4s_v5", 4, "16", "x64", "V1,V2", None),
    ("Standard_D4ads_v5", 4, "16", "x64", "V1,V2", None),
    ("Standard_D4s_Promo", 4, "12", "x64", "V1,V2", None),
    ("Standard_DC4as_v5", 4, "12", "x64", "V2", None),
    ("Standard_E8-4s_v5", 8, "12", "x64", "V1,V2", None),
    ("Standard_NC4as_T4_v3", 4, "12", "x64", "V1,V2", None),
    ("Standard_B2pts_v2", 2, "1", "Arm64", "V2", None),
    ("Standard_M128ms", 128, "3892", "x64", "V1,V2", "NotAvailableForSubscription"),
    ("Standard_NC24ads_A100_v4", 24, "220", "x64", "V2", "QuotaId"),
)
SIZES = frozenset(name for name, *_ in _SIZES)

#: Publisher, offer and SKU, in lower case → versions, oldest first.
IMAGES: Mapping[tuple[str, str, str], tuple[str, ...]] = {
    ("canonical", "ubuntu-24_04-lts", "server"): ("24.04.202508010", "24.04.202510010"),
    ("canonical", "ubuntu-24_04-lts", "server-arm64"): ("24.04.202510010",),
}


def skus(region: str) -> list[dict[str, Any]]:
    """The sizes of a region, and something that is no size, as the list has both."""
    if region not in REGIONS:
        return []
    disk = {"resourceType": "disks", "name": "Premium_LRS", "locations": [region]}
    return [disk, *(_sku(region, *size) for size in _SIZES)]


def _sku(
    region: str,
    name: str,
    vcpus: int,
    memory: str,
    architecture: str,
    generations: str,
    closed: str | None,
) -> dict[str, Any]:
    told = {
        "vCPUs": str(vcpus),
        "MemoryGB": memory,
        "CpuArchitectureType": architecture,
        "HyperVGenerations": generations,
        **_MORE.get(name, {}),
    }
    restriction = {
        "type": "Location",
        "values": [region],
        "restrictionInfo": {"locations": [region]},
        "reasonCode": closed,
    }
    return {
        "resourceType": "virtualMachines",
        "name": name,
        "tier": "Standard",
        "size": name.removeprefix("Standard_"),
        "locations": [region],
        "locationInfo": [{"location": region, "zones": list(ZONES)}],
        "capabilities": [{"name": key, "value": value} for key, value in told.items()],
        "restrictions": [restriction] if closed else [],
    }
