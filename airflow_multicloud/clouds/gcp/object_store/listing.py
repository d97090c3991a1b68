"""Listing objects and their versions."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_multicloud.clouds.gcp.object_store.client import ObjectStoreBase
from airflow_multicloud.clouds.gcp.object_store.errors import translated
from airflow_multicloud.clouds.gcp.object_store.fields import listed_of
from airflow_multicloud.clouds.gcp.object_store.keys import PARTS_PREFIX
from airflow_multicloud.ports.object_store import ObjectMeta


class GCSListing(ObjectStoreBase):
    """Listings, without the parts of uploads unless they are asked for."""

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """Every object under ``prefix`` with attributes and digests, 1,000 a request."""
        return self._listed(bucket, prefix, versions=False)

    def list_versions(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """Every generation that is kept, the live ones among them."""
        return self._listed(bucket, prefix, versions=True)

    def _listed(self, bucket: str, prefix: str, *, versions: bool) -> Iterator[ObjectMeta]:
        hidden = not prefix.startswith(PARTS_PREFIX)
        with translated(f"listing gs://{bucket}/{prefix}"):
            for resource in self._api.objects(bucket, prefix, versions=versions):
                if not (hidden and resource["name"].startswith(PARTS_PREFIX)):
                    yield listed_of(bucket, resource)
