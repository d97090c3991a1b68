"""What only Cloud Storage's hook does: generations, stored gzip, composed parts, credentials."""

from __future__ import annotations

import gzip
import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import google_crc32c
import pytest

from airflow_multicloud.clouds.gcp.identity import GCPIdentityHook
from airflow_multicloud.clouds.gcp.object_store import GCSObjectStoreHook
from airflow_multicloud.clouds.gcp.object_store.parts import PARTS_PREFIX
from airflow_multicloud.errors import CredentialsError, ErrorKind, StorageError
from airflow_multicloud.ports.identity import Principal
from airflow_multicloud.ports.object_store import (
    Digests,
    IfAbsent,
    IfUnchanged,
    ObjectAttributes,
    ObjectRef,
    ObjectTags,
    WriteOptions,
)
from tests.integration.answering import EMAIL, Answer, Asked, answering, service_account

if TYPE_CHECKING:
    from airflow_multicloud.ports.object_store import ObjectMeta
    from airflow_multicloud.testing.local_clouds import LocalClouds


def crc32c(data: bytes) -> str:
    return f"{google_crc32c.value(data):08x}"


@pytest.fixture(scope="session")
def hook(local_clouds: LocalClouds) -> GCSObjectStoreHook:
    return GCSObjectStoreHook(gcp_conn_id="gcp_local")


@pytest.fixture
def bucket(hook: GCSObjectStoreHook, request: pytest.FixtureRequest) -> str:
    name = "gcs-" + f"{abs(hash(request.node.name)):x}"
    hook.ensure_bucket(name)
    return name


def object_answer(body: bytes, length: int | None = None) -> Answer:
    headers = {
        "x-goog-generation": "5",
        "last-modified": "Mon, 23 Nov 2026 08:00:00 GMT",
        "etag": '"e"',
    }
    return Answer(body, headers=headers, length=length)


def connect(patch: pytest.MonkeyPatch, **extra: Any) -> str:
    """A connection of this test; its id."""
    value = {"conn_type": "google_cloud_platform", "extra": extra}
    patch.setenv("AIRFLOW_CONN_GCS_OF_TEST", json.dumps(value))
    return "gcs_of_test"


def with_key(patch: pytest.MonkeyPatch, endpoint: str, token_endpoint: str) -> str:
    key = service_account(f"{token_endpoint}/token")
    return connect(patch, keyfile_dict=json.dumps(key), num_retries=0, **{"gcs.endpoint": endpoint})


def granted(asked: Asked) -> Answer:
    kind = {"content-type": "application/json"}
    if asked.path == "/token":
        token = b'{"access_token": "granted", "expires_in": 3600, "token_type": "Bearer"}'
        return Answer(token, headers=kind)
    if asked.path.startswith("/storage/v1/b/bucket/o?"):
        return Answer(b"{}", headers=kind)
    return object_answer(b"hi")


def test_the_generation_is_the_etag_everywhere(hook: GCSObjectStoreHook, bucket: str) -> None:
    attributes = ObjectAttributes(
        content_type="text/plain; charset=utf-8",
        content_language="de",
        content_disposition="inline",
        cache_control="no-store",
        metadata={"owner": "jürgen"},
    )
    written = hook.put_object(
        ObjectRef(bucket, "dir/ü #?%25+.txt"), b"one", WriteOptions(attributes=attributes)
    )
    ref = ObjectRef(bucket, written.key)
    body = hook.get_object(ref)
    assert written.etag == written.version == body.meta.etag == body.meta.version
    assert bytes(body.read()) == b"one"
    assert written.attributes == attributes
    assert written.digests.crc32c == crc32c(b"one")
    assert hook.stat_object(ref) == written
    assert list(hook.list_objects(bucket)) == list(hook.list_versions(bucket)) == [written]
    assert hook.put_object(ref, b"two").etag != written.etag


# The second object's metadata are beyond what obstore reads, so the hook reads it by JSON.
@pytest.mark.parametrize("owner", ["juergen", "jürgen"])
def test_gzip_is_read_as_stored(hook: GCSObjectStoreHook, bucket: str, owner: str) -> None:
    stored = gzip.compress(os.urandom(100_000))
    ref = ObjectRef(bucket, "log.gz")
    meta = hook.put_object(
        ref,
        stored,
        WriteOptions(
            attributes=ObjectAttributes(content_encoding="gzip", metadata={"owner": owner})
        ),
    )
    assert bytes(hook.get_object(ref).read()) == stored
    assert b"".join(bytes(c) for c in hook.get_object(ref, if_etag=meta.etag)) == stored
    ranged = hook.get_object(ref, start=10, end=5000)
    assert ranged.meta.size == len(stored)
    assert bytes(ranged.read()) == stored[10:5000]
    assert bytes(hook.get_object(ref, start=99_990).read()) == stored[99_990:]
    with pytest.raises(StorageError) as changed:
        hook.get_object(ref, if_etag="12")
    assert changed.value.kind is ErrorKind.PRECONDITION_FAILED
    with pytest.raises(StorageError) as gone:
        hook.get_object(ObjectRef(bucket, "log.gz", "12"))
    assert gone.value.kind is ErrorKind.NOT_FOUND
    with pytest.raises(StorageError) as beyond:
        hook.get_object(ref, start=10**6, end=10**6 + 1)
    assert beyond.value.kind is ErrorKind.INVALID_ARGUMENT


@pytest.mark.parametrize("owner", ["juergen", "jürgen"])
def test_a_range_of_an_empty_object(hook: GCSObjectStoreHook, bucket: str, owner: str) -> None:
    ref = ObjectRef(bucket, "empty")
    options = WriteOptions(attributes=ObjectAttributes(metadata={"owner": owner}))
    meta = hook.put_object(ref, b"", options)
    for start, end in ((0, None), (0, 10), (5, None)):
        body = hook.get_object(ref, start=start, end=end)
        assert body.meta.etag == meta.etag
        assert bytes(body.read()) == b""
        assert list(hook.get_object(ref, start=start, end=end)) == []


def test_another_clouds_etag_is_an_error_not_a_mismatch(hook: GCSObjectStoreHook) -> None:
    ref = ObjectRef("bucket", "key")
    options = WriteOptions(condition=IfUnchanged("9bb58f26192e4ba00f01e2e7b136bbd8"))
    for call in (
        lambda: hook.put_object(ref, b"", options),
        lambda: hook.stat_object(ObjectRef("bucket", "key", "null")),
    ):
        with pytest.raises(StorageError, match="no Cloud Storage generation") as caught:
            call()
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


# 33 parts make two levels of compositions.
@pytest.mark.parametrize("count", [1, 2, 33])
def test_parts_are_composed_and_gone(hook: GCSObjectStoreHook, bucket: str, count: int) -> None:
    pieces = [os.urandom(1000 + number) for number in range(count)]
    whole = b"".join(pieces)
    upload = hook.begin_upload(ObjectRef(bucket, "jürgen/big"))
    with ThreadPoolExecutor(8) as pool:
        parts = list(
            pool.map(
                lambda number: hook.put_part(upload, number + 1, memoryview(pieces[number])),
                range(count),
            )
        )
    assert [part.digests.crc32c for part in parts] == [crc32c(piece) for piece in pieces]
    assert hook.list_parts(upload) == parts
    assert [found.ref for found in hook.list_uploads(bucket, "jürgen/")] == [upload.ref]
    assert [found.upload_id for found in hook.list_uploads(bucket)] == [upload.upload_id]
    assert list(hook.list_uploads(bucket, "other")) == []
    assert list(hook.list_objects(bucket)) == []
    assert len(list(hook.list_objects(bucket, PARTS_PREFIX))) == count

    options = WriteOptions(attributes=ObjectAttributes(content_type="a/b", metadata={"a": "1"}))
    meta = hook.complete_upload(
        upload, parts, options, late_metadata={"b": "2"}, digests=Digests(crc32c=crc32c(whole))
    )
    assert meta.attributes == ObjectAttributes(content_type="a/b", metadata={"a": "1", "b": "2"})
    assert meta.digests.crc32c == crc32c(whole)
    assert hook.stat_object(upload.ref) == meta
    assert bytes(hook.get_object(upload.ref).read()) == whole
    assert list(hook.list_objects(bucket, PARTS_PREFIX)) == list(hook.list_uploads(bucket)) == []


def test_a_wrong_whole_never_shows(hook: GCSObjectStoreHook, bucket: str) -> None:
    old = hook.put_object(ObjectRef(bucket, "big"), b"old")
    upload = hook.begin_upload(ObjectRef(bucket, "big"))
    parts = [hook.put_part(upload, number, b"part") for number in (1, 2)]
    with pytest.raises(StorageError) as caught:
        hook.complete_upload(upload, parts, digests=Digests(crc32c="00000000"))
    assert caught.value.kind is ErrorKind.INTEGRITY
    assert list(hook.list_objects(bucket)) == [old]
    assert hook.list_parts(upload) == parts  # composing left the parts to try again with
    hook.abort_upload(upload)
    hook.abort_upload(upload)
    assert list(hook.list_objects(bucket, PARTS_PREFIX)) == []


def test_a_part_sent_again_replaces_itself(hook: GCSObjectStoreHook, bucket: str) -> None:
    upload = hook.begin_upload(ObjectRef(bucket, "big"))
    hook.put_part(upload, 1, b"first")
    part = hook.put_part(upload, 1, b"second")
    hook.put_part(upload, 2, b"not named")
    hook.complete_upload(upload, [part])
    assert bytes(hook.get_object(upload.ref).read()) == b"second"
    assert list(hook.list_objects(bucket, PARTS_PREFIX)) == []


def test_part_numbers(hook: GCSObjectStoreHook) -> None:
    upload = hook.begin_upload(ObjectRef("bucket", "big"))
    for number in (0, 10_001):
        with pytest.raises(StorageError, match="allowed: 1 to 10000"):
            hook.put_part(upload, number, b"")


def test_copy_keeps_the_attributes(hook: GCSObjectStoreHook, bucket: str) -> None:
    attributes = ObjectAttributes(content_type="a/b", metadata={"a": "1"})
    source = hook.put_object(ObjectRef(bucket, "a"), b"body", WriteOptions(attributes=attributes))
    for storage_class in (None, "NEARLINE"):
        copy = hook.copy_within(
            ObjectRef(bucket, "a", source.version),
            ObjectRef(bucket, "b"),
            WriteOptions(storage_class=storage_class),
        )
        assert copy.attributes == attributes
        assert copy.digests == source.digests
    with pytest.raises(StorageError) as caught:
        hook.copy_within(ObjectRef(bucket, "a", "12"), ObjectRef(bucket, "b"))
    assert caught.value.kind is ErrorKind.NOT_FOUND


def test_buckets(hook: GCSObjectStoreHook) -> None:
    assert hook.ensure_bucket("gcs-of-test-buckets", location="US-EAST1") is True
    assert hook.ensure_bucket("gcs-of-test-buckets") is False
    assert hook.stat_bucket("gcs-of-test-buckets").name == "gcs-of-test-buckets"
    for call in (hook.stat_bucket, lambda name: list(hook.list_objects(name))):
        with pytest.raises(StorageError) as caught:
            call("no-such-bucket")
        assert caught.value.kind is ErrorKind.NOT_FOUND


def test_a_bucket_may_be_read_without_the_right_to_look_at_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused = b'{"error": {"code": 403, "message": "no", "errors": [{"reason": "forbidden"}]}}'
    kind = {"content-type": "application/json; charset=UTF-8"}

    def answer(asked: Asked) -> Answer:
        if asked.path.startswith("/storage/v1/b/x/o?"):
            return Answer(b"{}", headers=kind)
        return Answer(refused, 403, kind)

    with answering(answer) as server:
        conn_id = connect(monkeypatch, is_anonymous=True, **{"gcs.endpoint": server.url})
        hook = GCSObjectStoreHook(gcp_conn_id=conn_id)
        assert hook.stat_bucket("x").location is None
        with pytest.raises(StorageError) as caught:
            hook.stat_bucket("y")
    assert caught.value.kind is ErrorKind.PERMISSION_DENIED
    assert caught.value.code == "forbidden"
    assert len(server.asked) == 4


def test_keys(hook: GCSObjectStoreHook) -> None:
    for key in ("a", "ü" * 512, "a//b", "/", "a/../b", "\x01"):
        assert hook.why_not_key(key) is None
    for key in ("", "ü" * 513, "a\n", "a\r", ".", "..", "\ud800", f"{PARTS_PREFIX}x"):
        assert hook.why_not_key(key)
    assert hook.why_not_key(".well-known/acme-challenge/x")
    with pytest.raises(StorageError, match="is reserved") as caught:
        hook.put_object(ObjectRef("bucket", f"{PARTS_PREFIX}x"), b"")
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_no_tags(hook: GCSObjectStoreHook) -> None:
    assert not isinstance(hook, ObjectTags)


def test_one_token_for_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(granted) as server:
        hook = GCSObjectStoreHook(gcp_conn_id=with_key(monkeypatch, server.url, server.url))

        def use(_: int) -> None:
            assert list(hook.list_objects("bucket")) == []
            assert bytes(hook.get_object(ObjectRef("bucket", "key")).read()) == b"hi"
            assert bytes(hook.get_object(ObjectRef("bucket", "not//plain")).read()) == b"hi"

        use(0)
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(use, range(32)))
    assert [a.path for a in server.asked].count("/token") == 1
    assert {a.headers.get("authorization") for a in server.asked if a.path != "/token"} == {
        "Bearer granted"
    }


def test_refused_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Answer(b'{"error": "invalid_grant"}', 400, {"content-type": "application/json"})
    with answering(lambda _: answer) as server:
        conn_id = with_key(monkeypatch, server.url, server.url)
        hook = GCSObjectStoreHook(gcp_conn_id=conn_id)
        for call in (
            lambda: hook.get_object(ObjectRef("bucket", "key")),
            lambda: hook.stat_object(ObjectRef("bucket", "key")),
            GCPIdentityHook(gcp_conn_id=conn_id).who_am_i,
        ):
            with pytest.raises(CredentialsError, match="invalid_grant") as caught:
                call()
            assert caught.value.kind is ErrorKind.UNAUTHENTICATED


def test_who_am_i(local_clouds: LocalClouds, monkeypatch: pytest.MonkeyPatch) -> None:
    assert GCPIdentityHook(gcp_conn_id="gcp_local").who_am_i() == Principal("local", "anonymous")
    with answering(granted) as server:
        conn_id = with_key(monkeypatch, server.url, server.url)
        me = GCPIdentityHook(gcp_conn_id=conn_id).who_am_i()
    assert me == Principal("project-of-key", EMAIL)
    assert [a.path for a in server.asked] == ["/token"]


def test_signed_urls(
    local_clouds: LocalClouds,
    hook: GCSObjectStoreHook,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ref = ObjectRef(bucket, "dir/ü.txt")
    hook.put_object(ref, b"for all to see")
    with answering(granted) as server:
        signer = GCSObjectStoreHook(
            gcp_conn_id=with_key(monkeypatch, local_clouds.gcp.endpoint, server.url)
        )
        signed = signer.sign_url(ref, method="GET", expires_in=timedelta(hours=1))
        with pytest.raises(StorageError, match="up to 7 days"):
            signer.sign_url(ref, method="GET", expires_in=timedelta(days=8))
        with pytest.raises(StorageError, match="GET or PUT"):
            signer.sign_url(ref, method="DELETE", expires_in=timedelta(hours=1))
    assert "X-Goog-Signature" in signed.reveal()
    assert "X-Goog-Signature" not in f"{signed} {signed!r}"
    with urlopen(signed.reveal(), timeout=10) as response:
        assert response.read() == b"for all to see"
    assert server.asked == []  # a private key signs by itself
    with pytest.raises(StorageError) as caught:
        hook.sign_url(ref, method="GET", expires_in=timedelta(hours=1))
    assert caught.value.kind is ErrorKind.UNSUPPORTED


@pytest.mark.parametrize("key", ["plain", "not//plain"])
def test_a_body_that_ends_early(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    with answering(lambda _: object_answer(b"short", length=100)) as server:
        conn_id = connect(
            monkeypatch, is_anonymous=True, num_retries=0, **{"gcs.endpoint": server.url}
        )
        body = GCSObjectStoreHook(gcp_conn_id=conn_id).get_object(ObjectRef("bucket", key))
        with pytest.raises(StorageError) as caught:
            body.read()
    assert caught.value.kind in {ErrorKind.INTEGRITY, ErrorKind.UNAVAILABLE}
    assert caught.value.retryable


def test_an_anonymous_read_asks_no_key_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent/key.json")
    with answering(lambda _: object_answer(b"there")) as server:
        conn_id = connect(
            monkeypatch, is_anonymous=True, num_retries=0, **{"gcs.endpoint": server.url}
        )
        body = GCSObjectStoreHook(gcp_conn_id=conn_id).get_object(ObjectRef("bucket", "plain"))
        assert bytes(body.read()) == b"there"
    assert [a.headers.get("authorization") for a in server.asked] == [None]


@pytest.mark.parametrize(("retries", "survives"), [(0, False), (1, True)])
def test_retries_are_the_connections(
    monkeypatch: pytest.MonkeyPatch, retries: int, survives: bool
) -> None:
    failing = iter([True])

    def answer(_: Asked) -> Answer | bytes:
        return Answer(b"try later", 503) if next(failing, False) else b"{}"

    def listed(hook: GCSObjectStoreHook) -> list[ObjectMeta]:
        return list(hook.list_objects("bucket"))

    with answering(answer) as server:
        conn_id = connect(
            monkeypatch, is_anonymous=True, num_retries=retries, **{"gcs.endpoint": server.url}
        )
        hook = GCSObjectStoreHook(gcp_conn_id=conn_id)
        if survives:
            assert listed(hook) == []
        else:
            with pytest.raises(StorageError, match="try later") as caught:
                listed(hook)
            assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert len(server.asked) == retries + 1


@pytest.mark.parametrize("read", [False, True], ids=["metadata", "content"])
def test_a_refusal_says_why_and_how_long_to_wait(
    monkeypatch: pytest.MonkeyPatch, *, read: bool
) -> None:
    said = b'{"error": {"code": 429, "message": "slower", "errors": [{"reason": "tooFast"}]}}'
    headers = {"content-type": "application/json; charset=UTF-8", "retry-after": "7"}
    with answering(lambda _: Answer(said, 429, headers)) as server:
        conn_id = connect(
            monkeypatch, is_anonymous=True, num_retries=0, **{"gcs.endpoint": server.url}
        )
        hook = GCSObjectStoreHook(gcp_conn_id=conn_id)
        call = hook.get_object if read else hook.stat_object
        with pytest.raises(StorageError, match="slower") as caught:
            call(ObjectRef("bucket", "not//plain"))
    assert caught.value.kind is ErrorKind.THROTTLED
    assert caught.value.code == "tooFast"
    assert caught.value.retry_after == timedelta(seconds=7)


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(granted) as server:
        pass
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
    conn_id = connect(monkeypatch, is_anonymous=True, num_retries=0, project="p")
    hook = GCSObjectStoreHook(gcp_conn_id=conn_id)
    for call in (hook.stat_object, hook.get_object, hook.delete_object):
        with pytest.raises(StorageError) as caught:
            call(ObjectRef("bucket", "key"))
        assert caught.value.kind is ErrorKind.UNAVAILABLE


def test_conditions_on_single_writes(hook: GCSObjectStoreHook, bucket: str) -> None:
    ref = ObjectRef(bucket, "key")
    first = hook.put_object(ref, b"1", WriteOptions(condition=IfAbsent()))
    with pytest.raises(StorageError) as exists:
        hook.put_object(ref, b"2", WriteOptions(condition=IfAbsent()))
    assert exists.value.kind is ErrorKind.ALREADY_EXISTS
    unchanged = WriteOptions(condition=IfUnchanged(first.etag))
    second = hook.put_object(ref, b"2", unchanged)
    with pytest.raises(StorageError) as changed:
        hook.put_object(ref, b"3", unchanged)
    assert changed.value.kind is ErrorKind.PRECONDITION_FAILED
    assert hook.stat_object(ref) == second


def test_proxies_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(granted) as proxy:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        conn_id = connect(
            monkeypatch, is_anonymous=True, **{"gcs.endpoint": "http://storage.example"}
        )
        hook = GCSObjectStoreHook(gcp_conn_id=conn_id)
        assert bytes(hook.get_object(ObjectRef("bucket", "key")).read()) == b"hi"
        assert bytes(hook.get_object(ObjectRef("bucket", "not//plain")).read()) == b"hi"
    assert [a.path.partition("?")[0] for a in proxy.asked] == [
        # Behind a proxy obstore, which follows redirects, is not used.
        "http://storage.example/storage/v1/b/bucket/o/key",
        "http://storage.example/storage/v1/b/bucket/o/not%2F%2Fplain",
    ]
