"""Every error that Google's libraries and pages name is decided: in a table, or by its status."""

from __future__ import annotations

import inspect

import pytest
from google.api.error_reason_pb2 import ErrorReason
from google.api_core import exceptions as api
from google.cloud.bigquery import retry as _retry
from google.cloud.bigquery.job import base as _job
from google.rpc.code_pb2 import Code

from airflow_multicloud.clouds.gcp import errors
from airflow_multicloud.clouds.gcp.cost import errors as _cost
from airflow_multicloud.clouds.gcp.errors import BASE
from airflow_multicloud.clouds.gcp.object_store import errors as _store
from airflow_multicloud.errors import CloudError, ErrorKind

#: Why an exception of google-api-core's has no kind of its own.
UNDECIDED = {
    "GoogleAPIError": "a base class",
    "GoogleAPICallError": "a base class: the answer's status decides",
    "Redirection": "a base class",
    "ClientError": "a base class",
    "ServerError": "a base class",
    "DuplicateCredentialArgs": "a mistake of this package's, which is not to be hidden",
    "AsyncRestUnsupportedParameterError": "the same; nothing here is async",
    "ResumableTransferError": "no resumable session is ever opened: see object_store.parts",
    "TransferStalledError": "the same",
    "UnseekableStreamError": "the same",
    "UploadCancelledError": "the same",
    "MissingStatusHeaderError": "the same",
}

KINDS = {
    "MovedPermanently": ErrorKind.INTEGRITY,  # nothing is followed: no answer of this interface
    "NotModified": ErrorKind.INTEGRITY,
    "TemporaryRedirect": ErrorKind.INTEGRITY,
    "ResumeIncomplete": ErrorKind.INTEGRITY,
    "BadRequest": ErrorKind.INVALID_ARGUMENT,
    "InvalidArgument": ErrorKind.INVALID_ARGUMENT,
    "FailedPrecondition": ErrorKind.PRECONDITION_FAILED,
    "OutOfRange": ErrorKind.INVALID_ARGUMENT,
    "Unauthorized": ErrorKind.UNAUTHENTICATED,
    "Unauthenticated": ErrorKind.UNAUTHENTICATED,
    "Forbidden": ErrorKind.PERMISSION_DENIED,
    "PermissionDenied": ErrorKind.PERMISSION_DENIED,
    "NotFound": ErrorKind.NOT_FOUND,
    "MethodNotAllowed": ErrorKind.INVALID_ARGUMENT,
    "Conflict": ErrorKind.ALREADY_EXISTS,
    "AlreadyExists": ErrorKind.ALREADY_EXISTS,
    "Aborted": ErrorKind.PRECONDITION_FAILED,
    "LengthRequired": ErrorKind.INVALID_ARGUMENT,
    "PreconditionFailed": ErrorKind.PRECONDITION_FAILED,
    "RequestRangeNotSatisfiable": ErrorKind.INVALID_ARGUMENT,
    "TooManyRequests": ErrorKind.THROTTLED,
    "ResourceExhausted": ErrorKind.THROTTLED,
    "Cancelled": ErrorKind.UNAVAILABLE,
    "InternalServerError": ErrorKind.UNAVAILABLE,
    "Unknown": ErrorKind.UNAVAILABLE,
    "DataLoss": ErrorKind.INTEGRITY,
    "MethodNotImplemented": ErrorKind.UNSUPPORTED,
    "BadGateway": ErrorKind.UNAVAILABLE,
    "ServiceUnavailable": ErrorKind.UNAVAILABLE,
    "GatewayTimeout": ErrorKind.TIMEOUT,
    "DeadlineExceeded": ErrorKind.TIMEOUT,
    "RetryError": ErrorKind.TIMEOUT,
}


def exceptions() -> dict[str, type[Exception]]:
    return {
        name: value
        for name, value in vars(api).items()
        if inspect.isclass(value)
        and issubclass(value, Exception)
        and value.__module__ == api.__name__
    }


def test_every_exception_of_google_api_core_is_decided() -> None:
    assert set(KINDS) | set(UNDECIDED) == set(exceptions())
    assert not set(KINDS) & set(UNDECIDED)


@pytest.mark.parametrize("name", KINDS)
def test_kind_of_exception(name: str) -> None:
    cls = exceptions()[name]
    raised = cls("gave up", None) if cls is api.RetryError else cls("no")
    with (
        pytest.raises(CloudError) as caught,
        errors.translated("asking", table=BASE, area=CloudError),
    ):
        raise raised
    assert caught.value.kind is KINDS[name]


@pytest.mark.parametrize("name", UNDECIDED)
def test_what_is_undecided_passes_untouched(name: str) -> None:
    raised = exceptions()[name]("no")
    with (
        pytest.raises(type(raised)) as caught,
        errors.translated("asking", table=BASE, area=CloudError),
    ):
        raise raised
    assert caught.value is raised


def test_every_canonical_status_is_decided() -> None:
    assert set(dict(Code.items())) - set(BASE.codes) == {"OK"}


#: Reasons of ``google.api.ErrorReason`` that say no more than the status that they come with.
REASONS_BY_STATUS = {
    "ERROR_REASON_UNSPECIFIED": "nothing is said",
    "SERVICE_DISABLED": "403: not switched on",
    "BILLING_DISABLED": "403",
    "API_KEY_INVALID": "400: a key that nothing here sends",
    "API_KEY_SERVICE_BLOCKED": "403: the same",
    "API_KEY_HTTP_REFERRER_BLOCKED": "403: the same",
    "API_KEY_IP_ADDRESS_BLOCKED": "403: the same",
    "API_KEY_ANDROID_APP_BLOCKED": "403: the same",
    "API_KEY_IOS_APP_BLOCKED": "403: the same",
    "LOCATION_TAX_POLICY_VIOLATED": "403",
    "USER_PROJECT_DENIED": "403: the quota project",
    "CONSUMER_SUSPENDED": "403",
    "CONSUMER_INVALID": "403",
    "SECURITY_POLICY_VIOLATED": "403",
    "ACCESS_TOKEN_EXPIRED": "401",
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": "403: the connection's scopes",
    "ACCOUNT_STATE_INVALID": "401",
    "ACCESS_TOKEN_TYPE_UNSUPPORTED": "401",
    "CREDENTIALS_MISSING": "401",
    "RESOURCE_PROJECT_INVALID": "400",
    "SESSION_COOKIE_INVALID": "401",
    "USER_BLOCKED_BY_ADMIN": "401",
    "RESOURCE_USAGE_RESTRICTION_VIOLATED": "403",
    "SYSTEM_PARAMETER_UNSUPPORTED": "400",
    "ORG_RESTRICTION_VIOLATION": "403",
    "ORG_RESTRICTION_HEADER_INVALID": "400",
    "SERVICE_NOT_VISIBLE": "404",
    "GCP_SUSPENDED": "403",
    "LOCATION_POLICY_VIOLATED": "403",
    "MISSING_ORIGIN": "403",
    "OVERLOADED_CREDENTIALS": "400",
    "LOCATION_ORG_POLICY_VIOLATED": "403",
    "TLS_ORG_POLICY_VIOLATED": "403",
    "CREDENTIAL_ANDROID_APP_INVALID": "401",
    "IAM_PERMISSION_DENIED": "403",
    "JWT_TOKEN_INVALID": "401",
    "CREDENTIAL_TYPE_UNSUPPORTED": "401",
    "ACCOUNT_TYPE_UNSUPPORTED": "401",
    "ENDPOINT_USAGE_RESTRICTION_VIOLATED": "403",
    "TLS_CIPHER_RESTRICTION_VIOLATED": "403",
    "MCP_SERVER_DISABLED": "403: nothing here asks one",
}


def test_every_shared_reason_is_decided() -> None:
    assert set(dict(ErrorReason.items())) - set(BASE.codes) == set(REASONS_BY_STATUS)


#: Of https://cloud.google.com/bigquery/docs/error-messages, which comes with what status.
BIGQUERY_BY_STATUS = {
    "accessDenied": "403",
    "attributeError": "400",
    "backendError": "500, 502, 503 or 504",
    "badGateway": "502",
    "badRequest": "400",
    "billingNotEnabled": "403",
    "blocked": "403: temporary, and lifted by Google's support only",
    "duplicate": "409",
    "internalError": "500",
    "invalid": "400",
    "invalidQuery": "400",
    "invalidUser": "400",
    "notFound": "404",
    "notImplemented": "501",
    "policyViolation": "403",
    "proxyAuthenticationRequired": "407",
}
#: What that page names besides what the library does.
BIGQUERY_DOCUMENTED = frozenset(
    [
        "attributeError",
        "badRequest",
        "bytesBilledLimitExceeded",
        "invalidUser",
        "proxyAuthenticationRequired",
        "timeout",
    ]
)


def test_every_reason_of_bigquery_is_decided() -> None:
    named = {
        *_job._ERROR_REASON_TO_EXCEPTION,
        *_retry._RETRYABLE_REASONS,
        *_retry.job_retry_reasons,
        *BIGQUERY_DOCUMENTED,
    }
    assert {name for name in named if name not in _cost.TABLE.codes} == set(BIGQUERY_BY_STATUS)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("stopped", ErrorKind.UNAVAILABLE),
        ("tableUnavailable", ErrorKind.UNAVAILABLE),
        ("resourceInUse", ErrorKind.BUSY),
        ("responseTooLarge", ErrorKind.QUOTA),
        ("jobRateLimitExceeded", ErrorKind.THROTTLED),
        ("accessDenied", ErrorKind.PERMISSION_DENIED),
        ("notImplemented", ErrorKind.UNSUPPORTED),
    ],
)
def test_kind_of_a_failed_job(reason: str, kind: ErrorKind) -> None:
    with pytest.raises(CloudError) as caught, _cost.translated("asking"):
        raise _job._error_result_to_exception({"reason": reason, "message": "no"})
    assert caught.value.kind is kind


#: Of https://cloud.google.com/storage/docs/json_api/v1/status-codes, which comes with what status.
STORAGE_BY_STATUS = {
    "mediaDownloadRedirect": "302: none is asked for",
    "notModified": "304: none is asked for",
    "temporaryRedirect": "307: none is asked for",
    "invalid": "400: a wrong checksum is told by its text",
    "badRequest": "400",
    "badRequestException": "400",
    "cloudKmsBadKey": "400",
    "cloudKmsCannotChangeKeyName": "400",
    "cloudKmsDecryptionKeyNotFound": "400",
    "cloudKmsDisabledKey": "400: somebody has to enable the key",
    "cloudKmsEncryptionKeyNotFound": "400",
    "cloudKmsKeyLocationNotAllowed": "400",
    "customerEncryptionAlgorithmIsInvalid": "400: nothing here sends keys",
    "customerEncryptionKeyFormatIsInvalid": "400",
    "customerEncryptionKeyIsIncorrect": "400",
    "customerEncryptionKeySha256IsInvalid": "400",
    "invalidAltValue": "400",
    "invalidArgument": "400",
    "invalidParameter": "400",
    "notDownload": "400",
    "notUpload": "400",
    "parseError": "400",
    "required": "400 or 401",
    "resourceIsEncryptedWithCustomerEncryptionKey": "400",
    "resourceNotEncryptedWithCustomerEncryptionKey": "400",
    "turnedDown": "400",
    "userProjectInconsistent": "400",
    "userProjectInvalid": "400",
    "userProjectMissing": "400",
    "wrongUrlForUpload": "400",
    "authError": "401",
    "authenticationRequiredRequesterPays": "401",
    "lockedDomainExpired": "401",
    "accountDisabled": "403",
    "countryBlocked": "403",
    "forbidden": "403",
    "insufficientPermissions": "403",
    "sslRequired": "403",
    "userProjectAccessDenied": "403",
    "userProjectAccountProblem": "403",
    "notFound": "404",
    "methodNotAllowed": "405",
    "uploadBrokenConnection": "408",
    "conflict": "409",
    "gone": "410",
    "uploadTooLarge": "413",
    "requestedRangeNotSatisfiable": "416",
    "backendError": "500 or 503",
    "internalError": "500",
    "gatewayTimeout": "504",
}
STORAGE_DOCUMENTED = frozenset(
    [
        *STORAGE_BY_STATUS,
        "objectUnderActiveHold",
        "retentionPolicyNotMet",
        "orgPolicyConstraintFailed",
        "rateLimitExceeded",
        "userRateLimitExceeded",
        "quotaExceeded",
        "conditionNotMet",
    ]
)


def test_every_reason_of_storage_is_decided() -> None:
    assert {name for name in STORAGE_DOCUMENTED if name not in _store.TABLE.codes} == set(
        STORAGE_BY_STATUS
    )


def test_a_refusal_by_policy_is_no_condition_that_failed() -> None:
    refused = api.from_http_status(412, "no", errors=[{"reason": "orgPolicyConstraintFailed"}])
    with pytest.raises(CloudError) as caught, _store.translated("putting 'k'"):
        raise refused
    assert caught.value.kind is ErrorKind.PERMISSION_DENIED
