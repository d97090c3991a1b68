"""The rigs of the object store contract: in memory, and the local clouds."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.ports.object_store import (
    Digests,
    ObjectMeta,
    ObjectRef,
    ObjectStore,
    PlainObjects,
    WriteOptions,
)
from airflow_multicloud.testing.contracts.object_store.rigs import (
    RigSpec,
    make_bucket,
)
from airflow_multicloud.testing.contracts.rigs import connected
from airflow_multicloud.testing.local_clouds.gcp.service_account import TOKEN_PATH, new_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from typing_extensions import Buffer

    from airflow_multicloud.testing.local_clouds import LocalClouds
    from airflow_multicloud.testing.local_clouds.gcp.object_store.xml_interface import XmlInterface

# Measured; each of these tests must fail there, and says so when it stops. ministack has none.
_UNCHECKED_URLS = "lets every URL through: it checks neither signature nor method nor time"

MOTO_GAPS = {
    "test_key_travels_or_is_refused[newline]": "moto's routes match no line break: 404",
    "test_wrong_part_digest": (
        "moto stores a part whatever its checksum header says; the hook only sees it afterwards"
    ),
    "test_tampered": f"moto {_UNCHECKED_URLS}",
    "test_other_method": f"moto {_UNCHECKED_URLS}",
    "test_expires": f"moto {_UNCHECKED_URLS}",
}
FAKE_GCS_GAPS = {
    **dict.fromkeys(
        (
            "test_wrong_digest_writes_nothing",
            "test_wrong_digest_keeps_the_old_object",
            "test_wrong_part_digest",
        ),
        "fake-gcs-server stores an object whatever crc32c and md5Hash it was sent with; the "
        "hook only sees it afterwards",
    ),
    **dict.fromkeys(
        (
            "test_complete_if_absent_too_late",
            "test_complete_if_unchanged_too_late",
            "test_copy_if_absent",
        ),
        "fake-gcs-server ignores ifGenerationMatch on rewriteTo",
    ),
    "test_delete_if_unchanged": "fake-gcs-server ignores ifGenerationMatch on delete",
    "test_says_what_for": "fake-gcs-server keeps no labels of buckets",
    "test_delete_one_version": "fake-gcs-server ignores generation on delete: the live one goes",
    **dict.fromkeys(
        ("test_tampered", "test_other_method", "test_expires"),
        f"fake-gcs-server {_UNCHECKED_URLS}",
    ),
}
XML_GAPS = dict(FAKE_GCS_GAPS)
# The hook itself finds these, before it sends anything without an MD5.
del XML_GAPS["test_wrong_digest_writes_nothing"], XML_GAPS["test_wrong_digest_keeps_the_old_object"]
# Labels are not read here.
del XML_GAPS["test_says_what_for"]
# Azure's own: learn.microsoft.com/rest/api/storageservices/put-block
AZURE_GAPS = {
    "test_abort": "Azure can't discard uncommitted blocks: they expire after a week",
    "test_two_uploads_of_one_key": (
        "an Azure commit discards all other uncommitted blocks of the blob"
    ),
}
AZURITE_GAPS = {
    **AZURE_GAPS,
    **dict.fromkeys(
        (
            "test_lists_versions",
            "test_delete_keeps_versions",
            "test_delete_one_version",
            "test_copies_that_version",
        ),
        "Azurite keeps no versions",
    ),
    "test_tag_travels_or_is_refused[no_value]": "Azurite takes no tag without a value",
}


@cache
def rigs() -> tuple[RigSpec, ...]:
    # Imported here and not above: Airflow must not load before tests/conftest.py is configured.
    from airflow_multicloud.clouds.aws.object_store import Hook as AwsHook
    from airflow_multicloud.clouds.azure.object_store import Hook as AzureHook
    from airflow_multicloud.clouds.gcp.object_store import Hook as GcpHook
    from airflow_multicloud.testing.memory_cloud.object_store import Hook as MemoryHook

    return (
        RigSpec(
            name="memory",
            cloud="memory",
            hook=MemoryHook,
            open=_memory,
            bucket_labels=_memory_labels,
        ),
        RigSpec(
            name="moto",
            cloud="aws",
            hook=AwsHook,
            open=connected(ObjectStore, "aws_local", "local_clouds"),
            make_versioned_bucket=_make_versioned_s3_bucket,
            bucket_labels=_s3_tags,
            gaps=MOTO_GAPS,
        ),
        RigSpec(
            name="ministack",
            cloud="aws",
            hook=AwsHook,
            open=connected(ObjectStore, "aws_second", "local_clouds"),
            make_versioned_bucket=_make_versioned_s3_bucket,
            bucket_labels=_s3_tags,
        ),
        RigSpec(
            name="fake_gcs",
            cloud="gcp",
            hook=GcpHook,
            open=_fake_gcs,
            open_signer=_signing_gcs,
            make_versioned_bucket=_make_versioned_gcs_bucket,
            bucket_labels=_gcs_labels,
            gaps=FAKE_GCS_GAPS,
            without=(PlainObjects,),  # Of whom is anonymous there are none.
        ),
        RigSpec(
            name="fake_gcs_xml",
            cloud="gcp",
            hook=GcpHook,
            open=_xml_gcs,
            make_versioned_bucket=_make_versioned_gcs_bucket,
            gaps=XML_GAPS,
        ),
        RigSpec(
            name="azurite",
            cloud="azure",
            hook=AzureHook,
            open=connected(ObjectStore, "wasb_local", "local_clouds"),
            gaps=AZURITE_GAPS,
            # https://learn.microsoft.com/rest/api/storageservices/put-blob#request-headers
            signed_put_headers={"x-ms-blob-type": "BlockBlob"},
        ),
    )


def _memory(request: pytest.FixtureRequest) -> ObjectStore:
    from airflow_multicloud import registry
    from airflow_multicloud.testing import memory_cloud

    memory_cloud.register()  # at every opening: tests of others take it back
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_MEMORY_LOCAL", "memory://")
        return registry.resolve(ObjectStore, "memory_local")


def _fake_gcs(request: pytest.FixtureRequest) -> ObjectStore:
    # The server answers 500 where Cloud Storage would say 404: not worth a try again.
    return _fake_gcs_as(request, is_anonymous=True, num_retries=0)


def _xml_gcs(request: pytest.FixtureRequest) -> ObjectStore:
    """Written as replication does it: with a CRC32C and no MD5, so by the XML interface."""
    from airflow_multicloud.clouds.gcp.object_store import GCSObjectStoreHook

    class Lean(GCSObjectStoreHook):
        def put_object(
            self,
            ref: ObjectRef,
            body: Buffer,
            options: WriteOptions = WriteOptions(),
            *,
            digests: Digests = Digests(),
        ) -> ObjectMeta:
            return super().put_object(ref, body, options, digests=replace(digests, md5=None))

    server: XmlInterface = request.getfixturevalue("gcs_xml")
    with _of_gcs(server.endpoint, keyfile_dict=_account(server.endpoint), num_retries=0) as conn_id:
        return Lean(conn_id)


def _signing_gcs(request: pytest.FixtureRequest) -> ObjectStore:
    """With a service account's key, which signs by itself: no token is ever asked for."""
    return _fake_gcs_as(request, keyfile_dict=_account("http://127.0.0.1:9"))


def _account(token_server: str) -> str:
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "local",
            "private_key_id": "1",
            "private_key": _key(),
            "client_email": "contract@local.iam.gserviceaccount.com",
            "token_uri": f"{token_server}{TOKEN_PATH}",
        }
    )


@cache
def _key() -> str:
    return new_key()


def _fake_gcs_as(request: pytest.FixtureRequest, **extra: object) -> ObjectStore:
    from airflow_multicloud import registry

    clouds: LocalClouds = request.getfixturevalue("local_clouds")
    with _of_gcs(clouds.gcp.endpoint, **extra) as conn_id:
        return registry.resolve(ObjectStore, conn_id)


@contextmanager
def _of_gcs(endpoint: str, **extra: object) -> Iterator[str]:
    connection = {
        "conn_type": "google_cloud_platform",
        "extra": {"gcs.endpoint": endpoint, "project": "local", **extra},
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_GCS_CONTRACT", json.dumps(connection))
        yield "gcs_contract"


def _make_versioned_s3_bucket(store: ObjectStore, bucket: str) -> None:
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    assert isinstance(store, S3Hook)
    make_bucket(store, bucket)
    store.get_conn().put_bucket_versioning(
        Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
    )


def _make_versioned_gcs_bucket(store: ObjectStore, bucket: str) -> None:
    from airflow_multicloud.clouds.gcp.object_store import GCSObjectStoreHook

    # Not by the official client: with a key it asks Google for more than a token.
    assert isinstance(store, GCSObjectStoreHook)
    versioned = {"name": bucket, "versioning": {"enabled": True}}
    store._api.ask("POST", "/b", {"project": "local"}, versioned)


def _memory_labels(store: ObjectStore, bucket: str) -> Mapping[str, str]:
    from airflow_multicloud.testing.memory_cloud.object_store import Hook

    assert isinstance(store, Hook)
    return store.bucket_labels(bucket)


def _s3_tags(store: ObjectStore, bucket: str) -> Mapping[str, str]:
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook
    from botocore.exceptions import ClientError

    assert isinstance(store, S3Hook)
    try:
        found = store.get_conn().get_bucket_tagging(Bucket=bucket)
    except ClientError as err:
        if err.response["Error"]["Code"] != "NoSuchTagSet":
            raise
        return {}
    return {tag["Key"]: tag["Value"] for tag in found["TagSet"]}


def _gcs_labels(store: ObjectStore, bucket: str) -> Mapping[str, str]:
    from airflow.providers.google.cloud.hooks.gcs import GCSHook

    assert isinstance(store, GCSHook)
    labels: dict[str, str] = store.get_conn().get_bucket(bucket).labels
    return labels
