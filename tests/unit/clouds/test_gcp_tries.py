"""Requests that are sent again, and what is said of them in the end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from google.api_core import exceptions as api
from google.api_core.retry import Retry
from google.auth.exceptions import RefreshError
from google.rpc.error_details_pb2 import ErrorInfo
from grpc import StatusCode

from airflow_multicloud.clouds.gcp.tries import Tries, is_refused, may_pass

QUICKLY = Retry(initial=0.001, maximum=0.001, timeout=0.05)

DOWN = api.ServiceUnavailable("down")
DENIED = api.PermissionDenied("denied")
PARTLY = api.InvalidArgument("partly")


def exceeded(reason: str | None) -> api.ResourceExhausted:
    info = None if reason is None else ErrorInfo(reason=reason)
    return api.ResourceExhausted("exceeded", error_info=info)


def one_after_another(*results: Exception | str) -> Callable[[], str]:
    left = list(results)

    def call() -> str:
        result = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(result, Exception):
            raise result
        return result

    return call


def tries(retry: Retry | None = QUICKLY) -> Tries:
    return Tries(retry, lambda err: err is PARTLY)


@pytest.mark.parametrize(
    ("err", "passes"),
    [
        (DOWN, True),
        (api.InternalServerError("x"), True),
        (api.DeadlineExceeded("x"), True),
        (exceeded("RATE_LIMIT_EXCEEDED"), True),
        (exceeded(None), True),
        (exceeded("RESOURCE_QUOTA_EXCEEDED"), False),
        (DENIED, False),
        (PARTLY, False),
        (RefreshError("x"), False),
    ],
)
def test_what_may_pass(err: Exception, passes: bool) -> None:
    assert may_pass(err) is passes


def test_it_is_sent_until_it_is_answered() -> None:
    sending = tries()
    assert sending.send(one_after_another(DOWN, exceeded(None), "done")) == "done"
    assert sending.one_is_unknown


def test_a_rate_that_is_exceeded_was_not_carried_out() -> None:
    sending = tries()
    assert sending.send(one_after_another(exceeded(None), "done")) == "done"
    assert not sending.one_is_unknown


def test_once() -> None:
    with pytest.raises(api.ServiceUnavailable):
        tries(None).send(one_after_another(DOWN, "done"))


@pytest.mark.parametrize(
    "last", [DENIED, RefreshError("expired"), exceeded("RESOURCE_QUOTA_EXCEEDED")]
)
def test_a_refusal_after_a_try_of_which_nobody_knows(last: Exception) -> None:
    """It does not say that nothing was done."""
    with pytest.raises(api.ServiceUnavailable, match="down"):
        tries().send(one_after_another(DOWN, last))
    with pytest.raises(type(last)):
        tries().send(one_after_another(last))


def test_what_tells_of_each_part_is_final() -> None:
    sending = tries()
    with pytest.raises(api.InvalidArgument, match="partly"):
        sending.send(one_after_another(DOWN, PARTLY))
    assert sending.one_is_unknown


@pytest.mark.parametrize("err", [DOWN, exceeded(None)])
def test_it_gives_up_with_what_it_met(err: Exception) -> None:
    """Not with that it took long."""
    with pytest.raises(type(err)):
        tries().send(one_after_another(err))


@pytest.mark.parametrize("status", [code for code in StatusCode if code is not StatusCode.OK])
def test_a_refusal_is_an_answer_that_can_mean_nothing_else(status: StatusCode) -> None:
    """What broke on its way may have arrived, whoever says so: the service, a proxy, gRPC."""
    certain = {
        *(StatusCode.INVALID_ARGUMENT, StatusCode.FAILED_PRECONDITION, StatusCode.NOT_FOUND),
        *(StatusCode.PERMISSION_DENIED, StatusCode.UNAUTHENTICATED),
        *(StatusCode.RESOURCE_EXHAUSTED, StatusCode.UNIMPLEMENTED),
    }
    err = api.from_grpc_status(status, "as planted")
    assert is_refused(err) is (status in certain)
