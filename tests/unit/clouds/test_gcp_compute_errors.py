"""Every code that Compute Engine's pages name is decided: in its table, or by its status."""

from __future__ import annotations

import pytest
from google.api_core import exceptions as api
from google.cloud import compute_v1

from airflow_multicloud.clouds.gcp.compute.errors import TABLE, failure_of, translated
from airflow_multicloud.clouds.gcp.compute.fields import STATES
from airflow_multicloud.clouds.gcp.compute.operations import failure_in
from airflow_multicloud.errors import DeploymentError, ErrorKind

K = ErrorKind
_NOT_OFFERED = (
    "Invalid value for field 'resource.machineType': 'zones/europe-west8-a/machineTypes/f1-micro'. "
    "Machine type with name 'f1-micro' does not exist in zone 'europe-west8-a'."
)

#: What a refused request says: status, reason, what it means.
REFUSALS = [
    (400, "invalid", K.INVALID_ARGUMENT),
    (400, "resourceNotReady", K.BUSY),
    (400, "resourceInUseByAnotherResource", K.BUSY),
    (403, "forbidden", K.PERMISSION_DENIED),
    (403, "accessNotConfigured", K.PERMISSION_DENIED),
    (403, "quotaExceeded", K.QUOTA),
    (403, "rateLimitExceeded", K.THROTTLED),
    (404, "notFound", K.NOT_FOUND),
    (409, "alreadyExists", K.ALREADY_EXISTS),
    (412, "conditionNotMet", K.PRECONDITION_FAILED),
    (429, "rateLimitExceeded", K.THROTTLED),
    (500, "internalError", K.UNAVAILABLE),
    (503, "backendError", K.UNAVAILABLE),
    (503, "insufficientCapacity", K.CAPACITY),
]
#: What a failed operation says: code, its status, what it means.
FAILURES = [
    ("ZONE_RESOURCE_POOL_EXHAUSTED", 503, K.CAPACITY),
    ("ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", 503, K.CAPACITY),
    ("IP_SPACE_EXHAUSTED", 400, K.CAPACITY),
    ("IP_SPACE_EXHAUSTED_WITH_DETAILS", 400, K.CAPACITY),
    ("QUOTA_EXCEEDED", 403, K.QUOTA),
    ("UNSUPPORTED_OPERATION", 400, K.UNSUPPORTED),
    ("RESOURCE_OPERATION_RATE_EXCEEDED", 403, K.THROTTLED),
    ("CONCURRENT_OPERATIONS_QUOTA_EXCEEDED", 403, K.THROTTLED),
    ("RESOURCE_NOT_READY", 400, K.BUSY),
    ("RESOURCE_IN_USE_BY_ANOTHER_RESOURCE", 400, K.BUSY),
    ("RESOURCE_NOT_FOUND", 404, K.NOT_FOUND),
    ("RESOURCE_ALREADY_EXISTS", 409, K.ALREADY_EXISTS),
    ("PERMISSIONS_ERROR", 403, K.PERMISSION_DENIED),
    ("INTERNAL_ERROR", 500, K.UNAVAILABLE),
    ("SOMETHING_NEW", 403, K.PERMISSION_DENIED),
    ("SOMETHING_NEW", 0, K.UNAVAILABLE),
]


@pytest.mark.parametrize(("status", "reason", "kind"), REFUSALS)
def test_a_refused_request(status: int, reason: str, kind: ErrorKind) -> None:
    refused = api.from_http_status(status, "no", errors=[{"reason": reason}])  # type: ignore[no-untyped-call]
    with pytest.raises(DeploymentError) as caught, translated("launching i"):
        raise refused
    assert (caught.value.kind, caught.value.code) == (kind, reason)


def test_a_size_that_is_not_offered() -> None:
    refused = api.from_http_status(400, _NOT_OFFERED, errors=[{"reason": "invalid"}])  # type: ignore[no-untyped-call]
    with pytest.raises(DeploymentError) as caught, translated("launching i"):
        raise refused
    assert caught.value.kind is ErrorKind.UNSUPPORTED
    assert failure_of("INVALID_FIELD", _NOT_OFFERED, 400).kind is ErrorKind.UNSUPPORTED


@pytest.mark.parametrize(("code", "status", "kind"), FAILURES)
def test_a_failed_operation(code: str, status: int, kind: ErrorKind) -> None:
    told = compute_v1.Operation(
        status=compute_v1.Operation.Status.DONE,
        http_error_status_code=status,
        error=compute_v1.Error(errors=[compute_v1.Errors(code=code, message="why")]),
    )
    failure = failure_in(told)
    assert failure is not None
    assert (failure.kind, failure.code, failure.text) == (kind, code, "why")


def test_an_operation_that_goes_on_has_not_failed() -> None:
    told = compute_v1.Operation(
        status=compute_v1.Operation.Status.RUNNING,
        error=compute_v1.Error(errors=[compute_v1.Errors(code="QUOTA_EXCEEDED")]),
    )
    assert failure_in(told) is None
    assert failure_in(compute_v1.Operation(status=compute_v1.Operation.Status.DONE)) is None


def test_a_failure_without_errors() -> None:
    told = compute_v1.Operation(
        status=compute_v1.Operation.Status.DONE,
        http_error_status_code=404,
        http_error_message="NOT FOUND",
    )
    failure = failure_in(told)
    assert failure is not None
    assert (failure.kind, failure.text) == (ErrorKind.NOT_FOUND, "NOT FOUND")


def test_capacity_quota_and_size_are_told_apart() -> None:
    scarce = (ErrorKind.CAPACITY, ErrorKind.QUOTA, ErrorKind.UNSUPPORTED)
    for kind in scarce:
        assert kind in TABLE.codes.values()


def test_every_state_is_decided() -> None:
    """What the client library knows beside its "undefined"."""
    known = set(compute_v1.Instance.Status.__members__) - {"UNDEFINED_STATUS"}
    assert known == set(STATES)
