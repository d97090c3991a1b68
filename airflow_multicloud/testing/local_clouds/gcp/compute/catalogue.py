"""What this Compute Engine offers: regions, zones, machine types, images, subnetworks.

Machine types: https://cloud.google.com/compute/docs/machine-resource; the image names are made
after those of https://cloud.google.com/compute/docs/images/os-details.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from airflow_multicloud.testing.local_clouds.gcp import PROJECT
from airflow_multicloud.testing.local_clouds.gcp.compute.links import (
    fingerprint_of,
    link,
    number_of,
    zone_path,
)

#: Zone → whether it is up.
ZONES: Mapping[str, bool] = MappingProxyType(
    {
        "europe-west1-b": True,
        "europe-west1-c": True,
        "us-central1-a": True,
        "us-central1-b": True,
        "us-central1-f": False,
    }
)
IMAGE_PROJECT: Final = "debian-cloud"
_MADE: Final = "2026-01-05T08:00:00.000-08:00"


@dataclass(frozen=True, slots=True)
class _Type:
    cpus: int
    memory_mb: int
    arm: bool = False
    shared: bool = False
    accelerator: str = ""
    #: Where it is not offered.
    not_in: tuple[str, ...] = ()


_TYPES = {
    "a2-highgpu-1g": _Type(12, 87040, accelerator="nvidia-tesla-a100"),
    "e2-medium": _Type(2, 4096, shared=True),
    "e2-micro": _Type(2, 1024, shared=True),
    "e2-small": _Type(2, 2048, shared=True),
    "e2-standard-2": _Type(2, 8192),
    "e2-standard-4": _Type(4, 16384),
    "n1-standard-1": _Type(1, 3840),
    "n2d-standard-2": _Type(2, 8192, not_in=("us-central1-b", "europe-west1-c")),
    "t2a-standard-1": _Type(1, 4096, arm=True, not_in=("europe-west1-b", "europe-west1-c")),
    "t2a-standard-2": _Type(2, 8192, arm=True, not_in=("europe-west1-b", "europe-west1-c")),
}
#: Name → family, whether it is for ARM, and what is the matter with it.
_IMAGES = {
    "debian-12-bookworm-v20260609": ("debian-12", False, "OBSOLETE"),
    "debian-12-bookworm-v20261008": ("debian-12", False, "DEPRECATED"),
    "debian-12-bookworm-v20261110": ("debian-12", False, ""),
    "debian-12-bookworm-arm64-v20261110": ("debian-12-arm64", True, ""),
}
IMAGE_GB: Final = 10


def region_of(zone: str) -> str:
    """The region of a zone."""
    return zone.rpartition("-")[0]


REGIONS: Final = tuple(sorted({region_of(zone) for zone in ZONES}))


def project() -> dict[str, Any]:
    """The project."""
    return _resource("project", f"projects/{PROJECT}", PROJECT)


def region(name: str) -> dict[str, Any]:
    """A region."""
    zones = [link(zone_path(zone)) for zone in ZONES if region_of(zone) == name]
    found = _resource("region", f"projects/{PROJECT}/regions/{name}", name)
    return {**found, "status": "UP", "zones": zones}


def zone(name: str) -> dict[str, Any]:
    """A zone."""
    place = link(f"projects/{PROJECT}/regions/{region_of(name)}")
    status = "UP" if ZONES[name] else "DOWN"
    return {**_resource("zone", zone_path(name), name), "status": status, "region": place}


def machine_types(zone: str) -> dict[str, dict[str, Any]]:
    """Name → machine type, of a zone."""
    return {
        name: _machine_type(zone, name, found)
        for name, found in _TYPES.items()
        if zone not in found.not_in
    }


def images(of_project: str) -> dict[str, dict[str, Any]]:
    """Name → image, of a project."""
    if of_project != IMAGE_PROJECT:
        return {}
    return {name: _image(name, *about) for name, about in _IMAGES.items()}


def subnetworks(of_region: str) -> dict[str, dict[str, Any]]:
    """Name → subnetwork, of a region of the project."""
    path = f"projects/{PROJECT}/regions/{of_region}"
    number = 128 + 4 * REGIONS.index(of_region)
    found = {
        **_resource("subnetwork", f"{path}/subnetworks/default", "default"),
        "network": link(f"projects/{PROJECT}/global/networks/default"),
        "region": link(path),
        "ipCidrRange": f"10.{number}.0.0/20",
        "gatewayAddress": f"10.{number}.0.1",
        "privateIpGoogleAccess": False,
        "purpose": "PRIVATE",
        "stackType": "IPV4_ONLY",
        "fingerprint": fingerprint_of(path),
    }
    return {"default": found}


def _machine_type(zone: str, name: str, found: _Type) -> dict[str, Any]:
    cards = [{"guestAcceleratorType": found.accelerator, "guestAcceleratorCount": 1}]
    return {
        **_resource("machineType", f"{zone_path(zone)}/machineTypes/{name}", name),
        "description": f"{found.cpus} vCPU, {found.memory_mb} MB RAM",
        "guestCpus": found.cpus,
        "memoryMb": found.memory_mb,
        "isSharedCpu": found.shared,
        "architecture": "ARM64" if found.arm else "X86_64",
        "maximumPersistentDisks": 128,
        "maximumPersistentDisksSizeGb": "263168",
        "zone": zone,
        **({"accelerators": cards} if found.accelerator else {}),
    }


def _image(name: str, family: str, arm: bool, matter: str) -> dict[str, Any]:
    return {
        **_resource("image", f"projects/{IMAGE_PROJECT}/global/images/{name}", name),
        "family": family,
        "status": "READY",
        "architecture": "ARM64" if arm else "X86_64",
        "diskSizeGb": str(IMAGE_GB),
        "archiveSizeBytes": "1073741824",
        "sourceType": "RAW",
        **({"deprecated": {"state": matter}} if matter else {}),
    }


def _resource(kind: str, path: str, name: str) -> dict[str, Any]:
    return {
        "kind": f"compute#{kind}",
        "id": number_of(path),
        "name": name,
        "selfLink": link(path),
        "creationTimestamp": _MADE,
    }
