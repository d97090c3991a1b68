"""How Compute Engine refuses: its errors have a list of reasons, unlike those of newer services.

::

    {"error": {"code": 412, "message": "…", "errors": [{"message": "…", "domain": "global",
     "reason": "conditionNotMet"}]}}

As it stands in https://cloud.google.com/compute/operations-quota and in answers that users quote.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from airflow_multicloud.testing.local_clouds.gcp.rest.strict import Refusal

#: Of refusals that name none.
_REASONS = {
    HTTPStatus.BAD_REQUEST: "invalid",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "notFound",
    HTTPStatus.CONFLICT: "alreadyExists",
    HTTPStatus.PRECONDITION_FAILED: "conditionNotMet",
    HTTPStatus.NOT_IMPLEMENTED: "notImplemented",
    HTTPStatus.INTERNAL_SERVER_ERROR: "internalError",
    HTTPStatus.SERVICE_UNAVAILABLE: "backendError",
}
#: Reasons that are of another domain than the usual ``global``.
_USAGE = ("rateLimitExceeded", "quotaExceeded")


def body_of(refusal: Refusal) -> dict[str, Any]:
    """The error in Compute Engine's form."""
    reason = refusal.reason or _REASONS.get(refusal.status, "backendError")
    domain = "usageLimits" if reason in _USAGE else "global"
    message = str(refusal)
    listed = {"message": message, "domain": domain, "reason": reason}
    return {"error": {"code": refusal.status.value, "message": message, "errors": [listed]}}


def invalid(field: str, value: object, why: str) -> Refusal:
    """A value that may not be."""
    return Refusal(HTTPStatus.BAD_REQUEST, f"Invalid value for field '{field}': '{value}'. {why}")


def not_found(path: str) -> Refusal:
    """Something that is not there."""
    return Refusal(HTTPStatus.NOT_FOUND, f"The resource '{path}' was not found")


def exists(path: str) -> Refusal:
    """A name that is taken."""
    return Refusal(HTTPStatus.CONFLICT, f"The resource '{path}' already exists")


def not_ready(path: str) -> Refusal:
    """Something that another operation is working on."""
    return Refusal(
        HTTPStatus.BAD_REQUEST, f"The resource '{path}' is not ready", reason="resourceNotReady"
    )
