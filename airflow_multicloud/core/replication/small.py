"""Copy one small object: one read, one atomic write to each destination."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_multicloud.adapters.digests import compare, digests_of
from airflow_multicloud.core import cancellation
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.reading import altered_on_the_way
from airflow_multicloud.core.replication.budget import Bandwidth, MemoryBudget
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.options import ReplicationOptions
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.progress import Progress
from airflow_multicloud.core.replication.settling import (
    compare_held,
    end_reading,
    note_attributes,
    read_tags,
    settle_doubtful,
    settle_tags,
)
from airflow_multicloud.core.replication.writing import (
    Noted,
    judge,
    keep_tags,
    refused,
    write_options,
)
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.object_store import Digests, ObjectAttributes, ObjectRef

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Buffer


@dataclass(frozen=True, slots=True)
class Job:
    """What every copy of a run shares. Used from many threads."""

    source: Endpoint
    destinations: tuple[Endpoint, ...]
    options: ReplicationOptions
    memory: MemoryBudget
    bandwidth: Bandwidth
    progress: Progress

    def source_key(self, item: Item) -> str:
        """Where an item lies at the source."""
        return self.source.key_of(item.name)

    def replica_key(self, index: int, item: Item) -> str:
        """Where an item lies at a destination."""
        return self.destinations[index].key_of(item.name)


def copy_small(job: Job, item: Item) -> Item:
    """Copy one object to every destination where it is still to be done.

    Every failure ends in the item's replicas; only what is no :class:`CloudError` is raised.
    """
    item = settle_doubtful(job, item)
    return _copy(job, item) if item.open_replicas else item


def _copy(job: Job, item: Item) -> Item:
    job.bandwidth.spend(item.size)
    ref = job.source.ref(job.source_key(item), item.version)
    try:
        body = job.source.store.get_object(ref, if_etag=item.etag or None)
        if body.meta.size > item.size:
            return _other_size(item, body.meta.size)  # it may not fit into memory
        data = body.read()
        job.progress.read(item.size)
        tags = read_tags(job, item)
    except CloudError as err:
        return end_reading(item, err)
    if memoryview(data).nbytes != item.size:
        return _other_size(item, memoryview(data).nbytes)
    listed, declared = item.digests, Digests(md5=item.declared)
    item = replace(item, digests=digests_of(data), declared=None)
    if misread(item.digests, body.meta.digests) or misread(item.digests, listed):
        item = _misread_failed(job, item)
    else:
        item = _altered_failed(job, item, ref, declared)
    attributes = body.meta.attributes or ObjectAttributes()
    noted = note_attributes(item, body.meta.attributes)
    for index in item.open_replicas:
        cancellation.check()
        item = item.with_replica(index, _write(job, item, index, data, attributes, noted, tags))
    return item


def _other_size(item: Item, size: int) -> Item:
    return item.end_open(
        Outcome.SOURCE_CHANGED,
        ErrorKind.SOURCE_CHANGED,
        f"the listing said {item.size} bytes, the object has {size}",
    )


def _write(
    job: Job,
    item: Item,
    index: int,
    data: Buffer,
    attributes: ObjectAttributes,
    noted: Noted,
    tags: Mapping[str, str] | None,
) -> Replica:
    destination, state = job.destinations[index], item.replicas[index]
    key = job.replica_key(index, item)
    state = compare_held(job, state, item.digests)
    if state.outcome is not None:
        return settle_tags(job, item, index, state, tags)
    kept = write_options(destination, state, attributes, sha256=item.digests.sha256)
    # The CRC32C alone: checking it costs next to nothing, where an MD5 that is verified with
    # the request costs some clouds' SDKs more than the request. What the response does not
    # confirm by itself, :mod:`confirmation` looks up in a listing.
    checked = Digests(crc32c=item.digests.crc32c)
    try:
        written = destination.store.put_object(
            destination.ref(key), data, kept.options, digests=checked
        )
    except CloudError as err:
        state = refused(destination, key, state, err, item.digests, item.size, kept, noted)
    else:
        job.progress.wrote(item.size)
        state = judge(state, item.digests, written, kept, noted)
    return keep_tags(destination, key, state, tags, immutable=job.options.immutable)


def _misread_failed(job: Job, item: Item) -> Item:
    """End the item if the store itself says that the bytes read are not its object.

    A listing alone proves no difference: S3 shows an ETag like an MD5 for objects whose ETag
    is none (encryption by KMS).
    """
    try:
        there = job.source.store.stat_object(job.source.ref(job.source_key(item), item.version))
    except CloudError as err:
        return end_reading(item, err)
    if there.etag != item.etag:
        return item.end_open(
            Outcome.SOURCE_CHANGED,
            ErrorKind.SOURCE_CHANGED,
            "the object was replaced while it was read",
        )
    if wrong := misread(item.digests, there.digests):
        return item.end_open(Outcome.FAILED, ErrorKind.INTEGRITY, wrong)
    return item


def _altered_failed(job: Job, item: Item, ref: ObjectRef, declared: Digests) -> Item:
    """End the item if the bytes read turn out to be others than the source holds."""
    try:
        wrong = altered_on_the_way(
            job.source, ref, item.digests, declared,
            if_etag=item.etag, spend=job.bandwidth.spend,
        )  # fmt: skip
    except CloudError as err:
        return end_reading(item, err)
    return item if wrong is None else item.end_open(Outcome.FAILED, ErrorKind.INTEGRITY, wrong)


def misread(ours: Digests, reported: Digests) -> str | None:
    """Why the bytes read are not the object the source reports, if they are not."""
    compared = compare(ours, reported)
    if compared is None or compared.equal:
        return None
    return f"the {compared.name} of the bytes read differs from the one the source reports"
