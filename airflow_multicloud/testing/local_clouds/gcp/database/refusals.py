"""How Cloud SQL refuses, and planted faults in its words.

The form is Compute Engine's, with a list of reasons; reasons and texts are those that users quote
(https://github.com/hashicorp/terraform-provider-google/issues/6066 and others), and those of
https://cloud.google.com/sql/docs/postgres/admin-api-error-messages. Which one Google gives for a
lack of machines is not said there; here it is Compute Engine's.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.local_clouds.gcp.rest.strict import Refusal

_REFUSALS: Mapping[ErrorKind, tuple[HTTPStatus, str, str]] = MappingProxyType(
    {
        ErrorKind.CAPACITY: (
            HTTPStatus.SERVICE_UNAVAILABLE,
            "ZONE_RESOURCE_POOL_EXHAUSTED",
            "The zone does not have enough resources available to fulfill the request.",
        ),
        ErrorKind.QUOTA: (
            HTTPStatus.FORBIDDEN,
            "errorMaxInstancePerLabel",
            "Failed to create instance because the project has reached the max instance per "
            "project limit.",
        ),
        ErrorKind.THROTTLED: (
            HTTPStatus.TOO_MANY_REQUESTS,
            "rateLimitExceeded",
            "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user'.",
        ),
        ErrorKind.UNAVAILABLE: (
            HTTPStatus.SERVICE_UNAVAILABLE,
            "internalError",
            "An internal error has occurred.",
        ),
    }
)
_CODES = {
    ErrorKind.CAPACITY: "ZONE_RESOURCE_POOL_EXHAUSTED",
    ErrorKind.QUOTA: "ERROR_MAX_INSTANCE_PER_LABEL",
}


def refusal(kind: ErrorKind) -> Refusal:
    """What a fault has a request refused with."""
    status, reason, text = _REFUSALS[kind]
    return Refusal(status, text, reason=reason)


def operation_error(kind: ErrorKind) -> dict[str, Any]:
    """What a fault has an operation end with."""
    _, _, text = _REFUSALS[kind]
    code = _CODES.get(kind, "INTERNAL_ERROR")
    return {"kind": "sql#operationError", "code": code, "message": text}


def invalid(text: str) -> Refusal:
    """A request that can't be."""
    return Refusal(HTTPStatus.BAD_REQUEST, f"Invalid request: {text}.", reason="invalid")


def no_instance() -> Refusal:
    """An instance that is not there."""
    return Refusal(
        HTTPStatus.NOT_FOUND,
        "The Cloud SQL instance does not exist.",
        reason="instanceDoesNotExist",
    )


def exists() -> Refusal:
    """A name that is taken, or was."""
    return Refusal(
        HTTPStatus.CONFLICT,
        "The Cloud SQL instance already exists. When you delete an instance, you can't reuse the "
        "name of the deleted instance until one week from the deletion date.",
        reason="instanceAlreadyExists",
    )


def in_progress() -> Refusal:
    """An instance that something else is done to."""
    return Refusal(
        HTTPStatus.CONFLICT,
        "Operation failed because another operation was already in progress. Try your request "
        "after the current operation is complete.",
        reason="operationInProgress",
    )


def wrong_state() -> Refusal:
    """An instance that this can't be done to as it is."""
    return Refusal(
        HTTPStatus.CONFLICT,
        "The instance or operation is not in an appropriate state to handle the request.",
        reason="invalidState",
    )


def not_for_this() -> Refusal:
    """An instance that this is never done to."""
    return Refusal(
        HTTPStatus.BAD_REQUEST,
        "The operation isn't valid for this instance.",
        reason="invalidOperation",
    )


def no_backup() -> Refusal:
    """A backup that is not there."""
    return Refusal(
        HTTPStatus.NOT_FOUND, "The backup does not exist.", reason="backupRunDoesNotExist"
    )
