"""Planted faults in Compute Engine's own words.

Refused requests:
https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-bulk-vm-creation; operations:
https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-resource-availability and
https://github.com/googleapis/python-compute/issues/279.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.local_clouds.gcp import PROJECT
from airflow_multicloud.testing.local_clouds.gcp.rest.strict import Refusal
from airflow_multicloud.testing.local_clouds.kit.machine_seeds import SeededFaults
from airflow_multicloud.testing.local_clouds.kit.state import State
from airflow_multicloud.testing.machine_faults import (
    FaultKind,
    MachineCase,
)


@dataclass(frozen=True, slots=True)
class OperationError:
    """What an operation ends with."""

    status: HTTPStatus
    code: str
    message: str


class AnswerLost(Exception):  # noqa: N818  # what was asked is done, and no error
    """The connection is to end without an answer."""


class ComputeEngineFaults(SeededFaults):
    """The faults that were planted, in Google's words."""

    def check(self, case: MachineCase) -> None:
        """Refuse a call that a fault meets.

        :raises Refusal: the fault's.
        """
        if (fault := self.meet(FaultKind.REFUSE, case)) is not None:
            raise _refusal(fault.error, case)

    def lose_answer(self, case: MachineCase) -> None:
        """Lose the answer to what was done.

        :raises AnswerLost: when a fault says so.
        """
        if self.meet(FaultKind.LOSE_ANSWER, case) is not None:
            raise AnswerLost

    def later(self, case: MachineCase) -> OperationError | None:
        """What the operation ends with, when a fault says so."""
        fault = self.meet(FaultKind.FAIL_LATER, case)
        return None if fault is None else _operation_error(fault.error, case)


def unreachable_zones(state: State) -> frozenset[str]:
    """The zones that lists can't ask."""
    found: set[str] = set()
    for seed in state.seeded("unreachable_zones"):
        if seed.get("clear"):
            found.clear()
        else:
            found.add(str(seed["zone"]))
    return frozenset(found)


_REFUSALS: Mapping[ErrorKind, tuple[HTTPStatus, str]] = MappingProxyType(
    {
        ErrorKind.CAPACITY: (HTTPStatus.SERVICE_UNAVAILABLE, "insufficientCapacity"),
        ErrorKind.QUOTA: (HTTPStatus.FORBIDDEN, "quotaExceeded"),
        ErrorKind.UNSUPPORTED: (HTTPStatus.BAD_REQUEST, "invalid"),
        ErrorKind.THROTTLED: (HTTPStatus.FORBIDDEN, "rateLimitExceeded"),
        ErrorKind.UNAVAILABLE: (HTTPStatus.SERVICE_UNAVAILABLE, "backendError"),
    }
)
_LATER: Mapping[ErrorKind, tuple[HTTPStatus, str]] = MappingProxyType(
    {
        ErrorKind.CAPACITY: (HTTPStatus.SERVICE_UNAVAILABLE, "ZONE_RESOURCE_POOL_EXHAUSTED"),
        ErrorKind.QUOTA: (HTTPStatus.FORBIDDEN, "QUOTA_EXCEEDED"),
        ErrorKind.UNSUPPORTED: (HTTPStatus.BAD_REQUEST, "UNSUPPORTED_OPERATION"),
        ErrorKind.THROTTLED: (HTTPStatus.FORBIDDEN, "RESOURCE_OPERATION_RATE_EXCEEDED"),
        ErrorKind.UNAVAILABLE: (HTTPStatus.INTERNAL_SERVER_ERROR, "INTERNAL_ERROR"),
    }
)


def _refusal(kind: ErrorKind, case: MachineCase) -> Refusal:
    status, reason = _REFUSALS[kind]
    return Refusal(status, _text(kind, case), reason=reason)


def _operation_error(kind: ErrorKind, case: MachineCase) -> OperationError:
    status, code = _LATER[kind]
    return OperationError(status, code, _text(kind, case))


def _text(kind: ErrorKind, case: MachineCase) -> str:
    texts = {
        ErrorKind.CAPACITY: (
            f"The zone 'projects/{PROJECT}/zones/{case.zone}' does not have enough resources "
            "available to fulfill the request. Try a different zone, or try again later."
        ),
        ErrorKind.QUOTA: f"Quota 'CPUS' exceeded. Limit: 24.0 in region {case.region}.",
        ErrorKind.UNSUPPORTED: (
            f"Invalid value for field 'resource.machineType': 'zones/{case.zone}/machineTypes/"
            f"{case.size}'. Machine type with name '{case.size}' does not exist in zone "
            f"'{case.zone}'."
        ),
        ErrorKind.THROTTLED: "Rate Limit Exceeded",
    }
    return texts.get(kind, "Internal error. Please try again or contact Google Support.")
