"""Terminating: the machine, then what it leaves.

The machine is made so that Azure removes its interface, disk and public address with it; whatever
is left all the same, or was there without a machine, is removed after it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow_multicloud.clouds.azure.compute.client import Begun, begun, started, succeeded
from airflow_multicloud.clouds.azure.compute.errors import translated
from airflow_multicloud.clouds.azure.compute.fields import text_of
from airflow_multicloud.clouds.azure.compute.launching import Launching
from airflow_multicloud.errors import DeploymentError, ErrorKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.mgmt.compute.models import VirtualMachine

    from airflow_multicloud.clouds.azure.compute.fields import Place
    from airflow_multicloud.ports.compute import InstanceRef
    from airflow_multicloud.ports.operations import Operation

_LOG = logging.getLogger(__name__)

_GOES_ON = Begun("", None)
#: It is gone, or something that goes on holds it. A conflict (409) of a code that is in no table is
#: that as well: the request has no condition of its own.
_NO_FAILURES = (ErrorKind.NOT_FOUND, ErrorKind.BUSY, ErrorKind.PRECONDITION_FAILED)


class Terminating(Launching):
    """The port's ``terminate_instance``."""

    def terminate_instance(self, ref: InstanceRef) -> Operation:
        """Terminate an instance and remove all that was made for it.

        Of parts, only what carries this package's tag is removed. Each look at the operation takes
        the next step.
        """
        place = self._place(ref)
        return self._removal(place)

    def _removal(self, place: Place) -> Operation:
        """The next step, derived from what is there."""
        step = self._next_step(place)
        return succeeded("terminate", place) if step is None else started("terminate", place, step)

    def _next_step(self, place: Place) -> Begun | None:
        vm = self._vm(place)
        if vm is not None:
            return self._delete_vm(place, vm)
        nic, disk, address = self._nic(place), self._disk(place), self._public_ip(place)
        step = None
        if nic is not None:
            step = self._deleted(place, nic, self._network.network_interfaces, place.nic)
        if disk is not None:
            step = self._deleted(place, disk, self._compute.disks, place.disk)
        if address is not None:
            # An interface holds on to its address.
            step = step or self._deleted(
                place, address, self._network.public_ip_addresses, place.public_ip
            )
        return step

    def _delete_vm(self, place: Place, vm: VirtualMachine) -> Begun:
        if _is_deleting(vm):
            return _GOES_ON
        # A disk that Azure leaves behind is known by its tag only.
        try:
            self._finish_launch(place, vm)
        except DeploymentError as err:
            if not _takes_disk_along(vm):
                raise
            _LOG.warning("The disk goes unlabelled: %s", err)
        return self._deleted(place, vm, self._compute.virtual_machines, place.name)

    def _deleted(self, place: Place, part: Any, client: Any, name: str) -> Begun:
        """The deletion of something, begun; when it is gone meanwhile, or can't go yet, too."""
        if _is_deleting(part):
            return _GOES_ON
        call: Callable[..., Any] = client.begin_delete
        try:
            with translated(f"removing {name} of {place.id}"):
                return begun(call, place.group, name)
        except DeploymentError as err:
            if err.kind in _NO_FAILURES:
                return _GOES_ON
            raise


def _is_deleting(part: Any) -> bool:
    state = part.properties.provisioning_state if part.properties else None
    return text_of(state).lower() == "deleting"


def _takes_disk_along(vm: VirtualMachine) -> bool:
    storage = vm.properties.storage_profile if vm.properties else None
    os_disk = storage.os_disk if storage else None
    return os_disk is not None and text_of(os_disk.delete_option).lower() == "delete"
