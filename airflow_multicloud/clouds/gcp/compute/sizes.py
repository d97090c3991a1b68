"""Which machine type an instance gets.

https://cloud.google.com/compute/docs/reference/rest/v1/machineTypes
"""

from __future__ import annotations

from google.cloud import compute_v1

from airflow_multicloud.clouds.gcp.compute.client import REQUEST_S, ComputeBase
from airflow_multicloud.clouds.gcp.compute.errors import translated, wrong
from airflow_multicloud.clouds.gcp.compute.images import architecture_of
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import LaunchRequest, Size, SizeNeed

_MIB = 2**20


class GCPSizes(ComputeBase):
    """Finding machine types."""

    def _size(self, request: LaunchRequest, project: str, zone: str) -> Size:
        """The machine type of a request.

        :raises DeploymentError: ``not_found`` for one that no zone has, ``unsupported`` for one
            that only other zones have, ``invalid_argument`` for a need that none has.
        """
        if isinstance(request.size, SizeNeed):
            return self._smallest(request.size, request, project, zone)
        wanted = compute_v1.GetMachineTypeRequest(
            project=project, zone=zone, machine_type=request.size
        )
        try:
            with translated(f"looking for the machine type {request.size}"):
                return _size_of(self._types.get(wanted, retry=self._reads, timeout=REQUEST_S))
        except DeploymentError as err:
            if err.kind is ErrorKind.INVALID_ARGUMENT:
                raise wrong("size", f"{request.size!r} given; it is no name of one") from err
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
            raise self._missing(request.size, project, zone) from err

    def _missing(self, name: str, project: str, zone: str) -> DeploymentError:
        request = compute_v1.AggregatedListMachineTypesRequest(
            project=project, filter=f'name="{name}"'
        )
        with translated(f"looking for the machine type {name}"):
            listed = self._types.aggregated_list(request, retry=self._reads, timeout=REQUEST_S)
            zones = sorted(
                scope.rpartition("/")[2] for scope, found in listed if found.machine_types
            )
        if not zones:
            return wrong("size", f"{name!r} is no machine type", ErrorKind.NOT_FOUND)
        return wrong(
            "size",
            f"{name!r} is not offered in {zone}; expected another size, or one of the zones "
            f"{', '.join(zones)}",
            ErrorKind.UNSUPPORTED,
        )

    def _smallest(self, need: SizeNeed, request: LaunchRequest, project: str, zone: str) -> Size:
        listed = compute_v1.ListMachineTypesRequest(project=project, zone=zone)
        with translated(f"listing machine types of {zone}"):
            enough = [
                _size_of(found)
                for found in self._types.list(listed, retry=self._reads, timeout=REQUEST_S)
                if _is_usual(found)
                and found.guest_cpus >= need.vcpus
                and found.memory_mb * _MIB >= need.memory_bytes
            ]
        fitting = [size for size in enough if size.architecture is request.architecture]
        if not fitting:
            raise wrong(
                "size",
                f"no machine type in {zone} has {need.vcpus} vCPUs and {need.memory_bytes} bytes "
                f"of memory ({request.architecture})",
            )
        return min(fitting, key=lambda size: (size.vcpus, size.memory_bytes, size.name))

    @property
    def _types(self) -> compute_v1.MachineTypesClient:
        return self._google(compute_v1.MachineTypesClient)


def _is_usual(found: compute_v1.MachineType) -> bool:
    """Whether one is taken that nobody named.

    Neither an old one, nor one with accelerators or disks of its own, nor a whole machine.
    """
    more = found.accelerators or found.bundled_local_ssds.partition_count
    return not (found.deprecated.state or more or found.name.endswith("-metal"))


def _size_of(found: compute_v1.MachineType) -> Size:
    return Size(
        name=found.name,
        vcpus=found.guest_cpus,
        memory_bytes=found.memory_mb * _MIB,
        architecture=architecture_of(found.architecture),
    )
