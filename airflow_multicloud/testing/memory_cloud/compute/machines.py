"""The machines that the memory cloud keeps, and the faults that are planted in it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import Instance, InstanceRef, InstanceState, LaunchOrder
from airflow_multicloud.testing.machine_faults import (
    FaultKind,
    MachineCall,
    MachineCase,
    MachineFault,
    MachineFaults,
)
from airflow_multicloud.testing.memory_cloud import NAME

_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)

#: Called when a machine's startup script begins, and when a machine ends.
Watcher = Callable[[Instance, LaunchOrder | None], None]


@dataclass(slots=True, kw_only=True)
class Machine:
    """One machine, changed in place under its space's lock.

    :param looks: how often it must be looked at until it runs (or has failed, or is gone).
    :param fails: what its launch will have failed with.
    """

    number: int
    order: LaunchOrder
    account_id: str
    labels: dict[str, str]
    created_at: datetime
    state: InstanceState = InstanceState.PENDING
    looks: int = 0
    fails: ErrorKind | None = None

    @property
    def ref(self) -> InstanceRef:
        """Which it is."""
        return InstanceRef(f"memory/{self.account_id}/{self.number}", self.order.spec.region)

    def seen(self) -> Instance:
        """As the port has it."""
        spec = self.order.spec
        return Instance(
            ref=self.ref,
            name=self.order.name,
            state=self.state,
            account_id=self.account_id,
            size=spec.size.name,
            image=spec.image.id,
            zone=spec.zone,
            labels=dict(self.labels),
            address=f"10.0.{self.number // 256}.{self.number % 256}",
            public_address=f"192.0.2.{self.number % 256}" if spec.public_address else None,
            created_at=self.created_at,
            error_kind=self.fails if self.state is InstanceState.FAILED else None,
            error="it could not be made" if self.state is InstanceState.FAILED else None,
            console_url=f"https://console.memory.test/{self.number}",
        )


@dataclass(slots=True)
class Machines:
    """The machines of one account.

    :param looks: how often what goes on must be looked at until it is done.
    :param unlisted_looks: how many listings a new machine is missing from.
    :param watcher: told of machines that boot and end; it must not call the cloud.
    """

    looks: int = 1
    unlisted_looks: int = 0
    watcher: Watcher | None = None
    faults: MachineFaults = field(default_factory=MachineFaults)
    kept: dict[str, Machine] = field(default_factory=dict)
    by_token: dict[str, str] = field(default_factory=dict)
    unlisted: dict[str, int] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def next_moment(self) -> datetime:
        """A second after the machine before: the order of launches can be told."""
        return _BEGINNING + timedelta(seconds=len(self.kept))

    def found(self, ref: InstanceRef) -> Machine:
        """The machine, whatever its state.

        :raises DeploymentError: ``not_found``.
        """
        machine = self.kept.get(ref.id)
        if machine is None:
            raise failure(f"instance {ref.id}: there is none", ErrorKind.NOT_FOUND)
        return machine

    def move(self, machine: Machine) -> None:
        """One look more: what goes on gets done."""
        if machine.looks > 0:
            machine.looks -= 1
        if machine.looks > 0:
            return
        ended = False
        if machine.state is InstanceState.PENDING:
            machine.state = InstanceState.FAILED if machine.fails else InstanceState.RUNNING
            self._tell(machine)
        elif machine.state is InstanceState.STOPPING:
            machine.state, ended = InstanceState.STOPPED, True
        elif machine.state is InstanceState.TERMINATING:
            machine.state, ended = InstanceState.TERMINATED, True
        if ended and self.watcher is not None:
            self.watcher(machine.seen(), None)

    def _tell(self, machine: Machine) -> None:
        """That it boots; a machine with ``NO_BOOT`` does so unheard."""
        if machine.state is not InstanceState.RUNNING or self.watcher is None:
            return
        if self.faults.meet(FaultKind.NO_BOOT, case_of(MachineCall.LAUNCH, machine)) is None:
            self.watcher(machine.seen(), machine.order)

    def check(self, case: MachineCase) -> None:
        """Refuse what a fault says.

        :raises DeploymentError: the fault's.
        """
        if (fault := self.faults.meet(FaultKind.REFUSE, case)) is not None:
            raise planted(fault, case)

    def lose_answer(self, case: MachineCase) -> None:
        """Lose the answer to what was done, when a fault says so.

        :raises DeploymentError: ``unavailable``.
        """
        if (fault := self.faults.meet(FaultKind.LOSE_ANSWER, case)) is not None:
            raise failure(
                f"{fault.call}: the connection ended without an answer", ErrorKind.UNAVAILABLE
            )


def case_of(call: MachineCall, machine: Machine) -> MachineCase:
    """What a call about a machine is about."""
    spec = machine.order.spec
    return MachineCase(
        call=call,
        name=machine.order.name,
        region=spec.region,
        zone=spec.zone,
        size=spec.size.name,
    )


def planted(fault: MachineFault, case: MachineCase) -> DeploymentError:
    """The error of a fault."""
    return failure(f"{case.call}: {fault.error}, as planted", fault.error, code="Planted")


def failure(message: str, kind: ErrorKind, code: str | None = None) -> DeploymentError:
    """An error of this cloud."""
    return DeploymentError(message, kind=kind, cloud=NAME, code=code)


_SPACES: dict[str, Machines] = {}
_SPACES_LOCK = threading.Lock()


def machines_of(conn_id: str) -> Machines:
    """The machines of a connection's account, for tests to plant faults and look behind."""
    with _SPACES_LOCK:
        return _SPACES.setdefault(conn_id, Machines())


def reset(conn_id: str | None = None) -> None:
    """Forget the machines of an account, or of all."""
    with _SPACES_LOCK:
        if conn_id is None:
            _SPACES.clear()
        else:
            _SPACES.pop(conn_id, None)
