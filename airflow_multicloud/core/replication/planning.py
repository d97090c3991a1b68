"""What is to be done, decided from listings and ledgers before any byte moves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from airflow_multicloud.adapters.digests import compare
from airflow_multicloud.core.endpoints import Endpoint, has_capability, why_not_reserved_key
from airflow_multicloud.core.follow import Follow
from airflow_multicloud.core.ledger.entries import Proof
from airflow_multicloud.core.replication import disputes
from airflow_multicloud.core.replication.catalog import SOURCE, Catalog, Listed
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.options import (
    CompareAttributes,
    ObjectFilter,
    ReplicationOptions,
)
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.run import Run
from airflow_multicloud.core.replication.standing import holds
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests, IfUnchanged, ObjectTags


def decide(
    listed: Listed,
    origin: str,
    prior: Listed | None,
    proof: Proof | None,
    *,
    immutable: bool,
    attributes: CompareAttributes = CompareAttributes.NEVER,
    tags: bool = False,
) -> Replica:
    """What is to become of one object at one destination. Pure.

    :param listed: the object at the source.
    :param origin: its URI there, without a connection.
    :param prior: what has its key at the destination now.
    :param proof: what the destination's ledger proves of it there.
    :param attributes: whether they are looked at when its content is proven.
    :param tags: whether its tags are among them, and the source has tags.
    """
    if prior is None:
        return Replica()
    state = Replica(prior=IfUnchanged(prior.etag, prior.version))
    if proof is not None and holds(proof, prior):
        state = replace(state, attributes=proof.attributes, tags=proof.tags, seen=proof.seen)
        before = proof.origin
        if listed.etag and (before.uri, before.etag, proof.size) == (
            origin,
            listed.etag,
            listed.size,
        ):
            known = replace(
                state,
                etag=prior.etag,
                version=prior.version or proof.version,
                confirmed=proof.confirmed,
                not_kept=proof.not_kept,
            )
            refuted = _refuted(listed, prior, proof)
            if refuted or _attributes_in_doubt(listed, proof, attributes, tags=tags):
                return replace(known, inspect=True, doubtful=refuted, digests=proof.digests)
            return replace(known, outcome=Outcome.UNCHANGED)
    if prior.size == listed.size:
        return replace(state, doubtful=True)
    if immutable:
        return state.failed(
            Outcome.CONFLICT,
            ErrorKind.ALREADY_EXISTS,
            f"immutable is set and the destination has {prior.size} bytes under this key",
        )
    return state


def _refuted(listed: Listed, prior: Listed, proof: Proof) -> bool:
    """Whether the source's listing shows another content than is there, or than was proven.

    It may only seem so: S3 shows an ETag like an MD5 for objects that are encrypted with KMS. But a
    ledger may say anything, and a source's own listing is not written by who writes at a replica.
    """
    known = (compare(listed.digests, one) for one in (prior.digests, proof.digests))
    return any(one is not None and not one.equal for one in known)


def _attributes_in_doubt(
    listed: Listed, proof: Proof, compare: CompareAttributes, *, tags: bool
) -> bool:
    """Whether attributes of an object whose content is proven must be looked at."""
    if compare is CompareAttributes.NEVER:
        return False
    if tags and proof.tags is None:  # They were not asked for, or could not be written then.
        return True
    if compare is CompareAttributes.ALWAYS and (tags or listed.attributes is None):
        return True
    if listed.attributes is not None:
        return listed.attributes != proof.attributes
    return proof.attributes is None or listed.modified != proof.seen


def empty_source_error(source: Endpoint) -> StorageError:
    """The error for a source without any object that takes part."""
    location = source.location
    if location.is_prefix:
        what = f"no object under {location}"
    else:
        what = f"no object {location} (a prefix must end with a slash)"
    return StorageError(
        f"source: {what}, or none that the filter admits; nothing was changed",
        kind=ErrorKind.NOT_FOUND,
        cloud=source.cloud,
    )


def decide_all(
    catalog: Catalog,
    source: Endpoint,
    destinations: Sequence[Endpoint],
    options: ReplicationOptions,
    run: Run,
) -> None:
    """Turn listings and what ledgers know into items."""
    tags = options.preserve_tags and has_capability(source.store, ObjectTags)
    sides = range(len(destinations))
    priors = [Follow((o.name, o) for o in catalog.listing(side)) for side in sides]
    known = [Follow(catalog.known(side)) for side in sides]
    disputed = disputes.Disputes()

    def decided() -> Iterator[Item]:
        for listed in catalog.listing(SOURCE):
            if not _admits(options.filter, listed, run.started):
                continue
            origin = run.origin_of(listed.name)
            there = [prior.at(listed.name) for prior in priors]
            proofs = [
                entry.proof if (entry := ledger.at(listed.name)) else None for ledger in known
            ]
            states = [
                decide(
                    listed,
                    origin,
                    prior,
                    proof,
                    immutable=options.immutable,
                    attributes=options.compare_attributes,
                    tags=tags,
                )
                for prior, proof in zip(there, proofs, strict=True)
            ]
            if disputes.contradict_each_other(proofs):
                disputed.add(listed.name)
                found = zip(states, there, proofs, strict=True)
                states = [disputes.doubted(listed, *one) for one in found]
            yield _with_unusable_keys_failed(_item(listed, states), destinations)

    catalog.put_items(decided())
    disputed.warn()


def _admits(chosen: ObjectFilter, listed: Listed, now: datetime) -> bool:
    return chosen.admits(listed.name, listed.size, listed.modified, now=now)


def _item(listed: Listed, states: list[Replica]) -> Item:
    return Item(
        listed.name,
        listed.size,
        listed.etag,
        listed.version,
        listed.modified,
        tuple(states),
        listed.digests,
        attributes=listed.attributes,
        declared=listed.declared if any(s.outcome is None for s in states) else None,
    )


def _with_unusable_keys_failed(item: Item, destinations: Sequence[Endpoint]) -> Item:
    for index in item.open_replicas:
        destination = destinations[index]
        key = destination.key_of(item.name)
        outcome = Outcome.FAILED
        if why := why_not_reserved_key(key):
            outcome = Outcome.RESERVED
        elif (why := destination.why_not_key(key)) is None:
            continue
        state = item.replicas[index].failed(outcome, ErrorKind.UNSUPPORTED, why)
        item = item.with_replica(index, state)
    return item


def extraneous(catalog: Catalog, index: int, options: ReplicationOptions) -> Iterator[Listed]:
    """What ``delete_extraneous`` would delete: within the filter's globs, else it is spared."""
    if not options.delete_extraneous:
        return
    yield from _within_globs(catalog.extraneous(index), options.filter)


def _within_globs(found: Iterable[Listed], chosen: ObjectFilter) -> Iterator[Listed]:
    """Objects of a destination that take part: their own size and age say nothing."""
    globs = ObjectFilter(include=chosen.include, exclude=chosen.exclude)
    now = datetime.now(UTC)
    return (listed for listed in found if _admits(globs, listed, now))


def check_deletions(
    catalog: Catalog, destinations: Sequence[Endpoint], options: ReplicationOptions
) -> None:
    """Refuse a run that would delete more than ``max_delete`` at any destination.

    :raises StorageError: kind ``precondition_failed``.
    """
    for index, destination in enumerate(destinations):
        count = sum(1 for _ in extraneous(catalog, index, options))
        if options.max_delete is not None and count > options.max_delete:
            raise StorageError(
                f"max_delete: {count} objects at {destination.location} are not at the source, "
                f"more than the {options.max_delete} allowed; nothing was changed",
                kind=ErrorKind.PRECONDITION_FAILED,
                cloud=destination.cloud,
            )


def _agree(ours: Digests, theirs: Digests) -> bool:
    """Whether digests that are as good as the content are known on both sides, and the same."""
    compared = compare(ours, theirs)
    return compared is not None and compared.identical


def check_replacements(
    catalog: Catalog, destinations: Sequence[Endpoint], options: ReplicationOptions
) -> None:
    """Refuse a run that might replace more than ``max_replace`` at any destination.

    Counted is each object that is there and whose content is not known to be the source's, by a
    proof or by the digests that both listings show. What else turns out to be identical is known
    only when it is read, which is after the first writes.

    :raises StorageError: kind ``precondition_failed``.
    """
    most = options.max_replace
    if most is None or options.immutable:  # With the latter nothing is replaced.
        return
    counts = [0] * len(destinations)
    priors = [Follow((o.name, o) for o in catalog.listing(n)) for n in range(len(destinations))]
    for item in catalog.open_items():
        for index in item.open_replicas:
            state = item.replicas[index]
            there = priors[index].at(item.name)
            # One with an ETag is proven by the destination's own ledger, and another one doubts it.
            same = state.inspect or (
                state.doubtful
                and there is not None
                and (state.etag is not None or _agree(item.digests, there.digests))
            )
            counts[index] += state.prior is not None and not same
    for index, (destination, count) in enumerate(zip(destinations, counts, strict=True)):
        if count <= most:  # Right for a share too: it is 1 at most, and that allows all.
            continue  # Without going through a listing of perhaps millions.
        held = sum(1 for _ in _within_globs(catalog.listing(index), options.filter))
        allowed = options.replaceable(held)
        if allowed is not None and count > allowed:
            share = f" ({most * 100:.6g}%)" if isinstance(most, float) else ""
            raise StorageError(
                f"max_replace: {count} of the {held} objects at {destination.location} would be "
                f"replaced, or may be, more than the {allowed}{share} allowed; nothing was "
                "changed; see whether the source is damaged or encrypted (a dry run without "
                "max_replace names the objects), and allow more if these changes are meant",
                kind=ErrorKind.PRECONDITION_FAILED,
                cloud=destination.cloud,
            )
