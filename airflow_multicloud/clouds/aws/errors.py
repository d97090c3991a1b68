"""What AWS's errors mean: one table from error codes and botocore's exceptions to kinds.

Codes: "Error responses" of the Amazon S3 API reference
(docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html) and "Common Errors" of the
other services' API references. A HEAD request has no error body; botocore then gives the
HTTP status as the code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from traceback import walk_tb

from botocore import exceptions as boto
from botocore import parsers
from botocore.parsers import ResponseParserError

from airflow_multicloud.adapters.answers import MALFORMED, kind_of_status, malformed
from airflow_multicloud.adapters.secret_text import without_header_values
from airflow_multicloud.errors import (
    CloudError,
    CredentialsError,
    ErrorKind,
    RetentionError,
    StorageError,
)
from airflow_multicloud.ports.object_store import IfAbsent, IfUnchanged, WriteCondition

CLOUD = "aws"

_CODES: Mapping[ErrorKind, str] = {
    ErrorKind.NOT_FOUND: (
        "404 NoSuchBucket NoSuchKey NoSuchUpload NoSuchVersion NoSuchTagSet NotFound "
        "NoSuchEntity NotFoundException ResourceNotFound ResourceNotFoundException"
    ),
    ErrorKind.ALREADY_EXISTS: (
        "BucketAlreadyExists BucketAlreadyOwnedByYou EntityAlreadyExists "
        "ResourceAlreadyExistsException ResourceExistsException"
    ),
    ErrorKind.PRECONDITION_FAILED: "304 409 412 ConditionalRequestConflict PreconditionFailed",
    ErrorKind.PERMISSION_DENIED: (
        "403 AccessDenied AccessDeniedException AccountProblem AllAccessDisabled "
        "MethodNotAllowed OptInRequired OptInRequiredException "
        "UnauthorizedAccess UnauthorizedOperation KMS.AccessDeniedException"
    ),
    ErrorKind.UNAUTHENTICATED: (
        "401 AuthFailure AuthorizationHeaderMalformed ExpiredToken ExpiredTokenException "
        "IDPCommunicationError IncompleteSignature InvalidAccessKeyId InvalidClientTokenId "
        "InvalidIdentityToken InvalidSecurity InvalidSignatureException InvalidToken "
        "MissingAuthenticationToken NotSignedUp RequestExpired RequestTimeTooSkewed "
        "SignatureDoesNotMatch TokenRefreshRequired UnrecognizedClientException"
    ),
    ErrorKind.THROTTLED: (
        "429 BandwidthLimitExceeded EC2ThrottledException LimitExceededException "
        "PriorRequestNotComplete ProvisionedThroughputExceededException RequestLimitExceeded "
        "RequestThrottled RequestThrottledException SlowDown ThrottledException Throttling "
        "ThrottlingException TooManyRequestsException TransactionInProgressException"
    ),
    ErrorKind.UNAVAILABLE: (
        "500 502 503 504 InternalError InternalFailure InternalServerError "
        "InternalErrorException InternalServerException InternalServiceError OperationAborted "
        "ServiceUnavailable ServiceUnavailableException"
    ),
    ErrorKind.TIMEOUT: "408 RequestTimeout RequestTimeoutException",
    ErrorKind.QUOTA: (
        "EntityTooLarge InstanceLimitExceeded InsufficientStorageCapacity "
        "MaxSpotInstanceCountExceeded ServiceQuotaExceededException TooManyBuckets "
        "TooManyParts VcpuLimitExceeded"
    ),
    ErrorKind.CAPACITY: "InsufficientCapacity InsufficientInstanceCapacity",
    ErrorKind.INTEGRITY: (
        "BadDigest IncompleteBody InvalidPart InvalidPartOrder XAmzContentChecksumMismatch "
        "XAmzContentSHA256Mismatch"
    ),
    # A page's token ran out, as it does when pages are read slowly: begin at the first page.
    ErrorKind.SOURCE_CHANGED: "ExpiredNextTokenException InvalidNextTokenException",
    ErrorKind.INVALID_ARGUMENT: (
        "301 400 405 411 416 BillExpirationException BillingViewHealthStatusException "
        "DataUnavailableException EntityTooSmall IllegalLocationConstraintException "
        "InvalidArgument InvalidBucketName InvalidDigest InvalidLocationConstraint "
        "InvalidParameter InvalidParameterCombination InvalidParameterException "
        "InvalidParameterValue InvalidRange InvalidRequest InvalidRequestException "
        "InvalidStorageClass InvalidTag InvalidURI KeyTooLongError MalformedXML "
        "MetadataTooLarge MissingParameter PermanentRedirect Redirect RequestChangedException "
        "TemporaryRedirect ValidationError ValidationException"
    ),
    # An archived object can't be read before it is restored: the same kind on every cloud.
    ErrorKind.UNSUPPORTED: (
        "501 InvalidObjectState NotImplemented ObjectNotInActiveTierError UnsupportedOperation"
    ),
}

#: AWS error code → cause. A code that is not here passes through untouched.
KINDS: Mapping[str, ErrorKind] = {
    code: kind for kind, codes in _CODES.items() for code in codes.split()
}

# Botocore's own exceptions; the first that fits counts (subclasses stand before their bases).
_EXCEPTIONS: tuple[tuple[tuple[type[Exception], ...], ErrorKind], ...] = (
    (
        (
            boto.NoCredentialsError,
            boto.PartialCredentialsError,
            boto.CredentialRetrievalError,
            boto.TokenRetrievalError,
            boto.UnauthorizedSSOTokenError,
            boto.SSOTokenLoadError,
            boto.ProfileNotFound,
            boto.MetadataRetrievalError,
            boto.NoAuthTokenError,
        ),
        ErrorKind.UNAUTHENTICATED,
    ),
    ((boto.ConnectTimeoutError, boto.ReadTimeoutError), ErrorKind.TIMEOUT),
    (
        (
            boto.ResponseStreamingError,
            boto.IncompleteReadError,
            boto.FlexibleChecksumError,
            boto.PaginationError,  # one token twice
            ResponseParserError,
        ),
        ErrorKind.INTEGRITY,
    ),
    ((boto.ConnectionError, boto.HTTPClientError), ErrorKind.UNAVAILABLE),
    (
        (
            boto.ParamValidationError,
            boto.ValidationError,
            boto.NoRegionError,
            boto.InvalidRegionError,
            boto.EndpointProviderError,
            boto.UnsupportedSignatureVersionError,
        ),
        ErrorKind.INVALID_ARGUMENT,
    ),
)

#: A GET is refused with ExpiredToken, InvalidToken or AuthorizationHeaderMalformed, all of them
#: HTTP 400; a HEAD with a bare 400 (botocore/utils.py, redirect_from_error, says the same of a
#: wrong region, which it has tried to mend before the error comes here). Where a GET can be made
#: in its place it has been asked for the reason, and had none (_base.py, told_why).
_BARE_400 = (
    ": S3's answer to HEAD has no reason in it; most likely the session token is expired or "
    "invalid, else the region is wrong or the request malformed"
)

_ARCHIVED = (
    ": the object is archived (S3 Glacier Flexible Retrieval or Deep Archive, or an archive tier "
    "of Intelligent-Tiering); restore it first (aws s3api restore-object), which takes minutes to "
    "two days, then try again"
)
_HINTS = {"InvalidObjectState": _ARCHIVED, "ObjectNotInActiveTierError": _ARCHIVED}

# "Access Denied because object protected by object lock"; others that speak S3 say WORM.
_KEPT = re.compile(r"object lock|\bWORM\b|retention", re.IGNORECASE)
_QUERY = re.compile(r"\?[^\s\"'`]*")
_CONFLICTS = {"304", "409", "412", "ConditionalRequestConflict", "PreconditionFailed"}


def kind_of(error: Exception, condition: WriteCondition | None = None) -> ErrorKind | None:
    """The cause of a botocore exception, or ``None`` when nothing is known of it.

    An answer whose code the table lacks has that of its status.

    :param condition: what the failed write was bound to.
    """
    if isinstance(error, boto.ClientError):
        kind = kind_of_code(error.response.get("Error", {}).get("Code", ""), condition)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return kind_of_status(status) if kind is None and status else kind
    return next((kind for types, kind in _EXCEPTIONS if isinstance(error, types)), None)


def kind_of_code(code: str, condition: WriteCondition | None = None) -> ErrorKind | None:
    """The cause an error code stands for, or ``None`` when the table doesn't know it.

    S3 answers 412 to an unmet condition, 409 ``ConditionalRequestConflict`` to a race that
    was lost, and 404 to ``If-Match`` on a key without object.
    """
    if isinstance(condition, IfAbsent) and code in _CONFLICTS:
        return ErrorKind.ALREADY_EXISTS
    if isinstance(condition, IfUnchanged) and code in ("404", "NoSuchKey"):
        return ErrorKind.PRECONDITION_FAILED
    return KINDS.get(code)


def hint_of(code: str | None) -> str:
    """What to add to an error's text, since the service does not say what to do."""
    return _HINTS.get(code or "", "")


@contextmanager
def connection_read(conn_id: str | None) -> Iterator[None]:
    """Say that a connection's fields are not of the form that Airflow's hook and boto3 expect.

    :raises CredentialsError: kind ``invalid_argument``. It is not chained, and does not show the
        text: what was parsed may hang on the cause.
    """
    try:
        yield
    except (boto.ClientError, boto.BotoCoreError):
        raise  # :func:`translated` knows these; a region of the wrong form is also a ValueError.
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise CredentialsError(
            f"connection {conn_id!r} can't be used: a field or an extra of it is not of the form "
            f"that the AWS hook expects ({type(error).__name__})",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=CLOUD,
        ) from None


@contextmanager
def translated(
    doing: str,
    *,
    area: type[CloudError] = StorageError,
    condition: WriteCondition | None = None,
) -> Iterator[None]:
    """Turn botocore's exceptions into this package's; unknown ones pass untouched.

    :param doing: the call and what it was for, which begins the message.
    :param area: the error class, but for refused credentials: those are
        :class:`~airflow_multicloud.errors.CredentialsError`.
    :param condition: what the write was bound to.
    """
    try:
        yield
    except (boto.ClientError, boto.BotoCoreError, ResponseParserError) as error:
        kind = kind_of(error, condition)
        if kind is None:
            raise
        code, hint = None, ""
        if isinstance(error, boto.ClientError):
            code = error.response["Error"].get("Code")
            # Whoever may not take on the connection's role has no credentials.
            if error.operation_name.startswith("AssumeRole") and not kind.retryable:
                kind = ErrorKind.UNAUTHENTICATED
            hint = hint_of(code)
            if code == "400" and error.operation_name.startswith("Head"):
                kind, hint = ErrorKind.UNAUTHENTICATED, _BARE_400
        cls = CredentialsError if kind is ErrorKind.UNAUTHENTICATED else area
        # Connection errors name the URL; its query may hold a signature.
        text = _QUERY.sub("?…", str(error))
        if area is StorageError and kind is ErrorKind.PERMISSION_DENIED and _KEPT.search(text):
            cls = RetentionError
        shown = without_header_values(text)
        cause = error if shown == text else None
        raise cls(f"{doing}: {shown}{hint}", kind=kind, cloud=CLOUD, code=code) from cause
    except MALFORMED as error:
        # A header that is no number or no time, say: botocore's parser lets that pass.
        if not _from_parser(error):
            raise
        raise malformed(doing, CLOUD, error, area=area) from error


def _from_parser(error: Exception) -> bool:
    return any(
        frame.f_globals.get("__name__") == parsers.__name__
        for frame, _ in walk_tb(error.__traceback__)
    )
