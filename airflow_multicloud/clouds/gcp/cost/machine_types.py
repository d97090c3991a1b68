"""Predefined machine types: vCPUs and memory, and what the price list calls their parts.

Sizes: https://cloud.google.com/compute/docs/machine-resource. Families whose price is not
simply so much a vCPU and so much a GiB, or whose sizes break the pattern, are not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class MachineType:
    """What a machine type has.

    :param core: the beginning of the description of the family's vCPU price, up to where
        the region is named.
    :param ram: the same for memory.
    """

    vcpus: int
    memory_gib: Decimal
    core: str
    ram: str


@dataclass(frozen=True, slots=True)
class _Family:
    core: str
    ram: str
    gib_per_vcpu: dict[str, str]
    sizes: dict[str, tuple[int, ...]]


_N1 = (2, 4, 8, 16, 32, 64, 96)
_N2 = (2, 4, 8, 16, 32, 48, 64, 80)
_N2D = (2, 4, 8, 16, 32, 48, 64, 80, 96)
_C2D = (2, 4, 8, 16, 32, 56, 112)
_C3 = (4, 8, 22, 44, 88, 176)

_FAMILIES = {
    "n1": _Family(
        "N1 Predefined Instance Core running in ",
        "N1 Predefined Instance Ram running in ",
        {"standard": "3.75", "highmem": "6.5", "highcpu": "0.9"},
        {"standard": (1, *_N1), "highmem": _N1, "highcpu": _N1},
    ),
    "n2": _Family(
        "N2 Instance Core running in ",
        "N2 Instance Ram running in ",
        {"standard": "4", "highmem": "8", "highcpu": "1"},
        {"standard": (*_N2, 96, 128), "highmem": _N2, "highcpu": (*_N2, 96)},
    ),
    "n2d": _Family(
        "N2D AMD Instance Core running in ",
        "N2D AMD Instance Ram running in ",
        {"standard": "4", "highmem": "8", "highcpu": "1"},
        {"standard": (*_N2D, 128, 224), "highmem": _N2D, "highcpu": (*_N2D, 128, 224)},
    ),
    "e2": _Family(
        "E2 Instance Core running in ",
        "E2 Instance Ram running in ",
        {"standard": "4", "highmem": "8", "highcpu": "1"},
        {"standard": (2, 4, 8, 16, 32), "highmem": (2, 4, 8, 16), "highcpu": (2, 4, 8, 16, 32)},
    ),
    "c2": _Family(
        "Compute optimized Core running in ",
        "Compute optimized Ram running in ",
        {"standard": "4"},
        {"standard": (4, 8, 16, 30, 60)},
    ),
    "c2d": _Family(
        "C2D AMD Instance Core running in ",
        "C2D AMD Instance Ram running in ",
        {"standard": "4", "highmem": "8", "highcpu": "2"},
        {"standard": _C2D, "highmem": _C2D, "highcpu": _C2D},
    ),
    "c3": _Family(
        "C3 Instance Core running in ",
        "C3 Instance Ram running in ",
        {"standard": "4", "highmem": "8", "highcpu": "2"},
        {"standard": _C3, "highmem": _C3, "highcpu": _C3},
    ),
    "t2d": _Family(
        "T2D AMD Instance Core running in ",
        "T2D AMD Instance Ram running in ",
        {"standard": "4"},
        {"standard": (1, 2, 4, 8, 16, 32, 48, 60)},
    ),
}


def machine_type(name: str) -> MachineType | None:
    """``n2-standard-4``; ``None`` for what is not known for certain."""
    family, _, shape = name.partition("-")
    kind, _, size = shape.partition("-")
    known = _FAMILIES.get(family)
    if known is None or not size.isdecimal() or int(size) not in known.sizes.get(kind, ()):
        return None
    memory = int(size) * Decimal(known.gib_per_vcpu[kind])
    return MachineType(int(size), memory, known.core, known.ram)
