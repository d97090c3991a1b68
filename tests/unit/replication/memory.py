"""A source and destinations in the in-memory cloud, and stores that misbehave on purpose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint
from airflow_multicloud.core.ledger import reading
from airflow_multicloud.core.replication.options import ReplicationOptions
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.locations import Location
from airflow_multicloud.ports.object_store import (
    BucketMeta,
    ObjectAttributes,
    ObjectRef,
    WriteOptions,
)
from airflow_multicloud.testing.memory_cloud import object_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_multicloud.ports.object_store import ObjectBody, ObjectMeta, ObjectStore

BUCKET = "lab"
PREFIX = "data/"
#: Objects above 64 bytes go by parts of 16.
SMALL = ReplicationOptions(part_size=16, large_object=64, memory_limit=256, concurrency=4)

_numbers = count()


@dataclass(frozen=True)
class World:
    """One source and some destinations, each an account of its own."""

    source: Endpoint
    destinations: tuple[Endpoint, ...]

    def replication(self, options: ReplicationOptions = SMALL) -> Replication:
        return Replication(self.source, self.destinations, options)

    def with_source(self, store: ObjectStore) -> World:
        return replace(self, source=replace(self.source, store=store))

    def with_destination(self, store: ObjectStore, index: int = 0) -> World:
        ends = list(self.destinations)
        ends[index] = replace(ends[index], store=store)
        return replace(self, destinations=tuple(ends))


def conn_of(endpoint: Endpoint) -> str:
    assert endpoint.location.conn_id is not None
    return endpoint.location.conn_id


def endpoint(prefix: str = PREFIX, hook: type[object_store.Hook] = object_store.Hook) -> Endpoint:
    """A prefix in a bucket of a new account."""
    conn_id = f"memory_{next(_numbers)}"
    store = hook(conn_id)
    store.ensure_bucket(BUCKET)
    return Endpoint("memory", store, Location("mem", conn_id, BUCKET, prefix))


def endpoint_with(tree: Mapping[str, bytes]) -> Endpoint:
    """A prefix that holds ``tree``."""
    made = endpoint()
    fill(made, tree)
    return made


def world(tree: Mapping[str, bytes], *, destinations: int = 1) -> World:
    """A source that holds ``tree``, and empty destinations."""
    made = World(endpoint(), tuple(endpoint("copy/") for _ in range(destinations)))
    fill(made.source, tree)
    return made


def fill(
    end: Endpoint, tree: Mapping[str, bytes], *, metadata: Mapping[str, str] | None = None
) -> None:
    options = WriteOptions(attributes=ObjectAttributes(metadata=metadata or {}))
    for name, content in tree.items():
        end.store.put_object(end.ref(end.location.key + name), content, options)


def tree_of(end: Endpoint) -> dict[str, bytes]:
    """What lies at an endpoint, by name, read directly; never this package's own objects."""
    hook = object_store.Hook(conn_of(end))
    return {
        meta.key.removeprefix(end.location.key): bytes(
            hook.get_object(ObjectRef(BUCKET, meta.key)).read()
        )
        for meta in hook.list_objects(BUCKET, end.location.key)
        if not meta.key.startswith(RESERVED_PREFIX)
    }


def ledger(end: Endpoint) -> reading.Head:
    """The newest commit of the ledger there."""
    head = reading.newest(replace(end, store=object_store.Hook(conn_of(end))))
    assert head is not None
    return head


def uploads(end: Endpoint) -> list[str]:
    return [u.ref.key for u in object_store.Hook(conn_of(end)).list_uploads(BUCKET)]


def own(end: Endpoint, directory: str = "") -> list[str]:
    """This package's own objects."""
    prefix = RESERVED_PREFIX + directory
    return [meta.key for meta in end.store.list_objects(end.bucket, prefix)]


class Unversioned(object_store.Hook):
    """A source that keeps no versions, so only the ETag pins an object."""

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        return (replace(m, version=None) for m in super().list_objects(bucket, prefix))

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        return replace(super().stat_object(replace(ref, version=None)), version=None)


class Bare:
    """The six verbs and an account's name: no parts, no conditions, no rules."""

    def __init__(self, conn_id: str) -> None:
        self._hook = object_store.Hook(conn_id)
        self.list_objects = self._hook.list_objects
        self.stat_object = self._hook.stat_object
        self.put_object = self._hook.put_object
        self.delete_object = self._hook.delete_object

    @property
    def store_name(self) -> str:
        return self._hook.store_name

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        return self._hook.get_object(ref, start=start, end=end, if_etag=if_etag)

    def stat_bucket(self, bucket: str) -> BucketMeta:
        return self._hook.stat_bucket(bucket)
