"""Small objects that need nothing special: read, hashed and written with as little else as can be.

What is special, or does not succeed, is left to :mod:`small`, which knows every case. No MD5 is
computed of an object of which the source's service told one: what the destination's service says of
what it was sent is compared with it, from one end to the other, by :mod:`confirmation`. Some
objects are hashed all the same, to notice a source whose listing shows what is no MD5.
"""

from __future__ import annotations

import logging
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
from airflow_multicloud.core.cancellation import WorkCancelledError
from airflow_multicloud.core.endpoints import Endpoint, has_capability
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.settling import noted_by
from airflow_multicloud.core.replication.writing import (
    NO_DIGEST,
    Noted,
    confirmed,
    stored_otherwise,
)
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.object_store import (
    Digests,
    ObjectAttributes,
    ObjectTags,
    PlainAsked,
    PlainBucket,
    PlainObjects,
    PlainRead,
    PlainWrite,
    PlainWritten,
)
from airflow_multicloud.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Buffer

    from airflow_multicloud.core.replication.small import Job

_log = logging.getLogger(__name__)

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
class _Copy:
    """One object under way.

    :param item: with the digests of what was read.
    :param replicas: as far as they are written.
    """

    item: Item
    body: Buffer
    prepared: _Prepared
    noted: Noted
    replicas: list[Replica]


@dataclass(slots=True)
class PlainCopies:
    """Copies plain objects of one run, some at a time, from any thread."""

    job: Job
    source: PlainBucket
    destinations: tuple[PlainBucket, ...]
    _prepared: dict[int, _Prepared] = field(default_factory=dict)
    _number: int = 0
    _declined: int = 0
    _over: bool = False

    @classmethod
    def of(cls, job: Job) -> PlainCopies | None:
        """A run's; ``None`` where none of its objects may be copied so."""
        options = job.options
        tags = options.preserve_tags and has_capability(job.source.store, ObjectTags)
        special = any(end.storage_class or end.encryption_key for end in job.destinations)
        if tags or special or options.bandwidth_limit is not None:
            return None
        buckets = [_bucket_of(end) for end in (job.source, *job.destinations)]
        found = [one for one in buckets if one is not None]
        return cls(job, found[0], tuple(found[1:])) if len(found) == len(buckets) else None

    def copy_all(self, items: Sequence[Item]) -> list[Item]:
        """The items as far as they were copied, in their order.

        What is left open is to be done in the other way.
        """
        if self._over:
            return [*items]
        try:
            return self._copied(items)
        except (WorkCancelledError, MemoryError):
            raise
        except Exception as err:  # noqa: BLE001 - each object meets it again, and it alone fails by it
            self._over = True
            text = printable(f"{type(err).__name__}: {err}")
            _log.warning("small objects are copied one by one: %s", text)
            _log.debug("the error", exc_info=True)
            return [*items]

    def _copied(self, items: Sequence[Item]) -> list[Item]:
        plain = [item for item in items if _is_plain(item)]
        key_of = self.job.source_key
        found = self.source.read_all(
            [PlainAsked(key_of(one), one.size, one.etag, one.version) for one in plain]
        )
        under_way: dict[str, _Copy] = {}
        for item, one in zip(plain, found, strict=True):
            self._number += 1  # Threads may lose a count, which moves the sample by one.
            if one is not None and (copy := self._begin(item, one)) is not None:
                under_way[item.name] = copy
        for index in range(len(self.destinations)):
            cancellation.check()
            copies = under_way.values()
            self._write(index, [one for one in copies if one.replicas[index].outcome is None])
        done = {item.name: self._end(item, under_way.get(item.name)) for item in plain}
        return [done.get(item.name, item) for item in items]

    def _begin(self, item: Item, found: PlainRead) -> _Copy | None:
        """A copy of what was read; ``None`` when that is not what the source told."""
        self.job.progress.read(item.size)
        digests = self._digests(item, found.body)
        if digests is None:
            return None
        told = None if digests.md5 else item.digests.md5
        read = replace(item, digests=digests, declared=told)
        prepared = self._prepare(found.attributes)
        noted = noted_by(item, prepared.fingerprint)
        return _Copy(read, found.body, prepared, noted, list(item.replicas))

    def _write(self, index: int, copies: Sequence[_Copy]) -> None:
        job, end = self.job, self.job.destinations[index]
        writes = []
        for copy in copies:
            kept = copy.prepared.kept[index]
            metadata = {SHA256_METADATA: copy.item.digests.sha256 or ""}
            writes.append(
                PlainWrite(
                    job.replica_key(index, copy.item),
                    copy.body,
                    kept.attributes,
                    metadata if kept.keeps_digest else _NOTHING,
                    end.condition(copy.replicas[index].prior),
                )
            )
        answers = self.destinations[index].write_all(writes)
        for copy, written in zip(copies, answers, strict=True):
            if written is not None:
                job.progress.wrote(copy.item.size)
                copy.replicas[index] = self._replica(index, copy, written)

    def _replica(self, index: int, copy: _Copy, written: PlainWritten) -> Replica:
        """One that was written; what the answer leaves open, a listing tells."""
        state = Replica(
            copy.replicas[index].prior,
            Outcome.UNVERIFIABLE,
            written.etag,
            written.version,
            reason=NO_DIGEST,
            not_kept=copy.prepared.kept[index].not_kept,
            attributes=copy.noted.attributes,
            seen=copy.noted.seen,
        )
        item, told = copy.item, written.digests
        compared = compare(item.to_be_met, told)
        if compared is None:
            return state
        if compared.equal:
            return state if item.declared and told.md5 is None else confirmed(state, item, compared)
        if compared.name != "md5":
            return state.failed(Outcome.FAILED, ErrorKind.INTEGRITY, stored_otherwise(compared))
        self._over = True  # What it told is none, or the bytes are others: a closer look tells.
        return state

    def _end(self, item: Item, copy: _Copy | None) -> Item:
        if copy is not None:
            item = replace(copy.item, replicas=tuple(copy.replicas))
        if item.open_replicas:
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

    def _prepare(self, attributes: ObjectAttributes) -> _Prepared:
        found = self._prepared.get(id(attributes))
        if found is None:
            kept = [attribute.keep(end, attributes, sha256=None) for end in self.job.destinations]
            found = _Prepared(attributes, attribute.fingerprint(attributes), tuple(kept))
            if len(self._prepared) >= _PREPARED:
                self._prepared.clear()
            self._prepared[id(attributes)] = found  # Held, so nothing else has this identity.
        return found


def _is_plain(item: Item) -> bool:
    return not any(one.doubtful or one.inspect or one.held for one in item.replicas)


def _bucket_of(end: Endpoint) -> PlainBucket | None:
    store = end.store
    if not has_capability(store, PlainObjects):
        return None
    try:
        return store.plain_bucket(end.bucket)
    except CloudError:
        return None  # What is wrong costs the objects that meet it in the ordinary way.
