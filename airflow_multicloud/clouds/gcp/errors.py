"""Google Cloud's failures in this package's words: what the errors of all its services share.

Google tells a cause in three ways, from the most exact to the least: a reason (of the service's
own, or one of ``google.api.ErrorReason``), a canonical status name (``google.rpc.Code``), an HTTP
status. The first of them that a service's table knows decides.

Sources: https://cloud.google.com/apis/design/errors and the services' own pages.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests.exceptions as rq
import urllib3.exceptions as u3
from airflow.providers.common.compat.sdk import AirflowException
from google.api_core import exceptions as api
from google.auth import exceptions as auth
from google.resumable_media import DataCorruption, InvalidResponse

from airflow_multicloud.adapters.answers import MALFORMED
from airflow_multicloud.adapters.errors import ErrorTable, by_code, retry_after_of
from airflow_multicloud.adapters.sdk_logs import without_secrets
from airflow_multicloud.adapters.secret_text import without_header_values
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.errors import CloudError, CredentialsError, ErrorKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

#: What every service of Google means by a reason, a status name or an HTTP status.
BASE = ErrorTable(
    codes=by_code(
        {
            # google.rpc.Code; services answer UNKNOWN and INTERNAL when they are in trouble.
            ErrorKind.INVALID_ARGUMENT: "INVALID_ARGUMENT OUT_OF_RANGE",
            ErrorKind.UNAUTHENTICATED: "UNAUTHENTICATED",
            ErrorKind.PERMISSION_DENIED: "PERMISSION_DENIED",
            ErrorKind.NOT_FOUND: "NOT_FOUND",
            ErrorKind.ALREADY_EXISTS: "ALREADY_EXISTS",
            # ABORTED is a lost race: what the request was based on must be read again.
            ErrorKind.PRECONDITION_FAILED: "FAILED_PRECONDITION ABORTED conditionNotMet",
            ErrorKind.UNSUPPORTED: "UNIMPLEMENTED",
            ErrorKind.INTEGRITY: "DATA_LOSS",
            ErrorKind.TIMEOUT: "DEADLINE_EXCEEDED",
            ErrorKind.UNAVAILABLE: "UNAVAILABLE UNKNOWN INTERNAL CANCELLED",
            ErrorKind.THROTTLED: (
                "RESOURCE_EXHAUSTED RATE_LIMIT_EXCEEDED rateLimitExceeded userRateLimitExceeded"
            ),
            ErrorKind.QUOTA: (
                "QUOTA_EXCEEDED RESOURCE_QUOTA_EXCEEDED EMULATOR_QUOTA_EXCEEDED quotaExceeded "
                "dailyLimitExceeded"
            ),
            # Compute Engine's, which the services that run on its machines pass on.
            ErrorKind.CAPACITY: (
                "ZONE_RESOURCE_POOL_EXHAUSTED ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS"
            ),
            ErrorKind.BUSY: "resourceNotReady",
        }
    ),
    statuses={
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
    },
)

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
    (u3.DecodeError, ErrorKind.INTEGRITY),
    (u3.ResponseError, ErrorKind.UNAVAILABLE),
    (rq.Timeout, ErrorKind.TIMEOUT),
    (rq.ConnectionError, ErrorKind.UNAVAILABLE),
    (rq.ChunkedEncodingError, ErrorKind.UNAVAILABLE),
    (rq.ContentDecodingError, ErrorKind.INTEGRITY),
    (api.RetryError, ErrorKind.TIMEOUT),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is an error.

    :param status: of HTTP; 0 where there was none.
    :param codes: what it gives for reasons, the most exact first.
    :param reason: the one to show, if there is any.
    :param retry_after: how long it asks to wait.
    """

    status: int
    codes: tuple[str, ...]
    reason: str | None
    text: str
    retry_after: timedelta | None

    def kind_by(self, table: ErrorTable) -> ErrorKind | None:
        """The cause; ``None`` when nothing of it says one."""
        for code in self.codes:
            if (kind := table.kind_of_code(code)) is not None:
                return kind
        return table.kind_of(None, self.status)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a refusal becomes."""

    kind: ErrorKind
    area: type[CloudError]


#: A service's second look at a refusal: only the text tells some causes.
Refine = Callable[[Refusal, Meaning], Meaning]


@contextmanager
def translated(
    doing: str,
    *,
    table: ErrorTable,
    area: type[CloudError],
    refine: Refine = lambda _, meaning: meaning,
) -> Iterator[None]:
    """Turn Google's exceptions into this package's; what the table lacks passes untouched.

    Each service binds its table and area to it in its own ``errors``.

    :param doing: the call and what it was about, for the message.
    :param table: what the service's codes mean.
    :param area: the class to raise (refused credentials are always
        :class:`~airflow_multicloud.errors.CredentialsError`).
    :param refine: corrects the meaning by what only the text of an answer tells.
    :raises CloudError: of the area, with the cause's kind.
    """
    try:
        yield
    except CloudError:
        raise
    except (api.GoogleAPICallError, InvalidResponse) as err:
        refusal = _refusal(err)
        kind = refusal.kind_by(table)
        if kind is None:
            raise
        meaning = refine(refusal, Meaning(kind, area))
        refused = meaning.kind is ErrorKind.UNAUTHENTICATED
        raise (CredentialsError if refused else meaning.area)(
            f"{doing}: {without_secrets(refusal.text)}",
            kind=meaning.kind,
            cloud=NAME,
            code=refusal.reason or str(refusal.status),
            retry_after=refusal.retry_after,
        ) from err
    except auth.GoogleAuthError as err:
        # Unchained: its arguments hold the token endpoint's whole answer.
        temporary = isinstance(err, auth.TransportError) or err.retryable
        kind = ErrorKind.UNAVAILABLE if temporary else ErrorKind.UNAUTHENTICATED
        raise CredentialsError(f"{doing}: {_shown(_first(err))}", kind=kind, cloud=NAME) from None
    except (u3.HTTPError, rq.RequestException, DataCorruption, api.RetryError) as err:
        cause = err.reason if isinstance(err, u3.MaxRetryError) and err.reason else err
        for cls, kind in _TRANSPORT:
            if isinstance(cause, cls):
                raise area(f"{doing}: {_transport_text(cause)}", kind=kind, cloud=NAME) from err
        raise


@contextmanager
def credentials_read(conn_id: str) -> Iterator[None]:
    """Say what is wrong with a connection's key before Google is asked.

    Airflow's hook and google-auth let everything through that parsing a key raises: no file, no
    JSON, no PEM, a missing field.

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


def _refusal(err: api.GoogleAPICallError | InvalidResponse) -> Refusal:
    if isinstance(err, InvalidResponse):
        return Refusal(int(err.response.status_code), (), None, _first(err), _wait(err.response))
    listed = (e.get("reason") for e in err.errors if isinstance(e, dict))
    reason = next((r for r in (err.reason, *listed) if r and isinstance(r, str)), None)
    return Refusal(
        status=int(err.code or 0),
        codes=tuple(code for code in (reason, _status_name(err)) if code),
        reason=reason,
        text=str(err.message),
        retry_after=_wait(err.response) or _told_delay(err.details),
    )


def _status_name(err: api.GoogleAPICallError) -> str | None:
    """The canonical name (``google.rpc.Code``): gRPC's own, or what the JSON has beside it."""
    name: str | None = None
    with suppress(*MALFORMED):  # a proxy's own JSON, or no answer at all
        name = err.response.json()["error"]["status"]
    if isinstance(name, str):
        return name
    return err.grpc_status_code.name if err.grpc_status_code else None


def _wait(response: Any) -> timedelta | None:
    headers = getattr(response, "headers", None)
    return retry_after_of(headers) if headers else None


def _told_delay(details: Any) -> timedelta | None:
    """What ``google.rpc.RetryInfo`` says: a message by gRPC, ``"retryDelay": "1.5s"`` in JSON."""
    for detail in details:
        with suppress(*MALFORMED):
            if isinstance(detail, dict):
                seconds = str(detail["retryDelay"]).removesuffix("s")
            else:
                seconds = str(detail.retry_delay.ToTimedelta().total_seconds())
            return retry_after_of({"retry-after": seconds})
    return None


def _first(err: Exception) -> str:
    return str(err.args[0]) if err.args else type(err).__name__


def _transport_text(cause: Exception) -> str:
    # urllib3 puts "host, port and url" before the reason; the URL's query may hold a signature.
    text = _shown(_first(cause).split("?", 1)[0])
    return f"{type(cause).__name__}: {text}"


def _shown(text: str) -> str:
    return without_header_values(without_secrets(text))
