"""Small plain blobs."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.adapters.obstore_plain import ObstorePlainBucket
from airflow_multicloud.clouds.azure.object_store.client import ObjectStoreBase
from airflow_multicloud.clouds.azure.object_store.fields import DIRECTORY_MARK
from airflow_multicloud.clouds.azure.object_store.reading import attributes_of
from airflow_multicloud.clouds.azure.object_store.writing import obstore_attributes
from airflow_multicloud.ports.object_store import ObjectAttributes, PlainBucket


class BlobPlainObjects(ObjectStoreBase):
    """``PlainObjects``."""

    def plain_bucket(self, bucket: str) -> PlainBucket | None:
        """The container by obstore; ``None`` where it can't reach it."""
        store = self.account.store(bucket)
        if store is None:
            return None
        return ObstorePlainBucket(store, decode=_decoded, encode=obstore_attributes)


def _decoded(raw: Mapping[str, str]) -> ObjectAttributes | None:
    attributes = attributes_of(raw)
    return None if DIRECTORY_MARK in attributes.metadata else attributes
