"""Starting and stopping."""

from __future__ import annotations

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.compute.errors import failure, translated
from airflow_multicloud.clouds.aws.compute.fields import is_instance, state_of
from airflow_multicloud.clouds.aws.compute.operations import (
    Handle,
    RunningOperations,
    operation_of,
    told,
)
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import InstanceRef, InstanceState
from airflow_multicloud.ports.operations import Operation, OperationState

_ON = (InstanceState.RUNNING, InstanceState.PENDING)
_OFF = (InstanceState.STOPPED, InstanceState.STOPPING)


class Power(RunningOperations):
    """The port's ``power_instance``."""

    def power_instance(self, ref: InstanceRef, *, on: bool) -> Operation:
        """Start an instance that is stopped, or stop one that runs; see the port.

        :raises DeploymentError: ``busy`` while it is on its way to the other state.
        """
        action = "start" if on else "stop"
        if not is_instance(ref):
            raise failure(
                f"{action} of {ref.id}: it is a part without a machine", ErrorKind.INVALID_ARGUMENT
            )
        item, _ = self._described(ref)
        with well_formed(f"describing {ref.id}", NAME, area=DeploymentError):
            state = state_of(item)
        if not state.is_live:
            raise failure(f"{action} of {ref.id}: it is {state}", ErrorKind.NOT_FOUND)
        handle = Handle.new(ref.region)
        if state in (_ON if on else _OFF):
            return told(action, item, handle)
        client = self._client_of("ec2", ref.region)
        with translated(f"{action} of {ref.id} in {ref.region}"):
            if on:
                client.start_instances(InstanceIds=[ref.id])
            else:
                client.stop_instances(InstanceIds=[ref.id])
        return operation_of(action, ref.id, OperationState.RUNNING, handle)
