"""Make buckets."""

from __future__ import annotations

from airflow_multicloud.core.endpoints import has_capability
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.ports.object_store import BucketCreation
from airflow_multicloud.registry import session


@session()
@operation("make_bucket")
def make_bucket(uri: str, *, location: str | None = None) -> bool:
    """Create a bucket (a container) unless it is there; whether it was created.

    :param uri: ``scheme://conn_id@bucket``; a key after it is not looked at.
    :param location: where, in the store's own words; the connection's choice when left out.
    :raises CloudError: when it can't be created, or the name is somebody else's.
    """
    end = open_endpoint(uri, parameter="uri")
    if not has_capability(end.store, BucketCreation):
        raise StorageError(
            f"uri: {end.cloud} can't create buckets", kind=ErrorKind.UNSUPPORTED, cloud=end.cloud
        )
    with operation("make_bucket", cloud__provider=end.cloud):
        return end.store.ensure_bucket(end.bucket, location=location)
