"""CloudWatch's refusals.

"Common Errors" and "PutMetricData" in the Amazon CloudWatch API Reference.
"""

from __future__ import annotations

from http import HTTPStatus

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.local_clouds.aws.telemetry.checking import Unfit
from airflow_multicloud.testing.local_clouds.aws.telemetry.common_words import (
    QUERY_BAD_KEY,
    QUERY_DENIED,
    QUERY_STRANGERS,
)
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import Refused

_FAULTS = {
    ErrorKind.THROTTLED: ("Throttling", "Rate exceeded", HTTPStatus.BAD_REQUEST),
    ErrorKind.QUOTA: (
        "LimitExceededException",
        "The operation exceeded one or more limits.",
        HTTPStatus.BAD_REQUEST,
    ),
    ErrorKind.UNAVAILABLE: (
        "ServiceUnavailable",
        "The request has failed due to a temporary failure of the server.",
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
    ErrorKind.PERMISSION_DENIED: QUERY_DENIED,
    ErrorKind.UNAUTHENTICATED: QUERY_BAD_KEY,
}


def refusal(kind: ErrorKind) -> Refused:
    """A refusal of all requests."""
    return Refused(*_FAULTS[kind])


def stranger(problem: str) -> Refused:
    """A refusal of a caller."""
    return Refused(*QUERY_STRANGERS[problem])


def unfit(found: Unfit) -> Refused:
    """A refusal of a request that the model does not know."""
    return Refused("MissingParameter" if found.missing else "InvalidParameterValue", str(found))


def invalid(message: str) -> Refused:
    """A parameter that is not allowed."""
    return Refused("InvalidParameterValue", message)


def contradictory(message: str) -> Refused:
    """Parameters that do not go together."""
    return Refused("InvalidParameterCombination", message)
