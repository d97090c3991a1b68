"""What only Azure Blob Storage's hook does: credential forms, block ids, tiers, directories."""

from __future__ import annotations

import json
import logging
import os
import ssl
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import google_crc32c
import pytest
from azure.core.credentials import AccessToken
from azure.storage.blob import (
    AccountSasPermissions,
    BlobBlock,
    BlobServiceClient,
    BlobType,
    ContentSettings,
    ResourceTypes,
    StandardBlobTier,
    generate_account_sas,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from airflow_multicloud.clouds.azure.identity import AzureIdentityHook
from airflow_multicloud.clouds.azure.object_store import BlobObjectStoreHook
from airflow_multicloud.clouds.azure.object_store.reading import read_by_obstore, read_by_pipeline
from airflow_multicloud.clouds.azure.storage_account import StorageAccount
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.options import ReplicationOptions
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.errors import CredentialsError, ErrorKind, StorageError
from airflow_multicloud.locations import Location
from airflow_multicloud.ports.object_store import (
    Digests,
    IfAbsent,
    IfUnchanged,
    ObjectAttributes,
    ObjectRef,
    Part,
    WriteOptions,
)

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_multicloud.testing.local_clouds import LocalClouds

ACCOUNT = "devstoreaccount1"


@pytest.fixture(scope="session")
def hook(local_clouds: LocalClouds) -> BlobObjectStoreHook:
    return BlobObjectStoreHook("wasb_local")


@pytest.fixture
def service(hook: BlobObjectStoreHook) -> BlobServiceClient:
    return hook.account.service


@pytest.fixture
def bucket(hook: BlobObjectStoreHook) -> str:
    name = f"azure-{uuid.uuid4().hex[:20]}"
    hook.ensure_bucket(name)
    return name


def connect(monkeypatch: pytest.MonkeyPatch, **connection: object) -> str:
    monkeypatch.setenv("AIRFLOW_CONN_WASB_OTHER", json.dumps({"conn_type": "wasb", **connection}))
    return "wasb_other"


def crc32c(content: bytes) -> Digests:
    return Digests(crc32c=f"{google_crc32c.value(content):08x}")


# Credentials


def _connections(service: BlobServiceClient) -> dict[str, tuple[dict[str, object], str]]:
    """Every form of credentials that an emulator without TLS can check, and how it is called."""
    key = service.credential.account_key
    sas = generate_account_sas(
        ACCOUNT,
        key,
        ResourceTypes(service=True, container=True, object=True),
        AccountSasPermissions(read=True, write=True, list=True, delete=True, create=True),
        datetime.now(UTC) + timedelta(hours=1),
        protocol="https,http",
    )
    endpoint = service.url.split("?")[0].rstrip("/")
    by_key = f"AccountName={ACCOUNT};AccountKey={key};BlobEndpoint={endpoint};"
    by_sas = f"BlobEndpoint={endpoint};SharedAccessSignature={sas}"
    return {
        "connection_string": ({"extra": {"connection_string": by_key}}, "account key"),
        "connection_string_sas": (
            {"extra": {"connection_string": by_sas}},
            "shared access signature",
        ),
        "password": ({"host": endpoint, "login": ACCOUNT, "password": key}, "account key"),
        "shared_access_key": (
            {"host": endpoint, "login": ACCOUNT, "extra": {"shared_access_key": key}},
            "account key",
        ),
        "sas_token": (
            {"host": endpoint, "login": ACCOUNT, "extra": {"sas_token": sas}},
            "shared access signature",
        ),
    }


FORMS = ["connection_string", "connection_string_sas", "password", "shared_access_key", "sas_token"]


@pytest.mark.parametrize("form", FORMS)
def test_every_client_takes_the_credentials(
    service: BlobServiceClient, bucket: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """obstore, the pipeline and the SDK; and a copy, whose source must be authorised too."""
    connection, _ = _connections(service)[form]
    hook = BlobObjectStoreHook(connect(monkeypatch, **connection))
    plain, awkward = ObjectRef(bucket, "plain"), ObjectRef(bucket, "/awk//ward")
    for ref in (plain, awkward):
        hook.put_object(ref, b"content")
        assert bytes(hook.get_object(ref).read()) == b"content"
    hook.copy_within(awkward, ObjectRef(bucket, "copy"))
    hook.delete_object(plain)
    assert sorted(meta.key for meta in hook.list_objects(bucket)) == ["/awk//ward", "copy"]


@pytest.mark.parametrize("form", FORMS)
def test_copy_names_the_version(
    service: BlobServiceClient, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Azurite keeps no versions, so the URL that the service is told must do."""
    connection, _ = _connections(service)[form]
    hook = BlobObjectStoreHook(connect(monkeypatch, **connection))
    url = urlsplit(hook._source(ObjectRef("bucket", "a?b", version="2026:1+2"), {}))
    query = parse_qs(url.query, strict_parsing=True)
    assert url.path.endswith("/bucket/a%3Fb")
    assert query["versionid"] == ["2026:1+2"]
    assert "sig" in query


@pytest.mark.parametrize("form", FORMS)
def test_identity(service: BlobServiceClient, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connection, name = _connections(service)[form]
    principal = AzureIdentityHook(connect(monkeypatch, **connection)).who_am_i()
    assert (principal.account_id, principal.principal) == (ACCOUNT, name)


def test_wrong_key(
    service: BlobServiceClient, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = service.url.rstrip("/")
    conn_id = connect(monkeypatch, host=endpoint, login=ACCOUNT, password="d3Jvbmcga2V5" * 4)
    calls: list[Callable[[], object]] = [
        AzureIdentityHook(conn_id).who_am_i,
        lambda: BlobObjectStoreHook(conn_id).stat_object(ObjectRef(bucket, "key")),
        lambda: BlobObjectStoreHook(conn_id).get_object(ObjectRef(bucket, "key")),
        lambda: list(BlobObjectStoreHook(conn_id).list_objects(bucket)),
    ]
    for call in calls:
        with pytest.raises(CredentialsError) as caught:
            call()
        assert caught.value.kind is ErrorKind.UNAUTHENTICATED


def test_unusable_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    conn_id = connect(monkeypatch, extra={"connection_string": "AccountKey=c4n4ry"})
    with pytest.raises(CredentialsError, match="'wasb_other'") as caught:
        BlobObjectStoreHook(conn_id).list_objects("bucket")
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert "c4n4ry" not in str(caught.value)


def test_environment_does_not_meddle(
    hook: BlobObjectStoreHook, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection decides, whatever obstore would find in the environment."""
    for name, value in {
        "AZURE_STORAGE_ACCOUNT_NAME": "other",
        "AZURE_STORAGE_ACCOUNT_KEY": "d3Jvbmcga2V5",
        "AZURE_STORAGE_ENDPOINT": "https://other.invalid",
        "AZURE_STORAGE_USE_EMULATOR": "true",
        "AZURE_SKIP_SIGNATURE": "true",
    }.items():
        monkeypatch.setenv(name, value)
    fresh = BlobObjectStoreHook(hook.conn_id)
    fresh.put_object(ObjectRef(bucket, "key"), b"content")
    assert bytes(fresh.get_object(ObjectRef(bucket, "key")).read()) == b"content"


def test_public_read(
    service: BlobServiceClient, monkeypatch: pytest.MonkeyPatch, hook: BlobObjectStoreHook
) -> None:
    name = f"public-{uuid.uuid4().hex[:20]}"
    service.create_container(name, public_access="container")
    hook.put_object(ObjectRef(name, "key"), b"content")
    conn_id = connect(monkeypatch, host=service.url.rstrip("/"), login=ACCOUNT)
    reader = BlobObjectStoreHook(conn_id, public_read=True)
    assert bytes(reader.get_object(ObjectRef(name, "key")).read()) == b"content"
    assert [meta.key for meta in reader.list_objects(name)] == ["key"]
    with pytest.raises(StorageError, match=r"\(anonymous\) can't sign"):
        reader.sign_url(ObjectRef(name, "key"), method="GET", expires_in=timedelta(hours=1))


class _Tokens:
    """A token credential whose tokens live a second; counts them."""

    def __init__(self) -> None:
        self.given = 0

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        assert scopes == ("https://storage.azure.com/.default",)
        self.given += 1
        return AccessToken(f"token-{self.given}", int(time.time()) + 1)


class _Blob(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str]]

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("Authorization", "")))
        self.send_response(200)
        for name, value in (
            ("ETag", '"0x1"'),
            ("Last-Modified", "Mon, 23 Nov 2026 08:40:57 GMT"),
            ("x-ms-version-id", "2026-11-23T08:40:57.0000000Z"),
            ("Content-Length", "7"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"content")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def tls_blob(tmp_path: Path) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """An endpoint with a certificate of its own: its URL, the certificate, what it was asked."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "certificate.pem"
    pem.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    seen: list[tuple[str, str]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Blob", (_Blob,), {"seen": seen}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_address[1]}/{ACCOUNT}", str(pem), seen
    server.shutdown()
    server.server_close()


def test_token_is_renewed_and_the_certificate_believed(
    tls_blob: tuple[str, str, list[tuple[str, str]]],
) -> None:
    """Both clients ask the credential again, and take the connection's own certificates."""
    url, pem, seen = tls_blob
    tokens = _Tokens()
    account = StorageAccount(BlobServiceClient(url, credential=tokens, connection_verify=pem))
    ref = ObjectRef("bucket", "key", version="2026-11-23T08:40:57.0000000Z")
    store = account.store("bucket")
    assert store is not None
    for read in (partial(read_by_obstore, store), partial(read_by_pipeline, account)):
        seen.clear()
        bodies = []
        for _ in range(2):
            bodies.append(read(ref, 0, None, None, "read"))
            assert bytes(bodies[-1].read()) == b"content"
            time.sleep(1.1)
        assert bodies[0].meta.version == ref.version
        assert all("versionid=2026-11-23T08%3A40%3A57.0000000Z" in path for path, _ in seen)
        first, second = (authorization for _, authorization in seen)
        assert first.startswith("Bearer token-")
        assert second.startswith("Bearer token-")
        assert first != second


# Listing and metadata


def test_lists_beyond_a_page(hook: BlobObjectStoreHook, bucket: str) -> None:
    """A page holds 5,000 blobs; metadata named like the page's own elements confuses nothing."""
    options = WriteOptions(
        attributes=ObjectAttributes(metadata={"nextmarker": "x", "blob": "y", "name": "z"})
    )
    keys = [f"{number:04}&+%" for number in range(5_001)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda key: hook.put_object(ObjectRef(bucket, key), b"", options), keys))
    listed = list(hook.list_objects(bucket))
    assert [meta.key for meta in listed] == keys
    assert {len(meta.attributes.metadata) for meta in listed if meta.attributes} == {3}


def test_directories_are_left_out(
    hook: BlobObjectStoreHook, service: BlobServiceClient, bucket: str
) -> None:
    container = service.get_container_client(bucket)
    container.upload_blob("dir", b"", metadata={"hdi_isfolder": "true"})
    container.upload_blob("dir/a", b"content")
    assert [meta.key for meta in hook.list_objects(bucket)] == ["dir/a"]


@pytest.mark.parametrize("name", ["a-b", "1a", "é", "hdi_isfolder"])
def test_metadata_that_azure_does_not_take(
    hook: BlobObjectStoreHook, bucket: str, name: str
) -> None:
    options = WriteOptions(attributes=ObjectAttributes(metadata={name: "true"}))
    with pytest.raises(StorageError, match=f"metadata {name}") as caught:
        hook.put_object(ObjectRef(bucket, "key"), b"content", options)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert list(hook.list_objects(bucket)) == []


# Writing


def test_who_verifies_a_write(hook: BlobObjectStoreHook, bucket: str) -> None:
    """With an MD5 the service does, in the request; without one, a listing tells its own."""
    digest = md5(b"content", usedforsecurity=False).hexdigest()
    verified = hook.put_object(ObjectRef(bucket, "a"), b"content", digests=Digests(md5=digest))
    lean = hook.put_object(ObjectRef(bucket, "b"), b"content", digests=crc32c(b"content"))
    assert verified.digests == Digests(md5=digest)
    assert lean.digests == Digests()
    listed = list(hook.list_objects(bucket))
    assert {meta.declared for meta in listed} == {Digests(md5=digest)}
    assert {meta.digests for meta in listed} == {Digests()}
    assert {meta.etag for meta in listed} == {verified.etag, lean.etag}


def test_a_declared_md5_is_not_believed(
    hook: BlobObjectStoreHook, service: BlobServiceClient, bucket: str
) -> None:
    """Of blocks and append blobs the service keeps whatever the writer says."""
    stale = ContentSettings(content_md5=bytearray(md5(b"", usedforsecurity=False).digest()))
    container = service.get_container_client(bucket)
    log = container.get_blob_client("log")
    log.create_append_blob(content_settings=stale)
    log.append_block(b"line\n")
    blocks = container.get_blob_client("blocks")
    blocks.stage_block("MDAwMQ==", b"line\n")
    blocks.commit_block_list([BlobBlock("MDAwMQ==")], content_settings=stale)
    for key in ("log", "blocks"):
        body = hook.get_object(ObjectRef(bucket, key))
        assert bytes(body.read()) == b"line\n"
        for meta in (body.meta, hook.stat_object(ObjectRef(bucket, key))):
            assert meta.digests == Digests()
    assert {meta.digests for meta in hook.list_objects(bucket)} == {Digests()}


def test_a_directory_is_no_object(
    hook: BlobObjectStoreHook, service: BlobServiceClient, bucket: str
) -> None:
    container = service.get_container_client(bucket)
    for key in ("sales", "/awk//ward"):
        container.upload_blob(key, b"", metadata={"hdi_isfolder": "true"})
        ref = ObjectRef(bucket, key)
        for call in (hook.stat_object, hook.get_object):
            with pytest.raises(StorageError, match="directory") as caught:
                call(ref)
            assert caught.value.kind is ErrorKind.NOT_FOUND


OTHER_TYPES = pytest.mark.parametrize("kind", [BlobType.APPENDBLOB, BlobType.PAGEBLOB])


@OTHER_TYPES
def test_parts_replace_a_blob_of_another_type(
    hook: BlobObjectStoreHook, service: BlobServiceClient, bucket: str, kind: BlobType
) -> None:
    """Which takes no blocks; only the very blob that was there is deleted, and late."""
    ref = ObjectRef(bucket, "key")
    blob = service.get_blob_client(bucket, "key")
    old = b"o" * 512
    blob.upload_blob(old, blob_type=kind)
    assert list(hook.left_uploads(ref, WriteOptions())) == []
    assert list(hook.list_uploads(bucket, "key")) == []
    with pytest.raises(StorageError) as caught:
        hook.begin_upload(ref, WriteOptions(condition=IfUnchanged("0x1")))
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
    options = WriteOptions(condition=IfUnchanged(hook.stat_object(ref).etag))
    upload = hook.begin_upload(ref, options)
    with pytest.raises(StorageError) as caught:
        hook.put_part(upload, 1, b"content", digests=Digests(crc32c="00000000"))
    assert caught.value.kind is ErrorKind.INTEGRITY
    assert bytes(hook.get_object(ref).read()) == old
    with ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(lambda n: hook.put_part(upload, n, b"content"), range(1, 5)))
    hook.complete_upload(upload, sent, options, digests=crc32c(b"content" * 4))
    assert bytes(hook.get_object(ref).read()) == b"content" * 4
    assert blob.get_blob_properties().blob_type == "BlockBlob"


@OTHER_TYPES
def test_a_blob_of_another_type_that_was_written_meanwhile_stays(
    hook: BlobObjectStoreHook, service: BlobServiceClient, bucket: str, kind: BlobType
) -> None:
    blob = service.get_blob_client(bucket, "key")
    blob.upload_blob(b"o" * 512, blob_type=kind)
    replacing = hook.begin_upload(ObjectRef(bucket, "key"), WriteOptions())
    creating = hook.begin_upload(ObjectRef(bucket, "key"), WriteOptions(condition=IfAbsent()))
    blob.upload_blob(b"n" * 512, blob_type=kind, overwrite=True)
    for upload in (replacing, creating):
        with pytest.raises(StorageError) as caught:
            hook.put_part(upload, 1, b"content")
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
    assert blob.download_blob().readall() == b"n" * 512
    replacing = hook.begin_upload(ObjectRef(bucket, "key"), WriteOptions())
    blob.acquire_lease()
    with pytest.raises(StorageError, match="has a lease"):
        hook.put_part(replacing, 1, b"content")


@OTHER_TYPES
def test_a_large_object_replaces_a_blob_of_another_type(
    hook: BlobObjectStoreHook, service: BlobServiceClient, bucket: str, kind: BlobType
) -> None:
    content = bytes(range(256)) * (9 << 12)  # 9 MiB
    assert len(content) > ReplicationOptions().parts_above
    hook.put_object(ObjectRef(bucket, "from/big"), content)
    blob = service.get_blob_client(bucket, "to/big")
    blob.upload_blob(b"o" * 512, blob_type=kind)
    ends = [
        Endpoint("azure", hook, Location("abfs", "wasb_local", bucket, prefix))
        for prefix in ("from/", "to/")
    ]
    run = Replication(ends[0], (ends[1],), ReplicationOptions())
    assert replicate(run).destinations[0].outcomes == {Outcome.REPLACED: 1}
    assert blob.download_blob().readall() == content
    assert replicate(run).destinations[0].outcomes == {Outcome.UNCHANGED: 1}
    assert list(hook.list_uploads(bucket)) == []


@pytest.mark.parametrize("size", [2, 5000, 9 << 20])
def test_a_source_whose_declared_md5_is_wrong_is_replicated(
    hook: BlobObjectStoreHook, service: BlobServiceClient, bucket: str, size: int
) -> None:
    content = os.urandom(size)
    wrong = ContentSettings(content_md5=bytearray(md5(b"other").digest()))
    blob = service.get_blob_client(bucket, "from/x")
    blob.stage_block("MDAwMQ==", content)
    blob.commit_block_list([BlobBlock("MDAwMQ==")], content_settings=wrong)
    ends = [
        Endpoint("azure", hook, Location("abfs", "wasb_local", bucket, prefix))
        for prefix in ("from/", "to/")
    ]
    run = Replication(ends[0], (ends[1],), ReplicationOptions())
    assert replicate(run).destinations[0].outcomes == {Outcome.COPIED: 1}
    assert service.get_blob_client(bucket, "to/x").download_blob().readall() == content


def test_a_lease_is_named(
    hook: BlobObjectStoreHook, service: BlobServiceClient, bucket: str
) -> None:
    hook.put_object(ObjectRef(bucket, "key"), b"content")
    service.get_blob_client(bucket, "key").acquire_lease()
    with pytest.raises(StorageError, match="has a lease") as caught:
        hook.delete_object(ObjectRef(bucket, "key"))
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED


def test_an_upload_of_another_scope_is_not_taken_up(hook: BlobObjectStoreHook, bucket: str) -> None:
    """Blocks are encrypted as they arrive; an upload that fits has its scope with it."""
    ref = ObjectRef(bucket, "key")
    upload = hook.begin_upload(ref, WriteOptions())
    hook.put_part(upload, 1, b"content", digests=crc32c(b"content"))
    (same,) = hook.left_uploads(ref, WriteOptions())
    (other,) = hook.left_uploads(ref, WriteOptions(encryption_key="scope"))
    assert (same.fits, other.fits) == (True, False)
    assert hook.begin_upload(ref, WriteOptions(encryption_key="s")).upload_id.endswith(".s")


def test_tier(hook: BlobObjectStoreHook, bucket: str) -> None:
    """A blob is written into its tier; one in the archive can't be read."""
    ref = ObjectRef(bucket, "key")
    hook.put_object(ref, b"content", WriteOptions(storage_class="Cool"))
    assert hook.stat_object(ref).storage_class == "Cool"
    hook.account.blob(ref).set_standard_blob_tier(StandardBlobTier.ARCHIVE)
    with pytest.raises(StorageError, match=r"is archived .* rehydrate it first") as caught:
        hook.get_object(ref)
    assert caught.value.kind is ErrorKind.UNSUPPORTED


def test_snapshots_stay(hook: BlobObjectStoreHook, bucket: str) -> None:
    ref = ObjectRef(bucket, "key")
    hook.put_object(ref, b"content")
    hook.account.blob(ref).create_snapshot()
    with pytest.raises(StorageError, match="has snapshots") as caught:
        hook.delete_object(ref)
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
    assert hook.stat_object(ref).size == 7


def test_threads_have_a_connection_each(
    hook: BlobObjectStoreHook, bucket: str, caplog: pytest.LogCaptureFixture
) -> None:
    """No connection of 40 is thrown away for want of room in the pool."""
    hook.put_object(ObjectRef(bucket, "key"), b"content")
    with caplog.at_level(logging.WARNING, "urllib3"), ThreadPoolExecutor(40) as pool:
        list(pool.map(lambda _: hook.stat_object(ObjectRef(bucket, "key")), range(400)))
    assert [record for record in caplog.records if record.name.startswith("urllib3")] == []


# Parts


def test_completing_again_finds_it_done(hook: BlobObjectStoreHook, bucket: str) -> None:
    """As after an answer that was lost, or a process that died before noting it."""
    upload = hook.begin_upload(ObjectRef(bucket, "key"))
    parts = [hook.put_part(upload, n, b"content", digests=crc32c(b"content")) for n in (1, 2)]
    done = hook.complete_upload(upload, parts, digests=crc32c(b"contentcontent"))
    again = hook.complete_upload(upload, parts, digests=crc32c(b"contentcontent"))
    assert done.digests == crc32c(b"contentcontent")
    assert (again.etag, again.size, again.digests) == (done.etag, 14, done.digests)
    assert hook.stat_object(upload.ref).etag == done.etag


def test_another_commit_takes_the_blocks(hook: BlobObjectStoreHook, bucket: str) -> None:
    first, second = (hook.begin_upload(ObjectRef(bucket, "key")) for _ in range(2))
    of_first = hook.put_part(first, 1, b"first", digests=crc32c(b"first"))
    of_second = hook.put_part(second, 1, b"second", digests=crc32c(b"second"))
    assert hook.list_parts(first) == [Part(1, 5, of_first.token, crc32c(b"first"))]
    hook.complete_upload(second, [of_second])
    with pytest.raises(StorageError, match="another writer's commit") as caught:
        hook.complete_upload(first, [of_first])
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
    assert bytes(hook.get_object(first.ref).read()) == b"second"


def test_part_of_another_upload(hook: BlobObjectStoreHook, bucket: str) -> None:
    first, second = (hook.begin_upload(ObjectRef(bucket, "key")) for _ in range(2))
    of_first = hook.put_part(first, 1, b"first", digests=crc32c(b"first"))
    with pytest.raises(StorageError, match="not of this part of this upload"):
        hook.complete_upload(second, [of_first])


def test_blocks_of_other_tools(hook: BlobObjectStoreHook, bucket: str) -> None:
    """They are not ours to list; with ids of another length they are in the way, clearly."""
    ref = ObjectRef(bucket, "key")
    hook.account.blob(ref).stage_block("short", b"theirs")
    assert list(hook.list_uploads(bucket)) == []
    with pytest.raises(StorageError, match="ids of another length") as caught:
        hook.put_part(hook.begin_upload(ref), 1, b"ours", digests=crc32c(b"ours"))
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED


def test_uploads_tell_when_they_began(hook: BlobObjectStoreHook, bucket: str) -> None:
    upload = hook.begin_upload(ObjectRef(bucket, "key"))
    for number in (1, 2):
        hook.put_part(upload, number, b"content", digests=crc32c(b"content"))
    (found,) = hook.list_uploads(bucket)
    assert (found.ref, found.upload_id) == (upload.ref, upload.upload_id)
    assert found.started is not None
    assert abs(datetime.now(UTC) - found.started) < timedelta(minutes=1)


def test_location_is_the_accounts(hook: BlobObjectStoreHook) -> None:
    with pytest.raises(StorageError, match="location 'westeurope'"):
        hook.ensure_bucket("anything", location="westeurope")
