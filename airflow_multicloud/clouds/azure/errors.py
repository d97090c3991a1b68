"""From Azure's error codes to this package's kinds of error, in one table.

Codes: "Status and error codes" and "Blob Storage error codes"
(https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2,
…/blob-service-error-codes), and Resource Manager's
(https://learn.microsoft.com/azure/azure-resource-manager/management/common-error-codes).
Microsoft Entra's (AADSTS…) all mean that there is no token. A code that is in no table falls
back to its HTTP status; an exception that is no service's answer and no transport failure
passes untouched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import obstore.exceptions as obs
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

from airflow_multicloud.adapters import obstore as _obstore
from airflow_multicloud.adapters.answers import kind_of_status, malformed
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.errors import (
    CloudError,
    CredentialsError,
    ErrorKind,
    RetentionError,
    StorageError,
)

KINDS_BY_CODE: dict[str, ErrorKind] = {
    "BlobNotFound": ErrorKind.NOT_FOUND,
    # A blob of another type is there: another writer's, for what comes here looked before.
    "InvalidBlobType": ErrorKind.PRECONDITION_FAILED,
    "ContainerNotFound": ErrorKind.NOT_FOUND,
    "ResourceNotFound": ErrorKind.NOT_FOUND,
    "BlobAlreadyExists": ErrorKind.ALREADY_EXISTS,
    "ContainerAlreadyExists": ErrorKind.ALREADY_EXISTS,
    "ResourceAlreadyExists": ErrorKind.ALREADY_EXISTS,
    # A blob under an immutability policy, or one the credentials may only create.
    "BlobImmutableDueToPolicy": ErrorKind.PERMISSION_DENIED,
    "UnauthorizedBlobOverwrite": ErrorKind.PERMISSION_DENIED,
    "BlobOverwritten": ErrorKind.SOURCE_CHANGED,
    "ConditionNotMet": ErrorKind.PRECONDITION_FAILED,
    "SourceConditionNotMet": ErrorKind.PRECONDITION_FAILED,
    "TargetConditionNotMet": ErrorKind.PRECONDITION_FAILED,
    # Somebody else's commit on this key discarded the blocks that were named.
    "InvalidBlockList": ErrorKind.PRECONDITION_FAILED,
    # Somebody else's uncommitted blocks on this key have ids of another length.
    "InvalidBlobOrBlock": ErrorKind.PRECONDITION_FAILED,
    "LeaseIdMissing": ErrorKind.PRECONDITION_FAILED,
    "LeaseIdMismatchWithBlobOperation": ErrorKind.PRECONDITION_FAILED,
    "LeaseLost": ErrorKind.PRECONDITION_FAILED,
    "LeaseNotPresentWithBlobOperation": ErrorKind.PRECONDITION_FAILED,
    "PendingCopyOperation": ErrorKind.PRECONDITION_FAILED,
    "SnapshotsPresent": ErrorKind.PRECONDITION_FAILED,
    "AuthenticationFailed": ErrorKind.UNAUTHENTICATED,
    "InvalidAuthenticationInfo": ErrorKind.UNAUTHENTICATED,
    "NoAuthenticationInformation": ErrorKind.UNAUTHENTICATED,
    "AccountIsDisabled": ErrorKind.PERMISSION_DENIED,
    "AuthorizationFailure": ErrorKind.PERMISSION_DENIED,
    "AuthorizationPermissionMismatch": ErrorKind.PERMISSION_DENIED,
    "AuthorizationProtocolMismatch": ErrorKind.PERMISSION_DENIED,
    "AuthorizationResourceTypeMismatch": ErrorKind.PERMISSION_DENIED,
    "AuthorizationServiceMismatch": ErrorKind.PERMISSION_DENIED,
    "AuthorizationSourceIPMismatch": ErrorKind.PERMISSION_DENIED,
    "CannotVerifyCopySource": ErrorKind.PERMISSION_DENIED,
    "ContainerDisabled": ErrorKind.PERMISSION_DENIED,
    "InsufficientAccountPermissions": ErrorKind.PERMISSION_DENIED,
    "KeyBasedAuthenticationNotPermitted": ErrorKind.PERMISSION_DENIED,
    "PublicAccessNotPermitted": ErrorKind.PERMISSION_DENIED,
    "ServerBusy": ErrorKind.THROTTLED,
    "SnapshotOperationRateExceeded": ErrorKind.THROTTLED,
    "ContainerBeingDeleted": ErrorKind.UNAVAILABLE,
    "InternalError": ErrorKind.UNAVAILABLE,
    "SystemInUse": ErrorKind.UNAVAILABLE,
    "OperationTimedOut": ErrorKind.TIMEOUT,
    "BlockCountExceedsLimit": ErrorKind.QUOTA,
    "SnapshotCountExceeded": ErrorKind.QUOTA,
    "Crc64Mismatch": ErrorKind.INTEGRITY,
    "Md5Mismatch": ErrorKind.INTEGRITY,
    "BlobArchived": ErrorKind.UNSUPPORTED,
    "BlobBeingRehydrated": ErrorKind.UNSUPPORTED,
    "BlobAccessTierNotSupportedForAccountType": ErrorKind.UNSUPPORTED,
    "ConditionHeadersNotSupported": ErrorKind.UNSUPPORTED,
    "CopyAcrossAccountsNotSupported": ErrorKind.UNSUPPORTED,
    "FeatureVersionMismatch": ErrorKind.UNSUPPORTED,
    # Resource Manager and Cost Management; RBACAccessDenied comes with status 401.
    "AuthorizationFailed": ErrorKind.PERMISSION_DENIED,
    "RBACAccessDenied": ErrorKind.PERMISSION_DENIED,
    "IndirectCostDisabled": ErrorKind.PERMISSION_DENIED,
    "ExpiredAuthenticationToken": ErrorKind.UNAUTHENTICATED,
    "InvalidAuthenticationToken": ErrorKind.UNAUTHENTICATED,
    "InvalidAuthenticationTokenAudience": ErrorKind.UNAUTHENTICATED,
    "InvalidAuthenticationTokenTenant": ErrorKind.UNAUTHENTICATED,
    "SubscriptionNotFound": ErrorKind.NOT_FOUND,
    "ResourceGroupNotFound": ErrorKind.NOT_FOUND,
    "MissingSubscriptionRegistration": ErrorKind.UNSUPPORTED,
    "BlockListTooLong": ErrorKind.INVALID_ARGUMENT,
    "EmptyMetadataKey": ErrorKind.INVALID_ARGUMENT,
    "InvalidBlobTier": ErrorKind.INVALID_ARGUMENT,
    "InvalidBlockId": ErrorKind.INVALID_ARGUMENT,
    "InvalidHeaderValue": ErrorKind.INVALID_ARGUMENT,
    "InvalidInput": ErrorKind.INVALID_ARGUMENT,
    "InvalidMd5": ErrorKind.INVALID_ARGUMENT,
    "InvalidMetadata": ErrorKind.INVALID_ARGUMENT,
    "InvalidQueryParameterValue": ErrorKind.INVALID_ARGUMENT,
    "InvalidRange": ErrorKind.INVALID_ARGUMENT,
    "InvalidResourceName": ErrorKind.INVALID_ARGUMENT,
    "InvalidUri": ErrorKind.INVALID_ARGUMENT,
    "MetadataTooLarge": ErrorKind.INVALID_ARGUMENT,
    "OutOfRangeInput": ErrorKind.INVALID_ARGUMENT,
    "RequestBodyTooLarge": ErrorKind.INVALID_ARGUMENT,
    "ResourceTypeMismatch": ErrorKind.INVALID_ARGUMENT,
}

KINDS_BY_STATUS: dict[int, ErrorKind] = {
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
}

_HINTS = {
    "BlobArchived": (
        "the object is archived (access tier Archive); rehydrate it first (az storage blob "
        "set-tier --tier Hot), which takes up to 15 hours, then try again"
    ),
    "BlobBeingRehydrated": (
        "the object is archived and being rehydrated already, which takes up to 15 hours; try "
        "again when that is done (the property archiveStatus goes then)"
    ),
    "BlobAlreadyExists": "there is an object already",
    "ConditionNotMet": "the object is not the one that was expected: it was replaced or deleted",
    "InvalidBlockList": "another writer's commit on this key discarded the blocks sent",
    "InvalidBlobOrBlock": (
        "another tool's uncommitted blocks on this key have ids of another length; they expire "
        "after a week, or when the key is written in one request"
    ),
    "SnapshotsPresent": "the blob has snapshots; delete those first",
    "LeaseIdMissing": "the blob has a lease; break it (az storage blob lease break) or wait",
    "LeaseIdMismatchWithBlobOperation": "the blob has another lease than the one named",
    "BlobImmutableDueToPolicy": (
        "an immutability policy or a legal hold keeps the blob; it can be neither replaced nor "
        "deleted before that ends"
    ),
}

_INVALID_STATUS = re.compile(r"Operation returned an invalid status ('.*')")
_ENTRA_CODE = re.compile(r"\bAADSTS\d+")
_CODE_IN_BODY = re.compile(r"<Code>(\w+)</Code>")
# The message of AuthenticationFailed, which Azurite sends under another code.
_SIGNATURE_REFUSED = "Server failed to authenticate the request"
# Both are texts of errors that have no class of their own.
_RANGE_OUTSIDE = "Wanted range starting at"
_CREDENTIAL_FAILED = re.compile(r"\b(?:CredentialUnavailable|ClientAuthentication)Error\b")


@contextmanager
def translated(
    doing: str, *, creating: bool = False, area: type[CloudError] = StorageError
) -> Iterator[None]:
    """Turn the SDK's and obstore's exceptions into this package's.

    Messages are cut to their first line and lose URL queries, and the cause is not chained:
    both may hold a shared access signature.

    :param doing: the call and what it is about, for the message.
    :param creating: the write was to happen only where there is no object; a condition that
        fails then means ``already_exists``.
    :param area: the error class, but for refused credentials.
    :raises StorageError: (or ``area``) the service or the way to it failed.
    :raises CredentialsError: there are no usable credentials, or they were refused as such.
    """
    try:
        yield
    except DeserializationError as err:
        raise malformed(doing, NAME, err) from None
    except AzureError as err:
        kind = _sdk_kind(err)
        if kind is None:
            raise
        raise _error(err, error_code(err), kind, doing, area, creating=creating) from None
    except (obs.BaseError, FileNotFoundError, TimeoutError) as err:
        code = error_code(err)
        kind = _coded_kind(err, code) or _client_kind(str(err))
        if kind is not None:
            raise _error(err, code, kind, doing, area, creating=creating) from None
        with _obstore.translated(NAME, doing):
            raise


def error_code(err: Exception) -> str | None:
    """The service's own error code, if the exception carries one."""
    if isinstance(err, HttpResponseError):
        headers: Mapping[str, str] = getattr(err.response, "headers", {})
        header = headers.get("x-ms-error-code")
        # Storage's, Resource Manager's, Microsoft Entra's.
        code = header or getattr(err, "error_code", None) or getattr(err.error, "code", None)
        if code:
            return str(getattr(code, "value", code))
        entra = _ENTRA_CODE.search(str(err))
        return entra[0] if entra else None
    found = _CODE_IN_BODY.search(str(err))
    return found[1] if found else None


def _error(
    err: Exception,
    code: str | None,
    kind: ErrorKind,
    doing: str,
    area: type[CloudError],
    *,
    creating: bool,
) -> CloudError:
    if creating and code == "ConditionNotMet":
        kind = ErrorKind.ALREADY_EXISTS
    there = creating and kind is ErrorKind.ALREADY_EXISTS
    hint = _HINTS.get("BlobAlreadyExists" if there else code or "")
    text = hint or _obstore.redact(str(err)) or type(err).__name__
    # The SDK's own words, where it did not read the answer's.
    text = _INVALID_STATUS.sub(r"the service answered \1", text)
    suffix = f" ({code})" if code and code not in text else ""
    cls = CredentialsError if kind is ErrorKind.UNAUTHENTICATED else area
    if code == "BlobImmutableDueToPolicy" and area is StorageError:
        cls = RetentionError
    return cls(f"{doing}: {text}{suffix}", kind=kind, cloud=NAME, code=code)


def _coded_kind(err: Exception, code: str | None) -> ErrorKind | None:
    if code == "AuthorizationFailure" and _SIGNATURE_REFUSED in str(err):
        return ErrorKind.UNAUTHENTICATED
    if code and _ENTRA_CODE.fullmatch(code):
        return ErrorKind.UNAUTHENTICATED
    return KINDS_BY_CODE.get(code or "")


def _sdk_kind(err: AzureError) -> ErrorKind | None:
    # azure-identity says so of whatever kept it from asking for a token.
    if isinstance(err, ClientAuthenticationError) and isinstance(err.__cause__, AzureError):
        return _sdk_kind(err.__cause__)
    if isinstance(err, DecodeError) and not isinstance(err, IncompleteReadError):
        return ErrorKind.INTEGRITY  # a web page, say
    if isinstance(err, HttpResponseError) and not isinstance(err, IncompleteReadError):
        return _answer_kind(err)
    if isinstance(err, ServiceRequestTimeoutError | ServiceResponseTimeoutError):
        return ErrorKind.TIMEOUT
    broken_off = ServiceRequestError | ServiceResponseError | IncompleteReadError
    return ErrorKind.UNAVAILABLE if isinstance(err, broken_off) else None


def _answer_kind(err: HttpResponseError) -> ErrorKind | None:
    if kind := _coded_kind(err, error_code(err)):
        return kind
    if not isinstance(err, CredentialUnavailableError) and err.status_code in KINDS_BY_STATUS:
        return KINDS_BY_STATUS[err.status_code]
    if isinstance(err, ClientAuthenticationError):
        return ErrorKind.UNAUTHENTICATED
    return kind_of_status(err.status_code) if err.status_code else None


def _client_kind(text: str) -> ErrorKind | None:
    """What obstore, or the callback that gives it tokens, found wrong without the service."""
    if _CREDENTIAL_FAILED.search(text):
        return ErrorKind.UNAUTHENTICATED
    return ErrorKind.INVALID_ARGUMENT if _RANGE_OUTSIDE in text else None
