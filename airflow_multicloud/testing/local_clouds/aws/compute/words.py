"""Planted faults in EC2's own words.

Codes and statuses: "Error codes for the Amazon EC2 API", where those of lacking capacity are server
errors (HTTP 500), as are RequestLimitExceeded (503) and InternalError (500). Reasons of a later
end: "StateReason" in the Amazon EC2 API reference.
"""

from __future__ import annotations

from http import HTTPStatus

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.local_clouds.aws.compute.answers import Refusal
from airflow_multicloud.testing.machine_faults import MachineCase

#: Why an instance that was accepted ends before it runs; none says ``unsupported``.
REASONS = {
    ErrorKind.CAPACITY: (
        "Server.InsufficientInstanceCapacity",
        "Server.InsufficientInstanceCapacity: Insufficient capacity to satisfy instance request",
    ),
    ErrorKind.QUOTA: (
        "Client.VolumeLimitExceeded",
        "Client.VolumeLimitExceeded: Volume limit exceeded",
    ),
    ErrorKind.UNAVAILABLE: (
        "Server.InternalError",
        "Server.InternalError: Internal error on launch",
    ),
}


def refusal(kind: ErrorKind, case: MachineCase) -> Refusal:
    """What EC2 says.

    :raises ValueError: for a kind that has no words here.
    """
    match kind:
        case ErrorKind.CAPACITY:
            return Refusal(
                "InsufficientInstanceCapacity",
                f"We currently do not have sufficient {case.size} capacity in the Availability "
                f"Zone you requested ({case.zone}).",
                HTTPStatus.INTERNAL_SERVER_ERROR,
            )
        case ErrorKind.QUOTA:
            return Refusal(
                "VcpuLimitExceeded",
                "You have requested more vCPU capacity than your current vCPU limit allows for "
                "the instance bucket that the specified instance type belongs to.",
            )
        case ErrorKind.UNSUPPORTED:
            return unsupported(case.size, case.zone)
        case ErrorKind.THROTTLED:
            return Refusal(
                "RequestLimitExceeded",
                "Request limit exceeded.",
                HTTPStatus.SERVICE_UNAVAILABLE,
            )
        case ErrorKind.UNAVAILABLE:
            return Refusal(
                "InternalError",
                "An internal error has occurred",
                HTTPStatus.INTERNAL_SERVER_ERROR,
            )
    raise ValueError(f"error: {kind} given; EC2 has no words for it here")


def unsupported(size: str | None, zone: str | None) -> Refusal:
    """A size that a zone has not."""
    return Refusal(
        "Unsupported",
        f"Your requested instance type ({size}) is not supported in your requested Availability "
        f"Zone ({zone}).",
    )
