"""Confirm writes whose response showed no digest, from listings rather than one by one."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from airflow_multicloud.adapters.digests import compare
from airflow_multicloud.core.replication.catalog import Catalog
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.small import Job
from airflow_multicloud.core.replication.writing import stored, stored_otherwise
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.object_store import ObjectMeta

#: Up to so many objects are asked for one by one; more are looked for in a listing, which
#: costs one request per page.
_ONE_BY_ONE = 8


def confirm(job: Job, catalog: Catalog) -> Iterator[Item]:
    """Items whose unconfirmed replicas the store's own digests now confirm or refute."""
    for index in range(len(job.destinations)):
        waiting = {
            job.replica_key(index, item): item
            for item in catalog.items()
            if item.replicas[index].outcome is Outcome.UNVERIFIABLE
        }
        if waiting:
            yield from _confirmed(job, index, waiting)


def _confirmed(job: Job, index: int, waiting: dict[str, Item]) -> Iterator[Item]:
    destination = job.destinations[index]
    if len(waiting) <= _ONE_BY_ONE:
        for key, item in waiting.items():
            try:
                there = destination.store.stat_object(destination.ref(key))
            except CloudError as err:
                if err.kind is ErrorKind.NOT_FOUND:
                    yield item.with_replica(index, _gone(item.replicas[index]))
            else:
                yield item.with_replica(index, _judge(item.replicas[index], item, there))
        return
    try:
        for meta in destination.objects(destination.location.key):
            if (found := waiting.pop(meta.key, None)) is not None:
                yield found.with_replica(index, _judge(found.replicas[index], found, meta))
    except CloudError:
        return  # Whatever could not be looked up stays unverifiable.
    for item in waiting.values():
        yield item.with_replica(index, _gone(item.replicas[index]))


def _gone(state: Replica) -> Replica:
    return state.failed(
        Outcome.CONFLICT,
        ErrorKind.PRECONDITION_FAILED,
        "another writer deleted the object after it was written",
    )


def _judge(state: Replica, item: Item, there: ObjectMeta) -> Replica:
    if there.etag != state.etag:
        return state.failed(
            Outcome.CONFLICT,
            ErrorKind.PRECONDITION_FAILED,
            "another writer replaced the object after it was written",
        )
    compared = compare(item.digests, there.digests)
    if compared is None and state.etag:
        # With the ETag of our own write, what may have been declared is what the store computed.
        compared = compare(item.digests, there.declared)
    if compared is None:
        return state
    if not compared.equal:
        return state.failed(Outcome.FAILED, ErrorKind.INTEGRITY, stored_otherwise(compared))
    if not state.etag and not compared.identical:
        return state  # Without an ETag this need not be what was written.
    return stored(replace(state, reason=None), compared)
