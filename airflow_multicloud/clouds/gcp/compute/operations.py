"""Operations of Compute Engine in the port's words.

https://cloud.google.com/compute/docs/api/how-tos/api-requests-responses#handling_api_responses:
one that is done is kept for some days only, so what it was about is asked after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from google.cloud import compute_v1

from airflow_multicloud.adapters import operations
from airflow_multicloud.clouds.gcp.compute.client import REQUEST_S, ComputeBase
from airflow_multicloud.clouds.gcp.compute.errors import Failure, failure_of, translated
from airflow_multicloud.clouds.gcp.compute.fields import STATES, Place, place_of
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import InstanceState
from airflow_multicloud.ports.operations import Operation, OperationState

LAUNCH: Final = "launch"
TERMINATE: Final = "terminate"
START: Final = "start"
STOP: Final = "stop"

#: The one state that the client library has as an enumeration.
DONE: Final = compute_v1.Operation.Status.DONE
_PENDING: Final = compute_v1.Operation.Status.PENDING
#: Of which instance's state each is the end, and on the way to which it goes on.
_ENDS = {
    LAUNCH: InstanceState.RUNNING,
    START: InstanceState.RUNNING,
    STOP: InstanceState.STOPPED,
}
_ON_THE_WAY = {
    LAUNCH: InstanceState.PENDING,
    START: InstanceState.PENDING,
    STOP: InstanceState.STOPPING,
}


@dataclass(frozen=True, slots=True)
class Handle:
    """What an operation's handle says.

    :param name: of Google's operation; empty when none was begun, and only the instance tells.
    :param target: Google's number of what it is done to, which tells it from another one of the
        same name; empty when it was not there.
    """

    name: str
    target: str

    def __str__(self) -> str:
        return f"{self.name}#{self.target}"


def handle_of(text: str) -> Handle:
    """The handle that an operation has."""
    name, _, target = text.rpartition("#")
    return Handle(name, target)


def operation_of(
    action: str, place: Place, handle: Handle, state: OperationState, failure: Failure | None = None
) -> Operation:
    """An operation as it is now."""
    if failure is None:
        return operations.operation_of(action, place.id, state, handle)
    return operations.operation_of(
        action,
        place.id,
        OperationState.FAILED,
        handle,
        error_kind=failure.kind,
        error=failure.text,
        code=failure.code,
    )


def begun(action: str, place: Place, told: compute_v1.Operation) -> Operation:
    """What Google has accepted just now."""
    handle = Handle(told.name, str(told.target_id))
    state = OperationState.PENDING if told.status == _PENDING else OperationState.RUNNING
    return operation_of(action, place, handle, state, failure_in(told))


def failure_in(told: compute_v1.Operation) -> Failure | None:
    """What an operation failed with, if it has."""
    if told.status != DONE:
        return None
    for error in told.error.errors:
        return failure_of(error.code, error.message, told.http_error_status_code)
    if told.http_error_status_code:
        return failure_of("", told.http_error_message, told.http_error_status_code)
    return None


class GCPOperations(ComputeBase):
    """Asking after operations that go on."""

    def _told(self, place: Place, handle: Handle) -> compute_v1.Operation | None:
        """Google's operation; ``None`` when there is none, or it is forgotten."""
        if not handle.name:
            return None
        request = compute_v1.GetZoneOperationRequest(
            project=place.project, zone=place.zone, operation=handle.name
        )
        try:
            with translated(f"asking for operation {handle.name} on {place.id}"):
                return self._operations.get(request, retry=self._reads, timeout=REQUEST_S)
        except DeploymentError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
        return None

    def _seen(self, operation: Operation) -> Operation:
        """A launch, start or stop as it is now."""
        place, handle = place_of(operation.resource), handle_of(operation.handle)
        told = self._told(place, handle)
        if told is not None and told.status != DONE:
            return begun(operation.action, place, told)
        if told is not None and (failure := failure_in(told)) is not None:
            return operation_of(operation.action, place, handle, operation.state, failure)
        instance = self._found_instance(place)
        state = InstanceState.TERMINATED
        if instance is not None and str(instance.id) == handle.target:
            state = STATES.get(instance.status, InstanceState.PENDING)
        return operation_of(operation.action, place, handle, state_by(operation.action, state))


def state_by(action: str, state: InstanceState) -> OperationState:
    """How far an operation is, by the instance that it is about.

    One that went another way than it was to go (deleted, or stopped while it was to run) is
    cancelled: somebody else has decided otherwise.
    """
    if state is _ENDS[action]:
        return OperationState.SUCCEEDED
    return OperationState.RUNNING if state is _ON_THE_WAY[action] else OperationState.CANCELLED
