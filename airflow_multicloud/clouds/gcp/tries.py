"""Requests that are sent again, although a try before may have been carried out.

For services that keep what comes twice once. An outage and an exceeded rate are waited for, but not
for the minutes that Google's client libraries take: a cloud that is down must be told of in time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from google.api_core import exceptions as api
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError

from airflow_multicloud.clouds.gcp import errors
from airflow_multicloud.clouds.gcp.errors import BASE
from airflow_multicloud.errors import CloudError, ErrorKind

T = TypeVar("T")

#: Whether an error says of each part of a request what became of it.
IsTold = Callable[[BaseException], bool]


#: Answers that are a refusal: https://google.aip.dev/193, and "Status codes and their use in gRPC"
#: (https://grpc.github.io/grpc/core/md_doc_statuscodes.html). All others, such as ``UNKNOWN`` and
#: ``CANCELLED``, may also tell of a connection that broke while the service went on.
_REFUSALS: Final = (
    api.InvalidArgument,
    api.FailedPrecondition,
    api.NotFound,
    api.PermissionDenied,
    api.Unauthenticated,
    api.ResourceExhausted,
    api.MethodNotImplemented,
)


def is_refused(err: BaseException) -> bool:
    """Whether this answer says for certain that what was asked has not been and won't be done."""
    return isinstance(err, _REFUSALS)


def may_pass(err: BaseException) -> bool:
    """Whether the same request may succeed in a moment: an outage, or a rate that is exceeded.

    That and a quota which is used up have the status ``RESOURCE_EXHAUSTED``; the reason
    (``google.api.ErrorReason``) tells them apart.
    """
    if isinstance(err, api.ResourceExhausted):
        return BASE.kind_of_code(err.reason) in (None, ErrorKind.THROTTLED)
    return isinstance(err, api.ServiceUnavailable | api.InternalServerError | api.DeadlineExceeded)


#: How requests are sent again.
RETRY: Final = Retry(predicate=may_pass, initial=0.2, maximum=5.0, multiplier=2.0, timeout=20.0)


@contextmanager
def cause_told() -> Iterator[None]:
    """When the client gives up, raise what it met last: that it took long is not the cause."""
    try:
        yield
    except api.RetryError as err:
        if isinstance(err.cause, api.GoogleAPICallError):
            raise err.cause from err
        raise


@contextmanager
def translated(doing: str, *, area: type[CloudError]) -> Iterator[None]:
    """Turn the exceptions of a service that is asked so into this package's.

    :param doing: the call and what it was about, for the message.
    :param area: the class of what is raised.
    :raises CloudError: with the cause's kind.
    """
    with errors.translated(doing, table=BASE, area=area), cause_told():
        yield


class Tries:
    """One request, sent until it is answered for good, or for as long as it is worth it.

    :param retry: how often; once for ``None``.
    :param is_told: of errors that are final even where a try before may have been carried out.
    """

    def __init__(self, retry: Retry | None, is_told: IsTold) -> None:
        self._retry = retry
        self._is_told = is_told
        self._lost: BaseException | None = None

    @property
    def one_is_unknown(self) -> bool:
        """Whether a try before the last may have been carried out."""
        return self._lost is not None

    def send(self, call: Callable[[], T]) -> T:
        """Send it.

        A refusal after a try that may have been carried out does not say that nothing was done:
        then that try's error is raised.

        :param call: sends the request once.
        """
        if self._retry is None:
            return call()
        retry = self._retry.with_predicate(lambda err: may_pass(err) and not self._is_told(err))
        sent: Callable[[], T] = retry(call, on_error=self._note)
        try:
            with cause_told():
                return sent()
        except (api.GoogleAPIError, GoogleAuthError) as err:
            if self._lost is not None and not self._is_told(err):
                raise self._lost from err
            raise

    def _note(self, err: BaseException) -> None:
        if not is_refused(err):
            self._lost = err
