"""Small objects that need nothing special: read, hashed and written with as little else as can be.

What is special, or does not succeed, is left to :mod:`small`, which knows every case. No MD5 is
computed of an object of which the source's service told one: what the destination's service says of
what it was sent is compared with it, from one end to the other, by :mod:`confirmation`. Some
objects are hashed all the same, to notice a source whose listing shows what is no MD5.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_multicloud.adapters.digests import (
    SHA256_METADATA,
    compare,
    crc32c_of,
    md5_of,
    sha256_of,
)
from airflow_multicloud.core import attributes as attribute
from airflow_multicloud.core import cancellation
from airflow_multicloud.core.endpoints import Endpoint, has_capability
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.settling import noted_by
from airflow_multicloud.core.replication.writing import NO_DIGEST, confirmed, stored_otherwise
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.object_store import (
    Digests,
    ObjectAttributes,
    ObjectTags,
    PlainBucket,
    PlainObjects,
    PlainRead,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Buffer

    from airflow_multicloud.core.replication.small import Job

#: Of so many objects in turn one is hashed by MD5.
_SAMPLE = 16
#: So many objects may be left to the other way before all of them are.
_DECLINED = 32
#: Sets of attributes that are kept prepared: most objects have one of a few.
_PREPARED = 256
_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class _Prepared:
    """Attributes of a source, as the destinations take them."""

    attributes: ObjectAttributes
    fingerprint: str | None
    kept: tuple[attribute.Kept, ...]


@dataclass(slots=True)
class PlainCopies:
    """Copies plain objects of one run, from any thread."""

    job: Job
    source: PlainBucket
    destinations: tuple[PlainBucket, ...]
    _prepared: dict[int, _Prepared] = field(default_factory=dict)
    _number: int = 0
    _declined: int = 0
    _over: bool = False

    @classmethod
    def of(cls, job: Job) -> PlainCopies | None:
        """A run's; ``None`` where none of its objects may be copied so.

        :raises CloudError: when a store can't be used at all.
        """
        options = job.options
        tags = options.preserve_tags and has_capability(job.source.store, ObjectTags)
        special = any(end.storage_class or end.encryption_key for end in job.destinations)
        if tags or special or options.bandwidth_limit is not None:
            return None
        buckets = [_bucket_of(end) for end in (job.source, *job.destinations)]
        found = [one for one in buckets if one is not None]
        return cls(job, found[0], tuple(found[1:])) if len(found) == len(buckets) else None

    def copy(self, item: Item) -> Item:
        """The item as far as it was copied; what is left open is to be done in the other way."""
        if self._over or any(r.doubtful or r.inspect or r.held for r in item.replicas):
            return item
        self._number += 1  # Threads may lose a count, which moves the sample by one.
        found = self.source.read(
            self.job.source_key(item), size=item.size, etag=item.etag, version=item.version
        )
        if found is None:
            return self._leave(item)
        self.job.progress.read(item.size)
        read = self._digests(item, found.body)
        if read is None:
            return item
        told = None if read.md5 else item.digests.md5
        done = self._written(replace(item, digests=read, declared=told), found)
        return self._leave(done) if done.open_replicas else done

    def _leave(self, item: Item) -> Item:
        self._declined += 1
        if self._declined >= _DECLINED and 2 * self._declined > self._number:
            self._over = True
        return item

    def _digests(self, item: Item, body: Buffer) -> Digests | None:
        """Of the body; ``None`` when they are not those that the source told."""
        listed, md5 = item.digests, None
        if listed.md5 is None or self._number % _SAMPLE == 1:
            md5 = md5_of(body)
        read = Digests(crc32c=crc32c_of(body), md5=md5, sha256=sha256_of(body))
        compared = compare(listed, read)
        if compared is not None and not compared.equal:
            self._over = True  # The listing shows what is no MD5, or the bytes are others.
            return None
        return read if item.declared in (None, md5) else None

    def _written(self, item: Item, found: PlainRead) -> Item:
        """The item after it was written wherever that goes."""
        prepared = self._prepare(found.attributes)
        noted = noted_by(item, prepared.fingerprint)
        replicas = list(item.replicas)
        for index in item.open_replicas:
            cancellation.check()
            prior, kept = replicas[index].prior, prepared.kept[index]
            written = self.destinations[index].write(
                self.job.replica_key(index, item),
                found.body,
                kept.attributes,
                metadata=_digest_metadata(item) if kept.keeps_digest else _NOTHING,
                condition=self.job.destinations[index].condition(prior),
            )
            if written is None:
                continue
            self.job.progress.wrote(item.size)
            state = Replica(
                prior,
                Outcome.UNVERIFIABLE,
                written.etag,
                written.version,
                reason=NO_DIGEST,
                not_kept=kept.not_kept,
                attributes=noted.attributes,
                seen=noted.seen,
            )
            replicas[index] = self._judged(state, item, written.digests)
        return replace(item, replicas=tuple(replicas))

    def _judged(self, state: Replica, item: Item, told: Digests) -> Replica:
        """A replica by what the answer to its write told; what it leaves open a listing tells."""
        compared = compare(item.to_be_met, told)
        if compared is None:
            return state
        if compared.equal:
            return state if item.declared and told.md5 is None else confirmed(state, item, compared)
        if compared.name != "md5":
            return state.failed(Outcome.FAILED, ErrorKind.INTEGRITY, stored_otherwise(compared))
        self._over = True  # What it told is none, or the bytes are others: a closer look tells.
        return state

    def _prepare(self, attributes: ObjectAttributes) -> _Prepared:
        found = self._prepared.get(id(attributes))
        if found is None:
            kept = [attribute.keep(end, attributes, sha256=None) for end in self.job.destinations]
            found = _Prepared(attributes, attribute.fingerprint(attributes), tuple(kept))
            if len(self._prepared) >= _PREPARED:
                self._prepared.clear()
            self._prepared[id(attributes)] = found  # Held, so nothing else has this identity.
        return found


def _digest_metadata(item: Item) -> Mapping[str, str]:
    return {SHA256_METADATA: item.digests.sha256 or ""}


def _bucket_of(end: Endpoint) -> PlainBucket | None:
    store = end.store
    return store.plain_bucket(end.bucket) if has_capability(store, PlainObjects) else None
