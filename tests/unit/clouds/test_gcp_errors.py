"""Google's exceptions, each by the kind it becomes."""

from __future__ import annotations

import http.client
import json
import pickle

import pytest
import requests
import urllib3
from google.api_core import exceptions as api
from google.auth import exceptions as auth
from google.protobuf.duration_pb2 import Duration
from google.resumable_media import DataCorruption, InvalidResponse
from google.rpc.error_details_pb2 import RetryInfo

from airflow_multicloud.clouds.gcp.cost import errors as _cost
from airflow_multicloud.clouds.gcp.identity import errors as _identity
from airflow_multicloud.clouds.gcp.object_store.errors import translated
from airflow_multicloud.errors import (
    CloudError,
    CostAnalysisError,
    CredentialsError,
    ErrorKind,
    RetentionError,
    StorageError,
)

POOL = urllib3.HTTPConnectionPool("localhost")
CHECKSUM = 'Provided CRC32C "AAAAAA==" doesn\'t match calculated CRC32C "BBBBBB==".'


def answer(status: int, reason: str | None = None, message: str = "no") -> Exception:
    errors = [{"domain": "global", "reason": reason, "message": message}] if reason else []
    refused: Exception = api.from_http_status(status, message, errors=errors)
    return refused


def old_answer(status: int) -> Exception:
    response = requests.Response()
    response.status_code = status
    return InvalidResponse(response, "Request failed with status code", status)


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (answer(400, "invalid"), ErrorKind.INVALID_ARGUMENT),
        (answer(400, "invalid", CHECKSUM), ErrorKind.INTEGRITY),
        (answer(403, "forbidden"), ErrorKind.PERMISSION_DENIED),
        (answer(403, "rateLimitExceeded"), ErrorKind.THROTTLED),
        (answer(403, "quotaExceeded"), ErrorKind.QUOTA),
        (answer(404, "notFound"), ErrorKind.NOT_FOUND),
        (answer(408), ErrorKind.TIMEOUT),
        (answer(409, "conflict"), ErrorKind.ALREADY_EXISTS),
        (answer(410), ErrorKind.NOT_FOUND),
        (answer(412, "conditionNotMet"), ErrorKind.PRECONDITION_FAILED),
        (answer(416, "requestedRangeNotSatisfiable"), ErrorKind.INVALID_ARGUMENT),
        (answer(429, "rateLimitExceeded"), ErrorKind.THROTTLED),
        (answer(500, "internalError"), ErrorKind.UNAVAILABLE),
        (answer(503, "backendError"), ErrorKind.UNAVAILABLE),
        (answer(503, "ZONE_RESOURCE_POOL_EXHAUSTED"), ErrorKind.CAPACITY),
        (answer(504), ErrorKind.TIMEOUT),
        (api.Aborted("lost a race"), ErrorKind.PRECONDITION_FAILED),
        (api.AlreadyExists("there"), ErrorKind.ALREADY_EXISTS),
        (api.ResourceExhausted("slow down"), ErrorKind.THROTTLED),
        (api.DeadlineExceeded("late"), ErrorKind.TIMEOUT),
        (api.RetryError("gave up", None), ErrorKind.TIMEOUT),
        (old_answer(412), ErrorKind.PRECONDITION_FAILED),
        (DataCorruption(requests.Response(), "differs"), ErrorKind.INTEGRITY),
        (requests.ConnectTimeout("slow"), ErrorKind.TIMEOUT),
        (requests.ReadTimeout("slow"), ErrorKind.TIMEOUT),
        (requests.ConnectionError("refused"), ErrorKind.UNAVAILABLE),
        (requests.exceptions.ChunkedEncodingError("cut"), ErrorKind.UNAVAILABLE),
        (urllib3.exceptions.ConnectTimeoutError("slow"), ErrorKind.TIMEOUT),
        (urllib3.exceptions.ReadTimeoutError(POOL, "/", "slow"), ErrorKind.TIMEOUT),
        (
            urllib3.exceptions.NewConnectionError(
                urllib3.connection.HTTPConnection("localhost"), "refused"
            ),
            ErrorKind.UNAVAILABLE,
        ),
        (urllib3.exceptions.ProtocolError("reset"), ErrorKind.UNAVAILABLE),
        (
            urllib3.exceptions.MaxRetryError(
                POOL, "/o?sig=secret", urllib3.exceptions.ReadTimeoutError(POOL, "/", "slow")
            ),
            ErrorKind.TIMEOUT,
        ),
        (
            urllib3.exceptions.ProtocolError("broken", http.client.IncompleteRead(b"", 3)),
            ErrorKind.UNAVAILABLE,
        ),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_kind(raised: Exception, kind: ErrorKind) -> None:
    with pytest.raises(StorageError) as caught, translated("reading 'k'"):
        raise raised
    assert caught.value.kind is kind
    assert caught.value.cloud == "gcp"
    assert str(caught.value).startswith("reading 'k': ")
    assert "secret" not in str(caught.value)
    assert pickle.loads(pickle.dumps(caught.value)).kind is kind


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (answer(401, "authError"), ErrorKind.UNAUTHENTICATED),
        (
            auth.RefreshError("invalid_grant: Invalid JWT", {"body": "secret"}),
            ErrorKind.UNAUTHENTICATED,
        ),
        (auth.DefaultCredentialsError("none found"), ErrorKind.UNAUTHENTICATED),
        (auth.TransportError("no route"), ErrorKind.UNAVAILABLE),
        (auth.RefreshError("try later", retryable=True), ErrorKind.UNAVAILABLE),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_credentials(raised: Exception, kind: ErrorKind) -> None:
    with pytest.raises(CredentialsError) as caught, translated("reading 'k'"):
        raise raised
    assert caught.value.kind is kind
    assert "secret" not in str(caught.value)


def test_the_area_is_the_services() -> None:
    with pytest.raises(CostAnalysisError), _cost.translated("asking"):
        raise answer(404)
    with pytest.raises(CredentialsError) as caught, _identity.translated("asking"):
        raise answer(403)
    assert caught.value.kind is ErrorKind.PERMISSION_DENIED


@pytest.mark.parametrize(
    ("raised", "kept"),
    [
        (answer(403, "retentionPolicyNotMet"), True),
        (answer(403, "objectUnderActiveHold"), True),
        (answer(403, "forbidden", "The object is under active Temporary hold"), True),
        (answer(403, "forbidden"), False),
    ],
    ids=["retention", "hold", "by its text", "another"],
)
def test_what_is_kept_is_said_to_be(raised: Exception, *, kept: bool) -> None:
    with pytest.raises(StorageError) as caught, translated("deleting 'k'"):
        raise raised
    assert isinstance(caught.value, RetentionError) is kept
    assert caught.value.kind is ErrorKind.PERMISSION_DENIED


def told(status: int, error: dict[str, object], **headers: str) -> Exception:
    """What google-api-core makes of an answer in JSON."""
    response = requests.Response()
    response.status_code = status
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    response._content = json.dumps({"error": {"message": "no", **error}}).encode()
    response.request = requests.Request("GET", "https://x.example/").prepare()
    raised: Exception = api.from_http_response(response)
    return raised


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (told(409, {"status": "ABORTED"}), ErrorKind.PRECONDITION_FAILED),
        (told(400, {"status": "FAILED_PRECONDITION"}), ErrorKind.PRECONDITION_FAILED),
        (told(500, {"status": "DATA_LOSS"}), ErrorKind.INTEGRITY),
        (told(400, {"status": 7}), ErrorKind.INVALID_ARGUMENT),
        (told(400, {"status": "SOMETHING_NEW"}), ErrorKind.INVALID_ARGUMENT),
        (
            told(409, {"status": "ABORTED", "errors": [{"reason": "resourceNotReady"}]}),
            ErrorKind.BUSY,
        ),
        (
            told(
                429,
                {
                    "status": "RESOURCE_EXHAUSTED",
                    "details": [
                        {
                            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                            "reason": "RESOURCE_QUOTA_EXCEEDED",
                        }
                    ],
                },
            ),
            ErrorKind.QUOTA,
        ),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_the_most_exact_cause_counts(raised: Exception, kind: ErrorKind) -> None:
    with pytest.raises(CloudError) as caught, _cost.translated("asking"):
        raise raised
    assert caught.value.kind is kind


RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.5s"}


@pytest.mark.parametrize(
    ("raised", "seconds"),
    [
        (told(503, {}, retry_after="7"), 7),
        (told(429, {"details": [{"@type": "x"}, RETRY_INFO]}), 1.5),
        (told(429, {"details": [RETRY_INFO]}, retry_after="3"), 3),
        (told(429, {"details": [{**RETRY_INFO, "retryDelay": "soon"}]}), None),
        (told(503, {}), None),
        (
            api.ResourceExhausted(
                "slow down", details=[RetryInfo(retry_delay=Duration(seconds=2))]
            ),
            2,
        ),
    ],
    ids=["header", "details", "both", "no number", "neither", "gRPC"],
)
def test_how_long_to_wait(raised: Exception, seconds: float | None) -> None:
    with pytest.raises(CloudError) as caught, _cost.translated("asking"):
        raise raised
    wait = caught.value.retry_after
    assert (wait.total_seconds() if wait else None) == seconds


@pytest.mark.parametrize(
    ("status", "kind"), [(418, ErrorKind.INVALID_ARGUMENT), (599, ErrorKind.UNAVAILABLE)]
)
def test_a_status_that_nobody_knows_goes_by_its_class(status: int, kind: ErrorKind) -> None:
    with pytest.raises(StorageError) as caught, translated("reading"):
        raise answer(status)
    assert caught.value.kind is kind


@pytest.mark.parametrize("raised", [ValueError("a bug"), KeyError("a bug")])
def test_what_the_table_lacks_passes_untouched(raised: Exception) -> None:
    with pytest.raises(type(raised)) as caught, translated("reading"):
        raise raised
    assert caught.value is raised


def test_this_packages_own_errors_pass_untouched() -> None:
    own = StorageError("ours", kind=ErrorKind.INTEGRITY)
    with pytest.raises(StorageError) as caught, translated("reading"):
        raise own
    assert caught.value is own


def test_an_answer_is_told_without_secrets() -> None:
    refused = answer(403, "forbidden", "for https://host/k?X-Goog-Signature=canary&kept=1")
    with pytest.raises(StorageError, match="kept") as caught, translated("reading"):
        raise refused
    assert "canary" not in str(caught.value)
