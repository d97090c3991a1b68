"""S3 listings, by boto3: obstore drops trailing slashes and refuses ``..`` and ``//``."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.listed_pages import metas_of
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.object_store.client import ObjectStoreBase
from airflow_multicloud.clouds.aws.object_store.pages import pages
from airflow_multicloud.clouds.aws.object_store.upload_records import UPLOADS_PREFIX
from airflow_multicloud.ports.object_store import ListedPage, ObjectMeta


class S3Listings(ObjectStoreBase):
    """The listing verb, ``PagedListings`` and ``ObjectVersions``."""

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """Every object under ``prefix``, in UTF-8 order.

        ``digests.md5`` is the ETag where it has the form of an MD5. A listing does not say
        how an object is encrypted, and with KMS that ETag is no MD5: equality with a true
        MD5 proves equal content, inequality proves nothing.
        """
        return self._list("list_objects_v2", bucket, prefix)

    def list_versions(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """Every version but delete markers; "null" is the version from before versioning.

        ``digests`` as for :meth:`list_objects`.
        """
        return self._list("list_object_versions", bucket, prefix)

    def list_pages(self, bucket: str, prefix: str = "") -> Iterator[ListedPage]:
        """What :meth:`list_objects` lists, 1,000 a page."""
        return self._pages("list_objects_v2", bucket, prefix)

    def _list(self, operation: str, bucket: str, prefix: str) -> Iterator[ObjectMeta]:
        for page in self._pages(operation, bucket, prefix):
            yield from metas_of(page)

    def _pages(self, operation: str, bucket: str, prefix: str) -> Iterator[ListedPage]:
        doing = f"listing s3://{bucket}/{prefix}"
        # Notes on uploads under way, not objects.
        hidden = None if prefix.startswith(UPLOADS_PREFIX) else UPLOADS_PREFIX
        for page in pages(self._s3.client, operation, doing, Bucket=bucket, Prefix=prefix):
            known_opaque = bucket in self._s3.opaque_etags
            with well_formed(doing, NAME):
                listed = page["Page"].listed(bucket, hidden=hidden, md5_etags=not known_opaque)
            yield listed
