"""The rigs of the object store contract: in memory, and the local clouds."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.testing.contracts.rigs import (
    RigSpec,
    StoreRig,
    make_bucket,
    open_rig,
    parametrize_rigs,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_multicloud.ports.object_store import ObjectStore

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
            open=_local("gcp_local"),
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
