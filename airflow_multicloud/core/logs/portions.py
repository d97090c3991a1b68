"""Entries in portions that fit into memory."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from airflow_multicloud.adapters.batches import dropped
from airflow_multicloud.adapters.tallies import Tally
from airflow_multicloud.core.deliveries import Portion
from airflow_multicloud.core.logs.records import Unread
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.logs import LogEntry

if TYPE_CHECKING:
    from airflow_multicloud.core.logs.querying import LogRow

#: About what one request takes in each cloud, so that what is lost with one is not much.
MOST_ENTRIES = 1000
MOST_CHARACTERS = 1 << 19
#: Bytes of a portion's digest: what a task remembers of a portion is not much longer.
_DIGEST = 9


def in_portions(found: Iterable[LogEntry | Unread]) -> Iterator[Portion[LogEntry]]:
    """The entries, at most :data:`MOST_ENTRIES` at a time, and so many characters.

    An entry that is longer is a portion of its own.
    """
    items: list[LogEntry] = []
    unread = Tally()
    bad = size = 0
    for one in found:
        if isinstance(one, Unread):
            unread.refuse(one.shown, dropped(ErrorKind.INVALID_ARGUMENT, one.reason))
            bad += 1
        else:
            if items and size + weight(one) > MOST_CHARACTERS:
                yield _portion(items, unread)
                items, unread, bad, size = [], Tally(), 0, 0
            items.append(one)
            size += weight(one)
        if len(items) + bad >= MOST_ENTRIES:
            yield _portion(items, unread)
            items, unread, bad, size = [], Tally(), 0, 0
    if items or bad:
        yield _portion(items, unread)


def _portion(items: list[LogEntry], unread: Tally) -> Portion[LogEntry]:
    whole = hashlib.sha256()
    for entry in items:
        whole.update((entry.insert_id or "").encode())
    digest = base64.b64encode(whole.digest()[:_DIGEST]).decode() if items else ""
    return Portion(items, unread.refusals, digest)


def weight(entry: LogEntry | LogRow) -> int:
    """About how many characters an entry has, or what was read of one."""
    return len(entry.message) + sum(len(n) + len(v) for n, v in entry.attributes.items())
