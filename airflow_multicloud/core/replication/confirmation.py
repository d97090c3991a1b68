"""Confirm writes whose response showed no digest, from listings rather than one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from airflow_multicloud.core.digest import shared
from airflow_multicloud.core.replication.catalog import Catalog
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.small import Job
from airflow_multicloud.errors import ErrorKind
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
        for meta in _look(job, index, waiting) if waiting else ():
            item = waiting.get(meta.key)
            if item is not None:
                state = item.replicas[index]
                yield item.with_replica(index, _judge(state, item, meta))


def _look(job: Job, index: int, waiting: dict[str, Item]) -> Iterator[ObjectMeta]:
    destination = job.destinations[index]
    if len(waiting) > _ONE_BY_ONE:
        yield from destination.store.list_objects(destination.bucket, destination.location.key)
    else:
        for key in waiting:
            yield destination.store.stat_object(destination.ref(key))


def _judge(state: Replica, item: Item, there: ObjectMeta) -> Replica:
    if there.etag != state.etag:
        return state.failed(
            Outcome.CONFLICT,
            ErrorKind.PRECONDITION_FAILED,
            "another writer replaced the object after it was written",
        )
    compared = shared(item.digests, there.digests)
    if compared is None:
        return state
    name, equal = compared
    if not equal:
        return state.failed(
            Outcome.FAILED, ErrorKind.INTEGRITY, f"the store's {name} differs from the source's"
        )
    outcome = Outcome.COPIED if state.prior is None else Outcome.REPLACED
    return replace(state, outcome=outcome, confirmed=name, reason=None)
