"""What S3 is asked, and what becomes of answers that are none."""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from airflow_multicloud.adapters.answers import UNKNOWN_TIME
from airflow_multicloud.clouds.aws.object_store import S3ObjectStoreHook
from airflow_multicloud.clouds.aws.object_store import copying as _copies
from airflow_multicloud.clouds.aws.object_store.terms import Owners
from airflow_multicloud.errors import CredentialsError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    Digests,
    ObjectRef,
    Part,
    PartUpload,
    WriteOptions,
)
from tests.integration.answering import PAGE, Answer, Answering, Asked, answering

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_multicloud.testing.local_clouds import LocalClouds

NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
ETAG = "9a0364b9e99bb480dd25e1f0284c8555"  # of b"content"
OWNER = "123456789012"
ENTRY = (
    "<Contents><Key>d/a</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
    f'<ETag>"{ETAG}"</ETag><Size>7</Size></Contents>'
)


def listing(inside: str, root: str = "ListBucketResult") -> bytes:
    return f'<?xml version="1.0"?><{root} {NAMESPACE}>{inside}</{root}>'.encode()


def an_s3(asked: Asked) -> Answer | bytes:  # noqa: C901, PLR0911 - a list of verbs
    """Says yes to everything, as a bucket with one object."""
    query = parse_qs(urlsplit(asked.path).query, keep_blank_values=True)
    headers = {"ETag": f'"{ETAG}"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
    match asked.method:
        case "POST" if "uploads" in query:
            return listing("<UploadId>u</UploadId>", "InitiateMultipartUploadResult")
        case "POST":
            return listing(f'<ETag>"{ETAG}"</ETag>', "CompleteMultipartUploadResult")
        case "PUT" if "x-amz-copy-source" in asked.headers:
            return listing(f'<ETag>"{ETAG}"</ETag>', "CopyObjectResult")
        case "GET" if "acl" in query:
            return listing("<Owner><ID>first</ID></Owner>", "AccessControlPolicy")
        case "GET" if "list-type" in query or "versions" in query:
            return listing(ENTRY)
        case "GET" if "uploads" in query:
            return listing("", "ListMultipartUploadsResult")
        case "GET" if "uploadId" in query:
            return listing("", "ListPartsResult")
        case "GET" if "tagging" in query:
            return listing("<TagSet/>", "Tagging")
        case "GET":
            return Answer(b"content", headers=headers)
        case "HEAD":
            return Answer(headers=headers, length=7)
        case "DELETE":
            return Answer(status=204)
    return Answer(headers=headers)


@contextmanager
def an_aws(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[Asked], Answer | bytes], **extra: object
) -> Iterator[tuple[S3ObjectStoreHook, Answering]]:
    with answering(answer) as server:
        connection: dict[str, Any] = {"conn_type": "aws", "login": "a" * 9, "password": "b" * 9}
        connection["extra"] = {
            "endpoint_url": server.url,
            "region_name": "us-east-1",
            "config_kwargs": {"retries": {"mode": "standard", "total_max_attempts": 1}},
            **extra,
        }
        monkeypatch.setenv("AIRFLOW_CONN_AWS_ASKED", json.dumps(connection))
        yield S3ObjectStoreHook(aws_conn_id="aws_asked"), server


def ask_everything(hook: S3ObjectStoreHook, bucket: str = "bucket") -> None:
    """Every verb that makes a request, by both ways where there are two."""
    hook.stat_bucket(bucket)
    list(hook.list_objects(bucket))
    for key in ("plain", "odd//key"):
        ref = ObjectRef(bucket, key)
        hook.put_object(ref, b"content", WriteOptions())
        assert bytes(hook.get_object(ref).read()) == b"content"
        hook.stat_object(ref)
        hook.delete_object(ref)
    ref = ObjectRef(bucket, "plain")
    hook.set_tags(ref, {"a": "b"})
    hook.get_tags(ref)
    hook.copy_within(ref, ObjectRef(bucket, "copy"))
    upload = hook.begin_upload(ref)
    part = hook.put_part(upload, 1, memoryview(b"content"))
    hook.list_parts(upload)
    list(hook.list_uploads(bucket))
    hook.complete_upload(upload, [part])
    hook.abort_upload(upload)


def test_the_expected_owner_goes_with_every_request(monkeypatch: pytest.MonkeyPatch) -> None:
    with an_aws(monkeypatch, an_s3, expected_bucket_owner=OWNER) as (hook, server):
        ask_everything(hook)
    assert len(server.asked) > 18
    for asked in server.asked:
        assert asked.headers["x-amz-expected-bucket-owner"] == OWNER, asked
        # S3 refuses one that is not signed.
        assert "x-amz-expected-bucket-owner" in asked.headers["authorization"], asked
    (copied,) = [a for a in server.asked if "x-amz-copy-source" in a.headers]
    assert copied.headers["x-amz-source-expected-bucket-owner"] == OWNER
    # By both ways: only obstore's requests have no id of an invocation.
    assert {"amz-sdk-invocation-id" in a.headers for a in server.asked} == {True, False}


@pytest.mark.parametrize("given", [True, "true", "True"])
def test_requester_pays_goes_with_every_request_that_knows_it(
    monkeypatch: pytest.MonkeyPatch, given: object
) -> None:
    with an_aws(monkeypatch, an_s3, requester_pays=given) as (hook, server):
        ask_everything(hook)
    # S3 knows it neither for what is asked of the bucket itself nor for tags' deletion.
    for asked in server.asked:
        path, _, query = asked.path.partition("?")
        if path.strip("/") != "bucket" or "list-type" in query:
            assert asked.headers.get("x-amz-request-payer") == "requester", asked


def test_nobody_pays_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    with an_aws(monkeypatch, an_s3) as (hook, server):
        ask_everything(hook)
    assert not any("x-amz-request-payer" in asked.headers for asked in server.asked)


@pytest.mark.parametrize(
    ("extra", "name"),
    [
        ({"expected_bucket_owner": "12345"}, "expected_bucket_owner"),
        ({"expected_bucket_owner": 123456789012}, "expected_bucket_owner"),
        ({"requester_pays": "perhaps"}, "requester_pays"),
    ],
)
def test_an_extra_without_sense_is_refused(
    monkeypatch: pytest.MonkeyPatch, extra: dict[str, object], name: str
) -> None:
    with (
        pytest.raises(CredentialsError, match=f"^connection 'aws_asked': extra {name} ") as caught,
        an_aws(monkeypatch, an_s3, **extra),
    ):
        pass
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


@pytest.mark.parametrize("key", ["plain", "odd//key"])
def test_another_owner_is_refused(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    bucket = f"owned-{uuid.uuid4().hex[:8]}"
    owner = "first"

    def owned(asked: Asked) -> Answer | bytes:
        if asked.path.endswith("?acl"):
            return listing(f"<Owner><ID>{owner}</ID></Owner>", "AccessControlPolicy")
        return an_s3(asked)

    ref = ObjectRef(bucket, key)
    with an_aws(monkeypatch, owned) as (hook, server):
        hook.get_object(ref).read()
        hook.get_object(ref).read()
        assert sum(a.path.endswith("?acl") for a in server.asked) == 1
        again = S3ObjectStoreHook(aws_conn_id="aws_asked")
        again.get_object(ref).read()
        owner = "second"
        later = S3ObjectStoreHook(aws_conn_id="aws_asked")
        for call in (
            lambda: later.get_object(ref),
            lambda: later.put_object(ref, b"content"),
            lambda: list(later.list_objects(bucket)),
        ):
            with pytest.raises(StorageError, match="belongs to second now") as caught:
                call()
            assert caught.value.kind is ErrorKind.PERMISSION_DENIED


@pytest.mark.parametrize("owners", [("first", ""), ("", "first"), (" ", "first"), ("first", None)])
def test_an_owner_that_is_not_said_is_no_change(
    monkeypatch: pytest.MonkeyPatch, owners: tuple[str, str | None]
) -> None:
    ref = ObjectRef(f"owned-{uuid.uuid4().hex[:8]}", "key")
    said: str | None = None

    def owned(asked: Asked) -> Answer | bytes:
        if asked.path.endswith("?acl"):
            told = "" if said is None else f"<Owner><ID>{said}</ID></Owner>"
            return listing(told, "AccessControlPolicy")
        return an_s3(asked)

    with an_aws(monkeypatch, owned):
        for owner in (*owners, "first"):
            said = owner
            S3ObjectStoreHook(aws_conn_id="aws_asked").get_object(ref).read()


@pytest.mark.parametrize(
    ("status", "code"), [(403, "AccessDenied"), (501, "NotImplemented"), (400, "WhatIsThis")]
)
def test_who_may_not_ask_for_the_owner_works_on(
    monkeypatch: pytest.MonkeyPatch, status: int, code: str
) -> None:
    def closed(asked: Asked) -> Answer | bytes:
        if asked.path.endswith("?acl"):
            return Answer(f"<Error><Code>{code}</Code></Error>".encode(), status)
        return an_s3(asked)

    with an_aws(monkeypatch, closed) as (hook, _):
        ask_everything(hook, f"shy-{uuid.uuid4().hex[:8]}")


@pytest.mark.parametrize("conn_id", ["aws_local", "aws_second"])
def test_the_owner_of_a_bucket_is_found(local_clouds: LocalClouds, conn_id: str) -> None:
    hook = S3ObjectStoreHook(aws_conn_id=conn_id)
    bucket = f"aws-{uuid.uuid4().hex[:12]}"
    hook.ensure_bucket(bucket)
    list(hook.list_objects(bucket))
    assert any(name == bucket for _, name in Owners._first)


def test_a_tenants_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    with an_aws(monkeypatch, an_s3) as (hook, server):
        ask_everything(hook, "tenant:bucket")
    paths = {unquote(asked.path).partition("?")[0] for asked in server.asked}
    assert {p.split("/")[1] for p in paths} == {"tenant:bucket"}
    copies = [a for a in server.asked if "x-amz-copy-source" in a.headers]
    assert [unquote(a.headers["x-amz-copy-source"]) for a in copies] == ["tenant:bucket/plain"]


@pytest.mark.parametrize(
    ("arn", "host"),
    [
        (
            "arn:aws:s3:eu-central-1:123456789012:accesspoint/name",
            "name-123456789012.s3-accesspoint.eu-central-1.amazonaws.com",
        ),
        (
            "arn:aws:s3:eu-central-1:123456789012:accesspoint:name",
            "name-123456789012.s3-accesspoint.eu-central-1.amazonaws.com",
        ),
        (
            "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap",
            "mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com",
        ),
        (
            "arn:aws:s3-outposts:eu-central-1:123456789012:outpost/op-01234567890123456/"
            "accesspoint/name",
            "name-123456789012.op-01234567890123456.s3-outposts.eu-central-1.amazonaws.com",
        ),
    ],
)
def test_an_access_point(monkeypatch: pytest.MonkeyPatch, arn: str, host: str) -> None:
    """By a proxy, which is the only way to see a request to such a host from here."""
    with answering(an_s3) as proxy:
        connection: dict[str, Any] = {"conn_type": "aws", "login": "a" * 9, "password": "b" * 9}
        connection["extra"] = {
            "region_name": "eu-central-1",
            "config_kwargs": {"proxies": {"http": proxy.url}},
        }
        monkeypatch.setenv("AIRFLOW_CONN_AWS_POINT", json.dumps(connection))
        hook = S3ObjectStoreHook(aws_conn_id="aws_point")
        hook._s3.client.meta.events.register("before-send.s3", _in_the_clear)
        ref = ObjectRef(arn, "dir/key")
        assert bytes(hook.get_object(ref).read()) == b"content"
        assert [meta.key for meta in hook.list_objects(arn)] == ["d/a"]
    assert {urlsplit(a.path).hostname for a in proxy.asked} == {host}
    assert any(urlsplit(a.path).path == "/dir/key" for a in proxy.asked)


def heads(server: Answering) -> int:
    return sum(asked.method == "HEAD" for asked in server.asked)


def test_a_bucket_behind_a_proxy_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(an_s3) as proxy:
        proxied = {"proxies": {"http": proxy.url}}
        with an_aws(monkeypatch, an_s3, config_kwargs=proxied) as (hook, _):
            assert [hook._s3.store("bucket") for _ in range(5)] == [None] * 5
    assert heads(proxy) == 1


def test_a_bucket_that_was_looked_at_is_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known by then: its place, and whose it is; reading it takes one request more."""
    with an_aws(monkeypatch, an_s3) as (hook, server):
        hook.stat_bucket("bucket")
        known = len(server.asked)
        for _ in range(2):
            assert bytes(hook.get_object(ObjectRef("bucket", "plain")).read()) == b"content"
    assert [asked.method for asked in server.asked[:known]] == ["HEAD", "GET"]
    assert "acl" in server.asked[1].path
    assert [asked.method for asked in server.asked[known:]] == ["GET", "GET"]


def test_a_bucket_that_was_not_found_is_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = True

    def late(asked: Asked) -> Answer | bytes:
        return Answer(status=404) if asked.method == "HEAD" and missing else an_s3(asked)

    with an_aws(monkeypatch, late) as (hook, server):
        assert hook._s3.store("bucket") is None
        missing = False
        assert hook._s3.store("bucket") is not None
        assert hook._s3.store("bucket") is not None
    assert heads(server) == 2


def _in_the_clear(request: Any, **_: object) -> None:
    request.url = request.url.replace("https://", "http://", 1)


MORE = "<IsTruncated>true</IsTruncated>"


@pytest.mark.parametrize("marker", ["", "<NextKeyMarker></NextKeyMarker>"])
def test_more_without_where_is_an_error(monkeypatch: pytest.MonkeyPatch, marker: str) -> None:
    roots = {
        "list-type": "ListBucketResult",
        "versions": "ListVersionsResult",
        "uploads": "ListMultipartUploadsResult",
        "uploadId": "ListPartsResult",
    }

    def cut(asked: Asked) -> Answer | bytes:
        query = parse_qs(urlsplit(asked.path).query, keep_blank_values=True)
        for name, root in roots.items():
            if name in query:
                return listing(MORE + marker, root)
        return an_s3(asked)

    with an_aws(monkeypatch, cut) as (hook, _):
        for call in (
            lambda: list(hook.list_objects("bucket")),
            lambda: list(hook.list_versions("bucket")),
            lambda: list(hook.list_uploads("bucket")),
            lambda: hook.list_parts(PartUpload(ObjectRef("bucket", "key"), "u")),
        ):
            with pytest.raises(StorageError, match="there is more, and does not say where") as got:
                call()
            assert got.value.kind is ErrorKind.INTEGRITY


def test_one_token_for_ever_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    again = listing(MORE + "<NextContinuationToken>t</NextContinuationToken>" + ENTRY)
    with (
        an_aws(monkeypatch, lambda _: again) as (hook, _),
        pytest.raises(StorageError, match="one page token twice") as caught,
    ):
        list(hook.list_objects("bucket"))
    assert caught.value.kind is ErrorKind.INTEGRITY


def test_an_answer_that_is_no_listing(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b""
    with an_aws(monkeypatch, lambda asked: an_s3(asked) if "?acl" in asked.path else body) as (
        hook,
        _,
    ):
        for said in (PAGE, b"{}"):  # botocore asks again, and then says that S3 failed
            body = said
            with pytest.raises(StorageError) as caught:
                list(hook.list_objects("bucket"))
            assert caught.value.kind is ErrorKind.UNAVAILABLE, said
        for said in (
            b"",
            b"<html><body>Sign in</body></html>",
            listing(ENTRY.replace("<Key>d/a</Key>", "")),
        ):
            body = said
            with pytest.raises(StorageError, match="the answer can't be read") as caught:
                list(hook.list_objects("bucket"))
            assert caught.value.kind is ErrorKind.INTEGRITY, said
        for size in ("seven", "-7", "9" * 30, "9" * 5000):
            body = listing(ENTRY.replace("<Size>7", f"<Size>{size}"))
            (meta,) = hook.list_objects("bucket")
            assert (meta.key, meta.size) == ("d/a", 0), size
            assert meta.last_modified == datetime(2026, 1, 1, tzinfo=UTC)
        for moment in ("yesterday", "0001-01-01T00:00:00+23:59"):
            body = listing(ENTRY.replace("2026-01-01T00:00:00.000Z", moment))
            (meta,) = hook.list_objects("bucket")
            assert (meta.key, meta.size, meta.last_modified) == ("d/a", 7, UNKNOWN_TIME), moment
        body = listing("<x>" * 5000 + "</x>" * 5000)  # nothing of ours, and well-formed
        assert list(hook.list_objects("bucket")) == []


def test_what_is_left_out_of_one_object_is_that_objects_matter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    odd = listing(ENTRY + "<Contents><Key>odd</Key></Contents>")
    with an_aws(monkeypatch, lambda _: odd) as (hook, _):
        whole, bare = hook.list_objects("bucket")
    assert whole.size == 7
    assert (bare.key, bare.size, bare.etag, bare.last_modified) == ("odd", 0, "", UNKNOWN_TIME)


@pytest.mark.parametrize("key", ["plain", "odd//key"])
def test_a_web_page_in_place_of_an_object(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    def portal(asked: Asked) -> Answer | bytes:
        return Answer(PAGE, headers={"Content-Type": "text/html"})

    ref = ObjectRef("bucket", key)
    with an_aws(monkeypatch, portal) as (hook, _):
        for call in (lambda: hook.get_object(ref), lambda: hook.stat_object(ref)):
            with pytest.raises(StorageError) as caught:
                call()
            assert caught.value.kind in (ErrorKind.INTEGRITY, ErrorKind.UNAVAILABLE)


def test_an_answer_to_a_write_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload that has begun and parts that were sent, of which S3 then says nothing."""
    monkeypatch.setattr(_copies, "ONE_REQUEST", 1)
    says_upload_id = False

    def silent(asked: Asked) -> Answer | bytes:
        begins = "uploads" in urlsplit(asked.path).query
        if asked.method == "POST" and not (begins and says_upload_id):
            return listing("", "CompleteMultipartUploadResult")
        if asked.method == "PUT":
            return listing("", "CopyPartResult")
        return an_s3(asked)

    ref = ObjectRef("bucket", "odd//key")
    upload = PartUpload(ref, "u")
    part = Part(1, 7, f'"{ETAG}"', Digests(crc32c="00000000"))
    with an_aws(monkeypatch, silent) as (hook, server):
        for call, known in (
            (lambda: hook.put_object(ref, b"content"), False),
            (lambda: hook.begin_upload(ref), False),
            (lambda: hook.put_part(upload, 1, b"content"), False),
            (lambda: hook.complete_upload(upload, [part]), False),
            (lambda: hook.copy_within(ref, ObjectRef("bucket", "copy")), False),
            (lambda: hook.copy_within(ref, ObjectRef("bucket", "copy")), True),
        ):
            says_upload_id = known
            with pytest.raises(StorageError, match="the answer can't be read") as caught:
                call()
            assert caught.value.kind is ErrorKind.INTEGRITY
        assert server.asked[-1].method == "DELETE"  # what the last one began


@pytest.mark.parametrize("key", ["plain", "odd//key"])
@pytest.mark.parametrize("code", ["InvalidObjectState", "ObjectNotInActiveTierError"])
def test_an_archived_object(monkeypatch: pytest.MonkeyPatch, key: str, code: str) -> None:
    def archive(asked: Asked) -> Answer | bytes:
        if asked.method == "GET" and key in unquote(asked.path):
            said = f"<Error><Code>{code}</Code><Message>Not now</Message></Error>"
            return Answer(said.encode(), 403)
        return an_s3(asked)

    with (
        an_aws(monkeypatch, archive) as (hook, _),
        pytest.raises(StorageError, match=r"is archived .* restore it first") as caught,
    ):
        hook.get_object(ObjectRef("bucket", key))
    assert (caught.value.kind, caught.value.code) == (ErrorKind.UNSUPPORTED, code)


@pytest.mark.parametrize(("status", "code"), [(501, "NotImplemented"), (405, "MethodNotAllowed")])
def test_a_store_that_can_not_list_uploads(
    monkeypatch: pytest.MonkeyPatch, status: int, code: str
) -> None:
    def lacking(asked: Asked) -> Answer | bytes:
        if asked.method == "GET" and "uploads" in urlsplit(asked.path).query:
            return Answer(f"<Error><Code>{code}</Code></Error>".encode(), status)
        return an_s3(asked)

    with (
        an_aws(monkeypatch, lacking) as (hook, _),
        pytest.raises(StorageError, match="has no ListMultipartUploads") as caught,
    ):
        list(hook.list_uploads("bucket"))
    assert caught.value.kind is ErrorKind.UNSUPPORTED


def with_an_upload(records: bytes) -> Callable[[Asked], Answer | bytes]:
    upload = "<Upload><Key>key</Key><UploadId>u</UploadId></Upload>"

    def answer(asked: Asked) -> Answer | bytes:
        query = parse_qs(urlsplit(asked.path).query, keep_blank_values=True)
        if asked.method == "GET" and "uploads" in query:
            return listing(upload, "ListMultipartUploadsResult")
        return records if "list-type" in query else an_s3(asked)

    return answer


def test_a_record_of_an_upload_that_can_not_be_read(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ref = ObjectRef("bucket", "key")
    nameless = listing("<Contents><Size>0</Size></Contents>")
    with an_aws(monkeypatch, with_an_upload(nameless)) as (hook, server):
        for call in (
            lambda: hook.left_uploads(ref, WriteOptions()),
            lambda: list(hook.list_uploads("bucket")),
        ):
            with pytest.raises(StorageError, match="the answer can't be read") as caught:
                call()
            assert caught.value.kind is ErrorKind.INTEGRITY
        hook.abort_upload(PartUpload(ref, "u"))
        assert server.asked[-2].method == "DELETE"
    assert "the answer can't be read" in caplog.text


def test_what_is_left_of_one_key_asks_for_its_own_records_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with an_aws(monkeypatch, with_an_upload(listing(""))) as (hook, server):
        assert hook.left_uploads(ObjectRef("bucket", "key"), WriteOptions()) == []
        queries = [parse_qs(urlsplit(asked.path).query) for asked in server.asked]
        (prefix,) = [query["prefix"][0] for query in queries if "list-type" in query]
        assert prefix.count("/") == 3
        (upload,) = hook.list_uploads("bucket")
    assert (upload.ref.key, upload.upload_id, upload.ours) == ("key", "u", False)
