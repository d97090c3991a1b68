"""Azure's error codes become this package's kinds, whichever client met them."""

from __future__ import annotations

import json
import socket
import time
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from azure.core.exceptions import AzureError
from azure.identity import CredentialUnavailableError

from airflow_multicloud.clouds.azure.identity import AzureIdentityHook
from airflow_multicloud.clouds.azure.object_store import BlobObjectStoreHook
from airflow_multicloud.clouds.azure.object_store.errors import TABLE, translated
from airflow_multicloud.errors import CloudError, CredentialsError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import IfAbsent, ObjectRef, WriteOptions

CANARY = "c4n4ryS1gnature"
SAS = f"sv=2024-11-04&sp=r&sr=c&se=2999-01-01T00:00:00Z&sig={CANARY}"
#: The answers of the service, as its error pages list them: status, code, kind.
ANSWERS = [
    (404, "BlobNotFound", ErrorKind.NOT_FOUND),
    (404, "ContainerNotFound", ErrorKind.NOT_FOUND),
    (409, "BlobAlreadyExists", ErrorKind.ALREADY_EXISTS),
    (412, "ConditionNotMet", ErrorKind.PRECONDITION_FAILED),
    (412, "LeaseIdMissing", ErrorKind.PRECONDITION_FAILED),
    (400, "InvalidBlockList", ErrorKind.PRECONDITION_FAILED),
    (400, "InvalidBlobOrBlock", ErrorKind.PRECONDITION_FAILED),
    (400, "Md5Mismatch", ErrorKind.INTEGRITY),
    (400, "InvalidMetadata", ErrorKind.INVALID_ARGUMENT),
    (416, "InvalidRange", ErrorKind.INVALID_ARGUMENT),
    (403, "AuthenticationFailed", ErrorKind.UNAUTHENTICATED),
    (401, "InvalidAuthenticationInfo", ErrorKind.UNAUTHENTICATED),
    (403, "AuthorizationFailure", ErrorKind.PERMISSION_DENIED),
    (403, "AuthorizationPermissionMismatch", ErrorKind.PERMISSION_DENIED),
    (403, "AccountIsDisabled", ErrorKind.PERMISSION_DENIED),
    (409, "BlobArchived", ErrorKind.UNSUPPORTED),
    (409, "SnapshotsPresent", ErrorKind.PRECONDITION_FAILED),
    (409, "ResourceTypeMismatch", ErrorKind.INVALID_ARGUMENT),
    (503, "ServerBusy", ErrorKind.THROTTLED),
    (500, "InternalError", ErrorKind.UNAVAILABLE),
    (500, "OperationTimedOut", ErrorKind.TIMEOUT),
    # Codes that are in no table: the status decides.
    (409, "SomethingNew", ErrorKind.PRECONDITION_FAILED),
    (503, "SomethingNew", ErrorKind.UNAVAILABLE),
    (400, "SomethingNew", ErrorKind.INVALID_ARGUMENT),
]


class _Answering(BaseHTTPRequestHandler):
    """Answers every request for ``/account/container/<status>-<code>`` with just that."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/account/container/silent"):
            time.sleep(3)
            self.close_connection = True
            return
        if "truncated" in self.path:
            self._truncated()
            return
        status, _, code = self.path.partition("?")[0].rpartition("/")[2].partition("-")
        body = (
            f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>Said the service.\n"
            f"Signature did not match {CANARY}</Message></Error>"
        ).encode()
        self.send_response(int(status))
        self.send_header("x-ms-error-code", code)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _truncated(self) -> None:
        self.send_response(200)
        self.send_header("ETag", '"0x1"')
        self.send_header("Last-Modified", "Mon, 23 Nov 2026 08:40:57 GMT")
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"too few")
        self.close_connection = True

    do_HEAD = do_PUT = do_GET  # noqa: N815

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answering)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/account"
    server.shutdown()
    server.server_close()


def hook_to(address: str, monkeypatch: pytest.MonkeyPatch) -> BlobObjectStoreHook:
    """A hook with a shared access signature that does not wait between tries."""
    connection_string = f"BlobEndpoint={address};SharedAccessSignature={SAS}"
    extra = {"connection_string": connection_string, "retry_total": 0, "read_timeout": 1}
    monkeypatch.setenv("AIRFLOW_CONN_WASB_TOLD", json.dumps({"conn_type": "wasb", "extra": extra}))
    return BlobObjectStoreHook("wasb_told")


@pytest.fixture
def hook(address: str, monkeypatch: pytest.MonkeyPatch) -> BlobObjectStoreHook:
    return hook_to(address, monkeypatch)


def check(error: CloudError, kind: ErrorKind, code: str | None) -> None:
    assert (error.kind, error.code, error.cloud) == (kind, code, "azure")
    assert isinstance(error, CredentialsError) is (kind is ErrorKind.UNAUTHENTICATED)
    assert "container/" in str(error)
    assert CANARY not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize(("status", "code", "kind"), ANSWERS)
def test_sdk(hook: BlobObjectStoreHook, status: int, code: str, kind: ErrorKind) -> None:
    with pytest.raises(CloudError) as caught:
        hook.stat_object(ObjectRef("container", f"{status}-{code}"))
    check(caught.value, kind, code)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [a for a in ANSWERS if a[0] < 500 and a[1] != "SomethingNew"],  # it retries the others
)
def test_obstore(hook: BlobObjectStoreHook, status: int, code: str, kind: ErrorKind) -> None:
    with pytest.raises(CloudError) as caught:
        hook.get_object(ObjectRef("container", f"{status}-{code}"), start=1)
    check(caught.value, kind, code)


def test_condition_of_a_new_object(hook: BlobObjectStoreHook) -> None:
    """A store may answer If-None-Match with 412 as well as with 409."""
    ref = ObjectRef("container", "412-ConditionNotMet")
    with pytest.raises(StorageError) as caught:
        hook.put_object(ref, b"content", WriteOptions(condition=IfAbsent()))
    assert caught.value.kind is ErrorKind.ALREADY_EXISTS
    assert str(caught.value).endswith(": there is an object already (ConditionNotMet)")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("409-BlobAlreadyExists", "there is an object already (BlobAlreadyExists)"),
        ("412-ConditionNotMet", "it was replaced or deleted (ConditionNotMet)"),
    ],
)
def test_conflicts_are_said_in_our_words(hook: BlobObjectStoreHook, path: str, said: str) -> None:
    with pytest.raises(StorageError) as caught:
        hook.stat_object(ObjectRef("container", path))
    assert str(caught.value).endswith(said)
    assert "Operation returned" not in str(caught.value)


@pytest.mark.parametrize(("status", "code", "kind"), ANSWERS)
def test_the_sdk_does_not_speak_for_itself(
    hook: BlobObjectStoreHook, status: int, code: str, kind: ErrorKind
) -> None:
    with pytest.raises(CloudError, match=f"^(?!.*Operation returned).*{code}"):
        hook.stat_object(ObjectRef("container", f"{status}-{code}"))


@pytest.mark.parametrize("key", ["plain", "//awkward"])
def test_nobody_listens(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        hook = hook_to(f"http://127.0.0.1:{port}/account", monkeypatch)
        with pytest.raises(StorageError) as caught:
            hook.get_object(ObjectRef("container", key))
    check(caught.value, ErrorKind.UNAVAILABLE, None)


def test_silence(hook: BlobObjectStoreHook) -> None:
    with pytest.raises(StorageError) as caught:
        hook.stat_object(ObjectRef("container", "silent"))
    check(caught.value, ErrorKind.TIMEOUT, None)


@pytest.mark.parametrize("key", ["truncated", "//truncated"])
def test_truncated_body(hook: BlobObjectStoreHook, key: str) -> None:
    """Found while reading, whichever client reads."""
    body = hook.get_object(ObjectRef("container", key))
    with pytest.raises(StorageError) as caught:
        body.read()
    assert caught.value.kind in (ErrorKind.UNAVAILABLE, ErrorKind.INTEGRITY)
    assert caught.value.retryable


def test_no_credentials() -> None:
    with pytest.raises(CredentialsError) as caught, translated("open container/x"):
        raise CredentialUnavailableError(message="none of the credentials is there")
    check(caught.value, ErrorKind.UNAUTHENTICATED, None)


def test_unknown_errors_pass_untouched() -> None:
    error = AzureError("of a kind nobody knows")
    with pytest.raises(AzureError) as caught, translated("anything"):
        raise error
    assert caught.value is error


def test_every_entry_is_a_kind() -> None:
    assert {type(kind) for kind in {**TABLE.codes, **TABLE.statuses}.values()} == {ErrorKind}


@pytest.mark.parametrize(
    "connection",
    [
        {},
        {"password": "a2V5"},
        {"host": "accountname", "password": "a2V5"},
        {"extra": {"sas_token": "sv=1&sig=c2ln"}},
    ],
    ids=["nothing", "a key", "a host without a dot", "a signature"],
)
@pytest.mark.parametrize("hook", [BlobObjectStoreHook, AzureIdentityHook])
def test_no_account(
    hook: type, connection: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else they would go to the account called "None"."""
    monkeypatch.setenv("AIRFLOW_CONN_WASB_BARE", json.dumps({"conn_type": "wasb", **connection}))
    with pytest.raises(CredentialsError, match="nothing names the storage account") as caught:
        hook("wasb_bare")
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
