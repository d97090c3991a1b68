"""The objects that a run leaves as they are everywhere, and the little that is needed of them."""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import msgspec

from airflow_multicloud.core.replication.items import Untouched
from airflow_multicloud.core.replication.temporary import temporary_errors

SCHEMA = "CREATE TABLE settled (first TEXT PRIMARY KEY, doc BLOB);"

_BATCH = 512
_LEAF = 32


class _Names(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Names that follow each other, and for each destination the hashes of their Merkle leaves."""

    names: list[str]
    leaves: list[bytes]


_write = msgspec.msgpack.Encoder().encode
_read = msgspec.msgpack.Decoder(_Names).decode


class Settled:
    """Untouched objects of which the catalog has nothing else.

    Kept are their names, and what each destination's ledger proves of them as one hash: what the
    end of the run needs for the Merkle tree over all that is proven.

    :param db: the catalog's, with :data:`SCHEMA`.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._names: list[str] = []
        self._leaves: list[list[bytes]] = []
        self._objects = self._bytes = 0
        self._newest: datetime | None = None

    def add(
        self,
        names: Sequence[str],
        size: int,
        newest: datetime,
        leaves: Sequence[Sequence[bytes]],
    ) -> None:
        """Take in some objects; they come by name.

        :param size: bytes of all of them.
        :param newest: when the last one was modified.
        :param leaves: of each, for each destination.
        """
        self._objects += len(names)
        self._bytes += size
        if self._newest is None or newest > self._newest:
            self._newest = newest
        self._names += names
        self._leaves = self._leaves or [[] for _ in leaves]
        for of_side, found in zip(self._leaves, leaves, strict=True):
            of_side.extend(found)
        if len(self._names) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Store what is still in memory."""
        if self._names:
            leaves = [*map(b"".join, self._leaves)]
            row = self._names[0], _write(_Names(self._names, leaves))
            with temporary_errors():
                self._db.execute("INSERT INTO settled VALUES (?,?)", row)
            self._names, self._leaves = [], []

    def forget(self) -> None:
        """Take all of it back."""
        with temporary_errors():
            self._db.execute("DELETE FROM settled")
        Settled.__init__(self, self._db)

    @property
    def numbers(self) -> Untouched:
        """How many there are."""
        return Untouched(self._objects, self._bytes, self._newest)

    def __contains__(self, name: str) -> bool:
        """Whether an object of this name is among them."""
        self.flush()
        query = "SELECT doc FROM settled WHERE first <= ? ORDER BY first DESC LIMIT 1"
        with temporary_errors():
            found = self._db.execute(query, (name,)).fetchone()
        if found is None:
            return False
        names = _read(found[0]).names
        place = bisect_left(names, name)
        return place < len(names) and names[place] == name

    def leaves(self, side: int) -> Iterator[tuple[list[str], list[bytes]]]:
        """By name, some at a time: names, and the hashes of their leaves at a destination."""
        self.flush()
        with temporary_errors():
            cursor = self._db.execute("SELECT doc FROM settled ORDER BY first")
        while True:
            with temporary_errors():
                row = cursor.fetchone()
            if row is None:
                return
            found = _read(row[0])
            joined = found.leaves[side]
            yield found.names, [joined[n : n + _LEAF] for n in range(0, len(joined), _LEAF)]


class InTurn:
    """Settled objects, given on where it is their turn by name among others.

    :param leaves: as :meth:`Settled.leaves` gives them.
    :param take: gets the hashes.
    """

    def __init__(
        self,
        leaves: Iterator[tuple[list[str], list[bytes]]],
        take: Callable[[Sequence[bytes]], None],
    ) -> None:
        self._leaves = leaves
        self._take = take
        self._ahead = next(leaves, None)

    def before(self, name: str) -> None:
        """Give those that come before a name."""
        while self._ahead is not None and self._ahead[0][0] < name:
            names, hashes = self._ahead
            place = bisect_left(names, name)
            self._take(hashes[:place])
            if place < len(names):
                self._ahead = names[place:], hashes[place:]
                return
            self._ahead = next(self._leaves, None)

    def rest(self) -> None:
        """Give all that are left."""
        while self._ahead is not None:
            self._take(self._ahead[1])
            self._ahead = next(self._leaves, None)
