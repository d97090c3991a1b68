"""S3 buckets: whether they may be used, their regions, making and listing them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from airflow_multicloud.clouds.aws.object_store.client import ObjectStoreBase
from airflow_multicloud.clouds.aws.object_store.errors import told_why, translated
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.labels import LabelRules, current_work
from airflow_multicloud.ports.object_store import BucketMeta

# The one region without a LocationConstraint (API_CreateBucket.html).
_UNNAMED_REGION = "us-east-1"
#: docs.aws.amazon.com/AmazonS3/latest/userguide/tagging.html
_TAGS = LabelRules(illegal=r"[^\w +\-=.:/@]", longest=256)

_log = logging.getLogger(__name__)


class S3Buckets(ObjectStoreBase):
    """The bucket verb, ``BucketCreation`` and ``BucketListing``."""

    def stat_bucket(self, bucket: str) -> BucketMeta:
        """That the bucket exists and may be read, and its region."""
        client = self._s3.client
        with translated(f"looking at bucket {bucket!r}"):
            # ListObjectsV2 asks for the same permission, s3:ListBucket.
            response = told_why(
                lambda: client.head_bucket(Bucket=bucket),
                lambda: client.list_objects_v2(Bucket=bucket, MaxKeys=1),
                statuses={"400", "403"},
            )
            self._s3.meet(bucket, response.get("BucketRegion"))
        return BucketMeta(bucket, response.get("BucketRegion"))

    def ensure_bucket(self, bucket: str, *, location: str | None = None) -> bool:
        """Create the bucket unless it exists and may be used; whether it was created.

        Its tags say which DAG and task it was made for; without ``s3:PutBucketTagging`` it has
        none, and a warning says so.

        :param location: an AWS region; the connection's when left out.
        :raises StorageError: kind ``permission_denied`` or ``already_exists`` when the name
            is somebody else's.
        """
        try:
            self.stat_bucket(bucket)
        except StorageError as error:
            if error.kind is not ErrorKind.NOT_FOUND:
                raise
        else:
            return False
        region = location or self._s3.region
        client = self._s3.client
        if region != self._s3.region:
            client = self._s3.client_for(region=region)
        params: dict[str, Any] = {"Bucket": bucket}
        if region != _UNNAMED_REGION:
            params["CreateBucketConfiguration"] = {"LocationConstraint": region}
        try:
            with translated(f"creating bucket {bucket!r} in {region}"):
                client.create_bucket(**params)
        except StorageError as error:
            if error.code != "BucketAlreadyOwnedByYou":
                raise
            return False  # another run was faster
        self._tag_bucket(client, bucket)
        return True

    def list_buckets(self) -> Iterator[str]:
        """The account's buckets, of all regions (API_ListBuckets.html: the first 10,000)."""
        client = self._s3.client
        with translated("listing buckets"):
            found = client.list_buckets().get("Buckets", ())
        return (bucket["Name"] for bucket in found)

    def _tag_bucket(self, client: Any, bucket: str) -> None:
        labels = current_work().lasting().labels(_TAGS)
        if not labels:
            return
        tags = [{"Key": name, "Value": value} for name, value in labels.items()]
        try:
            with translated(f"tagging bucket {bucket!r}"):
                client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
        except CloudError as error:
            # The bucket is there and may be used; the next try would not come here again.
            _log.warning("%s; what it costs will be unexplained in the bill", error)
