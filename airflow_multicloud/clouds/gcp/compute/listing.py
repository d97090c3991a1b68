"""Listing by labels, in all zones at once.

https://cloud.google.com/compute/docs/reference/rest/v1/instances/aggregatedList: the answer has a
warning for each zone that could not be asked, and the others' instances all the same. A teardown
that took such a list for whole would leave machines behind, so it is an error here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from google.cloud import compute_v1

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.compute.client import REQUEST_S, ComputeBase
from airflow_multicloud.clouds.gcp.compute.errors import translated, wrong
from airflow_multicloud.clouds.gcp.compute.fields import (
    boot_disk_of,
    disk_place_of,
    instance_of,
    is_ours,
    path_of,
    place_of,
    region_of,
    remains_of,
)
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import Instance, InstanceRef

#: https://cloud.google.com/compute/docs/labeling-resources#requirements
_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
#: What makes a list incomplete; NO_RESULTS_ON_PAGE, which most zones say, does not.
_INCOMPLETE: Final = frozenset({"UNREACHABLE", "PARTIAL_SUCCESS", "LIST_OVERHEAD_QUOTA_EXCEED"})


class GCPListing(ComputeBase):
    """The port's ``describe_instance`` and ``list_instances``."""

    def describe_instance(self, ref: InstanceRef) -> Instance:
        """The instance as it is now, or what is left of it; see the port."""
        place = place_of(ref.id)
        try:
            found = self._instance(place)
        except DeploymentError as err:
            if err.kind is ErrorKind.NOT_FOUND and (disk := self._disk_left(place)) is not None:
                return remains_of(disk, place)
            raise
        image = self._image_of(found)
        with well_formed(f"asking for {place.id}", NAME, area=DeploymentError):
            return instance_of(found, image)

    def list_instances(
        self, labels: Mapping[str, str | None], region: str | None = None
    ) -> Iterator[Instance]:
        """Everything that carries these labels; see the port.

        :raises DeploymentError: ``unavailable``, naming the zones that Google could not ask.
        """
        wanted = _filter_of(labels)
        # Disks first: one whose instance is being made meanwhile then has its instance.
        disks = {disk_place_of(disk.self_link): disk for disk in self._listed_disks(wanted, region)}
        found = list(self._listed_instances(wanted, region))
        for instance in found:
            boot = disks.get(boot_disk_of(instance))
            image = self._image_of(instance) if boot is None else boot.source_image
            with well_formed("listing instances", NAME, area=DeploymentError):
                seen = instance_of(instance, image)
            yield seen
        ids = {path_of(instance.self_link) for instance in found}
        for place, disk in disks.items():
            if place is not None and place.id not in ids and is_ours(disk) and not disk.users:
                yield remains_of(disk, place)

    def _listed_instances(self, wanted: str, region: str | None) -> Iterator[compute_v1.Instance]:
        request = compute_v1.AggregatedListInstancesRequest(project=self._project, filter=wanted)
        with translated(f"connection {self.gcp_conn_id!r}: listing instances"):
            pages = self._instances.aggregated_list(
                request, retry=self._reads, timeout=REQUEST_S
            ).pages
            for scope in _scopes(pages, region, "instances"):
                yield from scope.instances

    def _listed_disks(self, wanted: str, region: str | None) -> Iterator[compute_v1.Disk]:
        request = compute_v1.AggregatedListDisksRequest(project=self._project, filter=wanted)
        with translated(f"connection {self.gcp_conn_id!r}: listing disks"):
            pages = self._disks.aggregated_list(request, retry=self._reads, timeout=REQUEST_S).pages
            for scope in _scopes(pages, region, "disks"):
                yield from scope.disks


def _filter_of(labels: Mapping[str, str | None]) -> str:
    """The labels by https://google.aip.dev/160; they are checked, so none can add to it."""
    if not labels:
        raise wrong("labels", "none given, expected at least one")
    for key, value in labels.items():
        if not (_KEY.fullmatch(key) and _VALUE.fullmatch(value or "")):
            raise wrong(
                "labels",
                f"{key!r}={value!r} given; expected lower-case letters, digits, hyphens and "
                "underscores, at most 63 characters",
            )
    return " AND ".join(
        f"labels.{key}:*" if value is None else f'labels.{key}="{value}"'
        for key, value in labels.items()
    )


def _scopes(pages: Iterable[Any], region: str | None, what: str) -> Iterator[Any]:
    """The zones of a list, each with what it has.

    :raises DeploymentError: ``unavailable``, when one of them could not be asked.
    """
    missed: set[str] = set()
    for page in pages:
        missed.update(unreachable for unreachable in getattr(page, "unreachables", ()))
        if page.warning.code in _INCOMPLETE:
            missed.update(data.value for data in page.warning.data)
            missed.add(page.warning.message)
        for name, scope in page.items.items():
            if scope.warning.code in _INCOMPLETE:
                missed.add(name)
            elif _is_in(name, region):
                yield scope
    # A zone elsewhere does not matter; what names no zone may be any.
    missed = {name for name in missed if name and (_is_in(name, region) or not _names_zone(name))}
    if missed:
        raise DeploymentError(
            f"listing {what}: Google Cloud could not ask all zones: {', '.join(sorted(missed))}; "
            "what is there is unknown",
            kind=ErrorKind.UNAVAILABLE,
            cloud=NAME,
        )


def _names_zone(scope: str) -> bool:
    return "zones/" in scope


def _is_in(scope: str, region: str | None) -> bool:
    """Whether a scope, ``zones/us-east1-d``, is in a region."""
    return region is None or region_of(scope.rpartition("zones/")[2].partition("/")[0]) == region
