"""Google's JSON interfaces: what is asked for, whom they trust, and answers that are none."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import ssl
from typing import TYPE_CHECKING

import pytest
import trustme
from cryptography import x509
from google.auth.credentials import AnonymousCredentials

from airflow_multicloud.clouds.gcp.cost import GCPCostHook
from airflow_multicloud.clouds.gcp.identity import GCPIdentityHook
from airflow_multicloud.clouds.gcp.object_store import GCSObjectStoreHook
from airflow_multicloud.clouds.gcp.rest import RestApi
from airflow_multicloud.errors import CloudError, CostAnalysisError, ErrorKind, StorageError
from airflow_multicloud.ports.cost import PriceQuery
from tests.integration.answering import Answer, Asked, answering

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

JSON = {"content-type": "application/json"}
SERVICES = ("gcs", "cloudbilling", "recommender")


def connect(patch: pytest.MonkeyPatch, endpoint: str) -> str:
    extra = {"is_anonymous": True, "project": "p", "num_retries": 0}
    extra |= {f"{service}.endpoint": endpoint for service in SERVICES}
    value = {"conn_type": "google_cloud_platform", "extra": extra}
    patch.setenv("AIRFLOW_CONN_GCP_REST", json.dumps(value))
    return "gcp_rest"


def prices() -> object:
    query = PriceQuery(meter="storage", sku="STANDARD", region_id="us-east1")
    return GCPCostHook("gcp_rest").list_prices([query])


LISTS: dict[str, tuple[Callable[[], object], type[CloudError]]] = {
    "prices": (prices, CostAnalysisError),
    "recommendations": (
        lambda: GCPCostHook("gcp_rest").list_recommendations(),
        CostAnalysisError,
    ),
    "objects": (lambda: list(GCSObjectStoreHook("gcp_rest").list_objects("b")), StorageError),
    "buckets": (lambda: list(GCSObjectStoreHook("gcp_rest").list_buckets()), StorageError),
}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("status", [200, 204])
def test_an_empty_answer_is_no_empty_list(
    name: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    call, area = LISTS[name]
    with answering(lambda _: Answer(status=status)) as server:
        connect(monkeypatch, server.url)
        with pytest.raises(area, match="the answer can't be read") as caught:
            call()
    assert caught.value.kind is ErrorKind.INTEGRITY


@pytest.mark.parametrize("name", LISTS)
def test_lists_come_compressed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def compressed(asked: Asked) -> Answer:
        assert asked.headers["accept-encoding"] == "gzip"
        assert "gzip" in asked.headers["user-agent"]
        return Answer(gzip.compress(b"{}"), headers=JSON | {"content-encoding": "gzip"})

    with answering(compressed) as server:
        connect(monkeypatch, server.url)
        LISTS[name][0]()
    assert server.asked


@pytest.mark.parametrize("name", LISTS)
def test_an_answer_that_is_not_compressed_as_it_says(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    call, area = LISTS[name]
    broken = Answer(b"{}", headers=JSON | {"content-encoding": "gzip"})
    with answering(lambda _: broken) as server:
        connect(monkeypatch, server.url)
        with pytest.raises(area) as caught:
            call()
    assert caught.value.kind is ErrorKind.INTEGRITY


def subject_hash(pem: bytes) -> str:
    """How ``openssl rehash`` names an authority's file: a digest of its name in small letters."""
    subject = x509.load_pem_x509_certificate(pem).subject
    small = x509.Name([x509.NameAttribute(a.oid, str(a.value).lower()) for a in subject])
    encoded = small.public_bytes()
    header = 2 if encoded[1] < 0x80 else 2 + (encoded[1] & 0x7F)
    digest = hashlib.sha1(encoded[header:], usedforsecurity=False).digest()
    return f"{int.from_bytes(digest[:4], 'little'):08x}"


@pytest.mark.parametrize("as_directory", [False, True], ids=["file", "directory"])
def test_authorities_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, as_directory: bool
) -> None:
    authority = trustme.CA()
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    trusted = bundle
    if as_directory:
        trusted = tmp_path / "authorities"
        trusted.mkdir()
        shutil.copy(bundle, trusted / f"{subject_hash(bundle.read_bytes())}.0")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    with answering(lambda _: Answer(b"{}", headers=JSON), tls=tls) as server:
        api = RestApi(server.url, AnonymousCredentials(), retries=0, area=StorageError)  # type: ignore[no-untyped-call]
        assert api.ask("GET", "/x") == {}


def test_storage_that_is_down_is_no_fault_of_the_credentials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with answering(lambda _: b"{}") as server:
        pass
    conn_id = connect(monkeypatch, server.url)
    with pytest.raises(StorageError, match="reaching Cloud Storage") as caught:
        GCPIdentityHook(conn_id).who_am_i()
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    with answering(lambda _: b"a page") as server:
        connect(monkeypatch, server.url)
        with pytest.raises(StorageError, match="can't be read"):
            GCPIdentityHook(conn_id).who_am_i()


@pytest.mark.parametrize("status", [401, 403])
def test_storage_that_refuses_is_there(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(lambda _: Answer(status=status)) as server:
        conn_id = connect(monkeypatch, server.url)
        assert GCPIdentityHook(conn_id).who_am_i().principal == "anonymous"
