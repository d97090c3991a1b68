"""Listings and ledgers are gone through side by side, by name, as they are read.

An object that is untouched everywhere is settled then and there. All else comes into the catalog:
what differs, what only one of them has, and what a listing has out of order (as S3's directory
buckets do, and Azure's hierarchical namespaces).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Generic, TypeVar

from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.replication.catalog import SOURCE, Catalog, Listed
from airflow_multicloud.core.replication.merkle import leaf_hash
from airflow_multicloud.errors import CloudError

T = TypeVar("T")

#: Whether an object of the source is untouched everywhere, by what each destination lists under
#: its name and by what each ledger knows of it.
IsUntouched = Callable[[Listed, Sequence[Listed | None], Sequence[Entry | None]], bool]

_BATCH = 512


class UnfinishedError(Exception):
    """The pass was broken off: what is in the catalog is not to be used.

    :param side: the destination that it is due to.
    :param err: what was raised there; ``None``: a name came twice, or its ledger knows too many.
    """

    def __init__(self, side: int, err: CloudError | None = None) -> None:
        super().__init__(side, err)
        self.side = side
        self.err = err


class _Rows(Generic[T]):
    """What one side has that comes into the catalog, some at a time.

    :param store: puts them there.
    """

    def __init__(self, catalog: Catalog, side: int, store: Callable[[list[T]], None]) -> None:
        self._catalog = catalog
        self._side = side
        self._store = store
        self._rows: list[T] = []

    def add(self, row: T) -> None:
        """Take one that comes in its turn."""
        self._rows.append(row)
        if len(self._rows) == _BATCH:
            self.flush()

    def add_late(self, name: str, row: T) -> None:
        """Take one whose turn by name has passed.

        :raises UnfinishedError: when it had come already, and was settled.
        """
        if name in self._catalog.settled:
            raise UnfinishedError(self._side)
        self.add(row)

    def flush(self) -> None:
        """Store what is left."""
        self._store(self._rows)
        self._rows = []


class _Followed(Generic[T]):
    """What a destination or its ledger has, asked for by the names of the source in their order.

    :param found: by name.
    :ivar rows: gets what nobody asks for.
    :ivar count: how many came.
    """

    def __init__(
        self,
        catalog: Catalog,
        side: int,
        found: Iterable[tuple[str, T]],
        store: Callable[[list[tuple[str, T]]], None],
    ) -> None:
        self.rows = _Rows(catalog, side, store)
        self.count = 0
        self._side = side
        self._found = iter(found)
        self._next: tuple[str, T] | None = None
        self._taken = False
        self._advance()

    def at(self, name: str) -> T | None:
        """What is there under a name; whoever takes it is done with it before the next one."""
        while self._next is not None and self._next[0] < name:
            self._advance()
        if self._next is None or self._next[0] != name:
            return None
        self._taken = True
        return self._next[1]

    def end(self) -> None:
        """Store all that is left."""
        while self._next is not None:
            self._advance()
        self.rows.flush()

    def _advance(self) -> None:
        before = self._next
        if before is not None and not self._taken:
            self.rows.add(before)
        self._taken = False
        while True:
            try:
                self._next = following = next(self._found, None)
            except CloudError as err:
                raise UnfinishedError(self._side, err) from err
            if following is None:
                return
            self.count += 1
            if before is None or following[0] > before[0]:
                return
            self.rows.add_late(following[0], following)


def settle(
    catalog: Catalog,
    listed: Sequence[Iterable[Listed]],
    known: Sequence[Iterable[tuple[str, Entry]]],
    is_untouched: IsUntouched,
    most: Callable[[int], int],
) -> None:
    """Settle what is untouched, and fill the catalog with the rest.

    :param listed: of the source, then of each destination.
    :param known: of each destination's ledger.
    :param most: how many names a ledger may know, with so many listed objects.
    :raises UnfinishedError: when a destination or its ledger can't be read to the end, or makes no
        sense.
    :raises CloudError: when the source can't be listed.
    """
    going = _Pass(catalog, listed[1:], known, most)
    for one in going.in_turn(listed[0]):
        there, entries = going.at(one.name)
        if is_untouched(one, there, entries):
            proofs = [entry.proof for entry in entries if entry is not None and entry.proof]
            hashes = [leaf_hash(one.name, proof.size, proof.digests) for proof in proofs]
            catalog.settled.add(one.name, one.size, one.modified, hashes)
        else:
            going.keep(one, there, entries)
    going.end()


class _Pass:
    """The source's names on the one hand, and what follows them on the other."""

    def __init__(
        self,
        catalog: Catalog,
        listed: Sequence[Iterable[Listed]],
        known: Sequence[Iterable[tuple[str, Entry]]],
        most: Callable[[int], int],
    ) -> None:
        self._catalog = catalog
        self._most = most
        self._count = 0
        self._source = _Rows[Listed](catalog, SOURCE, partial(catalog.add_listing, SOURCE))
        self._theirs = [
            _Followed(catalog, n, ((one.name, one) for one in found), partial(self._add_listing, n))
            for n, found in enumerate(listed)
        ]
        self._ledgers = [
            _Followed(catalog, n, found, partial(self._add_known, n))
            for n, found in enumerate(known)
        ]

    def in_turn(self, source: Iterable[Listed]) -> Iterator[Listed]:
        """The source's objects by name; those that come late are kept."""
        last: str | None = None
        for self._count, one in enumerate(source, 1):
            if last is not None and one.name <= last:
                self._source.add_late(one.name, one)
                continue
            last = one.name
            yield one

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
