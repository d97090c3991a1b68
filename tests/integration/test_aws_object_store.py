"""What only S3's hook does: both ways to write, metadata, tags, credentials, large copies."""

from __future__ import annotations

import json
import os
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import google_crc32c
import pytest

from airflow_multicloud.clouds.aws.identity import StsIdentityHook
from airflow_multicloud.clouds.aws.object_store import S3ObjectStoreHook
from airflow_multicloud.clouds.aws.object_store import copying as _copies
from airflow_multicloud.errors import CredentialsError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    Digests,
    IfAbsent,
    ObjectAttributes,
    ObjectRef,
    WriteOptions,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.testing.local_clouds import LocalClouds

MIB = 1024**2
# obstore names the first of these keys, only boto3 the second.
BOTH_WAYS = pytest.mark.parametrize("key", ["plain/key", "odd//key/"])


@pytest.fixture(scope="session")
def hook(local_clouds: LocalClouds) -> S3ObjectStoreHook:
    return S3ObjectStoreHook(aws_conn_id="aws_local")


@pytest.fixture
def bucket(hook: S3ObjectStoreHook) -> str:
    name = f"aws-{uuid.uuid4().hex[:12]}"
    hook.ensure_bucket(name)
    return name


def connect(
    monkeypatch: pytest.MonkeyPatch, local_clouds: LocalClouds, **extra: object
) -> S3ObjectStoreHook:
    connection = json.loads(local_clouds.conn_env()["AIRFLOW_CONN_AWS_LOCAL"])
    connection["extra"] = {**connection["extra"], **extra}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_OTHER", json.dumps(connection))
    return S3ObjectStoreHook(aws_conn_id="aws_other")


@BOTH_WAYS
def test_metadata_that_http_would_change_travels(
    hook: S3ObjectStoreHook, bucket: str, key: str
) -> None:
    metadata = {
        "unicode": "grüß ☃",
        "blanks": " x ",
        "lines": "a\nb",
        "coded": "=?x?=",
        "empty": "",
    }
    options = WriteOptions(attributes=ObjectAttributes(metadata=metadata))
    ref = ObjectRef(bucket, key)
    hook.put_object(ref, b"content", options)
    stat = hook.stat_object(ref)
    assert stat.attributes is not None
    assert stat.attributes.metadata == metadata
    read = hook.get_object(ref).meta
    assert read.attributes == stat.attributes


def test_metadata_named_like_a_header_stays_metadata(hook: S3ObjectStoreHook, bucket: str) -> None:
    attributes = ObjectAttributes(content_type="a/b", metadata={"content-type": "c/d"})
    ref = ObjectRef(bucket, "key")
    hook.put_object(ref, b"", WriteOptions(attributes=attributes))
    assert hook.stat_object(ref).attributes == attributes


@BOTH_WAYS
def test_both_ways_give_the_same(hook: S3ObjectStoreHook, bucket: str, key: str) -> None:
    ref = ObjectRef(bucket, key)
    written = hook.put_object(
        ref, memoryview(b"content"), WriteOptions(storage_class="STANDARD_IA")
    )
    assert written.digests.md5 == written.etag == "9a0364b9e99bb480dd25e1f0284c8555"
    (listed,) = hook.list_objects(bucket)
    stat = hook.stat_object(ref)
    assert (listed.key, listed.size, listed.etag) == (key, 7, written.etag)
    assert listed.storage_class == stat.storage_class == written.storage_class == "STANDARD_IA"
    assert listed.last_modified.tzinfo is not None
    assert hook.get_object(ref).meta.etag == written.etag


@BOTH_WAYS
def test_errors_are_the_same_both_ways(hook: S3ObjectStoreHook, bucket: str, key: str) -> None:
    ref = ObjectRef(bucket, key)
    with pytest.raises(StorageError) as missing:
        hook.get_object(ref)
    assert (missing.value.kind, missing.value.code) == (ErrorKind.NOT_FOUND, "NoSuchKey")
    hook.put_object(ref, b"1")
    with pytest.raises(StorageError) as there:
        hook.put_object(ref, b"2", WriteOptions(condition=IfAbsent()))
    assert (there.value.kind, there.value.code) == (ErrorKind.ALREADY_EXISTS, "PreconditionFailed")
    with pytest.raises(StorageError) as beyond:
        hook.get_object(ref, start=10)
    assert (beyond.value.kind, beyond.value.code) == (ErrorKind.INVALID_ARGUMENT, "InvalidRange")


def test_keys_that_s3_refuses(hook: S3ObjectStoreHook, bucket: str) -> None:
    for key in ("", "../a", "a/../../b", "é" * 513, "\ud800"):
        assert hook.why_not_key(key), key
        with pytest.raises(StorageError) as caught:
            hook.put_object(ObjectRef(bucket, key), b"")
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    for key in ("a/../b", "./a", "é" * 512, "a//", "/"):
        assert hook.why_not_key(key) is None, key


def test_late_metadata_joins_the_tags(hook: S3ObjectStoreHook, bucket: str) -> None:
    ref = ObjectRef(bucket, "key")
    upload = hook.begin_upload(ref)
    body = os.urandom(MIB)
    part = hook.put_part(upload, 1, memoryview(body))
    with pytest.raises(StorageError) as caught:
        hook.complete_upload(upload, [part], late_metadata={"sum": "not;legal"})
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert not list(hook.list_objects(bucket))
    crc32c = f"{google_crc32c.value(body):08x}"
    hook.complete_upload(
        upload, [part], late_metadata={"sum": crc32c}, digests=Digests(crc32c=crc32c)
    )
    assert hook.get_tags(ref) == {"sum": crc32c}


def test_large_copies_go_by_ranges(
    hook: S3ObjectStoreHook, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_copies, "ONE_REQUEST", MIB)
    monkeypatch.setattr(_copies, "RANGE", 5 * MIB)
    attributes = ObjectAttributes(content_type="a/b", metadata={"k": "v"})
    source, destination = ObjectRef(bucket, "source"), ObjectRef(bucket, "destination")
    body = os.urandom(11 * MIB)
    hook.put_object(source, body, WriteOptions(attributes=attributes))
    hook.set_tags(source, {"team": "a"})
    copied = hook.copy_within(source, destination)
    assert copied.etag.endswith("-3")
    assert copied.attributes == attributes
    assert bytes(memoryview(hook.get_object(destination).read())) == body
    assert hook.get_tags(destination) == {"team": "a"}
    assert not list(hook.list_uploads(bucket))


def test_one_hook_serves_many_threads(hook: S3ObjectStoreHook, bucket: str) -> None:
    def copy(number: int) -> bytes:
        ref = ObjectRef(bucket, f"{number}" + "/" * (number % 2))
        hook.put_object(ref, str(number).encode())
        return bytes(memoryview(hook.get_object(ref).read()))

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(copy, range(64))) == [str(n).encode() for n in range(64)]
    assert len(list(hook.list_objects(bucket))) == 64


def test_assumed_role_is_refreshed(
    local_clouds: LocalClouds, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = "arn:aws:iam::123456789012:role/copier"
    sts = {"sts": {"endpoint_url": local_clouds.aws.endpoint}}
    hook = connect(monkeypatch, local_clouds, role_arn=role, service_config=sts)
    assert hook.stat_bucket(bucket).name == bucket
    credentials = hook._session.credentials
    before = credentials.get_frozen_credentials().access_key
    credentials._expiry_time = datetime.now(UTC) + timedelta(seconds=30)
    hook.put_object(ObjectRef(bucket, "key"), b"content")
    assert credentials.get_frozen_credentials().access_key != before
    principal = StsIdentityHook(aws_conn_id="aws_other").who_am_i()
    assert principal.account_id == "123456789012"
    assert "assumed-role/copier" in principal.principal
    assert principal.region == "us-east-1"


def test_the_users_settings_win(
    local_clouds: LocalClouds, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = connect(monkeypatch, local_clouds)._s3.client.meta.config
    assert (ours.max_pool_connections, ours.retries["mode"]) == (64, "standard")
    assert ours.s3 == {"payload_signing_enabled": False}
    user = {
        "max_pool_connections": 7,
        "retries": {"mode": "adaptive"},
        "s3": {"addressing_style": "path", "payload_signing_enabled": True},
    }
    hook = connect(monkeypatch, local_clouds, config_kwargs=user)
    theirs = hook._s3.client.meta.config
    assert (theirs.max_pool_connections, theirs.retries["mode"]) == (7, "adaptive")
    assert theirs.s3 == user["s3"]
    # A body that is signed is read twice.
    ref, body = ObjectRef(bucket, "a//b"), os.urandom(100_000)
    hook.put_object(ref, body)
    assert bytes(memoryview(hook.get_object(ref).read())) == body


@BOTH_WAYS
def test_no_credentials(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    extra = {"endpoint_url": "http://127.0.0.1:9", "region_name": "us-east-1"}
    connection = json.dumps({"conn_type": "aws", "extra": extra})
    monkeypatch.setenv("AIRFLOW_CONN_AWS_OTHER", connection)
    with pytest.raises(CredentialsError) as caught:
        S3ObjectStoreHook(aws_conn_id="aws_other").put_object(ObjectRef("bucket", key), b"")
    assert caught.value.kind is ErrorKind.UNAUTHENTICATED


class _Kms(BaseHTTPRequestHandler):
    """A store whose buckets encrypt by KMS: an ETag of 32 digits that is no MD5."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str]]
    stored_sha256 = ""
    lie = False

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the parent's name)
        pass

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).stored_sha256 = self.headers.get("x-amz-checksum-sha256") or ""
        self.seen.append(("PUT", self.path))
        crc32c = self.headers.get("x-amz-checksum-crc32c")
        self._answer({"x-amz-checksum-crc32c": crc32c} if crc32c else {})

    def do_HEAD(self) -> None:
        self.seen.append(("HEAD", self.path))
        checksum = "A" * 43 + "=" if self.lie else self.stored_sha256
        self._answer(
            {
                "Last-Modified": "Mon, 23 Nov 2026 08:00:00 GMT",
                "x-amz-checksum-sha256": checksum,
                "x-amz-checksum-type": "FULL_OBJECT",
            }
        )

    def _answer(self, headers: dict[str, str]) -> None:
        self.send_response(200)
        self.send_header("ETag", '"' + "0" * 32 + '"')
        self.send_header("x-amz-server-side-encryption", "aws:kms")
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def kms_server() -> Iterator[type[_Kms]]:
    handler = type("Kms", (_Kms,), {"seen": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        handler.port = server.server_port  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield handler
        server.shutdown()
        thread.join()


@pytest.fixture
def kms_hook(kms_server: Any, monkeypatch: pytest.MonkeyPatch) -> S3ObjectStoreHook:
    extra = {"endpoint_url": f"http://127.0.0.1:{kms_server.port}", "region_name": "us-east-1"}
    connection = {"conn_type": "aws", "login": "a" * 9, "password": "b" * 9, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_KMS", json.dumps(connection))
    return S3ObjectStoreHook(aws_conn_id="aws_kms")


def test_kms_etags_are_no_md5(kms_server: Any, kms_hook: S3ObjectStoreHook) -> None:
    ref = ObjectRef("bucket", "key")
    first = kms_hook.put_object(ref, b"content")
    assert first.digests.md5 is None
    assert first.digests.sha256 is not None
    kms_server.seen.clear()
    second = kms_hook.put_object(ref, b"content")
    assert second.digests == Digests(crc32c=f"{google_crc32c.value(b'content'):08x}")
    assert kms_server.seen == [("PUT", "/bucket/key")]  # the bucket is known by now


def test_kms_does_not_hide_corruption(kms_server: Any, kms_hook: S3ObjectStoreHook) -> None:
    kms_server.lie = True
    with pytest.raises(StorageError) as caught:
        kms_hook.put_object(ObjectRef("bucket", "key"), b"content")
    assert caught.value.kind is ErrorKind.INTEGRITY
