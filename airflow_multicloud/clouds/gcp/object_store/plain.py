"""Small plain objects of Cloud Storage: written by its XML interface, as :mod:`writing` has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.adapters.obstore_plain import ObstorePlainBucket
from airflow_multicloud.clouds.gcp.object_store.client import ObjectStoreBase
from airflow_multicloud.clouds.gcp.object_store.headers import obstore_attributes, told_attributes
from airflow_multicloud.ports.object_store import ObjectAttributes, PlainBucket

if TYPE_CHECKING:
    from obstore import Attributes


class GCSPlainObjects(ObjectStoreBase):
    """``PlainObjects``."""

    def plain_bucket(self, bucket: str) -> PlainBucket | None:
        """The bucket by obstore; ``None`` where it can't reach it."""
        api, store = self._api, self._store(bucket)
        if store is None:
            return None

        def sent(attributes: ObjectAttributes) -> Attributes | None:
            # object_store signs every write, also without credentials.
            if api.anonymous or bucket in api.without_xml:
                return None
            return obstore_attributes(attributes)

        return ObstorePlainBucket(
            store, decode=told_attributes, encode=sent, by_version=True, prepare=api.ensure_fresh
        )
