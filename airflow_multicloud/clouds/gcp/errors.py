"""Google Cloud's failures in this package's words: one table, for every service's hook.

Sources: https://cloud.google.com/storage/docs/json_api/v1/status-codes (HTTP status and
``reason``) and https://cloud.google.com/apis/design/errors (the statuses all APIs share).
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import requests.exceptions as rq
import urllib3.exceptions as u3
from airflow.providers.common.compat.sdk import AirflowException
from google.api_core import exceptions as api
from google.auth import exceptions as auth
from google.resumable_media import DataCorruption, InvalidResponse

from airflow_multicloud.adapters.answers import kind_of_status
from airflow_multicloud.adapters.secret_text import without_header_values
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.errors import (
    CloudError,
    CredentialsError,
    ErrorKind,
    RetentionError,
    StorageError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_BY_STATUS = {
    400: ErrorKind.INVALID_ARGUMENT,
    401: ErrorKind.UNAUTHENTICATED,
    403: ErrorKind.PERMISSION_DENIED,
    404: ErrorKind.NOT_FOUND,
    408: ErrorKind.TIMEOUT,
    409: ErrorKind.ALREADY_EXISTS,
    410: ErrorKind.NOT_FOUND,
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

#: A reason that says more than its status does.
_BY_REASON = {
    "rateLimitExceeded": ErrorKind.THROTTLED,
    "userRateLimitExceeded": ErrorKind.THROTTLED,
    "RATE_LIMIT_EXCEEDED": ErrorKind.THROTTLED,
    "quotaExceeded": ErrorKind.QUOTA,
    "dailyLimitExceeded": ErrorKind.QUOTA,
    "QUOTA_EXCEEDED": ErrorKind.QUOTA,
    "ZONE_RESOURCE_POOL_EXHAUSTED": ErrorKind.CAPACITY,
    "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS": ErrorKind.CAPACITY,
    "resourceNotReady": ErrorKind.UNAVAILABLE,
    "conditionNotMet": ErrorKind.PRECONDITION_FAILED,
    # https://cloud.google.com/bigquery/docs/error-messages
    "bytesBilledLimitExceeded": ErrorKind.QUOTA,
    "jobRateLimitExceeded": ErrorKind.THROTTLED,
}

# Cloud Storage answers 400 "invalid" to a wrong checksum; only the text tells which it is.
_KEPT_TEXT = re.compile(r"retention policy|object retention|under active .*hold", re.IGNORECASE)
_CHECKSUM_TEXT = "doesn't match calculated"

#: What happens on the way: the first class that fits decides, so subclasses come first.
_TRANSPORT: tuple[tuple[type[Exception], ErrorKind], ...] = (
    (DataCorruption, ErrorKind.INTEGRITY),
    (u3.NewConnectionError, ErrorKind.UNAVAILABLE),  # a ConnectTimeoutError by class
    (u3.ConnectTimeoutError, ErrorKind.TIMEOUT),
    (u3.ReadTimeoutError, ErrorKind.TIMEOUT),
    (u3.IncompleteRead, ErrorKind.INTEGRITY),
    (u3.SSLError, ErrorKind.UNAVAILABLE),
    (u3.ProtocolError, ErrorKind.UNAVAILABLE),
    (u3.ProxyError, ErrorKind.UNAVAILABLE),
    (u3.ResponseError, ErrorKind.UNAVAILABLE),
    (rq.Timeout, ErrorKind.TIMEOUT),
    (rq.ConnectionError, ErrorKind.UNAVAILABLE),
    (rq.ChunkedEncodingError, ErrorKind.UNAVAILABLE),
    (rq.ContentDecodingError, ErrorKind.INTEGRITY),
    (api.RetryError, ErrorKind.TIMEOUT),
)


@contextmanager
def translated(doing: str, area: type[CloudError] = StorageError) -> Iterator[None]:
    """Turn Google's exceptions into this package's; what the table lacks passes untouched.

    :param doing: the call and what it was about, for the message.
    :param area: the class to raise (refused credentials are always
        :class:`~airflow_multicloud.errors.CredentialsError`).
    """
    try:
        yield
    except CloudError:
        raise
    except (api.GoogleAPICallError, InvalidResponse) as err:
        status, reason, text = _answer(err)
        kind = _kind(status, reason, text, err)
        if kind is None:
            raise
        denied = area is StorageError and kind is ErrorKind.PERMISSION_DENIED
        if denied and _is_kept(reason, text):
            area = RetentionError
        raise _area(area, kind)(
            f"{doing}: {text}", kind=kind, cloud=NAME, code=reason or str(status)
        ) from err
    except auth.GoogleAuthError as err:
        # Unchained: its arguments hold the token endpoint's whole answer.
        temporary = isinstance(err, auth.TransportError) or err.retryable
        kind = ErrorKind.UNAVAILABLE if temporary else ErrorKind.UNAUTHENTICATED
        raise CredentialsError(f"{doing}: {_first(err)}", kind=kind, cloud=NAME) from None
    except (u3.HTTPError, rq.RequestException, DataCorruption, api.RetryError) as err:
        cause = err.reason if isinstance(err, u3.MaxRetryError) and err.reason else err
        for cls, kind in _TRANSPORT:
            if isinstance(cause, cls):
                raise area(f"{doing}: {_transport_text(cause)}", kind=kind, cloud=NAME) from err
        raise


@contextmanager
def credentials_read(conn_id: str) -> Iterator[None]:
    """Say what is wrong with a connection's key before Google is asked.

    Airflow's hook and google-auth let whatever parsing a key raises pass: no file, no JSON, no
    PEM, a missing field.

    :raises CredentialsError: kind ``invalid_argument``. It is not chained: what was parsed may
        hang on the cause.
    """
    try:
        yield
    except auth.GoogleAuthError:
        raise  # :func:`translated` knows these.
    except (AirflowException, AttributeError, OSError, KeyError, TypeError, ValueError) as err:
        text = f"the key has no field {err}" if isinstance(err, KeyError) else str(err)
        raise CredentialsError(
            f"connection {conn_id!r}: its key can't be read: {text}",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=NAME,
        ) from None


def _answer(err: api.GoogleAPICallError | InvalidResponse) -> tuple[int, str | None, str]:
    """The HTTP status, Google's reason and the text of an answer that is an error."""
    if isinstance(err, InvalidResponse):
        return int(err.response.status_code), None, _first(err)
    reason = err.reason or next(
        (e["reason"] for e in err.errors if isinstance(e, dict) and "reason" in e), None
    )
    return int(err.code or 0), reason, str(err.message)


def _kind(status: int, reason: str | None, text: str, err: Exception) -> ErrorKind | None:
    if reason in _BY_REASON:
        return _BY_REASON[reason]
    if status == api.BadRequest.code and _CHECKSUM_TEXT in text:
        return ErrorKind.INTEGRITY
    if isinstance(err, api.Aborted):
        return ErrorKind.PRECONDITION_FAILED
    return _BY_STATUS.get(status) or (kind_of_status(status) if status else None)


def _area(area: type[CloudError], kind: ErrorKind) -> type[CloudError]:
    return CredentialsError if kind is ErrorKind.UNAUTHENTICATED else area


def _is_kept(reason: str | None, text: str) -> bool:
    """Whether a retention policy or a hold keeps the object.

    https://cloud.google.com/storage/docs/bucket-lock and …/object-holds
    """
    return reason == "retentionPolicyNotMet" or _KEPT_TEXT.search(text) is not None


def _first(err: Exception) -> str:
    return str(err.args[0]) if err.args else type(err).__name__


def _transport_text(cause: Exception) -> str:
    # urllib3 puts "host, port and url" before the reason; the url's query is no one's business.
    text = without_header_values(_first(cause).split("?", 1)[0])
    return f"{type(cause).__name__}: {text}"
