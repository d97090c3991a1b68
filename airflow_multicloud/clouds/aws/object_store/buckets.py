"""S3 buckets and the capabilities that go by bucket or URL: regions, creation, signed URLs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from botocore.config import Config

from airflow_multicloud.clouds.aws.errors import CLOUD, translated
from airflow_multicloud.clouds.aws.object_store.base import S3Basics, name_of, told_why
from airflow_multicloud.clouds.aws.object_store.fields import ref_params
from airflow_multicloud.clouds.aws.object_store.terms import Terms
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.labels import LabelRules, current_work
from airflow_multicloud.ports.object_store import BucketMeta, ObjectRef, SignedUrl

#: docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html (X-Amz-Expires)
_LONGEST = timedelta(days=7)
_SHORTEST = timedelta(seconds=1)
_OPERATIONS = {"GET": "get_object", "PUT": "put_object"}
# The one region without a LocationConstraint (API_CreateBucket.html).
_UNNAMED_REGION = "us-east-1"
#: docs.aws.amazon.com/AmazonS3/latest/userguide/tagging.html
_TAGS = LabelRules(illegal=r"[^\w +\-=.:/@]", longest=256)

_log = logging.getLogger(__name__)


class S3Buckets(S3Basics):
    """The bucket verbs, ``BucketCreation``, ``BucketListing`` and ``SignedUrls``."""

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

    @cached_property
    def _signer(self) -> Any:
        # botocore signs URLs by the old version 2 unless it is told otherwise. An expected owner
        # would be a header that whoever uses the URL must send.
        terms = Terms(requester_pays=self._terms.requester_pays)
        return self._s3.client_for(config=Config(signature_version="s3v4"), terms=terms)

    def sign_url(self, ref: ObjectRef, *, method: str, expires_in: timedelta) -> SignedUrl:
        """A URL for ``GET`` or ``PUT``, signed by version 4, for one second to seven days.

        It ends earlier when the credentials it was signed with do (an assumed role's).
        """
        doing = f"signing a URL for {name_of(ref)}"
        operation = _OPERATIONS.get(method)
        if operation is None or not _SHORTEST <= expires_in <= _LONGEST:
            raise StorageError(
                f"{doing}: method={method!r}, expires_in={expires_in}; allowed are GET and PUT, "
                f"from {_SHORTEST} to {_LONGEST}",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=CLOUD,
            )
        if method == "PUT":
            ref = ObjectRef(ref.bucket, ref.key)
        now = datetime.now(UTC)
        with translated(doing):
            url = self._signer.generate_presigned_url(
                operation, Params=ref_params(ref), ExpiresIn=int(expires_in.total_seconds())
            )
        return SignedUrl(url, now + expires_in)
