"""CloudWatch's refusals.

"Common Errors" and "PutMetricData" in the Amazon CloudWatch API Reference.
"""

from __future__ import annotations

from http import HTTPStatus

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.local_clouds.aws.telemetry.checking import Unfit
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
    ErrorKind.PERMISSION_DENIED: (
        "AccessDenied",
        "User: arn:aws:iam::123456789012:user/local is not authorized to perform this action",
        HTTPStatus.FORBIDDEN,
    ),
    ErrorKind.UNAUTHENTICATED: (
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
        HTTPStatus.FORBIDDEN,
    ),
}
_STRANGERS = {
    "missing": (
        "MissingAuthenticationToken",
        "Request must contain either a valid (registered) AWS access key ID or X.509 certificate.",
    ),
    "key": ("InvalidClientTokenId", "The security token included in the request is invalid."),
    "signature": (
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided.",
    ),
}


def refusal(kind: ErrorKind) -> Refused:
    """A refusal of all requests."""
    return Refused(*_FAULTS[kind])


def stranger(problem: str) -> Refused:
    """A refusal of a caller."""
    return Refused(*_STRANGERS[problem], HTTPStatus.FORBIDDEN)


def unfit(found: Unfit) -> Refused:
    """A refusal of a request that the model does not know."""
    return Refused("MissingParameter" if found.missing else "InvalidParameterValue", str(found))


def invalid(message: str) -> Refused:
    """A parameter that is not allowed."""
    return Refused("InvalidParameterValue", message)


def contradictory(message: str) -> Refused:
    """Parameters that do not go together."""
    return Refused("InvalidParameterCombination", message)
