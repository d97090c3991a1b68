"""Buckets: whether one is there, which there are, and making one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.gcp import LABELS, NAME
from airflow_multicloud.clouds.gcp.object_store.client import ObjectStoreBase
from airflow_multicloud.clouds.gcp.object_store.errors import translated
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.labels import current_work
from airflow_multicloud.ports.object_store import BucketMeta


class GCSBuckets(ObjectStoreBase):
    """Buckets of the connection's project."""

    def stat_bucket(self, bucket: str) -> BucketMeta:
        """That the bucket may be read; its location where ``storage.buckets.get`` is granted."""
        doing = f"looking at bucket {bucket!r}"
        path = f"/b/{quote(bucket, safe='')}"
        try:
            with translated(doing):
                found = self._api.ask("GET", path, {"fields": "name,location"})
        except StorageError as err:
            # The roles for objects lack storage.buckets.get, and reading objects needs no more.
            if err.kind is not ErrorKind.PERMISSION_DENIED:
                raise
            with translated(doing):
                self._api.ask("GET", f"{path}/o", {"maxResults": "1", "fields": "kind"})
            return BucketMeta(bucket)
        location: str | None = found.get("location")
        return BucketMeta(bucket, location.lower() if location else None)

    def list_buckets(self) -> Iterator[str]:
        """The buckets of the connection's project."""
        project = self._named_project("list_buckets")
        query = {"project": project, "fields": "items/name,nextPageToken"}
        doing = f"listing the buckets of project {project!r}"
        with translated(doing):
            for page in self._api.pages("/b", query, doing):
                with well_formed(doing, NAME):
                    names = [item["name"] for item in page.get("items", ())]
                yield from names

    def ensure_bucket(self, bucket: str, *, location: str | None = None) -> bool:
        """Create the bucket in the connection's project, closed to the public.

        Its labels say which DAG and task it was made for.
        """
        doing = f"creating bucket {bucket!r}"
        project = self._named_project(doing)
        resource: dict[str, Any] = {
            "name": bucket,
            "iamConfiguration": {
                "uniformBucketLevelAccess": {"enabled": True},
                "publicAccessPrevention": "enforced",
            },
        }
        if location:
            resource["location"] = location
        if labels := current_work().lasting().labels(LABELS):
            resource["labels"] = labels
        try:
            with translated(doing):
                self._api.ask("POST", "/b", {"project": project}, resource)
        except StorageError as err:
            if err.kind is not ErrorKind.ALREADY_EXISTS:
                raise
            self.stat_bucket(bucket)  # fails when the name is taken by someone else's bucket
            return False
        return True

    def _named_project(self, doing: str) -> str:
        if project := self._session.project:
            return project
        raise StorageError(
            f"{doing}: the connection names no project (extra 'project')",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=NAME,
        )
