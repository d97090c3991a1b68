"""Faults of machines, in Azure's own words.

Codes and messages: "Allocation failures"
(https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/allocation-failure),
"Resolve errors for SKU not available" and "for resource quotas"
(https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors),
"Throttling" (https://learn.microsoft.com/azure/virtual-machines/troubleshooting/troubleshooting-throttling-errors).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.local_clouds.azure.arm.http import Refusal
from airflow_multicloud.testing.local_clouds.kit.machine_seeds import SeededFaults
from airflow_multicloud.testing.machine_faults import (
    FaultKind,
    MachineCase,
)


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


class Faults(SeededFaults):
    """The faults that were planted, in Azure's words."""

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
