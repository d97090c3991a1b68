"""Labelling: the tags of a machine and its parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.mgmt.compute import models
from azure.mgmt.network.models import TagsObject

from airflow_multicloud.clouds.azure.compute.client import ComputeBase
from airflow_multicloud.clouds.azure.compute.errors import failure, translated
from airflow_multicloud.clouds.azure.compute.fields import check_labels, missing
from airflow_multicloud.errors import DeploymentError, ErrorKind

if TYPE_CHECKING:
    from airflow_multicloud.clouds.azure.compute.fields import Place
    from airflow_multicloud.ports.compute import InstanceRef

# The SDK would else wait half a minute between two looks, where the answer does not say.
_POLL_SECONDS = 1


class Labelling(ComputeBase):
    """The port's ``InstanceLabels``."""

    def label_instance(self, ref: InstanceRef, labels: Mapping[str, str]) -> None:
        """Add these labels to an instance and its parts, or change them; others stay.

        Parts come first and the machine last, whose labels are the ones that count: after a crash
        the same call makes it whole.
        """
        check_labels(labels)
        place = self._place(ref)
        vm = self._vm(place)
        done = self._label_parts(place, labels)
        if vm is None:
            if not done:
                raise missing(place)
            return
        self._label_machine(place, vm, labels)

    def _label_parts(self, place: Place, labels: Mapping[str, str]) -> bool:
        """Whether there were any."""
        doing = f"labelling the parts of {place.id}"
        nic, address, disk = self._nic(place), self._public_ip(place), self._disk(place)
        with translated(doing):
            if nic is not None:
                self._network.network_interfaces.update_tags(
                    place.group, place.nic, TagsObject(tags=_merged(nic, labels))
                )
            if address is not None:
                self._network.public_ip_addresses.update_tags(
                    place.group, place.public_ip, TagsObject(tags=_merged(address, labels))
                )
            if disk is not None:
                self._compute.disks.begin_update(
                    place.group,
                    place.disk,
                    models.DiskUpdate(tags=_merged(disk, labels)),
                    polling_interval=_POLL_SECONDS,
                ).result()
        return any(part is not None for part in (nic, address, disk))

    def _label_machine(
        self, place: Place, vm: models.VirtualMachine, labels: Mapping[str, str]
    ) -> None:
        # Only what was read is changed, or a label that another caller adds meanwhile would go.
        options: dict[str, Any] = {}
        if vm.etag:
            options = {"etag": vm.etag, "match_condition": MatchConditions.IfNotModified}
        try:
            with translated(f"labelling {place.id}"):
                self._compute.virtual_machines.begin_update(
                    place.group,
                    place.name,
                    models.VirtualMachineUpdate(tags=_merged(vm, labels)),
                    polling_interval=_POLL_SECONDS,
                    **options,
                ).result()
        except DeploymentError as err:
            if err.kind is not ErrorKind.PRECONDITION_FAILED:
                raise
            raise failure(
                f"labelling {place.id}: another caller changes it; try again", ErrorKind.BUSY
            ) from err


def _merged(resource: Any, labels: Mapping[str, str]) -> dict[str, str]:
    return {**(resource.tags or {}), **labels}
