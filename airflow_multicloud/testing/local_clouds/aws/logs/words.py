"""CloudWatch Logs' refusals.

"Common Errors" and "PutLogEvents" in the Amazon CloudWatch Logs API Reference.
"""

from __future__ import annotations

from http import HTTPStatus

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.local_clouds.aws.telemetry.checking import Unfit
from airflow_multicloud.testing.local_clouds.aws.telemetry.common_words import (
    JSON_BAD_KEY,
    JSON_DENIED,
    JSON_STRANGERS,
    JSON_THROTTLED,
)
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import Refused

_FAULTS = {
    ErrorKind.THROTTLED: JSON_THROTTLED,
    ErrorKind.QUOTA: ("LimitExceededException", "Resource limit exceeded.", HTTPStatus.BAD_REQUEST),
    ErrorKind.UNAVAILABLE: (
        "ServiceUnavailableException",
        "The service cannot complete the request.",
        HTTPStatus.INTERNAL_SERVER_ERROR,
    ),
    ErrorKind.PERMISSION_DENIED: JSON_DENIED,
    ErrorKind.UNAUTHENTICATED: JSON_BAD_KEY,
}


def refusal(kind: ErrorKind) -> Refused:
    """A refusal of all requests."""
    return Refused(*_FAULTS[kind])


def stranger(problem: str) -> Refused:
    """A refusal of a caller."""
    return Refused(*JSON_STRANGERS[problem])


def unfit(found: Unfit) -> Refused:
    """A refusal of a request that the model does not know."""
    return invalid(str(found))


def invalid(message: str) -> Refused:
    """A parameter that is not allowed."""
    return Refused("InvalidParameterException", message)


def missing(what: str) -> Refused:
    """Something that is not there."""
    return Refused("ResourceNotFoundException", f"The specified {what} does not exist.")
