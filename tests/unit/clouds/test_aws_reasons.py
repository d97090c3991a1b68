"""S3's answers to HEAD have no reason in them, and obstore shows none; both are asked for."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.clouds.aws.object_store import S3ObjectStoreHook
from airflow_multicloud.errors import CloudError, CredentialsError, ErrorKind
from airflow_multicloud.ports.object_store import ObjectRef

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class _Answering(BaseHTTPRequestHandler):
    """Answers for a bucket ``<status>-<code>``, or a key of that name, with just that."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.seen.append(self.command)  # type: ignore[attr-defined]
        path, _, _ = self.path.partition("?")
        status, _, code = path.strip("/").rpartition("/")[2].partition("-")
        error = f"<Error><Code>{code}</Code><Message>Said S3.</Message></Error>"
        body = f"<?xml version='1.0'?>\n{error}".encode()
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        get = self.command != "HEAD"
        status = status if status.isdecimal() else "200"  # what is asked is where the bucket lies
        self.send_response(416 if code == "InvalidRange" and get else int(status))
        self.send_header("Content-Length", str(len(body) if get else 0))
        self.end_headers()
        if get:
            self.wfile.write(body)

    do_HEAD = do_PUT = do_GET  # noqa: N815

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answering)
    server.seen = []  # type: ignore[attr-defined]
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def hook(server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> S3ObjectStoreHook:
    connection = {
        "conn_type": "aws",
        "login": "access-key",
        "password": "secret-key",
        "extra": {
            "region_name": "us-east-1",
            "endpoint_url": f"http://127.0.0.1:{server.server_address[1]}",
        },
    }
    monkeypatch.setenv("AIRFLOW_CONN_AWS_HEADS", json.dumps(connection))
    return S3ObjectStoreHook("aws_heads")


def error_of(hook: S3ObjectStoreHook, where: str, answer: str) -> CloudError:
    calls: dict[str, Callable[[], object]] = {
        "bucket": lambda: hook.stat_bucket(answer),
        "object": lambda: hook.stat_object(ObjectRef("bucket", answer)),
    }
    with pytest.raises(CloudError) as caught:
        calls[where]()
    return caught.value


@pytest.mark.parametrize("where", ["bucket", "object"])
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ExpiredToken", ErrorKind.UNAUTHENTICATED),
        ("InvalidToken", ErrorKind.UNAUTHENTICATED),
        ("AuthorizationHeaderMalformed", ErrorKind.UNAUTHENTICATED),
        # An object that is encrypted with a key of the customer's own.
        ("InvalidRequest", ErrorKind.INVALID_ARGUMENT),
    ],
)
def test_the_reason_of_a_bare_400(
    hook: S3ObjectStoreHook, where: str, code: str, kind: ErrorKind
) -> None:
    error = error_of(hook, where, f"400-{code}")
    assert (error.kind, error.code) == (kind, code)
    assert isinstance(error, CredentialsError) is (kind is ErrorKind.UNAUTHENTICATED)
    assert "Said S3." in str(error)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("InvalidAccessKeyId", ErrorKind.UNAUTHENTICATED),
        ("SignatureDoesNotMatch", ErrorKind.UNAUTHENTICATED),
        ("RequestTimeTooSkewed", ErrorKind.UNAUTHENTICATED),
        ("AccessDenied", ErrorKind.PERMISSION_DENIED),
    ],
)
def test_the_reason_of_a_bucket_that_is_refused(
    hook: S3ObjectStoreHook, code: str, kind: ErrorKind
) -> None:
    error = error_of(hook, "bucket", f"403-{code}")
    assert (error.kind, error.code) == (kind, code)


def test_an_empty_object_has_no_reason_to_tell(hook: S3ObjectStoreHook) -> None:
    error = error_of(hook, "object", "400-InvalidRange")
    assert (error.kind, error.code) == (ErrorKind.UNAUTHENTICATED, "400")
    assert "most likely the session token" in str(error)


def test_what_needs_no_reason_is_not_asked_again(
    hook: S3ObjectStoreHook, server: ThreadingHTTPServer
) -> None:
    assert error_of(hook, "object", "404-NoSuchKey").kind is ErrorKind.NOT_FOUND
    assert error_of(hook, "object", "403-AccessDenied").kind is ErrorKind.PERMISSION_DENIED
    assert "GET" not in server.seen  # type: ignore[attr-defined]


def test_the_reason_of_a_refused_write(hook: S3ObjectStoreHook) -> None:
    """obstore's text is the beginning of an XML document."""
    with pytest.raises(CloudError) as caught:
        hook.put_object(ObjectRef("bucket", "400-InvalidStorageClass"), b"content")
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert str(caught.value).endswith("400 Bad Request (InvalidStorageClass: Said S3.)")
    assert "xml" not in str(caught.value)
