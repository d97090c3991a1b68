"""Starting and stopping."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.clouds.azure.compute.client import begun, started, succeeded
from airflow_multicloud.clouds.azure.compute.errors import failure, translated
from airflow_multicloud.clouds.azure.compute.fields import missing, power_of, state_of
from airflow_multicloud.clouds.azure.compute.terminating import Terminating
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.compute import InstanceState

if TYPE_CHECKING:
    from airflow_multicloud.ports.compute import InstanceRef
    from airflow_multicloud.ports.operations import Operation

#: What each action leads to.
POWER_AFTER = {"start": "running", "stop": "deallocated"}


class Power(Terminating):
    """The port's ``power_instance``."""

    def power_instance(self, ref: InstanceRef, *, on: bool) -> Operation:
        """Start an instance, or stop and deallocate it, which ends its price per hour.

        One that was shut down from within is stopped, but paid for: it is deallocated as well.
        """
        place = self._place(ref)
        vm = self._vm(place)
        if vm is None:
            raise missing(place)
        properties = vm.properties
        view = properties.instance_view if properties else None
        power = power_of(view.statuses if view else None)
        state = state_of(properties.provisioning_state if properties else None, power)
        if state is InstanceState.TERMINATING:
            raise failure(f"instance {place.id}: it is being terminated", ErrorKind.NOT_FOUND)
        action = "start" if on else "stop"
        if power == POWER_AFTER[action]:
            return succeeded(action, place)
        machines = self._compute.virtual_machines
        call = machines.begin_start if on else machines.begin_deallocate
        with translated(f"{action} of {place.id}"):
            return started(action, place, begun(call, place.group, place.name))
