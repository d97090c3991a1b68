"""Virtual machines in memory: the port, kept to the letter."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from airflow_multicloud.errors import ErrorKind, SpentTokenError
from airflow_multicloud.labels import LabelRules, current_work
from airflow_multicloud.ports.compute import (
    Instance,
    InstanceRef,
    InstanceState,
    LaunchOrder,
    LaunchRequest,
    LaunchSpec,
)
from airflow_multicloud.ports.operations import Operation, OperationState
from airflow_multicloud.testing.machine_faults import FaultKind, MachineCall, MachineCase
from airflow_multicloud.testing.memory_cloud import NAME
from airflow_multicloud.testing.memory_cloud.compute.catalogue import resolve
from airflow_multicloud.testing.memory_cloud.compute.machines import (
    Machine,
    Machines,
    case_of,
    failure,
    machines_of,
    planted,
    reset,
)

__all__ = ["Hook", "Machines", "machines_of", "reset"]

_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LABEL = re.compile(r"[a-z0-9_-]{0,63}")
_RULES = LabelRules(illegal=r"[^a-z0-9_-]", longest=63, lower=True)


class Hook:
    """The machines of one connection id; every hook of it sees the same ones.

    :param memory_conn_id: whose; the connection itself is never read.
    """

    conn_name_attr = "memory_conn_id"

    def __init__(self, memory_conn_id: str = "memory_default") -> None:
        self.memory_conn_id = memory_conn_id
        self._machines = machines_of(memory_conn_id)

    @property
    def account_id(self) -> str:
        """The one that the identity port names."""
        return f"memory-{self.memory_conn_id}"

    def resolve_launch(self, request: LaunchRequest) -> LaunchSpec:
        """What a request comes to; see the port."""
        return resolve(request, self.account_id)

    def launch_instance(self, order: LaunchOrder) -> Operation:
        """Launch one instance, or find the one of this order; see the port."""
        _check(order)
        kept = self._machines
        with kept.lock:
            case = MachineCase(
                call=MachineCall.LAUNCH,
                name=order.name,
                region=order.spec.region,
                zone=order.spec.zone,
                size=order.spec.size.name,
            )
            kept.check(case)
            machine = self._of_token(order) or self._made(order, case)
            kept.lose_answer(case)
            return _told("launch", machine)

    def describe_operation(self, operation: Operation) -> Operation:
        """The operation as it is now; see the port."""
        if operation.state.is_final:
            return operation
        kept = self._machines
        with kept.lock:
            machine = kept.found(InstanceRef(operation.resource, ""))
            kept.check(case_of(MachineCall.DESCRIBE, machine))
            kept.move(machine)
            return _told(operation.action, machine)

    def describe_instance(self, ref: InstanceRef) -> Instance:
        """The instance as it is now; see the port."""
        kept = self._machines
        with kept.lock:
            machine = kept.found(ref)
            kept.check(case_of(MachineCall.DESCRIBE, machine))
            kept.move(machine)
            return machine.seen()

    def list_instances(
        self, labels: Mapping[str, str | None], region: str | None = None
    ) -> Iterator[Instance]:
        """Everything that carries these labels; see the port."""
        if not labels:
            raise failure("labels: none given, expected at least one", ErrorKind.INVALID_ARGUMENT)
        kept = self._machines
        with kept.lock:
            kept.check(MachineCase(call=MachineCall.LIST, region=region))
            found = [machine.seen() for machine in kept.kept.values() if self._is_listed(machine)]
        for instance in found:
            here = region is None or instance.ref.region == region
            if here and not instance.state.is_gone and _carries(instance, labels):
                yield instance

    def terminate_instance(self, ref: InstanceRef) -> Operation:
        """Terminate an instance and remove all that was made for it; see the port."""
        kept = self._machines
        with kept.lock:
            machine = kept.kept.get(ref.id)
            if machine is None:
                return Operation(
                    handle=ref.id,
                    action="terminate",
                    resource=ref.id,
                    state=OperationState.SUCCEEDED,
                    seen_at=datetime.now(UTC),
                )
            case = case_of(MachineCall.TERMINATE, machine)
            kept.check(case)
            if not machine.state.is_gone:
                machine.state, machine.looks = InstanceState.TERMINATING, kept.looks
            kept.lose_answer(case)
            return _told("terminate", machine)

    def power_instance(self, ref: InstanceRef, *, on: bool) -> Operation:
        """Start an instance that is stopped, or stop one that runs; see the port."""
        kept = self._machines
        with kept.lock:
            machine = kept.found(ref)
            case = case_of(MachineCall.POWER, machine)
            kept.check(case)
            if not machine.state.is_live:
                raise failure(
                    f"instance {ref.id}: it is {machine.state}, expected a live one",
                    ErrorKind.NOT_FOUND if machine.state.is_gone else ErrorKind.INVALID_ARGUMENT,
                )
            if on and machine.state is not InstanceState.RUNNING:
                machine.state, machine.looks = InstanceState.PENDING, kept.looks
            if not on and machine.state is not InstanceState.STOPPED:
                machine.state, machine.looks = InstanceState.STOPPING, kept.looks
            kept.lose_answer(case)
            return _told("start" if on else "stop", machine)

    def label_instance(self, ref: InstanceRef, labels: Mapping[str, str]) -> None:
        """Add labels to an instance, or change them; see the port."""
        _check_labels(labels)
        kept = self._machines
        with kept.lock:
            machine = kept.found(ref)
            if machine.state.is_gone:
                raise failure(f"instance {ref.id}: it is gone", ErrorKind.NOT_FOUND)
            machine.labels.update(labels)

    def read_console(self, ref: InstanceRef) -> str:
        """What an instance wrote to its console; see the port."""
        kept = self._machines
        with kept.lock:
            machine = kept.found(ref)
            booted = machine.state is not InstanceState.PENDING
            return f"{machine.order.name} has booted\n" if booted else ""

    def _of_token(self, order: LaunchOrder) -> Machine | None:
        known = self._machines.by_token.get(order.token)
        if known is None:
            return None
        machine = self._machines.kept[known]
        if machine.state in (InstanceState.TERMINATING, InstanceState.TERMINATED):
            raise SpentTokenError(
                f"token: the instance {order.name} of {order.token} has been terminated; expected "
                "a new token",
                cloud=NAME,
            )
        return machine

    def _made(self, order: LaunchOrder, case: MachineCase) -> Machine:
        kept = self._machines
        for other in kept.kept.values():
            if other.order.name == order.name and not other.state.is_gone:
                raise failure(
                    f"name: there is already an instance {order.name} of another order",
                    ErrorKind.ALREADY_EXISTS,
                )
        machine = Machine(
            number=len(kept.kept) + 1,
            order=order,
            account_id=self.account_id,
            labels={**current_work().lasting().labels(_RULES), **order.labels},
            created_at=kept.next_moment(),
            looks=kept.looks,
        )
        if (fault := kept.faults.meet(FaultKind.FAIL_LATER, case)) is not None:
            machine.fails = planted(fault, case).kind
        kept.kept[machine.ref.id] = machine
        kept.by_token[order.token] = machine.ref.id
        kept.unlisted[machine.ref.id] = kept.unlisted_looks
        return machine

    def _is_listed(self, machine: Machine) -> bool:
        left = self._machines.unlisted.get(machine.ref.id, 0)
        if left:
            self._machines.unlisted[machine.ref.id] = left - 1
        return not left


def _check(order: LaunchOrder) -> None:
    if not _NAME.fullmatch(order.name):
        raise failure(
            f"name: {order.name!r} given; expected a lower-case letter, then those, digits and "
            "hyphens, at most 63",
            ErrorKind.INVALID_ARGUMENT,
        )
    try:
        uuid.UUID(order.token)
    except ValueError:
        raise failure("token: expected a UUID", ErrorKind.INVALID_ARGUMENT) from None
    _check_labels(order.labels)


def _check_labels(labels: Mapping[str, str]) -> None:
    for key, value in labels.items():
        if not (_NAME.fullmatch(key) and _LABEL.fullmatch(value)):
            raise failure(
                f"labels: {key!r}={value!r} given; expected lower-case letters, digits, hyphens "
                "and underscores, at most 63 characters",
                ErrorKind.INVALID_ARGUMENT,
            )


def _carries(instance: Instance, labels: Mapping[str, str | None]) -> bool:
    return all(
        key in instance.labels and value in (None, instance.labels[key])
        for key, value in labels.items()
    )


_DONE = {
    "launch": InstanceState.RUNNING,
    "start": InstanceState.RUNNING,
    "stop": InstanceState.STOPPED,
    "terminate": InstanceState.TERMINATED,
}


def _told(action: str, machine: Machine) -> Operation:
    state, error = OperationState.RUNNING, None
    if machine.state is _DONE[action]:
        state = OperationState.SUCCEEDED
    elif machine.state is InstanceState.FAILED:
        state, error = OperationState.FAILED, machine.fails
    elif machine.state.is_gone or (
        action != "terminate" and machine.state is InstanceState.TERMINATING
    ):
        state = OperationState.CANCELLED
    return Operation(
        handle=machine.ref.id,
        action=action,
        resource=machine.ref.id,
        state=state,
        seen_at=datetime.now(UTC),
        error_kind=error,
        error=None if error is None else f"{error}, as planted",
        code=None if error is None else "Planted",
    )
