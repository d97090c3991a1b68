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
from types import TracebackType
from typing import Any, Self

import msgspec

from airflow_multicloud.core.heap import frozen_heap
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.replication import items
from airflow_multicloud.core.replication.items import Item
from airflow_multicloud.core.replication.temporary import temporary_errors
from airflow_multicloud.ports.object_store import Digests

_SCHEMA = """
CREATE TABLE listed (side INTEGER, name TEXT, size INTEGER, etag TEXT, version TEXT,
    modified REAL, crc32c TEXT, md5 TEXT, sha256 TEXT, attributes TEXT,
    declared TEXT,
    PRIMARY KEY (side, name)) WITHOUT ROWID;
CREATE TABLE known (side INTEGER, name TEXT, doc BLOB, PRIMARY KEY (side, name)) WITHOUT ROWID;
CREATE TABLE items (name TEXT PRIMARY KEY, size INTEGER, open INTEGER, doc BLOB) WITHOUT ROWID;
"""

_BATCH = 512

_write_entry = msgspec.msgpack.Encoder().encode
_read_entry = msgspec.msgpack.Decoder(Entry).decode

SOURCE = -1
"""The side of the source; destinations are 0, 1, …"""


class Listed(msgspec.Struct, frozen=True, array_like=True):
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


class Catalog:
    """Listings, what ledgers know, and items of one run; a context manager.

    While it is entered, collections leave out what was there before: :mod:`heap`.
    """

    def __init__(self) -> None:
        self._frozen = frozen_heap()
        with temporary_errors():
            self._db = sqlite3.connect("", isolation_level=None)
            self._db.executescript(_SCHEMA)
            self._db.execute("BEGIN")  # One transaction for all: nothing here outlives the run.

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
            "INSERT OR REPLACE INTO listed VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            (
                (
                    side,
                    o.name,
                    o.size,
                    o.etag,
                    o.version,
                    o.modified.timestamp(),
                    o.digests.crc32c,
                    o.digests.md5,
                    o.digests.sha256,
                    o.attributes,
                    o.declared,
                )
                for o in objects
            ),
        )

    def forget_listing(self, side: int) -> None:
        """Take back one side's listing: it did not come to its end."""
        self._put("DELETE FROM listed WHERE side=?", [(side,)])

    def listing(self, side: int) -> Iterator[Listed]:
        """One side's listing, by name in UTF-8 byte order."""
        return self._listed("SELECT * FROM listed WHERE side=? ORDER BY name", (side,))

    def count_listed(self, side: int) -> int:
        """How many objects one side has."""
        ((count,),) = self._ask("SELECT count(*) FROM listed WHERE side=?", (side,))
        return int(count)

    def extraneous(self, side: int) -> Iterator[Listed]:
        """What a destination has and the source has not, by name."""
        return self._listed(
            "SELECT d.* FROM listed d LEFT JOIN listed s ON s.side=? AND s.name=d.name "
            "WHERE d.side=? AND s.name IS NULL ORDER BY d.name",
            (SOURCE, side),
        )

    def add_known(self, side: int, entries: Iterable[tuple[str, Entry]]) -> None:
        """Store what a destination's ledger knows, by name; newer entries replace older ones."""
        self._put(
            "INSERT OR REPLACE INTO known VALUES (?,?,?)",
            ((side, name, _write_entry(entry)) for name, entry in entries),
        )

    def forget_known(self, side: int) -> None:
        """Take back what a destination's ledger knows: it turned out to be damaged."""
        self._put("DELETE FROM known WHERE side=?", [(side,)])

    def known(self, side: int) -> Iterator[tuple[str, Entry]]:
        """What a destination's ledger knows, by name in UTF-8 byte order."""
        for name, doc in self._ask(
            "SELECT name, doc FROM known WHERE side=? ORDER BY name", (side,)
        ):
            yield name, _read_entry(doc)

    def entry(self, side: int, name: str) -> Entry | None:
        """What a destination's ledger knows of one name."""
        for (doc,) in self._ask("SELECT doc FROM known WHERE side=? AND name=?", (side, name)):
            return _read_entry(doc)
        return None

    def known_elsewhere(self, side: int) -> Iterator[tuple[str, bool]]:
        """Names that a ledger knows and the source has not; whether the destination has them."""
        for name, there in self._ask(
            "SELECT k.name, d.name IS NOT NULL FROM known k "
            "LEFT JOIN listed s ON s.side=? AND s.name=k.name "
            "LEFT JOIN listed d ON d.side=k.side AND d.name=k.name "
            "WHERE k.side=? AND s.name IS NULL ORDER BY k.name",
            (SOURCE, side),
        ):
            yield name, bool(there)

    def passed_over(self, side: int) -> Iterator[Listed]:
        """What a ledger knows and the source has, and what does not take part."""
        return self._listed(
            "SELECT s.* FROM known k JOIN listed s ON s.side=? AND s.name=k.name "
            "LEFT JOIN items i ON i.name=k.name WHERE k.side=? AND i.name IS NULL ORDER BY s.name",
            (SOURCE, side),
        )

    def put_items(self, new: Iterable[Item]) -> None:
        """Add items, or replace their state."""
        self._put(
            "INSERT OR REPLACE INTO items VALUES (?,?,?,?)",
            ((i.name, i.size, len(i.open_replicas), items.dump(i)) for i in new),
        )

    def drop_items(self, names: Iterable[str]) -> None:
        """Take items out."""
        self._put("DELETE FROM items WHERE name=?", ((name,) for name in names))

    def items(self) -> Iterator[Item]:
        """Every item, by name in UTF-8 byte order."""
        return map(items.decoder.decode, self.lines())

    def lines(self) -> Iterator[bytes]:
        """Every item as :func:`items.dump` wrote it, by name in UTF-8 byte order."""
        for (doc,) in self._ask("SELECT doc FROM items ORDER BY name"):
            yield doc

    def open_items(self, *, larger_than: int = -1, up_to: int = (1 << 63) - 1) -> Iterator[Item]:
        """Items with something left to do, by size limits in bytes, by name.

        Items may be put while this is read: it reads ahead only within a batch, and never
        goes back.
        """
        after = ""
        while True:
            found = self._ask(
                "SELECT name, doc FROM items WHERE open > 0 AND size > ? AND size <= ? "
                "AND (name > ? OR ?) ORDER BY name LIMIT ?",
                (larger_than, up_to, after, after == "", _BATCH),
            )
            rows = list(found)
            yield from (items.decoder.decode(doc) for _, doc in rows)
            if len(rows) < _BATCH:
                return
            after = rows[-1][0]

    def work_left(self) -> tuple[int, int]:
        """How many items are open, and the bytes to be written for them."""
        query = "SELECT count(*), total(size * open) FROM items WHERE open > 0"
        ((count, size),) = self._ask(query)
        return int(count), int(size)

    def item(self, name: str) -> Item | None:
        """The item of this name."""
        for (doc,) in self._ask("SELECT doc FROM items WHERE name=?", (name,)):
            return items.decoder.decode(doc)
        return None

    def is_listed(self, side: int, name: str) -> bool:
        """Whether one side has an object of this name."""
        query = "SELECT 1 FROM listed WHERE side=? AND name=?"
        return next(self._ask(query, (side, name)), None) is not None

    def totals(self) -> tuple[int, int]:
        """How many items there are, and their bytes."""
        ((count, size),) = self._ask("SELECT count(*), total(size) FROM items")
        return int(count), int(size)

    def _put(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        with temporary_errors():
            self._db.executemany(statement, rows)

    def _ask(self, query: str, parameters: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        with temporary_errors():
            # Not "yield from", which would close the cursor: perhaps after the database.
            for row in self._db.execute(query, parameters):  # noqa: UP028
                yield row

    def _listed(self, query: str, parameters: tuple[int, ...]) -> Iterator[Listed]:
        for row in self._ask(query, parameters):
            _, name, size, etag, version, modified, crc32c, md5, sha256, attributes, declared = row
            yield Listed(
                name,
                size,
                etag,
                version,
                datetime.fromtimestamp(modified, UTC),
                Digests(crc32c=crc32c, md5=md5, sha256=sha256),
                attributes,
                declared,
            )
