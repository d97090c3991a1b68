"""What RDS says of faults that are planted, and of what it does not find.

Codes and statuses: the errors of its operations in botocore's model; those of all services:
"Common Error Types" in the Amazon RDS API Reference.
"""

from __future__ import annotations

from http import HTTPStatus

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.local_clouds.aws.database.answers import Refusal
from airflow_multicloud.testing.local_clouds.aws.telemetry.common_words import QUERY_STRANGERS

_FAULTS = {
    ErrorKind.CAPACITY: (
        "InsufficientDBInstanceCapacity",
        "The specified DB instance class isn't available in the specified Availability Zone.",
        HTTPStatus.BAD_REQUEST,
    ),
    ErrorKind.QUOTA: (
        "InstanceQuotaExceeded",
        "The request would result in the user exceeding the allowed number of DB instances.",
        HTTPStatus.BAD_REQUEST,
    ),
    ErrorKind.THROTTLED: ("Throttling", "Rate exceeded", HTTPStatus.BAD_REQUEST),
    ErrorKind.UNAVAILABLE: (
        "ServiceUnavailable",
        "The request has failed due to a temporary failure of the server.",
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
}
#: Status of an instance that could not be made → for which kind of fault.
FAILED = {ErrorKind.CAPACITY: "insufficient-capacity", ErrorKind.QUOTA: "storage-full"}


def refusal(kind: ErrorKind) -> Refusal:
    """A planted fault.

    :raises ValueError: for a kind that has no words here.
    """
    if kind not in _FAULTS:
        raise ValueError(f"error: {kind} given; RDS has no words for it here")
    return Refusal(*_FAULTS[kind])


def stranger(problem: str) -> Refusal:
    """A caller who is not let in; see ``Signed``."""
    return Refusal(*QUERY_STRANGERS[problem])


def no_instance(identifier: str) -> Refusal:
    """There is none of this name."""
    return Refusal(
        "DBInstanceNotFound", f"DBInstance {identifier} not found.", HTTPStatus.NOT_FOUND
    )


def no_snapshot(identifier: str) -> Refusal:
    """Likewise."""
    return Refusal(
        "DBSnapshotNotFound", f"DBSnapshot {identifier} not found.", HTTPStatus.NOT_FOUND
    )


def wrong_state(identifier: str, status: str) -> Refusal:
    """An instance is in another state than the call needs."""
    return Refusal(
        "InvalidDBInstanceState", f"Instance {identifier} is not in available state: {status}."
    )


def invalid(message: str) -> Refusal:
    """A parameter that is not allowed."""
    return Refusal("InvalidParameterValue", message)


def contradictory(message: str) -> Refusal:
    """Parameters that do not go together."""
    return Refusal("InvalidParameterCombination", message)
