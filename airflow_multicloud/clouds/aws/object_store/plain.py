"""Small plain objects of S3."""

from __future__ import annotations

from airflow_multicloud.adapters.obstore_plain import ObstorePlainBucket
from airflow_multicloud.clouds.aws.object_store.client import ObjectStoreBase
from airflow_multicloud.clouds.aws.object_store.fields import (
    attributes_from_obstore,
    obstore_attributes,
)
from airflow_multicloud.ports.object_store import PlainBucket, WriteOptions


class S3PlainObjects(ObjectStoreBase):
    """``PlainObjects``."""

    def plain_bucket(self, bucket: str) -> PlainBucket | None:
        """The bucket by obstore; ``None`` where it can't reach it, or ETags tell no content."""
        store = None if bucket in self._s3.opaque_etags else self._s3.store(bucket)
        if store is None:
            return None
        return ObstorePlainBucket(
            store,
            decode=attributes_from_obstore,
            etag_is_md5=True,
            encode=lambda attributes: obstore_attributes(WriteOptions(attributes=attributes)),
        )
