"""Small plain objects of Cloud Storage, by its XML interface."""

from __future__ import annotations

from airflow_multicloud.adapters.obstore_plain import ObstorePlainBucket
from airflow_multicloud.clouds.gcp.object_store.client import ObjectStoreBase
from airflow_multicloud.clouds.gcp.object_store.headers import obstore_attributes, told_attributes
from airflow_multicloud.ports.object_store import PlainBucket


class GCSPlainObjects(ObjectStoreBase):
    """``PlainObjects``."""

    def plain_bucket(self, bucket: str) -> PlainBucket | None:
        """The bucket by obstore; ``None`` where it can't reach it."""
        api, store = self._api, self._store(bucket)
        if store is None:
            return None
        return ObstorePlainBucket(
            store,
            decode=told_attributes,
            encode=obstore_attributes,
            by_version=True,
            prepare=api.ensure_fresh,
        )
