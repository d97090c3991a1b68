"""What AWS's errors mean: the codes that its services share, and botocore's own exceptions.

Codes: "Common Errors" of the services' API references; what is one service's own is in its
``errors``. An answer without a body (to HEAD, say) has its HTTP status as its code in botocore.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from airflow_multicloud.adapters.answers import MALFORMED, malformed
from airflow_multicloud.adapters.errors import ErrorTable, by_code, retry_after_of
from airflow_multicloud.adapters.sdk_logs import without_secrets
from airflow_multicloud.adapters.secret_text import without_header_values, without_user
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.seams import raised_by_answer
from airflow_multicloud.errors import CloudError, CredentialsError, ErrorKind
from airflow_multicloud.text import shortened

#: What every service's table begins with. A code that no table has goes by its HTTP status.
BASE: Final = ErrorTable(
    codes=by_code(
        {
            ErrorKind.NOT_FOUND: (
                "404 NoSuchEntity NotFound NotFoundException ResourceNotFound "
                "ResourceNotFoundException"
            ),
            ErrorKind.ALREADY_EXISTS: (
                "EntityAlreadyExists ResourceAlreadyExistsException ResourceExistsException"
            ),
            ErrorKind.PERMISSION_DENIED: (
                "403 AccessDenied AccessDeniedException KMS.AccessDeniedException OptInRequired "
                "OptInRequiredException RegionDisabledException UnauthorizedAccess "
                "UnauthorizedOperation"
            ),
            ErrorKind.UNAUTHENTICATED: (
                "401 AuthFailure ExpiredToken ExpiredTokenException IDPCommunicationError "
                "IDPRejectedClaim IncompleteSignature InvalidAccessKeyId InvalidClientTokenId "
                "InvalidIdentityToken InvalidSignatureException MissingAuthenticationToken "
                "NotSignedUp RequestExpired SignatureDoesNotMatch UnrecognizedClientException"
            ),
            ErrorKind.THROTTLED: (
                "429 BandwidthLimitExceeded EC2ThrottledException "
                "ProvisionedThroughputExceededException RequestLimitExceeded RequestThrottled "
                "RequestThrottledException SlowDown ThrottledException Throttling "
                "ThrottlingException TooManyRequestsException"
            ),
            ErrorKind.UNAVAILABLE: (
                "500 502 503 504 InternalError InternalErrorException InternalFailure "
                "InternalServerError InternalServerException InternalServiceError "
                "ServiceUnavailable ServiceUnavailableException"
            ),
            ErrorKind.TIMEOUT: "408 RequestTimeout RequestTimeoutException",
            ErrorKind.QUOTA: "LimitExceededException ServiceQuotaExceededException",
            ErrorKind.CAPACITY: "InsufficientCapacity InsufficientInstanceCapacity",
            ErrorKind.BUSY: (
                "ConcurrentModification ConcurrentModificationException ConflictException "
                "OperationAborted OperationAbortedException PriorRequestNotComplete "
                "ResourceConflictException ResourceInUseException TransactionInProgressException"
            ),
            ErrorKind.INVALID_ARGUMENT: (
                "301 400 405 411 InvalidParameter InvalidParameterCombination "
                "InvalidParameterException InvalidParameterValue InvalidParameterValueException "
                "InvalidRequest InvalidRequestException MalformedPolicyDocument MissingParameter "
                "PackedPolicyTooLarge ValidationError ValidationException"
            ),
            # A server that does not know the call is not the service, or an old one of it.
            ErrorKind.UNSUPPORTED: (
                "501 InvalidAction NotImplemented UnknownOperationException UnsupportedOperation"
            ),
        }
    ),
    # The pattern of EC2, and of services of its time
    # (docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html).
    suffixes={
        ".NotFound": ErrorKind.NOT_FOUND,
        ".Duplicate": ErrorKind.ALREADY_EXISTS,
        ".Malformed": ErrorKind.INVALID_ARGUMENT,
        "LimitExceeded": ErrorKind.QUOTA,
    },
    statuses={429: ErrorKind.THROTTLED},
)

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


_LONGEST = 1000
_QUERY = re.compile(r"\?[^\s\"'`]*")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an answer becomes.

    :param kind: the cause.
    :param area: the class of the error.
    :param hint: what to add to its text, where the service does not say what to do.
    """

    kind: ErrorKind
    area: type[CloudError]
    hint: str = ""


#: A service's own reading of an answer that its table alone can't tell.
Refinement = Callable[[boto.ClientError, Meaning], Meaning]


def code_of(error: Exception) -> str:
    """The service's own error code; empty where there is none."""
    if not isinstance(error, boto.ClientError):
        return ""
    return str(error.response.get("Error", {}).get("Code") or "")


@contextmanager
def translated(
    doing: str,
    *,
    table: ErrorTable,
    area: type[CloudError],
    refined: Refinement | None = None,
) -> Iterator[None]:
    """Turn botocore's exceptions into this package's; unknown ones pass untouched.

    Each service has its own of this name, with its table and area.

    :param doing: the call and what it was for, which begins the message.
    :param table: what the service's codes mean.
    :param area: the error class, except for refused credentials: those are
        :class:`~airflow_multicloud.errors.CredentialsError`.
    :param refined: reads what the table can't tell.
    """
    try:
        yield
    except (boto.ClientError, boto.BotoCoreError, ResponseParserError) as error:
        kind = _kind_of(error, table)
        if kind is None:
            raise
        meaning = Meaning(kind, area)
        if isinstance(error, boto.ClientError):
            meaning = _of_role(error, meaning)
            if refined is not None:
                meaning = refined(error, meaning)
        cls = CredentialsError if meaning.kind is ErrorKind.UNAUTHENTICATED else meaning.area
        text = str(error)
        shown = _shown(text)
        if not isinstance(error, boto.ClientError):
            # It may name a field of the connection, of any length.
            shown = shortened(shown, _LONGEST)
        raise cls(
            f"{doing}: {shown}{meaning.hint}",
            kind=meaning.kind,
            cloud=NAME,
            code=code_of(error) or None,
            retry_after=_wait_of(error),
        ) from (error if shown == text else None)
    except MALFORMED as error:
        # A header that is no number or no time, say: botocore lets that pass.
        if not raised_by_answer(error):
            raise
        raise malformed(doing, NAME, error, area=area) from error


def _shown(text: str) -> str:
    """An error's text without secrets: it may name a URL, whose query may hold a signature.

    With a wrong key S3 and others answer all that was to be signed, the session's token too.
    """
    return without_header_values(_QUERY.sub("?…", without_user(without_secrets(text))))


def _kind_of(error: Exception, table: ErrorTable) -> ErrorKind | None:
    if isinstance(error, boto.ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return table.kind_of(code_of(error), status)
    return next((kind for types, kind in _EXCEPTIONS if isinstance(error, types)), None)


def _of_role(error: boto.ClientError, meaning: Meaning) -> Meaning:
    """Whoever may not take on the connection's role has no credentials."""
    if error.operation_name.startswith("AssumeRole") and not meaning.kind.retryable:
        return replace(meaning, kind=ErrorKind.UNAUTHENTICATED)
    return meaning


def _wait_of(error: Exception) -> timedelta | None:
    if not isinstance(error, boto.ClientError):
        return None
    return retry_after_of(error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}))
