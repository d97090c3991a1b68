"""Google's and Azure's hooks before servers that answer what is none, and those that don't."""

from __future__ import annotations

import json
import socket
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from airflow_multicloud import registry
from airflow_multicloud.adapters.answers import UNKNOWN_TIME
from airflow_multicloud.clouds.azure.object_store import BlobObjectStoreHook
from airflow_multicloud.clouds.azure.object_store.blocks import new_upload_id
from airflow_multicloud.clouds.gcp.cost import GCPCostHook
from airflow_multicloud.clouds.gcp.identity import GCPIdentityHook
from airflow_multicloud.clouds.gcp.object_store import GCSObjectStoreHook
from airflow_multicloud.clouds.gcp.object_store import parts as _parts
from airflow_multicloud.errors import (
    CostAnalysisError,
    CredentialsError,
    ErrorKind,
    StorageError,
)
from airflow_multicloud.ports.cost import PriceQuery
from airflow_multicloud.ports.object_store import ObjectRef, ObjectStore, PartUpload, WriteOptions
from tests.integration.answering import PAGE, Answer, Asked, answering, service_account

if TYPE_CHECKING:
    from collections.abc import Callable

HTML = {"Content-Type": "text/html; charset=utf-8"}


def google(monkeypatch: pytest.MonkeyPatch, endpoint: str, **extra: object) -> GCSObjectStoreHook:
    connection = {
        "conn_type": "google_cloud_platform",
        "extra": {
            "project": "p",
            "is_anonymous": True,
            "gcs.endpoint": endpoint,
            "num_retries": 1,
            **extra,
        },
    }
    monkeypatch.setenv("AIRFLOW_CONN_GOOGLE_ASKED", json.dumps(connection))
    return GCSObjectStoreHook("google_asked")


def azure(monkeypatch: pytest.MonkeyPatch, endpoint: str, **extra: object) -> BlobObjectStoreHook:
    connection = {
        "conn_type": "wasb",
        "login": "account",
        "host": f"{endpoint}/account",
        "extra": {"shared_access_key": "a2V5", **extra},
    }
    monkeypatch.setenv("AIRFLOW_CONN_AZURE_ASKED", json.dumps(connection))
    return BlobObjectStoreHook("azure_asked")


def resource(**changes: object) -> dict[str, object]:
    return {
        "name": "d/a",
        "size": "7",
        "generation": "1",
        "updated": "2026-01-01T00:00:00Z",
        **changes,
    }


def objects(*items: object, **more: object) -> bytes:
    return json.dumps({"kind": "storage#objects", "items": items, **more}).encode()


def test_googles_answers_that_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Answer()
    with answering(lambda _: answer) as server:
        hook = google(monkeypatch, server.url)
        for body in (
            PAGE,
            b"null",
            b"[]",
            b'"text"',
            b"[" * 100_000,
            b'{"kind": "storage#bucket"}',
            b'{"error": "sign in first"}',
            objects(items=7),
            objects("text"),
            objects(resource(name=None)),
            objects({}),
            objects(resource(generation=None), nextPageToken="t"),
        ):
            answer = Answer(body)
            with pytest.raises(StorageError, match="the answer can't be read") as caught:
                assert not list(hook.list_objects("bucket"))
            assert caught.value.kind is ErrorKind.INTEGRITY, body[:80]
        answer = Answer(PAGE, headers=HTML)
        for key in ("plain", "odd//key"):
            with pytest.raises(StorageError) as caught:
                hook.get_object(ObjectRef("bucket", key))
            assert caught.value.kind in (ErrorKind.INTEGRITY, ErrorKind.UNAVAILABLE)
            with pytest.raises(StorageError) as caught:
                hook.stat_object(ObjectRef("bucket", key))
            assert caught.value.kind is ErrorKind.INTEGRITY
        answer = Answer(b'{"oops": 1}', 400, {"Content-Type": "application/json"})
        with pytest.raises(StorageError) as caught:
            hook.stat_object(ObjectRef("bucket", "key"))
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_what_google_leaves_out_of_one_object(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = {"name": "empty", "generation": "2"}
    with answering(lambda _: objects(resource(), empty)) as server:
        whole, bare = google(monkeypatch, server.url).list_objects("bucket")
    assert (whole.size, bare.size, bare.last_modified) == (7, 0, UNKNOWN_TIME)


@pytest.mark.parametrize(
    "said", [{"items": [{}]}, {"items": 7}, {"items": [{"name": "a"}], "nextPageToken": "t"}]
)
def test_a_listing_of_googles_buckets_that_is_none(
    monkeypatch: pytest.MonkeyPatch, said: object
) -> None:
    with answering(lambda _: json.dumps(said).encode()) as server:
        hook = google(monkeypatch, server.url)
        with pytest.raises(StorageError, match="the answer can't be read") as caught:
            list(hook.list_buckets())
    assert caught.value.kind is ErrorKind.INTEGRITY


def test_what_is_left_of_one_key_is_found_without_listing_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    uploads = [PartUpload(ObjectRef("bucket", f"key{n}"), f"{n:016x}") for n in range(10)]
    parts = [
        resource(
            name=f"{_parts._parts_of(upload)}00001",
            metadata={"airflow-multicloud-key": upload.ref.key},
        )
        for upload in uploads
    ]

    def answer(asked: Asked) -> bytes:
        query = parse_qs(urlsplit(asked.path).query)
        first = int(query.get("pageToken", ["0"])[0])
        below = [p for p in parts if str(p["name"]).startswith(query["prefix"][0])]
        more = {"nextPageToken": str(first + 2)} if len(below) > first + 2 else {}
        return objects(*below[first : first + 2], **more)

    with answering(answer) as server:
        hook = google(monkeypatch, server.url)
        (left,) = hook.left_uploads(ObjectRef("bucket", "key3"), WriteOptions())
        assert len(server.asked) == 1
        assert (left.upload.ref, left.upload.upload_id) == (uploads[3].ref, uploads[3].upload_id)
        assert len(list(hook.list_uploads("bucket", "key"))) == 10
        assert [u.ref.key for u in hook.list_uploads("bucket", "key7")] == ["key7"]


@pytest.mark.parametrize(
    "said", [{"error": "invalid_token"}, {"error": ["no"]}, {"error": {"details": 5}}]
)
def test_a_refusal_of_googles_rest_apis_that_is_somebody_elses(
    monkeypatch: pytest.MonkeyPatch, said: object
) -> None:
    refused = Answer(json.dumps(said).encode(), 400, {"Content-Type": "application/json"})
    with answering(lambda _: refused) as server:
        google(monkeypatch, server.url, **{"cloudbilling.endpoint": server.url})
        query = PriceQuery(meter="compute", sku="n2-standard-2", region_id="us-east1")
        with pytest.raises(CostAnalysisError) as caught:
            GCPCostHook("google_asked").list_prices([query])
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert json.dumps(said) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_retries", "x"),
        ("gcs.endpoint", "storage.example"),
        ("bigquery.endpoint", "bigquery.example"),
        ("recommender.endpoint", "ftp://x"),
        ("cloudbilling.endpoint", 5),
        ("project", "p\n"),
    ],
)
def test_extras_are_checked_by_every_google_hook(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    store = google(monkeypatch, "http://127.0.0.1:9", **{name: value})
    costs = GCPCostHook("google_asked")
    query = PriceQuery(meter="compute", sku="n2-standard-2", region_id="us-east1")
    for call in (
        lambda: list(store.list_objects("bucket")),
        GCPIdentityHook("google_asked").who_am_i,
        lambda: costs.list_prices([query]),
        costs.list_recommendations,
        lambda: costs.list_billing_periods("p/d/t"),
    ):
        with pytest.raises(CredentialsError, match=name) as caught:
            call()
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_a_time_of_googles_in_no_zone_is_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {"x-goog-generation": "7", "Last-Modified": "Thu, 01 Jan 2026 00:00:00 -0000"}
    with answering(lambda _: Answer(b"content", headers=headers)) as server:
        hook = google(monkeypatch, server.url)
        meta = hook.get_object(ObjectRef("bucket", "odd//key"), end=7).meta
    assert meta.last_modified == datetime(2026, 1, 1, tzinfo=UTC)


def blob(properties: str = "<Content-Length>7</Content-Length>", name: str = "d/a") -> str:
    return (
        f"<Blob><Name>{name}</Name><Properties>{properties}<Etag>0x1</Etag>"
        "<Content-Type>a/b</Content-Type>"
        "<Last-Modified>Thu, 01 Jan 2026 00:00:00 GMT</Last-Modified></Properties></Blob>"
    )


def blobs(inside: str, marker: str = "<NextMarker/>") -> bytes:
    return (
        '<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>'
        f"{inside}</Blobs>{marker}</EnumerationResults>"
    ).encode()


def test_azures_answers_that_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Answer()
    with answering(lambda _: answer) as server:
        hook = azure(monkeypatch, server.url)
        for body in (
            PAGE,
            b"",
            b"{}",
            b"<html><body>Sign in</body></html>",
            blobs(blob())[:-10],
            blobs(blob(), "<NextMarker>again</NextMarker>"),
        ):
            answer = Answer(body, headers={"Content-Type": "application/xml"})
            with pytest.raises(StorageError, match="the answer can't be read") as caught:
                assert not list(hook.list_objects("bucket"))
            assert caught.value.kind is ErrorKind.INTEGRITY, body
        answer = Answer(PAGE, headers=HTML)
        upload = PartUpload(ObjectRef("bucket", "key"), "u")
        for call in (
            lambda: hook.get_object(ObjectRef("bucket", "odd//key")),
            lambda: hook.stat_object(ObjectRef("bucket", "key")),
            lambda: hook.list_parts(upload),
        ):
            with pytest.raises(StorageError) as caught:
                call()
            assert caught.value.kind is ErrorKind.INTEGRITY
        with pytest.raises(StorageError) as caught:
            hook.get_object(ObjectRef("bucket", "plain"))
        assert caught.value.kind in (ErrorKind.INTEGRITY, ErrorKind.UNAVAILABLE)
        answer = Answer(blobs(blob().replace("Last-Modified", "Not-Modified")))
        (bare,) = hook.list_objects("bucket")
        assert bare.last_modified == UNKNOWN_TIME


def test_azures_answers_to_writes_that_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    ref = ObjectRef("bucket", "key")
    told: dict[str, str] = {}
    with answering(lambda _: Answer(headers=told)) as server:
        hook = azure(monkeypatch, server.url)
        upload = PartUpload(ref, new_upload_id(None))
        for headers in (
            {},
            {"ETag": '"0x1"', "Last-Modified": "yesterday"},
            {"Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT", "x-ms-blob-type": "PageBlob"},
        ):
            told = headers
            for call in (
                lambda: hook.put_object(ObjectRef("bucket", "odd//key"), b"content"),
                lambda: hook.complete_upload(upload, []),
                *([lambda: hook.begin_upload(ref)] if "x-ms-blob-type" in headers else []),
            ):
                with pytest.raises(StorageError, match="the answer can't be read") as caught:
                    call()
                assert caught.value.kind is ErrorKind.INTEGRITY


def aws(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> ObjectStore:
    connection = {
        "conn_type": "aws",
        "login": "a" * 9,
        "password": "b" * 9,
        "extra": {"endpoint_url": endpoint, "region_name": "us-east-1"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_AWS_GONE", json.dumps(connection))
    return registry.resolve(ObjectStore, "aws_gone")


CLOUDS = pytest.mark.parametrize("cloud", [aws, google, azure])


def given_up_within_seconds(call: Callable[[], object]) -> None:
    started = time.monotonic()
    with pytest.raises(StorageError) as caught:
        call()
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert time.monotonic() - started < 8


@CLOUDS
def test_a_refused_connection_is_given_up_within_seconds(
    monkeypatch: pytest.MonkeyPatch, cloud: Callable[..., ObjectStore], closed_port: int
) -> None:
    extra: dict[str, Any] = {"num_retries": 5} if cloud is google else {}
    store = cloud(monkeypatch, f"http://127.0.0.1:{closed_port}", **extra)
    given_up_within_seconds(lambda: list(store.list_objects("bucket")))
    for key in ("plain", "odd//key"):
        ref = ObjectRef("bucket", key)
        given_up_within_seconds(lambda ref=ref: store.get_object(ref))  # type: ignore[misc]


@CLOUDS
def test_a_name_that_nobody_knows_is_given_up_within_seconds(
    monkeypatch: pytest.MonkeyPatch, cloud: Callable[..., ObjectStore]
) -> None:
    """The SDKs' way; obstore asks the system by itself, and repeats as for a refused one."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    extra: dict[str, Any] = {"num_retries": 5} if cloud is google else {}
    store = cloud(monkeypatch, "http://account.blob.core.localhost:1", **extra)
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    given_up_within_seconds(lambda: list(store.list_objects("bucket")))


def test_googles_requests_are_billed_to_the_quota_project(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(asked: Asked) -> Answer | bytes:
        if asked.path == "/token":
            return json.dumps(
                {"access_token": "secret", "expires_in": 3600, "token_type": "Bearer"}
            ).encode()
        if asked.method == "GET" and "alt=media" not in asked.path and "/b/" in asked.path:
            return json.dumps({"kind": "storage#objects", **resource()}).encode()
        if asked.method == "POST":
            return json.dumps(resource(size="7")).encode()
        modified = {"Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT", "ETag": '"1"'}
        return Answer(b"content", headers={"x-goog-generation": "1", **modified})

    with answering(answer) as server:
        hook = google(
            monkeypatch,
            server.url,
            is_anonymous=False,
            quota_project_id="the-payer",
            keyfile_dict=service_account(f"{server.url}/token"),
        )
        list(hook.list_objects("bucket"))
        for key in ("plain", "odd//key"):
            hook.put_object(ObjectRef("bucket", key), b"content")
            hook.stat_object(ObjectRef("bucket", key))
            assert bytes(hook.get_object(ObjectRef("bucket", key)).read()) == b"content"
    asked = [a for a in server.asked if a.path != "/token"]
    assert len(asked) == 7
    assert {a.headers["x-goog-user-project"] for a in asked} == {"the-payer"}


def test_a_token_never_goes_over_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    key = service_account("http://127.0.0.1:9/token")
    hook = google(monkeypatch, "http://storage.example:80", is_anonymous=False, keyfile_dict=key)
    with pytest.raises(CredentialsError, match=r"plain http to storage\.example,") as caught:
        list(hook.list_objects("bucket"))
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert google(monkeypatch, "http://storage.example")._api.anonymous  # nothing to be seen
    google(
        monkeypatch,
        "https://storage.googleapis.com",
        is_anonymous=False,
        keyfile_dict=key,
        **{
            "bigquery.endpoint": "http://bq.example",
            "cloudbilling.endpoint": "http://bill.example",
        },
    )
    costs = GCPCostHook("google_asked")
    with pytest.raises(CredentialsError, match=r"plain http to bq\.example,"):
        costs.list_billing_periods("p/d/t")
    with pytest.raises(CredentialsError, match=r"plain http to bill\.example,"):
        costs._rest("cloudbilling", "https://cloudbilling.googleapis.com")
    for extra, why in (
        ({"sas_token": "sv=1&sig=secret"}, r"plain http to blobs\.example,"),
        ({"tenant_id": "t"}, "only supported with HTTPS"),  # the SDK's own
    ):
        connection = {
            "conn_type": "wasb",
            "login": "account",
            "password": "secret",
            "host": "http://blobs.example/account",
            "extra": extra,
        }
        monkeypatch.setenv("AIRFLOW_CONN_AZURE_OPEN", json.dumps(connection))
        with pytest.raises(CredentialsError, match=why) as caught:
            BlobObjectStoreHook("azure_open")
        assert "secret" not in str(caught.value)
    azure(monkeypatch, "http://account.blob.core.example")  # an account key signs, and stays here
