"""Launching, terminating and powering, told by the state of the instance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from airflow_multicloud.adapters import operations
from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.compute.errors import failure, kind_of_reason, translated
from airflow_multicloud.clouds.aws.compute.fields import is_instance, reason_of, state_of
from airflow_multicloud.clouds.aws.compute.listing import Listings
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import InstanceRef, InstanceState
from airflow_multicloud.ports.operations import Operation, OperationState

#: How long a new instance may be unknown to ``DescribeInstances``: "Eventual consistency in the
#: Amazon EC2 API" of the developer guide says to ask for up to five minutes.
UNSEEN = timedelta(minutes=5)
#: How long an instance that EC2 does not know is taken for one that was launched just now, when it
#: is terminated; then it is gone. Likewise for a state of before a start or a stop.
UNKNOWN = timedelta(seconds=60)
_POLL = timedelta(seconds=2)

_DONE = {
    "launch": InstanceState.RUNNING,
    "start": InstanceState.RUNNING,
    "stop": InstanceState.STOPPED,
}
_ON_THE_WAY = {
    "launch": InstanceState.PENDING,
    "start": InstanceState.PENDING,
    "stop": InstanceState.STOPPING,
}
# As it was when that was asked for, which EC2 may show for a while.
_BEFORE = {"start": InstanceState.STOPPED, "stop": InstanceState.RUNNING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """What finds an operation again: ``region seconds part…``.

    :param begun: when it began, in seconds since 1970.
    :param parts: ids of volumes and interfaces that go with the instance.
    """

    region: str
    begun: float
    parts: tuple[str, ...] = ()

    @classmethod
    def new(cls, region: str, parts: Sequence[str] = ()) -> Handle:
        """Of an operation that begins now."""
        return cls(region=region, begun=datetime.now(UTC).timestamp(), parts=tuple(parts))

    @classmethod
    def parse(cls, text: str) -> Handle:
        """The handle that a text is.

        :raises DeploymentError: ``invalid_argument``.
        """
        region, _, rest = text.partition(" ")
        begun, *parts = rest.split(" ")
        try:
            return cls(region=region, begun=float(begun), parts=tuple(parts))
        except ValueError:
            raise failure(
                f"handle: {text!r} given, expected one of an operation of EC2's",
                ErrorKind.INVALID_ARGUMENT,
            ) from None

    def __str__(self) -> str:
        """As an operation keeps it."""
        return " ".join((self.region, f"{self.begun:.3f}", *self.parts))

    @property
    def age(self) -> timedelta:
        """Since it began."""
        return timedelta(seconds=datetime.now(UTC).timestamp() - self.begun)


#: An operation, seen now.
operation_of: Final = partial(operations.operation_of, poll_after=_POLL)


def told(action: str, item: dict[str, Any], handle: Handle) -> Operation:
    """A launch, a start or a stop, as the instance's state tells it."""
    with well_formed(f"{action}: describing an instance", NAME, area=DeploymentError):
        state, instance_id = state_of(item), str(item["InstanceId"])
    if state is _DONE[action]:
        return operation_of(action, instance_id, OperationState.SUCCEEDED, handle)
    is_stale = state is _BEFORE.get(action) and handle.age < UNKNOWN
    if state is _ON_THE_WAY[action] or is_stale:
        return operation_of(action, instance_id, OperationState.RUNNING, handle)
    code, text = reason_of(item)
    kind = kind_of_reason(code)
    return operation_of(
        action,
        instance_id,
        OperationState.CANCELLED if kind is None else OperationState.FAILED,
        handle,
        error_kind=kind,
        error=f"the instance is {state}: {text or code or 'no reason is given'}",
        code=code,
    )


class RunningOperations(Listings):
    """The port's ``describe_operation``."""

    def describe_operation(self, operation: Operation) -> Operation:
        """The operation as it is now; see the port.

        A look at a termination deletes the parts that the instance left behind.
        """
        if operation.state.is_final:
            return operation
        handle = Handle.parse(operation.handle)
        ref = InstanceRef(operation.resource, handle.region)
        if operation.action == "terminate":
            return self._terminated(ref, handle)
        try:
            item, _ = self._described(ref)
        except DeploymentError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
            unseen = operation.action == "launch" and handle.age < UNSEEN
            state = OperationState.PENDING if unseen else OperationState.CANCELLED
            return operation_of(
                operation.action, ref.id, state, handle, error=None if unseen else str(err)
            )
        return told(operation.action, item, handle)

    def _terminated(self, ref: InstanceRef, handle: Handle) -> Operation:
        """How far a termination is, and one step more."""
        state = OperationState.RUNNING
        if self._is_over(ref, handle) and not self._left_to_delete(handle):
            state = OperationState.SUCCEEDED
        return operation_of("terminate", ref.id, state, handle)

    def _is_over(self, ref: InstanceRef, handle: Handle) -> bool:
        """Whether there is no machine; one that is found only now is terminated now."""
        if not is_instance(ref):
            return True
        try:
            item, _ = self._described(ref)
        except DeploymentError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
            # With parts it was there when this began, so it is not one that is too new to be seen.
            return bool(handle.parts) or handle.age >= UNKNOWN
        with well_formed(f"describing {ref.id}", NAME, area=DeploymentError):
            state = state_of(item)
        if state.is_live:
            self._end(ref)
        return state.is_gone

    def _end(self, ref: InstanceRef) -> None:
        with translated(f"terminating {ref.id} in {ref.region}"):
            self._client_of("ec2", ref.region).terminate_instances(InstanceIds=[ref.id])

    def _left_to_delete(self, handle: Handle) -> bool:
        """Whether parts are left; those that nothing holds are deleted."""
        left = self._left_of(list(handle.parts), handle.region)
        for part in left:
            if (part.get("State") or part.get("Status")) == "available":
                self._delete_part(part, handle.region)
        return bool(left)

    def _delete_part(self, part: dict[str, Any], region: str) -> None:
        client = self._client_of("ec2", region)
        volume = part.get("VolumeId")
        try:
            with translated(f"deleting {volume or part['NetworkInterfaceId']} in {region}"):
                if volume:
                    client.delete_volume(VolumeId=volume)
                else:
                    client.delete_network_interface(NetworkInterfaceId=part["NetworkInterfaceId"])
        except DeploymentError as err:
            # Gone meanwhile, or still held by what goes: the next look tells.
            if err.kind not in (ErrorKind.NOT_FOUND, ErrorKind.BUSY):
                raise
