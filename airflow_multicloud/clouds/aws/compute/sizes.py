"""Instance types: by name or by need, and whether a zone has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_multicloud.clouds.aws.compute.client import ComputeBase
from airflow_multicloud.clouds.aws.compute.errors import failure, translated
from airflow_multicloud.clouds.aws.compute.fields import rows_of
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.compute import Architecture, Size, SizeNeed

_MIB = 2**20
#: What a type that nobody named must not have: "InstanceTypeInfo" in the Amazon EC2 API reference
#: (docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceTypeInfo.html).
_ACCELERATORS = (
    "GpuInfo",
    "FpgaInfo",
    "InferenceAcceleratorInfo",
    "NeuronInfo",
    "MediaAcceleratorInfo",
)


class Sizes(ComputeBase):
    """What instances can be."""

    def _size(
        self, wanted: str | SizeNeed, architecture: Architecture, region: str, zone: str
    ) -> Size:
        """The size that is meant.

        One by need is the smallest current one that the zone has, without accelerators.

        :raises DeploymentError: ``not_found``; ``unsupported`` when the zone has it not;
            ``invalid_argument`` when none has what is needed, or for another architecture.
        """
        if isinstance(wanted, SizeNeed):
            return self._smallest(wanted, architecture, region, zone)
        with translated(f"size: looking {wanted} up in {region}"):
            found = self._client_of("ec2", region).describe_instance_types(InstanceTypes=[wanted])
        if not found["InstanceTypes"]:
            raise failure(f"size: there is no {wanted} in {region}", ErrorKind.NOT_FOUND)
        size = found["InstanceTypes"][0]
        architectures = size["ProcessorInfo"]["SupportedArchitectures"]
        if architecture not in architectures:
            raise failure(
                f"size: {wanted} is for {', '.join(architectures)}, expected one for "
                f"{architecture}",
                ErrorKind.INVALID_ARGUMENT,
            )
        if wanted not in self._offered(region, zone, wanted):
            raise failure(
                f"size: {wanted} is not offered in {zone}; take another zone or size",
                ErrorKind.UNSUPPORTED,
            )
        return _size_of(size, architecture)

    def _smallest(self, need: SizeNeed, architecture: Architecture, region: str, zone: str) -> Size:
        filters = [
            {"Name": "current-generation", "Values": ["true"]},
            {"Name": "bare-metal", "Values": ["false"]},
            {"Name": "processor-info.supported-architecture", "Values": [str(architecture)]},
            {"Name": "supported-usage-class", "Values": ["on-demand"]},
            {"Name": "supported-root-device-type", "Values": ["ebs"]},
            {"Name": "supported-virtualization-type", "Values": ["hvm"]},
        ]

        def ask() -> list[Size]:
            pages = self._client_of("ec2", region).get_paginator("describe_instance_types")
            rows = rows_of(pages.paginate(Filters=filters), "InstanceTypes")
            # Of two of one size the one without disks of its own, which nobody asked for.
            rows.sort(
                key=lambda row: (bool(row.get("InstanceStorageSupported")), row["InstanceType"])
            )
            return [_size_of(row, architecture) for row in rows if _is_usual(row)]

        with translated(f"size: asking for the instance types of {region}"):
            sizes = self._session.once(("sizes", region, architecture), ask)
        offered = self._offered(region, zone)
        enough = [
            size
            for size in sizes
            if size.vcpus >= need.vcpus
            and size.memory_bytes >= need.memory_bytes
            and size.name in offered
        ]
        if not enough:
            raise failure(
                f"size: no current instance type in {zone} has {need.vcpus} vCPUs and "
                f"{need.memory_bytes} bytes of memory ({architecture}); ask for less, or name one",
                ErrorKind.INVALID_ARGUMENT,
            )
        # The first of several that are equal.
        return min(enough, key=lambda size: (size.vcpus, size.memory_bytes))

    def _offered(self, region: str, zone: str, name: str | None = None) -> frozenset[str]:
        """What a zone has.

        :param name: ask for this one only.
        """
        filters = [{"Name": "location", "Values": [zone]}]
        if name is not None:
            filters.append({"Name": "instance-type", "Values": [name]})

        def ask() -> frozenset[str]:
            offers = self._client_of("ec2", region).get_paginator(
                "describe_instance_type_offerings"
            )
            pages = offers.paginate(LocationType="availability-zone", Filters=filters)
            rows = rows_of(pages, "InstanceTypeOfferings")
            return frozenset(row["InstanceType"] for row in rows)

        with translated(f"size: asking what {zone} offers"):
            return self._session.once(("offered", region, zone, name), ask)


def _is_usual(row: Mapping[str, Any]) -> bool:
    """Whether one is taken that nobody named: one without accelerators."""
    return not any(row.get(name) for name in _ACCELERATORS)


def _size_of(row: Mapping[str, Any], architecture: Architecture) -> Size:
    return Size(
        name=row["InstanceType"],
        vcpus=int(row["VCpuInfo"]["DefaultVCpus"]),
        memory_bytes=int(row["MemoryInfo"]["SizeInMiB"]) * _MIB,
        architecture=architecture,
    )
