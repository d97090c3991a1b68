"""Listings and ledgers are gone through side by side, by name, as they are read.

An object that is untouched everywhere is settled then and there, together with those that follow it
and are, too, by columns. All else comes into the catalog: what differs, what only one of them has,
and what a listing has out of order (as S3's directory buckets do, and Azure's hierarchical
namespaces).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.replication.alike import Alike, Rows
from airflow_multicloud.core.replication.catalog import SOURCE, Catalog, Listed
from airflow_multicloud.core.replication.following import Followed, Passing, UnfinishedError
from airflow_multicloud.core.replication.merkle import leaf_hash
from airflow_multicloud.core.replication.pages import Known, Page

#: Whether an object of the source is untouched everywhere, by what each destination lists under
#: its name and by what each ledger knows of it.
IsUntouched = Callable[[Listed, Sequence[Listed | None], Sequence[Entry | None]], bool]

#: So many objects are looked at together at first, and at most.
_FEW, _MANY = 8, 1024


def settle(
    catalog: Catalog,
    listed: Sequence[Iterable[Page]],
    known: Sequence[Iterable[Known]],
    is_untouched: IsUntouched,
    most: Callable[[int], int],
    alike: Alike | None = None,
) -> None:
    """Settle what is untouched, and fill the catalog with the rest.

    :param listed: of the source, then of each destination.
    :param known: of each destination's ledger.
    :param most: how many names a ledger may know, with so many listed objects.
    :param alike: tells of many objects at a time what ``is_untouched`` would tell of each.
    :raises UnfinishedError: when a destination or its ledger can't be read to the end, or makes no
        sense.
    :raises CloudError: when the source can't be listed.
    """
    going = _Pass(catalog, listed[1:], known, most, alike)
    for one in going.in_turn(listed[0]):
        there, entries = going.at(one.name)
        if is_untouched(one, there, entries):
            hashes = [[_leaf(one.name, entry)] for entry in entries if entry is not None]
            catalog.settled.add([one.name], one.size, one.modified, hashes)
        else:
            going.keep(one, there, entries)
    going.end()


def _leaf(name: str, entry: Entry) -> bytes:
    proof = entry.proof
    return leaf_hash(name, proof.size, proof.digests) if proof is not None else b""


class _Pass:
    """The source's names on the one hand, and what follows them on the other."""

    def __init__(
        self,
        catalog: Catalog,
        listed: Sequence[Iterable[Page]],
        known: Sequence[Iterable[Known]],
        most: Callable[[int], int],
        alike: Alike | None,
    ) -> None:
        self._catalog = catalog
        self._most = most
        self._alike = alike
        self._count = 0
        self._reach = _FEW
        self._source = Passing[Listed](catalog, SOURCE, partial(catalog.add_listing, SOURCE))
        self._theirs = [
            Followed[Page, Listed](catalog, n, parts, partial(self._add_listing, n))
            for n, parts in enumerate(listed)
        ]
        self._ledgers = [
            Followed[Known, Entry](catalog, n, parts, partial(self._add_known, n))
            for n, parts in enumerate(known)
        ]

    def in_turn(self, source: Iterable[Page]) -> Iterator[Listed]:
        """The source's objects by name that are not settled here; those that come late are kept."""
        last: str | None = None
        for page in source:
            names, n = page.names, 0
            while n < len(names):
                if last is not None and names[n] <= last:
                    self._source.add_late(names[n], page.at(n))
                    n, self._count = n + 1, self._count + 1
                    continue
                if not (done := self._settle_alike(page, n)):
                    self._count += 1
                    yield page.at(n)
                    done = 1
                n += done
                last = names[n - 1]

    def _settle_alike(self, page: Page, n: int) -> int:
        """Settle the next ones by columns, as far as they are untouched; how many that were."""
        if self._alike is None or not page.ordered:
            return 0
        most = min(self._reach, len(page.names) - n)
        followed: list[Followed[Any, Any]] = [*self._theirs, *self._ledgers]
        for one in followed:
            if not (most := one.same(page.names, n, most)):
                self._reach = _FEW
                return 0
        there = [Rows(one.part, one.place) for one in self._theirs if one.part]
        known = [
            one.part.entries[one.place : one.place + most] for one in self._ledgers if one.part
        ]
        count = self._alike.count(Rows(page, n), there, known, most)
        self._reach = min(4 * most, _MANY) if count == most else _FEW
        if count:
            names, columns = page.names[n : n + count], page.columns
            hashes = [[*map(_leaf, names, entries)] for entries in known]
            size, newest = sum(columns.sizes[n : n + count]), max(columns.modified[n : n + count])
            self._catalog.settled.add(names, size, newest, hashes)
            self._count += count
            for one in followed:
                one.skip(count)
        return count

    def at(self, name: str) -> tuple[list[Listed | None], list[Entry | None]]:
        """What each destination has under a name, and what each ledger knows."""
        there = [followed.at(name) for followed in self._theirs]
        return there, [followed.at(name) for followed in self._ledgers]

    def keep(
        self, one: Listed, there: Sequence[Listed | None], entries: Sequence[Entry | None]
    ) -> None:
        """Have the catalog take an object, and all that was found of it."""
        self._source.add(one)
        for followed, listed in zip(self._theirs, there, strict=True):
            if listed is not None:
                followed.rows.add((one.name, listed))
        for ledger, entry in zip(self._ledgers, entries, strict=True):
            if entry is not None:
                ledger.rows.add((one.name, entry))

    def end(self) -> None:
        """Have the catalog take all that is left."""
        self._source.flush()
        for followed in self._theirs:
            followed.end()
        for ledger in self._ledgers:
            ledger.end()

    def _add_listing(self, side: int, rows: list[tuple[str, Listed]]) -> None:
        self._catalog.add_listing(side, (one for _, one in rows))

    def _add_known(self, side: int, rows: list[tuple[str, Entry]]) -> None:
        self._catalog.add_known(side, rows)
        if self._ledgers[side].count > self._most(self._count + self._theirs[side].count):
            raise UnfinishedError(side)
