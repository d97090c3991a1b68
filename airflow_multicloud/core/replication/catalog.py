"""The state of one run, kept outside Python's heap so that millions of objects fit.

SQLite with an unnamed database: it lives in SQLite's page cache and spills to an anonymous
temporary file, deleted by the operating system with the process, when the cache is full
(https://www.sqlite.org/inmemorydb.html, "Temporary Databases"). Rows are listings and item
states; object content never comes here. One thread uses a catalog. A full disk is told by
:mod:`temporary`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain, islice
from types import TracebackType
from typing import Any, Self

import msgspec

from airflow_multicloud.core.heap import frozen_heap
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.replication import items
from airflow_multicloud.core.replication.items import Item, Untouched
from airflow_multicloud.core.replication.settled import SCHEMA as SETTLED
from airflow_multicloud.core.replication.settled import Settled
from airflow_multicloud.core.replication.temporary import temporary_errors
from airflow_multicloud.ports.object_store import Digests

# Documents are msgpack: written and read at a third of what a column for each field costs. An item
# without one is an object that is untouched. Pages of this size take rows a fifth faster.
_SCHEMA = (
    """
PRAGMA page_size = 16384;
CREATE TABLE listed (side INTEGER, name TEXT, doc BLOB, PRIMARY KEY (side, name)) WITHOUT ROWID;
CREATE TABLE known (side INTEGER, name TEXT, doc BLOB, PRIMARY KEY (side, name)) WITHOUT ROWID;
CREATE TABLE items (name TEXT PRIMARY KEY, size INTEGER, open INTEGER, modified REAL, doc BLOB)
    WITHOUT ROWID;
"""
    + SETTLED
)

_BATCH = 512
_LARGEST = (1 << 63) - 1

SOURCE = -1
"""The side of the source; destinations are 0, 1, …"""


class Listed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One object as a listing shows it.

    :param name: its key below the prefix.
    :param attributes: their fingerprint, where the listing tells them and they are looked at.
    :param declared: an MD5 that whoever wrote it may have made up.
    """

    name: str
    size: int
    etag: str
    version: str | None
    modified: datetime
    digests: Digests
    attributes: str | None = None
    declared: str | None = None


_write = msgspec.msgpack.Encoder().encode
_read_listed = msgspec.msgpack.Decoder(Listed).decode
_read_entry = msgspec.msgpack.Decoder(Entry).decode


class Rest(msgspec.Struct, frozen=True, gc=False):
    """A name of which more is to be said at a destination than that it is untouched.

    :param item: what became of it; ``None``: it does not take part, and the ledger knows it.
    :param listed: what the source has of it, when it does not take part.
    :param there: whether the destination has it, when the source has not.
    """

    name: str
    item: Item | None
    listed: Listed | None = None
    there: bool = False


class Catalog:
    """Listings, what ledgers know, and items of one run; a context manager.

    While it is entered, collections leave out what was there before: :mod:`heap`.

    :ivar settled: objects that are untouched, and of which nothing else is here.
    """

    def __init__(self) -> None:
        self._frozen = frozen_heap()
        with temporary_errors():
            self._db = sqlite3.connect("", isolation_level=None)
            self._db.executescript(_SCHEMA)
            self._db.execute("BEGIN")  # One transaction for all: nothing here outlives the run.
        self.settled = Settled(self._db)

    def __enter__(self) -> Self:
        self._frozen.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._db.close()
        self._frozen.__exit__(kind, err, tb)

    def add_listing(self, side: int, objects: Iterable[Listed]) -> None:
        """Store one side's listing."""
        self._put(
            "INSERT OR REPLACE INTO listed VALUES (?,?,?)",
            ((side, one.name, _write(one)) for one in objects),
        )

    def forget_listing(self, side: int) -> None:
        """Take back one side's listing: it did not come to its end."""
        self._put("DELETE FROM listed WHERE side=?", [(side,)])

    def forget(self) -> None:
        """Take back all listings, and all that ledgers know."""
        self._put("DELETE FROM listed", [()])
        self._put("DELETE FROM known", [()])
        self.settled.forget()

    def listing(self, side: int) -> Iterator[Listed]:
        """One side's listing, by name in UTF-8 byte order."""
        return self._listed("SELECT doc FROM listed WHERE side=? ORDER BY name", (side,))

    def count_listed(self, side: int) -> int:
        """How many objects one side has."""
        ((count,),) = self._ask("SELECT count(*) FROM listed WHERE side=?", (side,))
        return int(count)

    def extraneous(self, side: int) -> Iterator[Listed]:
        """What a destination has and the source has not, by name."""
        return self._listed(
            "SELECT d.doc FROM listed d LEFT JOIN listed s ON s.side=? AND s.name=d.name "
            "WHERE d.side=? AND s.name IS NULL ORDER BY d.name",
            (SOURCE, side),
        )

    def add_known(self, side: int, entries: Iterable[tuple[str, Entry]]) -> None:
        """Store what a destination's ledger knows, by name; newer entries replace older ones."""
        self._put(
            "INSERT OR REPLACE INTO known VALUES (?,?,?)",
            ((side, name, _write(entry)) for name, entry in entries),
        )

    def forget_known(self, side: int) -> None:
        """Take back what a destination's ledger knows: it turned out to be damaged."""
        self._put("DELETE FROM known WHERE side=?", [(side,)])

    def known(self, side: int) -> Iterator[tuple[str, Entry]]:
        """What a destination's ledger knows, by name in UTF-8 byte order."""
        query = "SELECT name, doc FROM known WHERE side=? ORDER BY name"
        for rows in self._batches(query, (side,)):
            yield from [(name, _read_entry(doc)) for name, doc in rows]

    def entry(self, side: int, name: str) -> Entry | None:
        """What a destination's ledger knows of one name."""
        for (doc,) in self._ask("SELECT doc FROM known WHERE side=? AND name=?", (side, name)):
            return _read_entry(doc)
        return None

    def rest(self, side: int) -> Iterator[Rest]:
        """What a ledger may have more to say of than it says, by name.

        That is every item that is not untouched, and each name that the ledger knows and that is no
        item: the source does not have it, or it does not take part.
        """
        for name, item, listed, there in self._ask(
            "SELECT name, doc, NULL, 0 FROM items WHERE doc IS NOT NULL UNION ALL "
            "SELECT k.name, NULL, s.doc, d.name IS NOT NULL FROM known k "
            "LEFT JOIN items i ON i.name=k.name "
            "LEFT JOIN listed s ON s.side=? AND s.name=k.name "
            "LEFT JOIN listed d ON d.side=k.side AND d.name=k.name "
            "WHERE k.side=? AND i.name IS NULL ORDER BY 1",
            (SOURCE, side),
        ):
            yield Rest(
                name,
                items.decoder.decode(item) if item else None,
                _read_listed(listed) if listed else None,
                bool(there),
            )

    def put_items(self, new: Iterable[Item | Listed]) -> None:
        """Add items, or replace their state; what is only listed is :class:`Untouched`."""
        self._put("INSERT OR REPLACE INTO items VALUES (?,?,?,?,?)", map(_row, new))

    def drop_items(self, names: Iterable[str]) -> None:
        """Take items out."""
        self._put("DELETE FROM items WHERE name=?", ((name,) for name in names))

    def items(self) -> Iterator[Item]:
        """Every item that is not untouched, by name in UTF-8 byte order."""
        for (doc,) in self._ask("SELECT doc FROM items WHERE doc IS NOT NULL ORDER BY name"):
            yield items.decoder.decode(doc)

    def items_as_they_are(self) -> Iterator[Item]:
        """The same; items may be put meanwhile, and are read as they are when it comes to them."""
        yield from self._in_steps("doc IS NOT NULL", ())

    def untouched(self) -> Untouched:
        """The items that are untouched, in numbers."""
        query = "SELECT count(*), total(size), max(modified) FROM items WHERE doc IS NULL"
        ((count, size, newest),) = self._ask(query)
        return self.settled.numbers.and_also(
            int(count), int(size), datetime.fromtimestamp(newest, UTC) if count else None
        )

    def open_items(self, *, larger_than: int = -1, up_to: int = _LARGEST) -> Iterator[Item]:
        """Items with something left to do, by size limits in bytes, by name.

        Items may be put while this is read: it reads ahead only within a batch, and never
        goes back.
        """
        yield from self._in_steps("open > 0 AND size > ? AND size <= ?", (larger_than, up_to))

    def _in_steps(self, which: str, values: tuple[int, ...]) -> Iterator[Item]:
        # A comparison of its own for the first step: with OR, each step would walk over all names.
        beyond, after = ">=", ""
        while True:
            query = (
                f"SELECT name, doc FROM items WHERE {which} "  # noqa: S608 - no value of others
                f"AND name {beyond} ? ORDER BY name LIMIT ?"
            )
            rows = list(self._ask(query, (*values, after, _BATCH)))
            yield from (items.decoder.decode(doc) for _, doc in rows)
            if len(rows) < _BATCH:
                return
            beyond, after = ">", rows[-1][0]

    def work_left(self) -> tuple[int, int]:
        """How many items are open, and the bytes to be written for them."""
        query = "SELECT count(*), total(size * open) FROM items WHERE open > 0"
        ((count, size),) = self._ask(query)
        return int(count), int(size)

    def item(self, name: str) -> Item | None:
        """The item of this name, if it is not untouched."""
        query = "SELECT doc FROM items WHERE name=? AND doc IS NOT NULL"
        for (doc,) in self._ask(query, (name,)):
            return items.decoder.decode(doc)
        return None

    def is_untouched(self, name: str) -> bool:
        """Whether an item is untouched."""
        query = "SELECT 1 FROM items WHERE name=? AND doc IS NULL"
        return next(self._ask(query, (name,)), None) is not None or name in self.settled

    def is_listed(self, side: int, name: str) -> bool:
        """Whether one side has an object of this name."""
        query = "SELECT 1 FROM listed WHERE side=? AND name=?"
        return next(self._ask(query, (side, name)), None) is not None

    def totals(self) -> tuple[int, int]:
        """How many items there are, and their bytes."""
        ((count, size),) = self._ask("SELECT count(*), total(size) FROM items")
        settled = self.settled.numbers
        return settled.objects + int(count), settled.bytes + int(size)

    # In batches, one step after the other: a step for each row in turn takes half as long again, as
    # each pushes the others out of the processor's caches.

    def _put(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        rest = iter(rows)
        with temporary_errors():
            while batch := list(islice(rest, _BATCH)):
                self._db.executemany(statement, batch)

    def _batches(
        self, query: str, parameters: tuple[Any, ...] = ()
    ) -> Iterator[list[tuple[Any, ...]]]:
        with temporary_errors():
            cursor = self._db.execute(query, parameters)
            rows = cursor.fetchmany(_BATCH)
        while rows:
            yield rows
            with temporary_errors():
                rows = cursor.fetchmany(_BATCH)

    def _ask(self, query: str, parameters: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        return chain.from_iterable(self._batches(query, parameters))

    def _listed(self, query: str, parameters: tuple[int, ...]) -> Iterator[Listed]:
        for rows in self._batches(query, parameters):
            yield from [_read_listed(doc) for (doc,) in rows]


def _row(new: Item | Listed) -> tuple[Any, ...]:
    if isinstance(new, Listed):
        return new.name, new.size, 0, new.modified.timestamp(), None
    open_ = sum(one.outcome is None for one in new.replicas)
    return new.name, new.size, open_, None, items.dump(new)
