"""What is written with an object at one destination, and how a write is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from msgspec.structs import replace

from airflow_multicloud.adapters.digests import (
    BLAKE3_METADATA,
    SHA256_METADATA,
    Comparison,
    StreamDigest,
    compare,
)
from airflow_multicloud.core import attributes as attribute
from airflow_multicloud.core.endpoints import Endpoint, has_capability
from airflow_multicloud.core.reading import digests_by_reading
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.streams import PERHAPS_OURS
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.object_store import (
    Digests,
    ObjectAttributes,
    ObjectMeta,
    ObjectTags,
    WriteOptions,
)

_THERE = frozenset({Outcome.UNCHANGED, Outcome.VERIFIED})
#: Why what was written is not proven yet, or can't be.
NO_DIGEST = "the store reports no digest of the object as a whole"
_IMMUTABLE = "changed attributes (immutable)"
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Kept:
    """What can be written at a destination, and what of the source can't.

    :param keeps_digest: whether there is room for the SHA-256 or BLAKE3 that is known at the end
        only.
    """

    options: WriteOptions
    not_kept: tuple[str, ...]
    keeps_digest: bool

    def late_metadata(self, digests: Digests) -> Mapping[str, str]:
        """The metadata that a large object gets at its end."""
        if not self.keeps_digest:
            return _NOTHING
        if digests.sha256 is not None:
            return {SHA256_METADATA: digests.sha256}
        return _NOTHING if digests.blake3 is None else {BLAKE3_METADATA: digests.blake3}


def write_options(
    destination: Endpoint,
    state: Replica,
    attributes: ObjectAttributes,
    *,
    sha256: str | None,
) -> Kept:
    """How to write an object at a destination.

    :param sha256: kept as metadata when it is known before the write begins.
    """
    kept = attribute.keep(destination, attributes, sha256=sha256)
    return Kept(
        WriteOptions(
            attributes=kept.attributes,
            storage_class=destination.storage_class,
            encryption_key=destination.encryption_key,
            condition=destination.condition(state.prior),
        ),
        kept.not_kept,
        kept.keeps_digest,
    )


@dataclass(frozen=True, slots=True)
class Noted:
    """What the record of a replica says once it is known to have the source's attributes.

    :param attributes: their fingerprint.
    :param seen: as :class:`Replica` has it.
    """

    attributes: str | None
    seen: datetime | None

    def on(self, state: Replica) -> Replica:
        """The record of a replica that has them: just written so, or compared."""
        not_kept = tuple(name for name in state.not_kept if name != _IMMUTABLE)
        return replace(state, attributes=self.attributes, seen=self.seen, not_kept=not_kept)


def judge(state: Replica, ours: Digests, written: ObjectMeta, kept: Kept, noted: Noted) -> Replica:
    """The state of a replica after a write: proven only if the store's digest agrees."""
    state = replace(
        noted.on(state),
        etag=written.etag,
        version=written.version,
        not_kept=kept.not_kept,
        tags=None,
    )
    compared = compare(ours, written.digests)
    if compared is None:
        return replace(
            state,
            outcome=Outcome.UNVERIFIABLE,
            reason=NO_DIGEST,
        )
    if not compared.equal:
        return state.failed(Outcome.FAILED, ErrorKind.INTEGRITY, stored_otherwise(compared))
    return stored(state, compared)


def stored(state: Replica, compared: Comparison) -> Replica:
    """The state of a replica whose store computed the right digest of what was just written.

    Any digest will do, also a CRC32C alone: the bytes are those that were sent.
    """
    outcome = Outcome.COPIED if state.prior is None else Outcome.REPLACED
    return replace(state, outcome=outcome, confirmed=compared.name, reason=None)


def confirmed(state: Replica, item: Item, compared: Comparison) -> Replica:
    """The same, where an MD5 that the source's service told may be what agreed."""
    state = stored(state, compared)
    if item.declared is None:
        return state
    return replace(state, digests=Digests(md5=item.declared))


def stored_otherwise(compared: Comparison) -> str:
    """Why what a store has is not what was written."""
    return f"the store's {compared.name} differs from the source's"


_CHANGED = frozenset({ErrorKind.PRECONDITION_FAILED, ErrorKind.NOT_FOUND, ErrorKind.SOURCE_CHANGED})


def failure(state: Replica, err: CloudError, *, reading: bool) -> Replica:
    """The state of a replica after an error.

    :param reading: whether it happened at the source.
    """
    outcome = Outcome.FAILED
    kind = err.kind
    if reading and kind in _CHANGED:
        outcome, kind = Outcome.SOURCE_CHANGED, ErrorKind.SOURCE_CHANGED
    elif not reading and kind in (ErrorKind.PRECONDITION_FAILED, ErrorKind.ALREADY_EXISTS):
        outcome = Outcome.CONFLICT
    return state.failed(outcome, kind, str(err))


def refused(
    destination: Endpoint,
    key: str,
    state: Replica,
    err: CloudError,
    ours: Digests,
    size: int,
    kept: Kept,
    noted: Noted,
    *,
    look_on: frozenset[ErrorKind] = PERHAPS_OURS,
) -> Replica:
    """The state of a replica after a write failed: ``verified`` when the object is there.

    It may be this write's, or another writer's with other attributes, or other content of the same
    CRC32C: where its store has no better digest, it is read.

    :param ours: the digests of what was to be written.
    :param size: its bytes.
    :param look_on: kinds of errors after which it may be there.
    """
    failed = failure(state, err, reading=False)
    if err.kind not in look_on:
        return failed
    ref = destination.ref(key)
    try:
        there = destination.store.stat_object(ref)
        if there.size != size:
            return failed
        compared = compare(ours, there.digests)
        if compared is None or not compared.decisive:
            held = digests_by_reading(
                destination, ref, if_etag=there.etag, digest=StreamDigest.like(ours)
            )
            compared = compare(ours, held)
    except CloudError:
        return failed  # The write's own error says more.
    if compared is None or not compared.identical:
        return failed
    if attribute.lacks(kept.options.attributes, there.attributes):
        noted = Noted(None, None)  # The next run sees to them.
    return replace(
        noted.on(state),
        not_kept=kept.not_kept,
        tags=None,
        outcome=Outcome.VERIFIED,
        etag=there.etag,
        version=there.version,
        confirmed=compared.name,
    )


def keep_tags(
    destination: Endpoint,
    key: str,
    state: Replica,
    tags: Mapping[str, str] | None,
    *,
    immutable: bool,
) -> Replica:
    """Give a replica the source's tags, or say why not.

    One that was just written gets exactly these. One that was there already, and whose record
    does not say that it has them, keeps what others it has.

    :param immutable: what was there already is looked at only.
    """
    there = state.outcome in _THERE
    noted = attribute.tags_fingerprint(tags)
    known = there and state.tags == noted
    if tags is None or known or state.outcome is None or not state.outcome.sound:
        return state
    lost = tuple(name for name in state.not_kept if not name.startswith("tag"))
    done = replace(state, tags=noted, not_kept=lost)
    if not tags and (there or state.prior is None):
        return done
    if not has_capability(destination.store, ObjectTags):
        return replace(done, not_kept=(*lost, "tags")) if tags else done
    ref = destination.ref(key)
    try:
        present = dict(destination.store.get_tags(ref))
        kept, unfit = attribute.keep_tags(destination, tags, present, others=there)
        if kept != present:
            if there and immutable:
                return stays(state)
            destination.store.set_tags(ref, kept)
    except CloudError as err:  # The record says nothing of them, so the next run tries again.
        return replace(state, tags=None, not_kept=(*lost, f"tags ({err.kind})"))
    return replace(done, not_kept=(*lost, *unfit))


def stays(state: Replica) -> Replica:
    """A replica that may not be changed, with other attributes or tags than the source."""
    return replace(state, not_kept=tuple(dict.fromkeys((*state.not_kept, _IMMUTABLE))))
