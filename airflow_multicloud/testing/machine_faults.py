"""Faults of clouds and of machines, to be planted in the memory cloud and the local servers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.planted_faults import PlantedFaults


class FaultKind(StrEnum):
    """What goes wrong."""

    #: The call is refused with ``error``, and nothing is done.
    REFUSE = "refuse"
    #: The call is carried out, but its answer never arrives: the connection ends.
    LOSE_ANSWER = "lose_answer"
    #: The call is accepted, and its operation ends with ``error``.
    FAIL_LATER = "fail_later"
    #: The machine takes ``seconds`` longer until its startup script begins.
    SLOW_BOOT = "slow_boot"
    #: The machine runs, and its startup script does not.
    NO_BOOT = "no_boot"
    #: The machine stops by itself ``seconds`` after its startup script began.
    DIE = "die"


class MachineCall(StrEnum):
    """Which call of the port it meets; calls of its cloud that belong to it."""

    LAUNCH = "launch"
    DESCRIBE = "describe"
    LIST = "list"
    TERMINATE = "terminate"
    POWER = "power"


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFault:
    """One fault, met so many times.

    :param call: which call it meets; the last three kinds go with ``launch``.
    :param error: what the cloud says: ``capacity``, ``quota``, ``unsupported`` (the size is not
        offered), ``throttled`` or ``unavailable``; each in its cloud's own words.
    :param region: only there, likewise ``zone`` and ``size``; ``None`` for any.
    :param name: only for machines whose name contains this.
    :param times: how often; then it is over.
    :param after: how many such calls pass before the first that it meets.
    :param seconds: for the kinds that take some.
    """

    kind: FaultKind
    call: MachineCall = MachineCall.LAUNCH
    error: ErrorKind = ErrorKind.UNAVAILABLE
    region: str | None = None
    zone: str | None = None
    size: str | None = None
    name: str = ""
    times: int = 1
    after: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineCase:
    """What a call is about, as far as the call tells."""

    call: MachineCall
    name: str = ""
    region: str | None = None
    zone: str | None = None
    size: str | None = None


class MachineFaults(PlantedFaults[MachineFault]):
    """The faults that are planted; safe for many threads."""

    def meet(self, kind: FaultKind, case: MachineCase) -> MachineFault | None:
        """The first fault of this kind that meets the case; it counts as met once more."""
        return self.met(lambda fault: fault.kind is kind and _meets(fault, case))


def _meets(fault: MachineFault, case: MachineCase) -> bool:
    return (
        fault.call is case.call
        and fault.name in case.name
        and all(wanted is None or wanted == actual for wanted, actual in _places(fault, case))
    )


def _places(fault: MachineFault, case: MachineCase) -> Iterator[tuple[str | None, str | None]]:
    yield fault.region, case.region
    yield fault.zone, case.zone
    yield fault.size, case.size
