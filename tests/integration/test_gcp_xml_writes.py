"""Writes to Cloud Storage by its XML interface: what goes that way, and what comes of a refusal."""

from __future__ import annotations

import json
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.adapters.digests import digests_of, to_base64
from airflow_multicloud.clouds.gcp.object_store import GCSObjectStoreHook
from airflow_multicloud.errors import CloudError, ErrorKind, RetentionError, StorageError
from airflow_multicloud.ports.object_store import (
    Digests,
    IfAbsent,
    IfUnchanged,
    ObjectAttributes,
    ObjectRef,
    WriteOptions,
)
from airflow_multicloud.testing.local_clouds.gcp.service_account import account_connection
from tests.faults.proxy import Fault, FaultProxy, Rule
from tests.integration.answering import PAGE, Answer, Asked, answering
from tests.integration.test_gcp_object_store import connect, granted, with_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_multicloud.testing.local_clouds import LocalClouds
    from airflow_multicloud.testing.local_clouds.gcp.object_store.xml_interface import XmlInterface

BODY = b"content"
HELD = digests_of(BODY)
#: What replication gives with a small object.
CHECKED = Digests(crc32c=HELD.crc32c)
ATTRIBUTES = ObjectAttributes(
    content_type="text/plain; charset=utf-8",
    content_encoding="gzip",
    content_language="de",
    content_disposition='attachment; filename="a b.txt"',
    cache_control="no-store",
    metadata={"owner": "Search & Rescue", "multicloud_sha256": "a  b=c; d/%20"},
)
PLAIN = ObjectRef("bucket", "plain")
JSON = {"content-type": "application/json; charset=UTF-8"}
IF_ABSENT = WriteOptions(condition=IfAbsent())


def keyed(patch: pytest.MonkeyPatch, endpoint: str, token_server: str) -> GCSObjectStoreHook:
    extra = {"gcs.endpoint": endpoint, "num_retries": 0}
    connection = account_connection(token_server, **extra)
    patch.setenv("AIRFLOW_CONN_GCS_KEYED", json.dumps(connection))
    return GCSObjectStoreHook("gcs_keyed")


@pytest.fixture
def hook(gcs_xml: XmlInterface, monkeypatch: pytest.MonkeyPatch) -> GCSObjectStoreHook:
    return keyed(monkeypatch, gcs_xml.endpoint, gcs_xml.endpoint)


@pytest.fixture
def bucket(hook: GCSObjectStoreHook, request: pytest.FixtureRequest) -> str:
    name = "xml-" + f"{abs(hash(request.node.name)):x}"
    hook.ensure_bucket(name)
    return name


def stored() -> Answer:
    """An object's resource, generation 7."""
    resource = {
        "name": PLAIN.key,
        "size": str(len(BODY)),
        "generation": "7",
        "updated": "2026-11-23T08:00:00Z",
        "crc32c": to_base64(HELD.crc32c or ""),
        "md5Hash": to_base64(HELD.md5 or ""),
    }
    return Answer(json.dumps(resource).encode(), headers=JSON)


def refusal(status: int, reason: str = "because", message: str = "no") -> Answer:
    error = {"code": status, "message": message, "errors": [{"reason": reason}]}
    return Answer(json.dumps({"error": error}).encode(), status, JSON)


def by_way(put: Answer, post: Answer) -> Callable[[Asked], Answer]:
    """A server that answers a write by its way: XML, or JSON."""

    def answer(asked: Asked) -> Answer:
        if asked.path == "/token":
            return granted(asked)
        return put if asked.method == "PUT" else post

    return answer


def ways(asked: list[Asked]) -> list[str]:
    return [a.method for a in asked if a.path != "/token"]


def test_a_plain_object_arrives_as_it_was_sent(
    hook: GCSObjectStoreHook, gcs_xml: XmlInterface, bucket: str
) -> None:
    ref = ObjectRef(bucket, "dir/ü #?%25+~.txt")
    before = gcs_xml.uploads
    options = WriteOptions(attributes=ATTRIBUTES)
    written = hook.put_object(ref, memoryview(BODY), options, digests=CHECKED)
    assert gcs_xml.uploads == before + 1
    (listed,) = hook.list_objects(bucket)
    assert written.etag == written.version == listed.etag == listed.version
    assert (written.size, written.digests) == (len(BODY), Digests())
    assert listed.digests == replace(HELD, sha256=None)
    assert hook.stat_object(ref).attributes == listed.attributes == ATTRIBUTES
    assert bytes(hook.get_object(ref, if_etag=written.etag).read()) == BODY
    bare = hook.put_object(ObjectRef(bucket, "bare"), b"")
    assert bare.etag not in ("", written.etag)
    # As the JSON interface has it, where none is named.
    found = hook.stat_object(ObjectRef(bucket, "bare")).attributes
    assert found == ObjectAttributes(content_type="application/octet-stream")


@pytest.mark.parametrize(
    ("key", "attributes", "digests"),
    [
        ("a//b", ATTRIBUTES, CHECKED),
        ("md5", ATTRIBUTES, Digests(md5=HELD.md5)),
        ("unicode", ObjectAttributes(metadata={"owner": "jürgen"}), CHECKED),
        ("empty", ObjectAttributes(metadata={"owner": ""}), CHECKED),
        ("blank", ObjectAttributes(metadata={"owner": " blank "}), CHECKED),
        ("encoded", ObjectAttributes(metadata={"owner": "=?UTF-8?B?eA==?="}), CHECKED),
        ("reserved", ObjectAttributes(metadata={"content-type": "x"}), CHECKED),
        ("class", ObjectAttributes(metadata={"storage-class": "x"}), CHECKED),
        ("named", ObjectAttributes(content_disposition="attachment; filename=ü"), CHECKED),
        ("framed", ObjectAttributes(content_encoding="aws-chunked,gzip"), CHECKED),
    ],
)
def test_what_headers_might_not_keep_is_sent_as_json(
    hook: GCSObjectStoreHook,
    gcs_xml: XmlInterface,
    bucket: str,
    key: str,
    attributes: ObjectAttributes,
    digests: Digests,
) -> None:
    before = gcs_xml.uploads
    ref = ObjectRef(bucket, key)
    written = hook.put_object(ref, BODY, WriteOptions(attributes=attributes), digests=digests)
    assert gcs_xml.uploads == before
    assert written.digests == replace(HELD, sha256=None)
    found = hook.stat_object(ref).attributes
    assert found is not None
    assert replace(found, content_type=attributes.content_type) == attributes


def test_a_storage_class_and_an_encryption_key_are_sent_as_json(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with answering(by_way(refusal(500), stored())) as server:
        hook = keyed(monkeypatch, server.url, server.url)
        hook.put_object(PLAIN, BODY, WriteOptions(storage_class="NEARLINE"))
        hook.put_object(PLAIN, BODY, WriteOptions(encryption_key="projects/p/key"))
    assert ways(server.asked) == ["POST", "POST"]


def test_nobodys_writes_are_sent_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(by_way(refusal(500), stored())) as server:
        conn_id = connect(
            monkeypatch, is_anonymous=True, num_retries=0, **{"gcs.endpoint": server.url}
        )
        GCSObjectStoreHook(conn_id).put_object(PLAIN, BODY)
    assert [(a.method, a.headers.get("authorization")) for a in server.asked] == [("POST", None)]


def test_conditions(hook: GCSObjectStoreHook, gcs_xml: XmlInterface, bucket: str) -> None:
    ref = ObjectRef(bucket, "key")
    first = hook.put_object(ref, b"1", IF_ABSENT)
    with pytest.raises(StorageError) as exists:
        hook.put_object(ref, b"2", IF_ABSENT)
    assert exists.value.kind is ErrorKind.ALREADY_EXISTS
    unchanged = WriteOptions(condition=IfUnchanged(first.etag))
    second = hook.put_object(ref, b"2", unchanged)
    with pytest.raises(StorageError) as changed:
        hook.put_object(ref, b"3", unchanged)
    assert changed.value.kind is ErrorKind.PRECONDITION_FAILED
    assert hook.stat_object(ref).etag == second.etag
    with pytest.raises(StorageError, match="no Cloud Storage generation"):
        hook.put_object(ref, b"4", WriteOptions(condition=IfUnchanged("0x8DD")))
    before = gcs_xml.uploads
    hook.put_object(ref, b"5")
    assert gcs_xml.uploads == before + 1  # an unmet condition is no reason to leave this way


def test_a_wrong_digest_writes_nothing(hook: GCSObjectStoreHook, bucket: str) -> None:
    with pytest.raises(StorageError) as caught:
        hook.put_object(ObjectRef(bucket, "key"), BODY, digests=Digests(crc32c="0badcafe"))
    assert caught.value.kind is ErrorKind.INTEGRITY
    assert list(hook.list_objects(bucket)) == []


@pytest.mark.parametrize("fault", [Fault.RESET_ANSWER, Fault.RESET_REQUEST])
def test_a_conditional_write_whose_answer_is_lost(
    gcs_xml: XmlInterface, bucket: str, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    """It is sent again, and then meets its own object, if it had arrived; none is made twice."""
    with FaultProxy(int(gcs_xml.endpoint.rpartition(":")[2]), rewrite_host=True) as proxy:
        hook = keyed(monkeypatch, f"http://127.0.0.1:{proxy.port}", gcs_xml.endpoint)
        ref = ObjectRef(bucket, "key")
        proxy.add(Rule(fault=fault, method="PUT", target="/key$"))
        if fault is Fault.RESET_REQUEST:
            written = hook.put_object(ref, BODY, IF_ABSENT)
            assert hook.stat_object(ref).etag == written.etag
            return
        with pytest.raises(StorageError) as caught:
            hook.put_object(ref, BODY, IF_ABSENT)
        assert caught.value.kind is ErrorKind.ALREADY_EXISTS
        assert [meta.key for meta in hook.list_versions(bucket)] == ["key"]
        assert bytes(hook.get_object(ref).read()) == BODY


# Refusals


@pytest.mark.parametrize("status", [400, 403, 404, 405, 501])
def test_a_server_without_the_interface_gets_json_from_then_on(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    with answering(by_way(Answer(b"what?", status), stored())) as server:
        hook = keyed(monkeypatch, server.url, server.url)
        for _ in range(2):
            assert hook.put_object(PLAIN, BODY, digests=CHECKED).etag == "7"
        assert ways(server.asked) == ["PUT", "POST", "POST"]
        hook.put_object(ObjectRef("other", "plain"), BODY)
        assert ways(server.asked)[3:] == ["PUT", "POST"]


def test_fake_gcs_server_gets_json(
    local_clouds: LocalClouds, gcs_xml: XmlInterface, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = keyed(monkeypatch, local_clouds.gcp.endpoint, gcs_xml.endpoint)
    hook.ensure_bucket("xml-not-there")

    def write(number: int) -> str:
        ref = ObjectRef("xml-not-there", f"{number:02}")
        return hook.put_object(ref, BODY, IF_ABSENT, digests=CHECKED).etag

    with ThreadPoolExecutor(8) as pool:
        written = list(pool.map(write, range(32)))
    listed = list(hook.list_objects("xml-not-there"))
    assert [meta.etag for meta in listed] == written
    assert {meta.digests for meta in listed} == {replace(HELD, sha256=None)}
    with pytest.raises(StorageError) as exists:
        write(0)
    assert exists.value.kind is ErrorKind.ALREADY_EXISTS


def test_a_missing_bucket_is_no_missing_interface(
    hook: GCSObjectStoreHook, gcs_xml: XmlInterface
) -> None:
    ref = ObjectRef("xml-made-later", "key")
    before = gcs_xml.uploads
    with pytest.raises(StorageError) as caught:
        hook.put_object(ref, BODY)
    assert caught.value.kind is ErrorKind.NOT_FOUND
    hook.ensure_bucket(ref.bucket)
    hook.put_object(ref, BODY)
    assert gcs_xml.uploads == before + 2


@pytest.mark.parametrize(
    "status", [400, 401, 403, 404, 405, 408, 409, 412, 413, 429, 500, 501, 502, 503, 504]
)
def test_an_error_means_the_same_by_either_way(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    xml = Answer(b"<?xml version='1.0'?><Error><Code>Odd</Code></Error>", status)
    with answering(by_way(xml, refusal(status))) as server:
        hook = keyed(monkeypatch, server.url, server.url)
        for condition in (None, IfAbsent(), IfUnchanged("5")):
            found = []
            for key in ("plain", "not//plain"):
                with pytest.raises(CloudError) as caught:
                    hook.put_object(
                        ObjectRef("bucket", key), BODY, WriteOptions(condition=condition)
                    )
                found.append((type(caught.value), caught.value.kind))
                assert "granted" not in "".join(traceback.format_exception(caught.value))
            assert found[0] == found[1]
    assert ways(server.asked).count("PUT") == 3


def test_json_tells_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = refusal(403, "retentionPolicyNotMet", "Object is subject to a retention policy")
    with answering(by_way(Answer(b"<Error/>", 403), kept)) as server:
        hook = keyed(monkeypatch, server.url, server.url)
        with pytest.raises(RetentionError) as caught:
            hook.put_object(PLAIN, BODY)
    assert (caught.value.kind, caught.value.code) == (
        ErrorKind.PERMISSION_DENIED,
        "retentionPolicyNotMet",
    )


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_is_not_followed(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    there = Answer(headers={"etag": '"e"', "x-goog-generation": "1"})
    with answering(lambda _: there, host="127.0.0.3") as internal:
        sent_on = Answer(status=status, headers={"location": f"{internal.url}/x"})
        with answering(by_way(sent_on, sent_on)) as server:
            hook = keyed(monkeypatch, server.url, server.url)
            with pytest.raises(StorageError) as caught:
                hook.put_object(PLAIN, BODY)
        assert internal.asked == []
    assert caught.value.kind is ErrorKind.INTEGRITY


# Answers


@pytest.mark.parametrize(
    "put",
    [
        Answer(headers={"etag": '"e"'}),
        Answer(headers={"x-goog-generation": "5"}),
        Answer(headers={"etag": '"e"', "x-goog-generation": "five"}),
        Answer(PAGE, headers={"content-type": "text/html"}),
    ],
    ids=["no generation", "no etag", "odd generation", "a page"],
)
def test_a_write_whose_generation_is_not_told_is_repeated_as_json(
    monkeypatch: pytest.MonkeyPatch, put: Answer
) -> None:
    with answering(by_way(put, stored())) as server:
        hook = keyed(monkeypatch, server.url, server.url)
        for _ in range(2):
            meta = hook.put_object(PLAIN, BODY)
            assert (meta.etag, meta.version, meta.digests.crc32c) == ("7", "7", HELD.crc32c)
    assert ways(server.asked) == ["PUT", "POST", "POST"]
    # A conditional one meets its own object: the caller looks whether it is.
    with answering(by_way(put, refusal(412, "conditionNotMet"))) as server:
        hook = keyed(monkeypatch, server.url, server.url)
        with pytest.raises(StorageError) as caught:
            hook.put_object(PLAIN, BODY, IF_ABSENT)
    assert caught.value.kind is ErrorKind.ALREADY_EXISTS


def test_a_page_for_everything_is_no_write(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Answer(PAGE, headers={"content-type": "text/html"})
    with answering(by_way(page, page)) as server:
        hook = keyed(monkeypatch, server.url, server.url)
        for options in (WriteOptions(), IF_ABSENT):
            with pytest.raises(StorageError):
                hook.put_object(PLAIN, BODY, options)


def test_every_write_carries_the_token_and_who_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    put = Answer(headers={"etag": '"e"', "x-goog-generation": "5"})
    with answering(by_way(put, refusal(500))) as server:
        with_key(monkeypatch, server.url, server.url)
        hook = GCSObjectStoreHook("gcs_of_test", quota_project_id="the-payer")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: hook.put_object(PLAIN, BODY), range(16)))
    assert [a.path for a in server.asked].count("/token") == 1
    writes = [a for a in server.asked if a.path != "/token"]
    assert {(a.method, a.path, a.body) for a in writes} == {("PUT", "/bucket/plain", BODY)}
    assert {a.headers["authorization"] for a in writes} == {"Bearer granted"}
    assert {a.headers["x-goog-user-project"] for a in writes} == {"the-payer"}
