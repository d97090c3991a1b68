"""Small plain objects of Cloud Storage: written by its XML interface, as :mod:`writing` has it."""

from __future__ import annotations

from airflow_multicloud.adapters.obstore_plain import ObstorePlainBucket
from airflow_multicloud.clouds.gcp.object_store.client import ObjectStoreBase
from airflow_multicloud.clouds.gcp.object_store.headers import obstore_attributes, told_attributes
from airflow_multicloud.ports.object_store import PlainBucket


class GCSPlainObjects(ObjectStoreBase):
    """``PlainObjects``."""

    def plain_bucket(self, bucket: str) -> PlainBucket | None:
        """The bucket by obstore; ``None`` where that can't reach it, or not write there.

        object_store signs every write, also without credentials.
        """
        api = self._api
        store = None if api.anonymous or bucket in api.without_xml else self._store(bucket)
        if store is None:
            return None
        return ObstorePlainBucket(
            store,
            decode=told_attributes,
            encode=obstore_attributes,
            by_version=True,
            prepare=api.ensure_fresh,
        )
