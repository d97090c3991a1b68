"""Faults of machines, in Azure's own words.

Codes and messages: "Allocation failures"
(https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/allocation-failure),
"Resolve errors for SKU not available" and "for resource quotas"
(https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors),
"Throttling" (https://learn.microsoft.com/azure/virtual-machines/troubleshooting/troubleshooting-throttling-errors).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import msgspec

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.local_clouds.azure.arm.http import Refusal
from airflow_multicloud.testing.local_clouds.kit.state import State
from airflow_multicloud.testing.machine_faults import (
    FaultKind,
    MachineCase,
    MachineFault,
    MachineFaults,
)

SERVICE = "machine_faults"


@dataclass(frozen=True, slots=True)
class Words:
    """How Azure says it."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str]


def words(kind: ErrorKind, case: MachineCase, *, later: bool) -> Words:
    """What Azure says of a failure.

    :param later: as the end of an operation, and not as an answer.
    """
    size, region = case.size, case.region
    status, headers = HTTPStatus.CONFLICT, {}
    if kind is ErrorKind.CAPACITY and later:
        code = "ZonalAllocationFailed" if case.zone else "AllocationFailed"
        where = "zone" if case.zone else "region"
        message = (
            "Allocation failed. We do not have sufficient capacity for the requested VM size in "
            f"this {where}. Read more about improving likelihood of allocation success at "
            "http://aka.ms/allocation-guidance"
        )
    elif kind is ErrorKind.CAPACITY:
        code = "SkuNotAvailable"
        message = (
            f"The requested VM size for resource 'Following SKUs have failed for Capacity "
            f"Restrictions: {size}' is currently not available in location '{region}'."
        )
    elif kind is ErrorKind.QUOTA:
        code = "OperationNotAllowed"
        message = (
            "Operation could not be completed as it results in exceeding approved Total Regional "
            f"Cores quota. Additional details - Location: {region}, Current Limit: 10."
        )
    elif kind is ErrorKind.UNSUPPORTED:
        code = "SkuNotAvailable"
        message = f"The requested size {size} is not offered in '{region}' to this subscription."
    elif kind is ErrorKind.THROTTLED:
        status, headers = HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": "1"}
        code = "OperationNotAllowed"
        message = (
            "The server rejected the request because too many requests have been received for this "
            "subscription."
        )
    else:
        status = HTTPStatus.SERVICE_UNAVAILABLE
        code, message = "ServiceUnavailable", "The service is unavailable."
    return Words(status, code, message, headers)


class Faults:
    """The faults that were seeded."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._faults = MachineFaults()
        self._read = 0
        self._lock = threading.Lock()

    def meet(self, kind: FaultKind, case: MachineCase) -> MachineFault | None:
        """The first that meets the case."""
        self._take_up()
        return self._faults.meet(kind, case)

    def check(self, case: MachineCase) -> None:
        """Refuse what a fault says.

        :raises Refusal: the fault's.
        """
        if (fault := self.meet(FaultKind.REFUSE, case)) is not None:
            told = words(fault.error, case, later=False)
            raise Refusal(told.status, told.code, told.message, told.headers)

    def lose_answer(self, case: MachineCase) -> None:
        """Lose the answer to what was done, when a fault says so.

        :raises ConnectionAbortedError: which ends the connection without one.
        """
        if self.meet(FaultKind.LOSE_ANSWER, case) is not None:
            raise ConnectionAbortedError

    def _take_up(self) -> None:
        with self._lock:
            records = self._state.seeded(SERVICE)
            if len(records) < self._read:  # the state was reset
                self._faults.clear()
                self._read = 0
            for record in records[self._read :]:
                if record.get("clear"):
                    self._faults.clear()
                else:
                    self._faults.plant([msgspec.convert(record, MachineFault)])
            self._read = len(records)
