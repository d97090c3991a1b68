"""Terminating: the instance, with it its boot disk, and a boot disk that lost its instance."""

from __future__ import annotations

from google.cloud import compute_v1

from airflow_multicloud.clouds.gcp.compute.client import REQUEST_S
from airflow_multicloud.clouds.gcp.compute.errors import translated
from airflow_multicloud.clouds.gcp.compute.fields import Place, place_of
from airflow_multicloud.clouds.gcp.compute.operations import (
    DONE,
    TERMINATE,
    GCPOperations,
    Handle,
    begun,
    failure_in,
    handle_of,
    operation_of,
)
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import InstanceRef
from airflow_multicloud.ports.operations import Operation, OperationState

#: What was not there, or went while it was being deleted, is gone as well; a deletion that another
#: operation stood in the way of is tried again.
_NO_FAILURES = (ErrorKind.NOT_FOUND, ErrorKind.BUSY)


class GCPTerminating(GCPOperations):
    """The port's ``terminate_instance`` and ``describe_operation``."""

    def terminate_instance(self, ref: InstanceRef) -> Operation:
        """Terminate an instance and remove all that was made for it; see the port.

        Google refuses to delete an instance that another operation is working on. The operation
        is pending then, and :meth:`describe_operation` asks Google again.
        """
        return self._delete_instance(place_of(ref.id))

    def describe_operation(self, operation: Operation) -> Operation:
        """The operation as it is now; see the port."""
        if operation.state.is_final:
            return operation
        return self._ended(operation) if operation.action == TERMINATE else self._seen(operation)

    def _ended(self, operation: Operation) -> Operation:
        """A termination as it is now; what is left is removed."""
        place, handle = place_of(operation.resource), handle_of(operation.handle)
        told = self._told(place, handle)
        if told is not None and told.status != DONE:
            return begun(TERMINATE, place, told)
        failure = None if told is None else failure_in(told)
        if failure is not None and failure.kind not in _NO_FAILURES:
            return operation_of(TERMINATE, place, handle, operation.state, failure)
        instance = self._found_instance(place)
        if instance is None:
            return self._delete_disk(place)
        if str(instance.id) == handle.target:
            return self._delete_instance(place)
        # Another instance has the name by now, and the disk of that name with it.
        return operation_of(TERMINATE, place, handle, OperationState.SUCCEEDED)

    def _delete_instance(self, place: Place) -> Operation:
        request = compute_v1.DeleteInstanceRequest(
            project=place.project, zone=place.zone, instance=place.name
        )
        try:
            with translated(f"terminating {place.id}"):
                told = self._instances.delete_unary(request, timeout=REQUEST_S)
        except DeploymentError as err:
            if err.kind not in _NO_FAILURES:
                raise
            instance = self._found_instance(place)
            if instance is None:
                return self._delete_disk(place)
            handle = Handle("", str(instance.id))
            return operation_of(TERMINATE, place, handle, OperationState.PENDING)
        return begun(TERMINATE, place, told)

    def _delete_disk(self, place: Place) -> Operation:
        """What is left when the instance is gone."""
        nothing = Handle("", "")
        if self._disk_left(place) is None:
            return operation_of(TERMINATE, place, nothing, OperationState.SUCCEEDED)
        request = compute_v1.DeleteDiskRequest(
            project=place.project, zone=place.zone, disk=place.name
        )
        try:
            with translated(f"deleting the disk of {place.id}"):
                told = self._disks.delete_unary(request, timeout=REQUEST_S)
        except DeploymentError as err:
            if err.kind not in _NO_FAILURES:
                raise
            return operation_of(TERMINATE, place, nothing, OperationState.PENDING)
        return begun(TERMINATE, place, told)
