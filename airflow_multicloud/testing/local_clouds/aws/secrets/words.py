"""Secrets Manager's refusals.

Codes: "Errors" of each operation in the AWS Secrets Manager API Reference, and its "Common Errors".
"""

from __future__ import annotations

from http import HTTPStatus

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.local_clouds.aws.telemetry.checking import Unfit
from airflow_multicloud.testing.local_clouds.aws.telemetry.common_words import (
    JSON_DENIED,
    JSON_STRANGERS,
    JSON_THROTTLED,
)
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import Refused

_FAULTS = {
    ErrorKind.THROTTLED: JSON_THROTTLED,
    ErrorKind.UNAVAILABLE: (
        "InternalServiceError",
        "An error occurred on the server side.",
        HTTPStatus.INTERNAL_SERVER_ERROR,
    ),
    ErrorKind.PERMISSION_DENIED: JSON_DENIED,
}


def refusal(kind: ErrorKind) -> Refused:
    """A refusal of all requests."""
    return Refused(*_FAULTS[kind])


def stranger(problem: str) -> Refused:
    """A refusal of a caller."""
    return Refused(*JSON_STRANGERS[problem])


def unfit(found: Unfit) -> Refused:
    """A refusal of a request that the model does not know."""
    return Refused("ValidationException", str(found))


def invalid(message: str) -> Refused:
    """A parameter that is not allowed."""
    return Refused("InvalidParameterException", message)


def wrong_state(message: str) -> Refused:
    """A request that does not fit the state of the secret."""
    return Refused("InvalidRequestException", message)


def missing(what: str = "specified secret") -> Refused:
    """Something that is not there."""
    return Refused("ResourceNotFoundException", f"Secrets Manager can't find the {what}.")


def exists(message: str) -> Refused:
    """Something that is there already."""
    return Refused("ResourceExistsException", message)


def not_served(what: str) -> Refused:
    """What this server does not do, which is no answer of Secrets Manager's."""
    return Refused("UnknownOperationException", f"{what} is not served by the local cloud")
