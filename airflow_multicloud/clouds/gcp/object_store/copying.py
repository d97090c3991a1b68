"""Copying within Cloud Storage."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.object_store.client import (
    NO_OPTIONS,
    ObjectStoreBase,
    name_of,
)
from airflow_multicloud.clouds.gcp.object_store.errors import conditional, translated
from airflow_multicloud.clouds.gcp.object_store.fields import meta_of, resource_of, write_query
from airflow_multicloud.clouds.gcp.object_store.json_api import JsonApi, object_path
from airflow_multicloud.clouds.gcp.object_store.keys import check_key
from airflow_multicloud.ports.object_store import ObjectMeta, ObjectRef, WriteOptions


class GCSCopies(ObjectStoreBase):
    """Server-side copies."""

    def copy_within(
        self, source: ObjectRef, destination: ObjectRef, options: WriteOptions = NO_OPTIONS
    ) -> ObjectMeta:
        """Copy by rewriting, also between locations and storage classes."""
        check_key(destination.key)
        resource: dict[str, Any] | None = None
        if options.storage_class:
            # A body replaces all of the source's metadata, so it has to repeat them.
            found = self._stat(source, f"looking at {name_of(source)}")
            source = replace(source, version=found.version)
            if found.attributes:
                resource = resource_of(found.attributes, storage_class=options.storage_class)
        doing = f"copying {name_of(source)} to {name_of(destination)}"
        with conditional(doing, options.condition), translated(doing):
            return rewrite(self._api, source, destination, resource, options)


def rewrite(
    api: JsonApi,
    source: ObjectRef,
    destination: ObjectRef,
    resource: dict[str, Any] | None,
    options: WriteOptions,
) -> ObjectMeta:
    """Copy within Cloud Storage, atomically at the destination.

    :param resource: the new object's metadata; ``None`` keeps the source's.
    """
    path = f"{object_path(source.bucket, source.key)}/rewriteTo" + object_path(
        destination.bucket, destination.key
    )
    query = write_query(options, key_parameter="destinationKmsKeyName")
    if source.version:
        query["sourceGeneration"] = source.version
    # Between locations or storage classes one call copies only some of the bytes.
    while True:
        answer = api.ask("POST", path, query, resource)
        with well_formed(f"rewriting to {destination.key!r}", NAME):
            if answer["done"]:
                return meta_of(destination.bucket, answer["resource"])
            query["rewriteToken"] = answer["rewriteToken"]
