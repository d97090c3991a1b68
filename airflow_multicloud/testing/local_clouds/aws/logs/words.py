"""CloudWatch Logs' refusals.

"Common Errors" and "PutLogEvents" in the Amazon CloudWatch Logs API Reference.
"""

from __future__ import annotations

from http import HTTPStatus

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.local_clouds.aws.telemetry.checking import Unfit
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import Refused

_FAULTS = {
    ErrorKind.THROTTLED: ("ThrottlingException", "Rate exceeded", HTTPStatus.BAD_REQUEST),
    ErrorKind.QUOTA: ("LimitExceededException", "Resource limit exceeded.", HTTPStatus.BAD_REQUEST),
    ErrorKind.UNAVAILABLE: (
        "ServiceUnavailableException",
        "The service cannot complete the request.",
        HTTPStatus.INTERNAL_SERVER_ERROR,
    ),
    ErrorKind.PERMISSION_DENIED: (
        "AccessDeniedException",
        "User: arn:aws:iam::123456789012:user/local is not authorized to perform this action",
        HTTPStatus.BAD_REQUEST,
    ),
    ErrorKind.UNAUTHENTICATED: (
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
        HTTPStatus.BAD_REQUEST,
    ),
}
_STRANGERS = {
    "missing": ("MissingAuthenticationTokenException", "Missing Authentication Token"),
    "key": (
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    ),
    "signature": (
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided.",
    ),
}


def refusal(kind: ErrorKind) -> Refused:
    """A refusal of all requests."""
    return Refused(*_FAULTS[kind])


def stranger(problem: str) -> Refused:
    """A refusal of a caller."""
    return Refused(*_STRANGERS[problem])


def unfit(found: Unfit) -> Refused:
    """A refusal of a request that the model does not know."""
    return invalid(str(found))


def invalid(message: str) -> Refused:
    """A parameter that is not allowed."""
    return Refused("InvalidParameterException", message)


def missing(what: str) -> Refused:
    """Something that is not there."""
    return Refused("ResourceNotFoundException", f"The specified {what} does not exist.")
