"""AWS's errors, each by the kind it becomes."""

from __future__ import annotations

import pickle
import socket
import threading
from datetime import timedelta

import obstore
import obstore.exceptions as obs
import pytest
from botocore import exceptions as boto
from obstore.store import S3Store

from airflow_multicloud.clouds.aws.cost import errors as cost_errors
from airflow_multicloud.clouds.aws.object_store.errors import translated, translated_obstore
from airflow_multicloud.errors import (
    CostAnalysisError,
    CredentialsError,
    ErrorKind,
    RetentionError,
    StorageError,
)
from airflow_multicloud.ports.object_store import IfAbsent, IfUnchanged, WriteCondition

URL = "https://bucket.s3.amazonaws.com/key?X-Amz-Signature=canary"


def answer(code: str, operation: str = "GetObject") -> boto.ClientError:
    return boto.ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("NoSuchKey", "not_found"),
        ("NoSuchBucket", "not_found"),
        ("NoSuchUpload", "not_found"),
        ("404", "not_found"),
        ("BucketAlreadyExists", "already_exists"),
        ("PreconditionFailed", "precondition_failed"),
        ("ConditionalRequestConflict", "precondition_failed"),
        ("AccessDenied", "permission_denied"),
        ("403", "permission_denied"),
        ("InvalidAccessKeyId", "unauthenticated"),
        ("SignatureDoesNotMatch", "unauthenticated"),
        ("ExpiredToken", "unauthenticated"),
        ("RequestTimeTooSkewed", "unauthenticated"),
        ("SlowDown", "throttled"),
        ("ThrottlingException", "throttled"),
        ("InternalError", "unavailable"),
        ("ServiceUnavailable", "unavailable"),
        ("503", "unavailable"),
        ("RequestTimeout", "timeout"),
        ("EntityTooLarge", "quota"),
        ("InsufficientInstanceCapacity", "capacity"),
        ("BadDigest", "integrity"),
        ("XAmzContentChecksumMismatch", "integrity"),
        ("InvalidPart", "integrity"),
        ("InvalidRequest", "invalid_argument"),
        ("InvalidRange", "invalid_argument"),
        ("NotImplemented", "unsupported"),
    ],
)
def test_codes(code: str, kind: str) -> None:
    expected = CredentialsError if kind == "unauthenticated" else StorageError
    with (
        pytest.raises(expected, match="reading s3://b/k: ") as caught,
        translated("reading s3://b/k"),
    ):
        raise answer(code)
    assert type(caught.value) is expected
    assert (caught.value.kind, caught.value.code, caught.value.cloud) == (kind, code, "aws")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.kind, again.code, str(again)) == (kind, code, str(caught.value))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (boto.EndpointConnectionError(endpoint_url=URL), "unavailable"),
        (boto.ConnectionClosedError(endpoint_url=URL), "unavailable"),
        (boto.SSLError(endpoint_url=URL, error="bad certificate"), "unavailable"),
        (boto.ProxyConnectionError(proxy_url="http://proxy"), "unavailable"),
        (boto.ConnectTimeoutError(endpoint_url=URL), "timeout"),
        (boto.ReadTimeoutError(endpoint_url=URL), "timeout"),
        (boto.NoCredentialsError(), "unauthenticated"),
        (boto.PartialCredentialsError(provider="p", cred_var="v"), "unauthenticated"),
        (boto.TokenRetrievalError(provider="sso", error_msg="no"), "unauthenticated"),
        (boto.ProfileNotFound(profile="p"), "unauthenticated"),
        (boto.ResponseStreamingError(error="broken"), "integrity"),
        (boto.IncompleteReadError(actual_bytes=1, expected_bytes=2), "integrity"),
        (boto.FlexibleChecksumError(error_msg="differs"), "integrity"),
        (boto.ParamValidationError(report="bad"), "invalid_argument"),
        (boto.NoRegionError(), "invalid_argument"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_botocore_exceptions(error: Exception, kind: str) -> None:
    expected = CredentialsError if kind == "unauthenticated" else StorageError
    with pytest.raises(expected) as caught, translated("reading"):
        raise error
    assert caught.value.kind == kind
    assert caught.value.code is None
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("https://user:canary@host/", "https://host/"),
        ("https://canary@host:8443/a@b", "https://host:8443/a@b"),
        ("https://user:canary/x?y#z@w@host/", "https://host/"),
        ("http://user:12canary@[::1]:4566", "http://[::1]:4566"),
        ("https://bucket.example:443/user@example.com", None),
        ("http://[::1]:4566/user@example.com", None),
        ("https://host/key?sig=canary", "https://host/key?…"),
    ],
)
def test_no_secret_of_an_endpoint_is_shown(place: str, shown: str | None) -> None:
    """Nor is what has it chained, where all of it shows."""
    with pytest.raises(StorageError) as caught, translated("reading"):
        raise boto.EndpointConnectionError(endpoint_url=place)
    assert str(caught.value).endswith(f'URL: "{shown or place}"')
    assert "canary" not in str(caught.value.__cause__)


def test_a_field_of_any_length_is_shown_in_part() -> None:
    with pytest.raises(StorageError) as caught, translated("reading"):
        raise boto.InvalidRegionError(region_name="x" * 3000)
    assert "region_name 'xxx" in str(caught.value)
    assert len(str(caught.value)) < 1100


@pytest.mark.parametrize(
    ("condition", "code", "kind"),
    [
        (IfAbsent(), "PreconditionFailed", "already_exists"),
        (IfAbsent(), "412", "already_exists"),
        (IfAbsent(), "ConditionalRequestConflict", "already_exists"),
        (IfAbsent(), "NoSuchBucket", "not_found"),
        (IfUnchanged("e"), "PreconditionFailed", "precondition_failed"),
        (IfUnchanged("e"), "ConditionalRequestConflict", "precondition_failed"),
        (IfUnchanged("e"), "NoSuchKey", "precondition_failed"),
        (IfUnchanged("e"), "NoSuchBucket", "not_found"),
        (None, "NoSuchKey", "not_found"),
    ],
)
def test_conditions(condition: WriteCondition | None, code: str, kind: str) -> None:
    with pytest.raises(StorageError) as caught, translated("writing", condition=condition):
        raise answer(code)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("status", "kind"), [(418, "invalid_argument"), (599, "unavailable"), (302, "integrity")]
)
def test_a_code_that_nobody_knows_goes_by_its_status(status: int, kind: str) -> None:
    error = answer("BrandNewCode")
    error.response["ResponseMetadata"] = {"HTTPStatusCode": status}  # type: ignore[typeddict-item]
    with pytest.raises(StorageError) as caught, translated("reading"):
        raise error
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("QpsLimitExceeded", 503, "unavailable"),
        ("RequestRateLimitExceeded", 429, "throttled"),
        ("SlowDown", 503, "throttled"),
    ],
)
@pytest.mark.parametrize("way", ["boto3", "obstore"])
def test_what_other_stores_call_a_limit_passes(way: str, code: str, status: int, kind: str) -> None:
    by_boto3 = answer(code)
    by_boto3.response["ResponseMetadata"] = {"HTTPStatusCode": status}  # type: ignore[typeddict-item]
    errors: dict[str, Exception] = {
        "boto3": by_boto3,
        "obstore": obs.GenericError(
            f"Server returned non-2xx status code: {status} X: <Error><Code>{code}</Code></Error>"
        ),
    }
    translating = {"boto3": translated, "obstore": translated_obstore}[way]
    with pytest.raises(StorageError) as caught, translating("reading"):
        raise errors[way]
    assert caught.value.kind == kind
    assert caught.value.kind.retryable


@pytest.mark.parametrize(
    "error", [answer("BrandNewCode"), ValueError("ours"), boto.BotoCoreError()]
)
def test_unknown_ones_pass_untouched(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, translated("reading"):
        raise error
    assert caught.value is error


def test_area() -> None:
    with pytest.raises(CostAnalysisError), cost_errors.translated("costs"):
        raise answer("AccessDeniedException")
    with pytest.raises(CredentialsError), cost_errors.translated("costs"):
        raise answer("ExpiredTokenException")


@pytest.mark.parametrize("way", ["boto3", "obstore"])
def test_what_an_object_lock_keeps_says_so(way: str) -> None:
    kept = "Access Denied because object protected by object lock."
    errors = {
        "boto3": boto.ClientError({"Error": {"Code": "AccessDenied", "Message": kept}}, "Put"),
        "obstore": obs.PermissionDeniedError(
            f"403 Forbidden: <Error><Code>AccessDenied</Code><Message>{kept}</Message></Error>"
        ),
    }
    translating = {"boto3": translated, "obstore": translated_obstore}[way]
    with pytest.raises(RetentionError, match="object lock") as caught, translating("writing"):
        raise errors[way]
    assert (caught.value.kind, caught.value.code) == ("permission_denied", "AccessDenied")


def test_a_refused_role_is_refused_credentials() -> None:
    with pytest.raises(CredentialsError) as caught, translated("opening"):
        raise answer("AccessDenied", "AssumeRole")
    assert caught.value.kind is ErrorKind.UNAUTHENTICATED
    with pytest.raises(StorageError) as throttled, translated("opening"):
        raise answer("Throttling", "AssumeRole")
    assert throttled.value.kind is ErrorKind.THROTTLED


@pytest.mark.parametrize("operation", ["HeadObject", "HeadBucket"])
def test_a_bare_400_to_head_is_most_likely_an_expired_token(operation: str) -> None:
    with (
        pytest.raises(
            CredentialsError, match="session token is expired or invalid, else"
        ) as caught,
        translated("reading s3://b/k"),
    ):
        raise answer("400", operation)
    assert caught.value.kind is ErrorKind.UNAUTHENTICATED


def test_a_400_to_anything_else_is_a_bad_request() -> None:
    with pytest.raises(StorageError) as caught, translated("reading s3://b/k"):
        raise answer("400", "GetObject")
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "answered",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n"
        b'ETag: "a"\r\nLast-Modified: Tue, 06 Jan 2026 00:00:00 GMT\r\n\r\nhello',
    ],
)
def test_a_read_that_stalls_is_a_timeout(answered: bytes) -> None:
    """A server that stops before its answer, or in the middle of the body."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(answered)
                over.wait(30)

        thread = threading.Thread(target=serve)
        thread.start()
        store = S3Store(
            "b",
            endpoint=f"http://127.0.0.1:{server.getsockname()[1]}",
            region="us-east-1",
            skip_signature=True,
            client_options={"allow_http": True, "read_timeout": timedelta(milliseconds=300)},
            retry_config={"max_retries": 0},
        )
        with pytest.raises(StorageError) as caught, translated_obstore("reading s3://b/k"):
            obstore.get(store, "k").bytes()
        over.set()
        thread.join()
    assert caught.value.kind is ErrorKind.TIMEOUT


def test_what_was_to_be_signed_is_told_without_the_token() -> None:
    said = "The Canonical String was\n'GET\nx-amz-security-token:canary/x\n\nhost:kept'"
    told = {"Error": {"Code": "SignatureDoesNotMatch", "Message": said}}
    with pytest.raises(CredentialsError, match="kept") as caught, translated("reading"):
        raise boto.ClientError(told, "GetObject")
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None
