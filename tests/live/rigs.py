"""What the contract suites have to know of real clouds, beside a connection."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_multicloud.ports.identity import Identity
from airflow_multicloud.testing.contracts.identity.rigs import IdentityRigSpec
from airflow_multicloud.testing.live.hooks import live_hooks
from airflow_multicloud.testing.live.stores import LiveStore, live_store_rigs
from tests.contract.identity_rigs import identity_rig_specs
from tests.contract.object_store_rigs import AZURE_GAPS, rigs

if TYPE_CHECKING:
    import pytest

    from airflow_multicloud.ports.object_store import ObjectStore
    from airflow_multicloud.testing.contracts.object_store.rigs import RigSpec

#: Cloud → the local rig whose buckets are made and labelled as the cloud's own.
_LIKE = {"aws": "ministack", "gcp": "fake_gcs", "azure": "azurite"}


def store_rigs(config: pytest.Config) -> tuple[RigSpec, ...]:
    """Object stores; the gaps of the local servers are not the clouds'."""
    local = {spec.name: spec for spec in rigs()}
    removers = {"aws": _remove_s3, "gcp": _remove_gcs, "azure": _remove_azure}
    stores = {}
    for cloud, name in _LIKE.items():
        gaps = AZURE_GAPS if cloud == "azure" else {}
        rig = replace(local[name], gaps=gaps, open_signer=None)
        stores[cloud] = LiveStore(rig=rig, remove_bucket=removers[cloud])
    return live_store_rigs(config, stores)


def identity_rigs(config: pytest.Config) -> tuple[IdentityRigSpec, ...]:
    """Identity, of credentials that are good."""
    hooks = {spec.cloud: spec.hook for spec in identity_rig_specs()}
    return tuple(
        IdentityRigSpec(name=f"live_{cloud}", cloud=cloud, hook=hooks[cloud], open=opened)
        for cloud, opened in live_hooks(config, "identity", Identity).items()
    )


# The ports have no verb that removes a bucket; the official hooks do, or have the client that does.


def _remove_s3(store: ObjectStore, bucket: str) -> None:
    hook: Any = store
    client = hook.get_conn()
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for kind in ("Versions", "DeleteMarkers"):
            for found in page.get(kind, ()):
                client.delete_object(Bucket=bucket, Key=found["Key"], VersionId=found["VersionId"])
    client.delete_bucket(Bucket=bucket)


def _remove_gcs(store: ObjectStore, bucket: str) -> None:
    hook: Any = store
    found = hook.get_conn().bucket(bucket)
    for blob in list(found.list_blobs(versions=True)):
        blob.delete()
    found.delete()


def _remove_azure(store: ObjectStore, bucket: str) -> None:
    hook: Any = store
    hook.delete_container(bucket)
