"""What a run's last commit at one destination changes, once all objects are gone through."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger import selections
from airflow_multicloud.core.ledger.commits import Look
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.replication.catalog import Catalog, Rest
from airflow_multicloud.core.replication.coverage import Coverage
from airflow_multicloud.core.replication.facts import entry_of, entry_of_absent
from airflow_multicloud.core.replication.run import Run
from airflow_multicloud.core.replication.settled import InTurn


@dataclass(frozen=True, slots=True, kw_only=True)
class LastChanges:
    """The entries that are new at one destination; everything that stays is counted.

    :param index: the destination's.
    :param known: what was looked at before.
    :param deleted: names of what the run deleted there.
    :param tidy: whether it deleted all that the source does not have.
    :param whole: counts.
    """

    run: Run
    catalog: Catalog
    index: int
    destination: Endpoint
    known: Sequence[Look]
    deleted: Collection[str]
    tidy: bool
    whole: Coverage

    def entries(self) -> Iterator[Entry]:
        """They come by key."""
        self.whole.begin()
        # What nobody knew and the run deleted: another run may have recorded it since.
        unknown = (
            Entry(self.destination.key_of(name), removed=True)
            for name in sorted(self.deleted)
            if self.catalog.entry(self.index, name) is None
        )
        yield from merge(self._found(), unknown, key=lambda entry: entry.key)

    def _found(self) -> Iterator[Entry]:
        rest = self.catalog.rest(self.index)
        ahead = next(rest, None)
        settled = InTurn(self.catalog.settled.leaves(self.index), self.whole.settled)
        for name, before in self.catalog.known(self.index):
            while ahead is not None and ahead.name < name:
                settled.before(ahead.name)
                yield from self._news(ahead, None)
                ahead = next(rest, None)
            settled.before(name)
            if ahead is not None and ahead.name == name:
                yield from self._news(ahead, before)
                ahead = next(rest, None)
            else:
                self.whole.untouched(name, before)
        while ahead is not None:
            settled.before(ahead.name)
            yield from self._news(ahead, None)
            ahead = next(rest, None)
        settled.rest()

    def _news(self, about: Rest, before: Entry | None) -> Iterator[Entry]:
        """The entry of a name, if it is a new one; counted in any case."""
        name, item, after = about.name, about.item, before
        if item is not None:
            key = self.destination.key_of(name)
            after = entry_of(self.run, key, item, self.index, before, self.known)
        elif before is not None and about.listed is None:
            unwanted = self.tidy and not about.there and selections.admits(self.run.selection, name)
            gone = unwanted or name in self.deleted
            after = entry_of_absent(self.run, name, before, there=about.there, deleted=gone)
        self.whole.count(name, after, item, self.index)
        if before is not None and about.listed is not None:
            self.whole.pass_over(name, before, about.listed)
        if after is not None and after != before:
            yield after
