"""Containers: looking at one, making one, listing them."""

from __future__ import annotations

from collections.abc import Iterator

from azure.core.exceptions import ResourceExistsError

from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.errors import error_code
from airflow_multicloud.clouds.azure.object_store.client import ObjectStoreBase
from airflow_multicloud.clouds.azure.object_store.errors import translated
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import BucketMeta


class BlobContainers(ObjectStoreBase):
    """The port's ``stat_bucket``, ``BucketCreation`` and ``BucketListing``."""

    def stat_bucket(self, bucket: str) -> BucketMeta:
        """That the container exists; its location is its account's, which is not told here."""
        container = self.account.service.get_container_client(bucket)
        with translated(f"looking at container {bucket}"):
            container.get_container_properties()
        return BucketMeta(bucket)

    def ensure_bucket(self, bucket: str, *, location: str | None = None) -> bool:
        """Create the container unless it exists.

        A container has nothing that the bill shows: there the tags are the storage account's.

        :param location: not Azure's to choose here: a container lies where its account does.
        :raises StorageError: kind ``invalid_argument`` when a location is given.
        """
        doing = f"creating container {bucket}"
        if location is not None:
            raise StorageError(
                f"{doing}: location {location!r} can't be chosen, a container lies where its "
                "storage account does; leave it out",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=NAME,
            )
        service = self.account.service
        with translated(doing):
            try:
                service.create_container(bucket)
            except ResourceExistsError as err:
                if error_code(err) == "ContainerAlreadyExists":
                    return False
                raise
        return True

    def list_buckets(self) -> Iterator[str]:
        """The containers of the storage account."""
        with translated("listing containers"):
            for container in self.account.service.list_containers():
                yield container.name
