"""Whose the objects are that a replica holds of other sources than the one that is looked at."""

from __future__ import annotations

from collections.abc import Iterable

from airflow_multicloud.core.ledger import selections
from airflow_multicloud.core.ledger.commits import Look
from airflow_multicloud.core.ledger.entries import Entry


def strange(entry: Entry, origin: str) -> tuple[str, ...]:
    """The URIs of another source's objects that a replica has, or should have, under one key.

    :param origin: the URI that the source would have the object under.
    """
    if not entry.owed:
        return ()
    about = (entry.proof, entry.behind)
    uris = (one.origin.uri for one in about if one is not None)
    return tuple(uri for uri in uris if uri != origin and not uri.startswith("file:"))


class Strangers:
    """Tells which looks at other sources still vouch for an object.

    :param seen: the looks in the ledger that the entries are from.
    """

    def __init__(self, seen: Iterable[Look]) -> None:
        self._empty: dict[tuple[str, str], list[Look]] = {}
        for look in seen:
            self._empty.setdefault((look.prefix, look.source), []).append(look)
        self._lengths = {len(prefix) for prefix, _ in self._empty}

    def add(self, key: str, uri: str) -> None:
        """Take in an object of another source; its looks have it by the name it has there."""
        for length in self._lengths:
            name = key[length:]
            if len(key) < length or not uri.endswith(name):
                continue
            place = key[:length], uri.removesuffix(name)
            if place not in self._empty:
                continue
            rest = [one for one in self._empty[place] if not selections.admits(one.selection, name)]
            self._empty[place] = rest
            if not rest:
                del self._empty[place]

    def stay_of(self, look: Look) -> bool:
        """Whether there may be objects of a look: one that came later is not known here."""
        there = self._empty.get((look.prefix, look.source), ())
        return all(
            (one.selection, one.finished) != (look.selection, look.finished) for one in there
        )
