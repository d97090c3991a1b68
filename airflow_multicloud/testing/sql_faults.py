"""Faults of database services, to be planted in the memory cloud and the local servers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.planted_faults import PlantedFaults


class DatabaseFaultKind(StrEnum):
    """What goes wrong."""

    #: The call is refused with ``error``, and nothing is done.
    REFUSE = "refuse"
    #: The call is carried out, but its answer never arrives: the connection ends.
    LOSE_ANSWER = "lose_answer"
    #: The call is accepted, and its operation ends with a failure.
    FAIL_LATER = "fail_later"


class DatabaseCall(StrEnum):
    """Which call of the port it meets; calls of its cloud that belong to it."""

    DESCRIBE = "describe"
    LIST = "list"
    SNAPSHOT = "snapshot"
    RESTORE = "restore"
    PROMOTE = "promote"
    POWER = "power"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFault:
    """One fault, met so many times.

    :param call: which call it meets; ``FAIL_LATER`` goes with ``snapshot`` and ``restore``.
    :param error: what the cloud says, in its own words: ``capacity``, ``quota``, ``throttled`` or
        ``unavailable``. For ``FAIL_LATER`` some clouds have one reason only, whatever this is.
    :param name: only for instances and snapshots whose name contains this.
    :param times: how often; then it is over.
    :param after: how many such calls pass before the first that it meets.
    """

    kind: DatabaseFaultKind
    call: DatabaseCall
    error: ErrorKind = ErrorKind.UNAVAILABLE
    name: str = ""
    times: int = 1
    after: int = 0


class DatabaseFaults(PlantedFaults[DatabaseFault]):
    """The faults that are planted; safe for many threads."""

    def meet(self, kind: DatabaseFaultKind, call: DatabaseCall, name: str) -> DatabaseFault | None:
        """The first fault of this kind that meets the call; it counts as met once more.

        :param name: of the instance or snapshot that is made, or else looked at or changed.
        """
        return self.met(
            lambda fault: fault.kind is kind and fault.call is call and fault.name in name
        )
