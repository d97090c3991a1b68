"""Replicas that a ledger does not know, or not all of: what is there already is not copied."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_multicloud.adapters.digests import StreamDigest, compare, identifies
from airflow_multicloud.core.attributes import fingerprint, keep, lacks, tags_fingerprint
from airflow_multicloud.core.endpoints import Endpoint, has_capability
from airflow_multicloud.core.reading import digests_by_reading
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.options import CompareAttributes
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.writing import Noted, failure, keep_tags, stays
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.object_store import (
    Digests,
    ObjectAttributes,
    ObjectMeta,
    ObjectRef,
    ObjectTags,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_multicloud.core.replication.small import Job

#: Stores tell times to the second: a change that comes this soon after the last may not show.
_FRESH = timedelta(seconds=2)


def note_attributes(item: Item, attributes: ObjectAttributes | None) -> Noted:
    """What the records of replicas that have these attributes of the source say.

    Where its listing tells them, that is what the next run's listing is compared with.
    """
    return noted_by(item, item.attributes or fingerprint(attributes))


def noted_by(item: Item, attributes: str | None) -> Noted:
    """The same, by the fingerprint of the attributes."""
    told = item.attributes is not None
    fresh = datetime.now(UTC) - item.modified < _FRESH
    return Noted(item.attributes or attributes, None if told or fresh else item.modified)


def read_tags(job: Job, item: Item) -> Mapping[str, str] | None:
    """The source object's tags, when they are to be preserved and the source has any."""
    if not job.options.preserve_tags or not has_capability(job.source.store, ObjectTags):
        return None
    return job.source.store.get_tags(job.source.ref(job.source_key(item), item.version))


def end_reading(item: Item, err: CloudError) -> Item:
    """The item after its source could not be read."""
    for index in item.open_replicas:
        item = item.with_replica(index, failure(item.replicas[index], err, reading=True))
    return item


def settle_doubtful(job: Job, item: Item) -> Item:
    """Look at replicas that no ledger knows, or not all of: identical ones need no copy.

    Both stores are asked for the digests and attributes they hold (one request each). A SHA-256 or
    an MD5 that both computed proves a replica. Where all that agrees is a CRC32C, or a digest that
    anybody may have set, the replica is read; what can't be proven so is copied again.
    """
    asked = [n for n in item.open_replicas if item.replicas[n].doubtful or item.replicas[n].inspect]
    if not asked:
        return item
    try:
        ours = job.source.store.stat_object(job.source.ref(job.source_key(item), item.version))
        tags = read_tags(job, item)
    except CloudError as err:
        return end_reading(item, err)
    if item.etag and ours.etag != item.etag:
        return item.end_open(
            Outcome.SOURCE_CHANGED,
            ErrorKind.SOURCE_CHANGED,
            "the object was replaced after it had been listed",
        )
    found = _Found(ours, note_attributes(item, ours.attributes), tags)
    for index in asked:
        if item.replicas[index].inspect:
            item = item.with_replica(index, _inspect(job, item, index, found))
        else:
            item = _settle(job, item, index, found)
    return item


@dataclass(frozen=True, slots=True)
class _Found:
    """What the source has: the object, what to note of its attributes, its tags if asked for."""

    ours: ObjectMeta
    noted: Noted
    tags: Mapping[str, str] | None


def _inspect(job: Job, item: Item, index: int, found: _Found) -> Replica:
    """A replica with proven content: as it is, or to be written again for its attributes.

    Or for its content, if what is proven of it is not what the source's store says.
    """
    destination, before = job.destinations[index], item.replicas[index]
    there: ObjectMeta | None = None
    # Its record does not say what it was written with, or may not be true.
    if before.attributes is None or before.doubtful:
        try:
            there = destination.store.stat_object(destination.ref(job.replica_key(index, item)))
        except CloudError as err:
            return failure(before, err, reading=False)
    if before.doubtful and _refuted(found.ours, before.digests, there):
        if job.options.immutable:
            return _conflict(before, "its content differs")
        return Replica(prior=before.prior)
    unchanged = replace(before, digests=Digests(), outcome=Outcome.UNCHANGED)
    if not _differs(job, destination, before, found, there):
        return settle_tags(job, item, index, found.noted.on(unchanged), found.tags)
    if job.options.immutable:
        return stays(unchanged)
    return Replica(prior=before.prior)


def _refuted(ours: ObjectMeta, proven: Digests, there: ObjectMeta | None) -> bool:
    """Whether the source's store says that what was proven, or is there, has another content."""
    known = [proven] if there is None else [proven, there.digests]
    found = (compare(ours.digests, one) for one in known)
    return any(one is not None and not one.equal for one in found)


def settle_tags(
    job: Job, item: Item, index: int, state: Replica, tags: Mapping[str, str] | None
) -> Replica:
    """A replica that was there already and has the source's content, with the source's tags."""
    if job.options.compare_attributes is CompareAttributes.NEVER:
        return state
    return keep_tags(
        job.destinations[index],
        job.replica_key(index, item),
        state,
        tags,
        immutable=job.options.immutable,
    )


def _settle(job: Job, item: Item, index: int, found: _Found) -> Item:
    destination, state = job.destinations[index], item.replicas[index]
    ref = destination.ref(job.replica_key(index, item))
    immutable = job.options.immutable
    try:
        there = destination.store.stat_object(ref)
        held = _held(job, destination, ref, found.ours, there)
    except CloudError as err:
        gone = err.kind is ErrorKind.NOT_FOUND
        return item.with_replica(index, Replica() if gone else failure(state, err, reading=False))
    differs = _differs(job, destination, state, found, there)
    same_size, ours = there.size == item.size, found.ours.digests
    compared = compare(ours, held)
    settled = not same_size or (compared is not None and compared.decisive)
    small = item.size <= job.options.parts_above
    if not settled and identifies(held) and immutable and not small:
        try:
            ours = _read(job, job.source, job.source.ref(found.ours.key, item.version), found.ours)
        except CloudError as err:
            return item.with_replica(index, failure(state, err, reading=True))
        compared, settled = compare(ours, held), True
    same = same_size and compared is not None and compared.identical
    # What can't be compared before the source is read may be compared then.
    later = not settled and identifies(held) and small
    if not same and not later and immutable:
        why = "its content differs" if settled else "nothing proves it identical"
        return item.with_replica(index, _conflict(state, why))
    if not (same or later) or (differs and not immutable):
        return item.with_replica(index, Replica(prior=state.prior))
    state = replace(state, etag=there.etag, version=there.version)
    if differs:
        state = stays(state)
    elif job.options.compare_attributes is not CompareAttributes.NEVER:
        state = found.noted.on(state)
    if compared is None or not same:
        return item.with_replica(index, replace(state, held=held))
    item = replace(item, digests=ours)
    state = replace(state, confirmed=compared.name, outcome=Outcome.VERIFIED, digests=held)
    return item.with_replica(index, settle_tags(job, item, index, state, found.tags))


def _conflict(state: Replica, why: str) -> Replica:
    return state.failed(
        Outcome.CONFLICT,
        ErrorKind.ALREADY_EXISTS,
        f"immutable is set and the destination has an object of this key; {why}",
    )


def compare_held(job: Job, state: Replica, digests: Digests) -> Replica:
    """A replica once its source was read: ``verified`` if what is there is the same.

    :param digests: of what was read.
    """
    if state.held is None:
        return state
    held, compared = state.held, compare(digests, state.held)
    state = replace(state, held=None)
    if compared is not None and compared.identical:
        return replace(state, outcome=Outcome.VERIFIED, confirmed=compared.name, digests=held)
    if job.options.immutable:
        return _conflict(replace(state, not_kept=()), "its content differs")
    return state


def _held(
    job: Job, replica: Endpoint, ref: ObjectRef, ours: ObjectMeta, there: ObjectMeta
) -> Digests:
    """The digests of a replica: its store's, or of its bytes where it is worth reading them.

    That is, where the source has a digest to compare them with, and what the store does have (a
    CRC32C, or a digest that anybody may have set) is the right one; or where nothing may be
    replaced.
    """
    compared = compare(ours.digests, there.digests)
    if there.size != ours.size or (compared is not None and compared.decisive):
        return there.digests
    declared = compare(ours.digests, there.declared)
    likely = compared is not None or (declared is not None and declared.equal)
    worth = likely and identifies(ours.digests)
    if worth or (job.options.immutable and not identifies(there.digests)):
        return _read(job, replica, ref, there)
    return there.digests


def _read(job: Job, end: Endpoint, ref: ObjectRef, meta: ObjectMeta) -> Digests:
    # The other side may have told no digest but an MD5.
    digest = StreamDigest(md5=True)
    spend = job.bandwidth.spend
    return digests_by_reading(end, ref, if_etag=meta.etag, spend=spend, digest=digest)


def _differs(
    job: Job, destination: Endpoint, before: Replica, found: _Found, there: ObjectMeta | None
) -> bool:
    """Whether a replica of the same content is known to have other attributes than the source."""
    attributes = found.ours.attributes
    if job.options.compare_attributes is CompareAttributes.NEVER:
        return False
    if before.tags is not None and tags_fingerprint(found.tags) not in (None, before.tags):
        return True
    if attributes is None:
        return False
    if before.attributes is not None:  # What it was written with is known.
        return before.attributes != found.noted.attributes
    wanted = keep(destination, attributes, sha256=None).attributes
    return lacks(wanted, there.attributes if there else None)
