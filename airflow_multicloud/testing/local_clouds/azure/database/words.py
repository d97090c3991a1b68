"""What the service says of what it refuses, and of faults that are planted.

``ServerIsBusy`` and its message: github.com/Azure/azure-postgresql/issues/134; ``ScopeLocked``:
"Lock your resources"
(https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources). The other
codes are Resource Manager's common ones, since the service's own stand in no list.
"""

from __future__ import annotations

from http import HTTPStatus

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.local_clouds.azure.arm.http import Refusal

_FAULTS = {
    ErrorKind.CAPACITY: (
        HTTPStatus.CONFLICT,
        "AllocationFailed",
        "There is not enough capacity for the requested compute size in this region.",
    ),
    ErrorKind.QUOTA: (
        HTTPStatus.CONFLICT,
        "QuotaExceeded",
        "Operation could not be completed as it results in exceeding approved vCores quota.",
    ),
    ErrorKind.UNAVAILABLE: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "ServiceUnavailable",
        "The service is unavailable.",
    ),
    ErrorKind.THROTTLED: (
        HTTPStatus.TOO_MANY_REQUESTS,
        "TooManyRequests",
        "The request is being throttled.",
    ),
}


def refusal(kind: ErrorKind) -> Refusal:
    """A planted fault.

    :raises ValueError: for a kind that has no words here.
    """
    if kind not in _FAULTS:
        raise ValueError(f"error: {kind} given; there are no words for it here")
    return Refusal(*_FAULTS[kind])


def failing(kind: ErrorKind) -> tuple[str, str]:
    """What an operation ends with that a fault has fail: code and message."""
    _, code, message = _FAULTS[kind]
    return code, message


def busy(name: str) -> Refusal:
    """Something else goes on with a server."""
    return Refusal(
        HTTPStatus.CONFLICT,
        "ServerIsBusy",
        f"Cannot complete operation while server '{name}' is busy processing another operation. "
        "Try again later.",
    )


def not_ready(name: str, state: str) -> Refusal:
    """A server is in a state that lasts, and another is needed."""
    return Refusal(
        HTTPStatus.BAD_REQUEST,
        "InvalidServerState",
        f"The operation is not allowed on server '{name}' in its state {state}.",
    )


def invalid(parameter: str, why: str) -> Refusal:
    """A value that is not allowed."""
    return Refusal(
        HTTPStatus.BAD_REQUEST,
        "InvalidParameterValue",
        f"Invalid value given for parameter {parameter}. {why}",
    )


def taken(name: str) -> Refusal:
    """A name that a server elsewhere has."""
    return Refusal(
        HTTPStatus.CONFLICT,
        "ServerNameAlreadyExists",
        f"Specified server name '{name}' is already used.",
    )


def locked(scope: str, lock: str) -> Refusal:
    """A lock keeps something from being deleted."""
    return Refusal(
        HTTPStatus.CONFLICT,
        "ScopeLocked",
        f"The scope '{scope}' cannot perform delete operation because following scope(s) are "
        f"locked: '{lock}'. Please remove the lock and try again.",
    )
