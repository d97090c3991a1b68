"""Starting and stopping: https://cloud.google.com/compute/docs/instances/stop-start-instance."""

from __future__ import annotations

from typing import Final

from google.cloud import compute_v1

from airflow_multicloud.clouds.gcp.compute.client import REQUEST_S
from airflow_multicloud.clouds.gcp.compute.errors import translated
from airflow_multicloud.clouds.gcp.compute.fields import STATES, place_of
from airflow_multicloud.clouds.gcp.compute.operations import (
    START,
    STOP,
    GCPOperations,
    Handle,
    begun,
    operation_of,
)
from airflow_multicloud.ports.compute import InstanceRef, InstanceState
from airflow_multicloud.ports.operations import Operation, OperationState

_SUSPENDED: Final = "SUSPENDED"


class GCPPower(GCPOperations):
    """The port's ``power_instance``."""

    def power_instance(self, ref: InstanceRef, *, on: bool) -> Operation:
        """Start an instance that is stopped, or stop one that runs; see the port.

        One that somebody has suspended does not run; it is resumed, which takes the permission
        ``compute.instances.resume``
        (https://cloud.google.com/compute/docs/instances/suspend-resume-instance).
        """
        place, action = place_of(ref.id), START if on else STOP
        instance = self._instance(place)
        wanted = InstanceState.RUNNING if on else InstanceState.STOPPED
        if STATES.get(instance.status) is wanted:
            handle = Handle("", str(instance.id))
            return operation_of(action, place, handle, OperationState.SUCCEEDED)
        with translated(f"{action} of {place.id}"):
            if on and instance.status == _SUSPENDED:
                resume = compute_v1.ResumeInstanceRequest(
                    project=place.project, zone=place.zone, instance=place.name
                )
                told = self._instances.resume_unary(resume, timeout=REQUEST_S)
            elif on:
                start = compute_v1.StartInstanceRequest(
                    project=place.project, zone=place.zone, instance=place.name
                )
                told = self._instances.start_unary(start, timeout=REQUEST_S)
            else:
                stop = compute_v1.StopInstanceRequest(
                    project=place.project, zone=place.zone, instance=place.name
                )
                told = self._instances.stop_unary(stop, timeout=REQUEST_S)
        return begun(action, place, told)
