"""Terminating an instance, with its volumes and interfaces."""

from __future__ import annotations

from airflow_multicloud.clouds.aws.compute.fields import is_instance
from airflow_multicloud.clouds.aws.compute.operations import (
    Handle,
    RunningOperations,
    operation_of,
)
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import InstanceRef
from airflow_multicloud.ports.operations import Operation, OperationState


class Terminations(RunningOperations):
    """The port's ``terminate_instance``."""

    def terminate_instance(self, ref: InstanceRef) -> Operation:
        """Terminate an instance and remove all that was made for it; see the port.

        One that EC2 does not know may be too new to be seen: the operation goes on for
        :data:`~.operations.UNKNOWN` before that is a success. One that EC2 still tells of is not
        waited for.
        """
        if not is_instance(ref):
            return self._terminated(ref, Handle.new(ref.region, [ref.id]))
        parts: list[str] = []
        try:
            item, _ = self._described(ref)
            parts = self._attached(item, ref.region)
            self._end(ref)
        except DeploymentError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
        handle = Handle.new(ref.region, parts)
        return operation_of("terminate", ref.id, OperationState.RUNNING, handle)
