"""What a run writes into the ledger of each destination: when it begins, now and then, at its end.

What a destination's ledger says comes from what this run read at the source, and from what this
destination's own service said; never from another destination.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger import writing
from airflow_multicloud.core.ledger.base import Base
from airflow_multicloud.core.ledger.commits import Look, Sibling, Step
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.ledger.names import place_of
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.core.ledger.state import Draft, no_look
from airflow_multicloud.core.ledger.writing import Sign
from airflow_multicloud.core.replication import reach
from airflow_multicloud.core.replication.catalog import Catalog
from airflow_multicloud.core.replication.coverage import Coverage
from airflow_multicloud.core.replication.facts import entry_of
from airflow_multicloud.core.replication.items import Item
from airflow_multicloud.core.replication.last_changes import LastChanges
from airflow_multicloud.core.replication.run import Run
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)

#: Seconds between two commits of a run that goes on: what a killed one may have to compare again
#: (and, on Azure, where no digest of an object from blocks is known, send again). They grow with
#: the run.
INTERVAL = 5.0
_LONGEST = 20.0


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
        # Where entries are lost, nobody knows whose they were.
        self._seen = [() if base.partly else base.looks for base in bases]
        self._damaged = [(base.damaged, base.partly) for base in bases]
        self._catalog = catalog
        self._sign = sign
        self._finished: list[Item] = []
        self._flushed = time.monotonic()
        self._interval = INTERVAL

    def begin(self) -> None:
        """Say at every destination that objects are about to be written.

        Where the ledger can't be written, no object is: they are failed there.
        """
        for index in self.writable:
            try:
                self._commit(index, self._draft(index, Step.BEGIN), tuple)
            except CloudError as err:
                what = "its ledger could not be written"
                self._catalog.put_items(reach.failed_at(self._catalog, index, err, what))

    @property
    def writable(self) -> tuple[int, ...]:
        """The destinations, by index, that can be written to."""
        every = range(len(self._destinations))
        return tuple(n for n in every if self.why_not_written(n) is None)

    def why_not_written(self, index: int) -> CloudError | None:
        """Why nothing can be written to a destination, if so; its items have failed then."""
        return self._bases[index].refused

    def findings(self, index: int) -> tuple[str, ...]:
        """What a reader should know of a destination's ledger."""
        if refused := self._bases[index].refused:
            return (reach.finding(refused),)
        damaged, partly = self._damaged[index]
        if damaged:
            return (f"its ledger was damaged, and was started over: {damaged}",)
        return (f"its ledger was damaged: {partly}",) if partly else ()

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
            for index in self.writable:
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
        for index in self.writable:
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
        there, base = self._destinations[index], self._bases[index]
        untouched = self._catalog.untouched()
        whole = Coverage(self.run, there, base, untouched, seen=self._seen[index])
        changes = LastChanges(
            run=self.run,
            catalog=self._catalog,
            index=index,
            destination=there,
            known=base.looks,
            deleted=deleted,
            tidy=tidy,
            whole=whole,
        )
        draft = self._draft(index, Step.END, deleted=len(deleted), look=whole.look)
        self._commit(index, replace(draft, stays=whole.stays), changes.entries)
        head = self._bases[index].head
        if head is None:
            raise AssertionError("a commit that was just made is there")
        return Recorded(head, whole.root)

    def _commit(self, index: int, draft: Draft, changes: writing.Changes) -> None:
        end = self._destinations[index]
        with _blaming(end):
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
        look: Callable[[], Look | None] = no_look,
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

    def _entry(
        self, index: int, item: Item, before: Entry | None, known: Sequence[Look]
    ) -> Entry | None:
        key = self._destinations[index].key_of(item.name)
        return entry_of(self.run, key, item, index, before, known)

    def _name(self, index: int, entry: Entry) -> str:
        return entry.key[len(self._destinations[index].location.key) :]


@contextmanager
def _blaming(end: Endpoint) -> Iterator[None]:
    """Whatever breaks the writing of one destination's ledger is that destination's failure.

    :raises CloudError: what was raised, kind ``integrity`` for what nobody foresaw.
    """
    try:
        yield
    except (CloudError, cancellation.WorkCancelledError, MemoryError):
        raise
    except Exception as err:
        raise StorageError(
            f"{end.location}: its ledger could not be written: {type(err).__name__}: {err}",
            kind=ErrorKind.INTEGRITY,
            cloud=end.cloud,
        ) from err
