"""What Azure's errors mean: the codes that every service shares, and the translation.

Codes: of Azure Resource Manager, "Common deployment errors"
(https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors),
and of the Storage services, "Common REST API error codes"
(https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes). Microsoft
Entra's (AADSTS…) all mean that there is no token. What a code means in one service only stands in
that service's ``errors`` module. A code that is in no table is judged by its HTTP status. An
exception that is neither an answer of a service nor a failure of the transport passes unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    DeserializationError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.identity import CredentialUnavailableError

from airflow_multicloud.adapters.answers import kind_of_status, malformed
from airflow_multicloud.adapters.errors import ErrorTable, by_code, retry_after_of
from airflow_multicloud.adapters.obstore import redact
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.errors import CloudError, CredentialsError, ErrorKind

#: What every service of Azure has in common.
BASE = ErrorTable(
    codes=by_code(
        {
            ErrorKind.NOT_FOUND: (
                "NotFound ParentResourceNotFound ResourceGroupNotFound ResourceNotFound "
                "SubscriptionNotFound"
            ),
            ErrorKind.ALREADY_EXISTS: "ResourceAlreadyExists",
            ErrorKind.PERMISSION_DENIED: (
                "AuthorizationFailed Forbidden LinkedAuthorizationFailed "
                "ReadOnlyDisabledSubscription RequestDisallowedByPolicy ScopeLocked "
                "SubscriptionDisabled"
            ),
            ErrorKind.UNAUTHENTICATED: (
                "AuthenticationFailed ExpiredAuthenticationToken InvalidAuthenticationInfo "
                "InvalidAuthenticationToken InvalidAuthenticationTokenAudience "
                "InvalidAuthenticationTokenTenant NoAuthenticationInformation"
            ),
            ErrorKind.THROTTLED: (
                "ResourceCollectionRequestsThrottled ServerBusy SubscriptionRequestsThrottled "
                "TenantRequestsThrottled TooManyRequests"
            ),
            ErrorKind.UNAVAILABLE: "InternalError InternalServerError ServiceUnavailable",
            ErrorKind.TIMEOUT: "GatewayTimeout OperationTimedOut RequestTimeout ServerTimeout",
            ErrorKind.QUOTA: "QuotaExceeded ResourceQuotaExceeded",
            ErrorKind.BUSY: (
                "AnotherOperationInProgress DeploymentActive OperationInProgress "
                "ResourceGroupBeingDeleted RetryableError"
            ),
            ErrorKind.INVALID_ARGUMENT: (
                "BadRequest InvalidInput InvalidQueryParameterValue InvalidResourceName InvalidUri"
            ),
            ErrorKind.UNSUPPORTED: (
                "DisallowedOperation MissingRegistrationForLocation "
                "MissingSubscriptionRegistration NoRegisteredProviderFound "
                "SubscriptionNotRegistered"
            ),
        }
    ),
    statuses={
        304: ErrorKind.PRECONDITION_FAILED,
        400: ErrorKind.INVALID_ARGUMENT,
        401: ErrorKind.UNAUTHENTICATED,
        403: ErrorKind.PERMISSION_DENIED,
        404: ErrorKind.NOT_FOUND,
        408: ErrorKind.TIMEOUT,
        409: ErrorKind.PRECONDITION_FAILED,
        411: ErrorKind.INVALID_ARGUMENT,
        412: ErrorKind.PRECONDITION_FAILED,
        413: ErrorKind.INVALID_ARGUMENT,
        416: ErrorKind.INVALID_ARGUMENT,
        429: ErrorKind.THROTTLED,
        500: ErrorKind.UNAVAILABLE,
        501: ErrorKind.UNSUPPORTED,
        502: ErrorKind.UNAVAILABLE,
        503: ErrorKind.UNAVAILABLE,
        504: ErrorKind.TIMEOUT,
    },
)

#: What the services of a storage account (Blob, Queue, Table, File) have in common.
STORAGE = BASE.overlay(
    by_code(
        {
            ErrorKind.PRECONDITION_FAILED: "ConditionNotMet",
            ErrorKind.PERMISSION_DENIED: (
                "AccountIsDisabled AuthorizationFailure AuthorizationPermissionMismatch "
                "AuthorizationProtocolMismatch AuthorizationResourceTypeMismatch "
                "AuthorizationServiceMismatch AuthorizationSourceIPMismatch "
                "InsufficientAccountPermissions KeyBasedAuthenticationNotPermitted "
                "PublicAccessNotPermitted"
            ),
            ErrorKind.BUSY: "AccountBeingCreated",
            ErrorKind.INTEGRITY: "Crc64Mismatch Md5Mismatch",
            ErrorKind.UNSUPPORTED: "ConditionHeadersNotSupported FeatureVersionMismatch",
            ErrorKind.INVALID_ARGUMENT: (
                "EmptyMetadataKey InvalidHeaderValue InvalidHttpVerb InvalidMd5 InvalidMetadata "
                "InvalidRange InvalidXmlDocument InvalidXmlNodeValue MetadataTooLarge "
                "MissingContentLengthHeader MissingRequiredHeader MissingRequiredQueryParameter "
                "MissingRequiredXmlNode MultipleConditionHeadersNotSupported OutOfRangeInput "
                "OutOfRangeQueryParameterValue RequestBodyTooLarge RequestUrlFailedToParse "
                "ResourceTypeMismatch UnsupportedHeader UnsupportedHttpVerb "
                "UnsupportedQueryParameter UnsupportedRestVersion UnsupportedXmlNode"
            ),
        }
    )
)

_INVALID_STATUS = re.compile(r"Operation returned an invalid status ('.*')")
_ENTRA_CODE = re.compile(r"\bAADSTS\d+")
# The message of AuthenticationFailed, which Azurite sends under another code.
_SIGNATURE_REFUSED = "Server failed to authenticate the request"
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@contextmanager
def translated(
    doing: str,
    *,
    table: ErrorTable,
    area: type[CloudError],
    hints: Mapping[str, str] = _NOTHING,
    classes: Mapping[str, type[CloudError]] = _NOTHING,
    wait: Callable[[Mapping[str, str]], timedelta | None] = retry_after_of,
) -> Iterator[None]:
    """Turn the SDK's exceptions into this package's.

    Messages are cut to their first line and lose URL queries, and the cause is not chained:
    both may hold a shared access signature.

    :param doing: the call and what it is about, for the message.
    :param table: what the service's error codes mean.
    :param area: the error class, but for refused credentials.
    :param hints: error code → what to say in place of the service's words.
    :param classes: error code → the class of its errors, where that is not ``area``.
    :param wait: how long an answer asks to wait, by its headers.
    :raises CloudError: (of ``area``) the service or the way to it failed.
    :raises CredentialsError: there are no usable credentials, or they were refused as such.
    """
    try:
        yield
    except DeserializationError as err:
        raise malformed(doing, NAME, err, area=area) from None
    except AzureError as err:
        kind = _sdk_kind(err, table)
        if kind is None:
            raise
        code = error_code(err)
        cls = classes.get(code or "", area)
        asked = wait(_headers(err))
        raise error_of(
            err, doing, kind=kind, code=code, area=cls, hints=hints, retry_after=asked
        ) from None


def error_code(err: Exception) -> str | None:
    """The service's own error code, if the SDK's exception carries one."""
    if not isinstance(err, HttpResponseError):
        return None
    header = _headers(err).get("x-ms-error-code")
    # Storage's, Resource Manager's, Microsoft Entra's.
    code = header or getattr(err, "error_code", None) or getattr(err.error, "code", None)
    if code:
        return str(getattr(code, "value", code))
    entra = _ENTRA_CODE.search(str(err))
    return entra[0] if entra else None


def error_of(
    err: Exception,
    doing: str,
    *,
    kind: ErrorKind,
    code: str | None,
    area: type[CloudError],
    hints: Mapping[str, str],
    retry_after: timedelta | None = None,
) -> CloudError:
    """This package's error for another's, without what may be secret in its text.

    :param doing: the call and what it is about, for the message.
    :param kind: the cause.
    :param code: the service's own error code, if it is known.
    :param area: the error class, but for refused credentials.
    :param hints: error code → what to say in place of the exception's words.
    :param retry_after: how long the service asks to wait, where it says.
    """
    text = hints.get(code or "") or redact(str(err)) or type(err).__name__
    # The SDK's own words, where it did not read the answer's.
    text = _INVALID_STATUS.sub(r"the service answered \1", text)
    suffix = f" ({code})" if code and code not in text else ""
    cls = CredentialsError if kind is ErrorKind.UNAUTHENTICATED else area
    return cls(
        f"{doing}: {text}{suffix}", kind=kind, cloud=NAME, code=code, retry_after=retry_after
    )


def coded_kind(err: Exception, code: str | None, table: ErrorTable) -> ErrorKind | None:
    """What an error code means, whichever client met it; ``None`` when no table knows it.

    :param err: what was raised, whose text is looked at where one code has two meanings.
    :param code: the service's own error code.
    :param table: what the service's error codes mean.
    """
    if code == "AuthorizationFailure" and _SIGNATURE_REFUSED in str(err):
        return ErrorKind.UNAUTHENTICATED
    if code and _ENTRA_CODE.fullmatch(code):
        return ErrorKind.UNAUTHENTICATED
    return table.kind_of_code(code)


def _headers(err: Exception) -> Mapping[str, str]:
    response = err.response if isinstance(err, HttpResponseError) else None
    headers: Mapping[str, str] | None = getattr(response, "headers", None)
    return headers or _NOTHING


def _sdk_kind(err: AzureError, table: ErrorTable) -> ErrorKind | None:
    # azure-identity says so of whatever kept it from asking for a token.
    if isinstance(err, ClientAuthenticationError) and isinstance(err.__cause__, AzureError):
        return _sdk_kind(err.__cause__, table)
    if isinstance(err, DecodeError) and not isinstance(err, IncompleteReadError):
        return ErrorKind.INTEGRITY  # a web page, say
    if isinstance(err, HttpResponseError) and not isinstance(err, IncompleteReadError):
        return _answer_kind(err, table)
    if isinstance(err, ServiceRequestTimeoutError | ServiceResponseTimeoutError):
        return ErrorKind.TIMEOUT
    broken_off = ServiceRequestError | ServiceResponseError | IncompleteReadError
    return ErrorKind.UNAVAILABLE if isinstance(err, broken_off) else None


def _answer_kind(err: HttpResponseError, table: ErrorTable) -> ErrorKind | None:
    if kind := coded_kind(err, error_code(err), table):
        return kind
    known = None if err.status_code is None else table.statuses.get(err.status_code)
    if known is not None and not isinstance(err, CredentialUnavailableError):
        return known
    if isinstance(err, ClientAuthenticationError):
        return ErrorKind.UNAUTHENTICATED
    # An error without a status is the SDK's own, about an answer that it could not read.
    return kind_of_status(err.status_code) if err.status_code else ErrorKind.INTEGRITY
