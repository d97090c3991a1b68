"""Listings and ledgers are gone through side by side, by name, as they are read.

An object that is untouched everywhere is settled then and there, together with those that follow it
and are, too, by columns. All else comes into the catalog:
what differs, what only one of them has, and what a listing has out of order (as S3's directory
buckets do, and Azure's hierarchical namespaces).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.replication.alike import Alike, Rows
from airflow_multicloud.core.replication.catalog import SOURCE, Catalog, Listed
from airflow_multicloud.core.replication.merkle import leaf_hash
from airflow_multicloud.core.replication.pages import Known, Page
from airflow_multicloud.errors import CloudError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
P = TypeVar("P", bound="_Part[Any]")

#: Whether an object of the source is untouched everywhere, by what each destination lists under
#: its name and by what each ledger knows of it.
IsUntouched = Callable[[Listed, Sequence[Listed | None], Sequence[Entry | None]], bool]

_BATCH = 512
#: So many objects are looked at together at first, and at most.
_FEW, _MANY = 8, 1024


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


class _Part(Protocol[T_co]):
    """Some of what one side has, in its order."""

    @property
    def names(self) -> list[str]: ...

    @property
    def ordered(self) -> bool: ...

    def at(self, n: int) -> T_co: ...


class _Followed(Generic[P, T]):
    """What a destination or its ledger has, asked for by the names of the source in their order.

    :param parts: of it.
    :ivar rows: gets what nobody asks for.
    :ivar count: how many came.
    :ivar part: where it stands, and
    :ivar place: at which place in it.
    """

    def __init__(
        self,
        catalog: Catalog,
        side: int,
        parts: Iterable[P],
        store: Callable[[list[tuple[str, T]]], None],
    ) -> None:
        self.rows = _Rows(catalog, side, store)
        self.count = 0
        self._side = side
        self._parts = iter(parts)
        self._name: str | None = None
        self._taken = False
        self.place = -1
        self.part = self._following()
        self._advance()

    def at(self, name: str) -> T | None:
        """What is there under a name; whoever takes it is done with it before the next one."""
        while self._name is not None and self._name < name:
            self._advance()
        if self._name != name or self.part is None:
            return None
        self._taken = True
        found: T = self.part.at(self.place)
        return found

    def same(self, names: list[str], at: int, most: int) -> int:
        """How many of the next names are these, as far as they are at hand and in order."""
        part, place = self.part, self.place
        if part is None or self._name != names[at] or not part.ordered:
            return 0
        ours, theirs = names[at : at + most], part.names[place : place + most]
        if ours == theirs:
            return len(ours)
        both = enumerate(zip(ours, theirs, strict=False))
        return next((n for n, (one, other) in both if one != other), min(len(ours), len(theirs)))

    def skip(self, count: int) -> None:
        """Leave out the next ones: they are settled."""
        self.count += count - 1
        self.place += count - 1
        if self.part is not None:
            self._name = self.part.names[self.place]
        self._taken = True
        self._advance()

    def end(self) -> None:
        """Store all that is left."""
        while self._name is not None:
            self._advance()
        self.rows.flush()

    def _advance(self) -> None:
        before = self._name
        if self.part is not None and before is not None and not self._taken:
            self.rows.add((before, self.part.at(self.place)))
        self._taken = False
        while self.part is not None:
            self.place += 1
            if self.place == len(self.part.names):
                self.part, self.place = self._following(), -1
                continue
            self.count += 1
            name = self.part.names[self.place]
            if before is None or name > before:
                self._name = name
                return
            self.rows.add_late(name, (name, self.part.at(self.place)))
        self._name = None

    def _following(self) -> P | None:
        try:
            return next(self._parts, None)
        except CloudError as err:
            raise UnfinishedError(self._side, err) from err


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
        self._source = _Rows[Listed](catalog, SOURCE, partial(catalog.add_listing, SOURCE))
        self._theirs = [
            _Followed[Page, Listed](catalog, n, parts, partial(self._add_listing, n))
            for n, parts in enumerate(listed)
        ]
        self._ledgers = [
            _Followed[Known, Entry](catalog, n, parts, partial(self._add_known, n))
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
        followed: list[_Followed[Any, Any]] = [*self._theirs, *self._ledgers]
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
