"""What is to be done, decided from listings and ledgers before any byte moves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

from airflow_multicloud.adapters.digests import compare
from airflow_multicloud.core.endpoints import Endpoint, has_capability, why_not_reserved_key
from airflow_multicloud.core.follow import Follow
from airflow_multicloud.core.ledger.entries import Entry, Proof
from airflow_multicloud.core.replication import disputes
from airflow_multicloud.core.replication.alike import Alike, alike_by
from airflow_multicloud.core.replication.catalog import SOURCE, Catalog, Listed
from airflow_multicloud.core.replication.deciding import Known, decide, what_is_known
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.one_pass import IsUntouched
from airflow_multicloud.core.replication.options import (
    ObjectFilter,
    ReplicationOptions,
)
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.run import Run
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests, ObjectTags


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
    tags = _tags(source, options)
    sides = range(len(destinations))
    priors = [Follow((o.name, o) for o in catalog.listing(side)) for side in sides]
    known = [Follow(catalog.known(side)) for side in sides]
    nothing, new = [None] * len(sides), [Replica()] * len(sides)
    disputed = disputes.Disputes()
    is_untouched = untouched_by(source, options, run)
    decide_one = partial(
        decide, immutable=options.immutable, attributes=options.compare_attributes, tags=tags
    )

    def decided() -> Iterator[Item | Listed]:
        for listed in catalog.listing(SOURCE):
            if not _admits(options.filter, listed, run.started):
                continue
            name, origin = listed.name, run.origin_of(listed.name)
            there = [prior.at(name) for prior in priors]
            entries = [ledger.at(name) for ledger in known]
            if there == nothing == entries:  # As it is of each object of a first run.
                yield _with_unusable_keys_failed(_item(listed, new), destinations)
                continue
            if is_untouched(listed, there, entries):
                yield listed  # As most are: then there is nothing to be made of them.
                continue
            proofs = [entry.proof if entry else None for entry in entries]
            disagree = disputes.contradict_each_other(proofs)
            found = [*zip(there, proofs, strict=True)]
            states = [decide_one(listed, origin, *one) for one in found]
            if disagree:
                disputed.add(name)
                states = [
                    disputes.doubted(listed, state, *one)
                    for state, one in zip(states, found, strict=True)
                ]
            yield _with_unusable_keys_failed(_item(listed, states), destinations)

    catalog.put_items(decided())
    disputed.warn()


def untouched_by(source: Endpoint, options: ReplicationOptions, run: Run) -> IsUntouched:
    """Tells whether an object takes part, is unchanged everywhere, and no ledger's entry changes.

    What this very run has proven, in another task, is still to be reported, and so is what could
    not be kept.
    """
    attributes, tags = options.compare_attributes, _tags(source, options)

    def is_untouched(
        listed: Listed, there: Sequence[Listed | None], entries: Sequence[Entry | None]
    ) -> bool:
        origin = run.origin_of(listed.name)
        proofs: list[Proof] = []
        for prior, entry in zip(there, entries, strict=True):
            if entry is None or not entry.current or (proof := entry.proof) is None:
                return False
            if proof.not_kept or proof.run_id == run.run_id:
                return False
            known = what_is_known(listed, origin, prior, proof, attributes=attributes, tags=tags)
            if known is not Known.ALL:
                return False
            proofs.append(proof)
        if len(proofs) > 1 and disputes.contradict_each_other(proofs):
            return False
        return _admits(options.filter, listed, run.started)

    return is_untouched


def alike_in(source: Endpoint, options: ReplicationOptions, run: Run) -> Alike | None:
    """What tells the same of many objects at a time, where it is certain."""
    return alike_by(options, run, tags=_tags(source, options))


def _tags(source: Endpoint, options: ReplicationOptions) -> bool:
    """Whether tags are to be looked at."""
    return options.preserve_tags and has_capability(source.store, ObjectTags)


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
        held += catalog.settled.numbers.objects  # They take part.
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
