"""Confirm writes whose response showed no digest, from listings rather than one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace as replace_field
from itertools import islice
from typing import NamedTuple

from msgspec.structs import replace

from airflow_multicloud.adapters.digests import compare
from airflow_multicloud.core import cancellation
from airflow_multicloud.core.follow import Follow
from airflow_multicloud.core.replication.catalog import Catalog
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.looking import look_up
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.small import Job, copy_small
from airflow_multicloud.core.replication.writing import confirmed, stored_otherwise
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.object_store import Digests, IfUnchanged

#: Up to so many objects are asked for one by one; more are looked for in a listing, which
#: costs one request per page.
_ONE_BY_ONE = 8


class _Shown(NamedTuple):
    """What a store says of an object now."""

    etag: str
    digests: Digests
    declared: Digests


def confirm(job: Job, catalog: Catalog) -> None:
    """Have the store's own digests confirm or refute what they have not confirmed yet.

    What is refuted is copied once more, with every digest computed: a listing may show for an MD5
    what is none, and bytes may have been altered on the way.
    """
    for index in range(len(job.destinations)):
        # One after the other: the items are read with what was found at the one before.
        catalog.put_items(_confirmed(job, catalog, index))


def _confirmed(job: Job, catalog: Catalog, index: int) -> Iterator[Item]:
    if len(list(islice(_waiting(catalog, index), _ONE_BY_ONE + 1))) > _ONE_BY_ONE:
        yield from _by_listing(job, index, catalog)
    else:
        for item in _waiting(catalog, index):
            yield from _asked(job, index, item)


def _waiting(catalog: Catalog, index: int) -> Iterator[Item]:
    for item in catalog.items_as_they_are():
        if item.replicas[index].outcome is Outcome.UNVERIFIABLE:
            yield item


def _by_listing(job: Job, index: int, catalog: Catalog) -> Iterator[Item]:
    """By a listing beside the items; what it does not have where it belongs is asked for."""
    end = job.destinations[index]
    try:
        listed = Follow(look_up(end, (item.name for item in _waiting(catalog, index))))
        for item in _waiting(catalog, index):
            cancellation.check()
            found = listed.at(item.name)
            if found is None:  # Or the listing is in another order.
                yield from _asked(job, index, item)
            else:
                declared = Digests(md5=found.declared)
                yield _judge(job, index, item, _Shown(found.etag, found.digests, declared))
    except CloudError:
        return  # Whatever could not be looked up stays unverifiable.


def _asked(job: Job, index: int, item: Item, *, again: bool = True) -> Iterator[Item]:
    end = job.destinations[index]
    try:
        there = end.store.stat_object(end.ref(job.replica_key(index, item)))
    except CloudError as err:
        if err.kind is ErrorKind.NOT_FOUND:
            yield item.with_replica(index, _lost(item.replicas[index], "deleted"))
    else:
        shown = _Shown(there.etag, there.digests, there.declared)
        yield _judge(job, index, item, shown, again=again)


def _lost(state: Replica, how: str) -> Replica:
    return state.failed(
        Outcome.CONFLICT,
        ErrorKind.PRECONDITION_FAILED,
        f"another writer {how} the object after it was written",
    )


def _judge(job: Job, index: int, item: Item, there: _Shown, *, again: bool = True) -> Item:
    """The item by what the store says of the object now.

    :param again: whether what it refutes is copied once more.
    """
    state = item.replicas[index]
    if there.etag != state.etag:
        return item.with_replica(index, _lost(state, "replaced"))
    ours, theirs = item.to_be_met, there.digests
    if state.etag and compare(ours, theirs) is None:
        # With the ETag of our own write, what may have been declared is what the store computed.
        theirs = there.declared
    compared = compare(ours, theirs)
    if compared is None:
        return item
    if not compared.equal or (item.declared is not None and theirs.md5 is None):
        if again and item.size <= job.options.parts_above:
            return _copied_again(job, index, item)
        failed = state.failed(Outcome.FAILED, ErrorKind.INTEGRITY, stored_otherwise(compared))
        return item.with_replica(index, failed)
    if not state.etag and not compared.identical:
        return item  # Without an ETag this need not be what was written.
    return item.with_replica(index, confirmed(state, item, compared))


def _copied_again(job: Job, index: int, item: Item) -> Item:
    """The item after it was copied once more, over what was just written of it."""
    before = item.replicas[index]
    told = Digests(md5=item.declared)
    written = Replica(IfUnchanged(before.etag or "", before.version))
    alone = replace_field(job, destinations=(job.destinations[index],))
    done = copy_small(alone, replace(item, digests=told, declared=None, replicas=(written,)))
    (state,) = done.replicas
    if state.outcome is Outcome.REPLACED and before.prior is None:
        state = replace(state, outcome=Outcome.COPIED)
    item = replace(item, digests=done.digests, declared=None)
    if state.kind is ErrorKind.INTEGRITY:
        state = _taken_back(job, index, item, before, state)
    item = item.with_replica(index, replace(state, prior=before.prior))
    if state.outcome is Outcome.UNVERIFIABLE:
        return next(_asked(job, index, item, again=False), item)
    return item


def _taken_back(job: Job, index: int, item: Item, before: Replica, failed: Replica) -> Replica:
    """The end of a replica of which wrong bytes were written first: those are deleted.

    Unless something else is there by now. No key is left with other bytes than the source's.
    """
    end = job.destinations[index]
    ours = IfUnchanged(before.etag or "", before.version)
    try:
        end.store.delete_object(end.ref(job.replica_key(index, item)), condition=ours)
    except CloudError as err:
        if err.kind in (ErrorKind.NOT_FOUND, ErrorKind.PRECONDITION_FAILED):
            return failed
        why = f"{failed.reason}; deleting what was written of it before failed: {err.kind}"
        return replace(failed, reason=why)
    return failed
