"""What a run writes into the ledger of each destination: when it begins, now and then, at its end.

What a destination's ledger says comes from what this run read at the source, and from what this
destination's own service said; never from another destination.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from msgspec.structs import replace

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.follow import Follow
from airflow_multicloud.core.ledger import looks, writing
from airflow_multicloud.core.ledger.commits import Look, Sibling, Step
from airflow_multicloud.core.ledger.entries import Behind, Entry, Origin, Proof
from airflow_multicloud.core.ledger.names import place_of
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.core.ledger.writing import Base, Draft, Sign
from airflow_multicloud.core.replication.catalog import SOURCE, Catalog, Listed
from airflow_multicloud.core.replication.items import Item
from airflow_multicloud.core.replication.merkle import MerkleTree
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.run import Run
from airflow_multicloud.errors import CloudError
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)

#: Seconds between two commits of a run that goes on: what a killed one may have to compare again
#: (and, on Azure, where no digest of an object from blocks is known, send again). They grow with
#: the run.
INTERVAL = 5.0
_LONGEST = 20.0

#: A reason is for readers; a store may say a lot.
_REASON = 500


@dataclass(frozen=True, slots=True)
class Recorded:
    """The last commit of a run at one destination.

    :param content: the Merkle root over the names, sizes and digests of what is proven here.
    """

    head: Head
    content: str


class Recorder:
    """Writes a run's commits at every destination. One thread uses it."""

    def __init__(
        self,
        run: Run,
        destinations: Sequence[Endpoint],
        bases: Sequence[Base],
        catalog: Catalog,
        *,
        sign: Sign | None = None,
    ) -> None:
        self.run = run
        self._destinations = destinations
        self._bases = list(bases)
        self._damaged = [base.damaged for base in bases]
        self._catalog = catalog
        self._sign = sign
        self._finished: list[Item] = []
        self._flushed = time.monotonic()
        self._interval = INTERVAL

    @property
    def bases(self) -> tuple[Base, ...]:
        """The newest commit of each destination, as far as the run knows."""
        return tuple(self._bases)

    def begin(self) -> None:
        """Say at every destination that objects are about to be written.

        Where the ledger can't be written, no object is: they are failed there.
        """
        for index in range(len(self._destinations)):
            try:
                self._commit(index, self._draft(index, Step.BEGIN), tuple)
            except CloudError as err:
                self._catalog.put_items(self._given_up(index, err))

    def _given_up(self, index: int, err: CloudError) -> Iterator[Item]:
        why = f"its ledger could not be written: {err}"
        for item in self._catalog.open_items():
            if index in item.open_replicas:
                state = item.replicas[index].failed(Outcome.FAILED, err.kind, why)
                yield item.with_replica(index, state)

    def findings(self, index: int) -> tuple[str, ...]:
        """What a reader should know of a destination's ledger."""
        damaged = self._damaged[index]
        return (f"its ledger was damaged, and was started over: {damaged}",) if damaged else ()

    def add(self, finished: Iterable[Item]) -> None:
        """Take items that came to their end, and record them now and then."""
        self._finished.extend(finished)
        if time.monotonic() - self._flushed >= self._interval:
            self.flush()

    def flush(self) -> None:
        """Record what is finished: also when the work is cancelled, so that a next try goes on."""
        self._flushed = time.monotonic()
        if not self._finished:
            return
        batch, self._finished = self._finished, []
        self._interval = min(_LONGEST, self._interval * 1.5)
        batch.sort(key=lambda item: item.name)
        with cancellation.shielded():
            for index in range(len(self._destinations)):
                found = list(self._changed(index, batch))
                try:
                    if found:
                        self._commit(index, self._draft(index, Step.PROGRESS), partial(iter, found))
                except CloudError as err:
                    # Not the run's end: objects report their own errors, and the last commit of the
                    # run has all of this again.
                    where = printable(str(self._destinations[index].location))
                    _log.warning("%s: not recorded for now: %s: %s", where, err.kind, err)
                else:
                    self._catalog.add_known(index, ((self._name(index, e), e) for e in found))

    def record_all(self) -> None:
        """Record at every destination what became of each item; the run itself goes on elsewhere.

        :raises CloudError: when a ledger can't be written that has something proven to tell; the
            others are written.
        """
        self._finished.clear()
        unrecorded: CloudError | None = None
        for index in range(len(self._destinations)):
            changed = partial(self._every_change, index)
            if next(changed(), None) is None:
                continue
            try:
                self._commit(index, self._draft(index, Step.PROGRESS), changed)
            except CloudError as err:
                if any(entry.behind is None for entry in changed()):
                    unrecorded = unrecorded or err
        if unrecorded is not None:
            raise unrecorded

    def end(self, index: int, deleted: Collection[str], *, tidy: bool = False) -> Recorded:
        """Record at one destination all that the run has found there.

        :param deleted: names of what the run deleted there.
        :param tidy: whether it deleted all that the source does not have.
        :raises CloudError: when the ledger can't be written.
        """
        whole = _Whole(self.run, self._destinations[index], self._bases[index])
        draft = self._draft(index, Step.END, deleted=len(deleted), look=whole.look)
        self._commit(index, draft, partial(self._final, index, deleted, whole, tidy=tidy))
        head = self._bases[index].head
        if head is None:
            raise AssertionError("a commit that was just made is there")
        return Recorded(head, whole.root)

    def _commit(self, index: int, draft: Draft, changes: writing.Changes) -> None:
        end = self._destinations[index]
        self._bases[index] = writing.commit(
            end,
            draft,
            changes,
            base=self._bases[index],
            known=lambda key: self._catalog.entry(index, key[len(end.location.key) :]),
            sign=self._sign,
        )

    def _draft(
        self,
        index: int,
        step: Step,
        *,
        deleted: int = 0,
        look: Callable[[], Look | None] = writing.no_look,
    ) -> Draft:
        return Draft(
            identity=self.run.identity,
            step=step,
            prefix=self._destinations[index].location.key,
            source=self.run.source,
            started=self.run.started,
            deleted=deleted,
            look=look,
            siblings=self._siblings(index),
        )

    def _siblings(self, index: int) -> tuple[Sibling, ...]:
        """The newest commits of the other destinations."""
        here, now = place_of(self._destinations[index]), datetime.now(UTC)
        return tuple(
            Sibling(place_of(end), base.head.commit.number, base.head.root, now)
            for end, base in zip(self._destinations, self._bases, strict=True)
            if base.head is not None and not base.damaged and place_of(end) != here
        )

    def _every_change(self, index: int) -> Iterator[Entry]:
        return self._changed(index, self._catalog.items())

    def _changed(self, index: int, items: Iterable[Item]) -> Iterator[Entry]:
        """Entries that differ from what the ledger knows."""
        known = self._bases[index].looks
        for item in items:
            before = self._catalog.entry(index, item.name)
            after = self._entry(index, item, before, known)
            if after is not None and after != before:
                yield after

    def _final(
        self, index: int, deleted: Collection[str], whole: _Whole, *, tidy: bool
    ) -> Iterator[Entry]:
        """Every entry that is new, by key; everything that stays is counted."""
        whole.begin()
        known = Follow(self._catalog.known(index))
        absent = Follow(
            (name, (entry, there)) for name, entry, there in self._catalog.known_elsewhere(index)
        )
        items = Follow((item.name, item) for item in self._catalog.items())
        listed = Follow((one.name, one) for one in self._catalog.listing(SOURCE))
        for name in _names(items, known):
            before: Entry | None = known.at(name)
            item: Item | None = items.at(name)
            after = before
            if item is not None:
                after = self._entry(index, item, before, self._bases[index].looks)
            elif before is not None and (missed := absent.at(name)) is not None:
                after = self._absent(name, missed, deleted, tidy=tidy)
            whole.count(name, after, item, index)
            if item is None and before is not None and (passed := listed.at(name)) is not None:
                whole.pass_over(name, before, passed)
            if after is not None and after != before:
                yield after

    def _entry(
        self, index: int, item: Item, before: Entry | None, known: Sequence[Look]
    ) -> Entry | None:
        key = self._destinations[index].key_of(item.name)
        return entry_of(self.run, key, item, index, before, known)

    def _absent(
        self, name: str, missed: tuple[Entry, bool], deleted: Collection[str], *, tidy: bool
    ) -> Entry:
        """What is known of a name that the source does not have."""
        before, there = missed
        inside = looks.admits(self.run.selection, name)
        # Whatever source it was from: it is not wanted, and not here.
        if name in deleted or (inside and tidy and not there):
            return Entry(before.key, removed=True)
        if not inside or not self._ours(name, before):
            return before
        if before.proof is None or (not there and not before.owed):
            return Entry(before.key, removed=True)
        if before.gone is not None:
            return before
        return replace(before, gone=self.run.as_of, behind=None)

    def _ours(self, name: str, before: Entry) -> bool:
        """Whether an entry is about this very source, so that its absence there says something."""
        about = before.proof or before.behind
        return about is not None and about.origin.uri == self.run.origin_of(name)

    def _name(self, index: int, entry: Entry) -> str:
        return entry.key[len(self._destinations[index].location.key) :]


def entry_of(
    run: Run,
    key: str,
    item: Item,
    index: int,
    before: Entry | None,
    known: Sequence[Look],
) -> Entry | None:
    """What a ledger says of an object once a run is done with it.

    :param index: of the destination whose ledger it is.
    :param before: what it said.
    :param known: the looks that were known when the run began.
    """
    state = item.replicas[index]
    outcome = state.outcome
    if outcome is None:
        return before
    origin = Origin(run.origin_of(item.name), item.etag, item.version, item.modified)
    if outcome is Outcome.UNCHANGED and before is not None and before.proof is not None:
        proof = replace(
            before.proof,
            attributes=state.attributes,
            tags=state.tags,
            seen=state.seen,
            not_kept=state.not_kept,
        )
        return replace(before, proof=proof, behind=None, gone=None)
    if outcome.sound:
        return Entry(
            key,
            Proof(
                size=item.size,
                etag=state.etag or "",
                digests=item.digests_at(index),
                origin=origin,
                outcome=outcome,
                run_id=run.run_id,
                at=datetime.now(UTC),
                as_of=run.as_of,
                version=state.version,
                confirmed=state.confirmed,
                not_kept=state.not_kept,
                attributes=state.attributes,
                tags=state.tags,
                seen=state.seen,
            ),
        )
    behind = Behind(
        outcome=outcome,
        run_id=run.run_id,
        origin=origin,
        size=item.size,
        at=run.as_of,
        kind=state.kind,
        reason=printable(state.reason or "")[:_REASON] or None,
        since=_since(key, before, known),
    )
    return Entry(key, before.proof if before else None, behind)


def _since(key: str, before: Entry | None, known: Sequence[Look]) -> datetime | None:
    """Until when a destination was up to date with an object that it is behind with now."""
    if before is not None:
        return looks.as_of(before, known)
    # It knew that there was none.
    seen = [
        look.as_of
        for look in known
        if look.selection == looks.ALL and key.startswith(look.prefix) and not look.strangers
    ]
    return max(seen, default=None)


def _names(items: Follow[Item], known: Follow[Entry]) -> Iterator[str]:
    """Every name of two streams, in order."""
    while (heads := [h for h in (items.head, known.head) if h is not None]) != []:
        name = min(heads)
        yield name
        items.after(name)
        known.after(name)


class _Whole:
    """Counts what a run's last commit says of all objects of its selection."""

    def __init__(self, run: Run, destination: Endpoint, base: Base) -> None:
        self._run = run
        self._prefix = destination.location.key
        self._looks = base.looks
        self.begin()

    def begin(self) -> None:
        """Count from the start: changes are gone through for each try of a commit."""
        self._tree = MerkleTree()
        self._objects = self._proven = self._behind = self._left_out = self._strangers = 0
        self._bytes = 0
        self._never = False
        self._since: datetime | None = None
        self._newest: datetime | None = None
        self._as_of = self._run.as_of

    def count(self, name: str, entry: Entry | None, item: Item | None, index: int) -> None:
        """Count one name."""
        if item is not None:
            self._objects += 1
            self._bytes += item.size
            self._newest = max(self._newest or item.modified, item.modified)
            outcome = item.replicas[index].outcome
            if outcome is not None and not outcome.owed:
                self._left_out += 1
            elif entry is not None and entry.behind is not None:
                self._is_behind(entry.behind.since)
            elif outcome is not None and outcome.proven:
                self._proven += 1
        elif entry is not None and entry.owed and entry.proof is not None:
            inside = looks.admits(self._run.selection, name)
            uri = entry.proof.origin.uri
            if inside and uri != self._run.origin_of(name) and not uri.startswith("file:"):
                self._strangers += 1
        if entry is not None and entry.current and entry.proof is not None:
            self._tree.add(name, entry.proof.size, entry.proof.digests)

    def pass_over(self, name: str, entry: Entry, listed: Listed) -> None:
        """An object that the source has, and that does not take part: by its size or age.

        When it is another one by now, nothing tells since when: perhaps since the last look.
        """
        proof, origin = entry.proof, self._run.origin_of(name)
        if entry.behind is not None:
            if listed.modified > self._run.as_of and looks.admits(self._run.selection, name):
                self._is_behind(entry.behind.since)
        elif proof is not None and looks.within(proof, entry.key, self._look(self._run.as_of)):
            then = (proof.origin.uri, proof.origin.etag, proof.size)
            since = looks.as_of(entry, self._looks)
            if then != (origin, listed.etag, listed.size) and since is not None:
                self._as_of = min(self._as_of, since)

    def _is_behind(self, since: datetime | None) -> None:
        self._behind += 1
        self._never = self._never or since is None
        if since is not None:
            self._since = min(self._since or since, since)

    @property
    def root(self) -> str:
        """Over what is proven below the prefix."""
        return self._tree.root()

    def look(self) -> Look | None:
        """What was found; ``None`` for a single object, of which its entry says all."""
        return self._look(self._as_of) if self._run.whole else None

    def _look(self, as_of: datetime) -> Look:
        return Look(
            prefix=self._prefix,
            source=self._run.source,
            selection=self._run.selection,
            as_of=as_of,
            run_id=self._run.run_id,
            started=self._run.started,
            finished=datetime.now(UTC),
            objects=self._objects,
            proven=self._proven,
            behind=self._behind,
            left_out=self._left_out,
            strangers=self._strangers,
            bytes=self._bytes,
            since=None if self._never else self._since,
            newest=self._newest,
        )
