"""The rigs of the object store contract: in memory, and the local clouds."""

from __future__ import annotations

import json
import os
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from airflow_multicloud.testing.contracts.rigs import (
    RigSpec,
    StoreRig,
    make_bucket,
    open_rig,
    parametrize_rigs,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_multicloud.ports.object_store import ObjectStore
    from airflow_multicloud.testing.local_clouds import LocalClouds

# Gaps are the servers', measured; each test must fail there, and says so when it stops.
MOTO_GAPS: dict[str, str] = {}
MINISTACK_GAPS: dict[str, str] = {}
FAKE_GCS_GAPS: dict[str, str] = {}
AZURITE_GAPS: dict[str, str] = {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "rig" in metafunc.fixturenames:
        parametrize_rigs(metafunc, rigs())


@pytest.fixture
def rig(request: pytest.FixtureRequest) -> StoreRig:
    """One store and a fresh bucket in it."""
    return open_rig(request)


@pytest.fixture(scope="session")
def rig_specs() -> tuple[RigSpec, ...]:
    return rigs()


@cache
def rigs() -> tuple[RigSpec, ...]:
    # Imported here and not above: Airflow must not load before tests/conftest.py is configured.
    from airflow_multicloud.clouds.aws.object_store import Hook as AwsHook
    from airflow_multicloud.clouds.azure.object_store import Hook as AzureHook
    from airflow_multicloud.clouds.gcp.object_store import Hook as GcpHook
    from airflow_multicloud.testing import memory_cloud
    from airflow_multicloud.testing.memory_cloud.object_store import Hook as MemoryHook

    memory_cloud.register()
    os.environ.setdefault("AIRFLOW_CONN_MEMORY_LOCAL", "memory://")
    return (
        RigSpec(
            name="memory",
            cloud="memory",
            hook=MemoryHook,
            open=_memory,
        ),
        RigSpec(
            name="moto",
            cloud="aws",
            hook=AwsHook,
            open=_local("aws_local"),
            make_versioned_bucket=_make_versioned_s3_bucket,
            gaps=MOTO_GAPS,
        ),
        RigSpec(
            name="ministack",
            cloud="aws",
            hook=AwsHook,
            open=_local("aws_second"),
            make_versioned_bucket=_make_versioned_s3_bucket,
            gaps=MINISTACK_GAPS,
        ),
        RigSpec(
            name="fake_gcs",
            cloud="gcp",
            hook=GcpHook,
            open=_fake_gcs,
            make_versioned_bucket=_make_versioned_gcs_bucket,
            gaps=FAKE_GCS_GAPS,
        ),
        RigSpec(
            name="azurite",
            cloud="azure",
            hook=AzureHook,
            open=_local("wasb_local"),
            gaps=AZURITE_GAPS,
            # https://learn.microsoft.com/rest/api/storageservices/put-blob#request-headers
            signed_put_headers={"x-ms-blob-type": "BlockBlob"},
        ),
    )


def _memory(request: pytest.FixtureRequest) -> ObjectStore:
    from airflow_multicloud import registry
    from airflow_multicloud.ports.object_store import ObjectStore

    return registry.resolve(ObjectStore, "memory_local")


def _local(conn_id: str) -> Callable[[pytest.FixtureRequest], ObjectStore]:
    def open_store(request: pytest.FixtureRequest) -> ObjectStore:
        from airflow_multicloud import registry
        from airflow_multicloud.ports.object_store import ObjectStore

        request.getfixturevalue("local_clouds")
        return registry.resolve(ObjectStore, conn_id)

    return open_store


def _fake_gcs(request: pytest.FixtureRequest) -> ObjectStore:
    from airflow_multicloud import registry
    from airflow_multicloud.ports.object_store import ObjectStore

    return registry.resolve(ObjectStore, request.getfixturevalue("gcs_service_account"))


class _TokenEndpoint(BaseHTTPRequestHandler):
    """Gives whoever asks an access token, which fake-gcs-server does not look at."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps({"access_token": "granted", "expires_in": 3600, "token_type": "Bearer"})
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the parent's name)
        """Say nothing."""


@pytest.fixture(scope="session")
def gcs_service_account(local_clouds: LocalClouds) -> Iterator[str]:
    """A connection to fake-gcs-server as a service account, which can sign URLs.

    Without retries: the server answers 500 where Cloud Storage would answer 404.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), _TokenEndpoint)
    account = {
        "type": "service_account",
        "project_id": "local",
        "private_key_id": "1",
        "private_key": key.decode(),
        "client_email": "contract@local.iam.gserviceaccount.com",
        "token_uri": f"http://127.0.0.1:{server.server_port}/token",
    }
    extra = {
        "keyfile_dict": json.dumps(account),
        "gcs.endpoint": local_clouds.gcp.endpoint,
        "num_retries": 0,
    }
    connection = {"conn_type": "google_cloud_platform", "extra": extra}
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_GCS_CONTRACT", json.dumps(connection))
        yield "gcs_contract"
    server.shutdown()
    thread.join()
    server.server_close()


def _make_versioned_s3_bucket(store: ObjectStore, bucket: str) -> None:
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    assert isinstance(store, S3Hook)
    make_bucket(store, bucket)
    store.get_conn().put_bucket_versioning(
        Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
    )


def _make_versioned_gcs_bucket(store: ObjectStore, bucket: str) -> None:
    from airflow.providers.google.cloud.hooks.gcs import GCSHook

    assert isinstance(store, GCSHook)
    made = store.get_conn().bucket(bucket)
    made.versioning_enabled = True
    made.create()
