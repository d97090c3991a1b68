"""Buckets: whether one is there, and making one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.gcp import LABELS, NAME
from airflow_multicloud.clouds.gcp.object_store.errors import translated
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.labels import current_work
from airflow_multicloud.ports.object_store import BucketMeta

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.clouds.gcp.object_store.client import JsonApi


def stat(api: JsonApi, bucket: str) -> BucketMeta:
    """That the bucket may be read."""
    doing = f"stat_bucket of {bucket!r}"
    path = f"/b/{quote(bucket, safe='')}"
    try:
        with translated(doing):
            found = api.call("GET", path, {"fields": "name,location"})
    except StorageError as err:
        # The roles for objects lack storage.buckets.get, and reading objects needs no more.
        if err.kind is not ErrorKind.PERMISSION_DENIED:
            raise
        with translated(doing):
            api.call("GET", f"{path}/o", {"maxResults": "1", "fields": "kind"})
        return BucketMeta(bucket)
    location: str | None = found.get("location")
    return BucketMeta(bucket, location.lower() if location else None)


def list_names(api: JsonApi, *, project: str | None) -> Iterator[str]:
    """The project's buckets."""
    if not project:
        raise StorageError(
            "list_buckets: the connection names no project (extra 'project')",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=NAME,
        )
    query = {"project": project, "fields": "items/name,nextPageToken"}
    doing = f"list_buckets of project {project!r}"
    with translated(doing):
        for page in api.pages("/b", query, doing):
            with well_formed(doing, NAME):
                names = [item["name"] for item in page.get("items", ())]
            yield from names


def ensure(api: JsonApi, bucket: str, *, project: str | None, location: str | None) -> bool:
    """Create the bucket, labelled, unless it exists; whether it was created."""
    doing = f"ensure_bucket of {bucket!r}"
    if not project:
        raise StorageError(
            f"{doing}: the connection names no project (extra 'project')",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=NAME,
        )
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
            api.call("POST", "/b", {"project": project}, resource)
    except StorageError as err:
        if err.kind is not ErrorKind.ALREADY_EXISTS:
            raise
        stat(api, bucket)  # fails when the name is taken by someone else's bucket
        return False
    return True
