"""One side of a pass: its rows in their order, of which some come into the catalog."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

from airflow_multicloud.core.replication.catalog import Catalog
from airflow_multicloud.errors import CloudError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
P = TypeVar("P", bound="_Part[Any]")

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


class Passing(Generic[T]):
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


class Followed(Generic[P, T]):
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
        self.rows = Passing(catalog, side, store)
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
