"""Removing what no snapshot needs any more."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from airflow_multicloud.core.cost.store.current import load
from airflow_multicloud.core.cost.store.files import Files
from airflow_multicloud.core.cost.store.snapshot import Snapshot

#: Files younger than this may belong to a run that has not swapped the pointer yet.
GRACE = timedelta(days=1)

_MADE = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{8}")


def prune(files: Files, *, keep: int, now: datetime) -> tuple[str, ...]:
    """Delete snapshots before the last ``keep``, and files that no kept snapshot names.

    What a crashed run left goes the same way. Returns the names deleted.
    """
    current = load(files)
    if current.pointer is None:
        return ()
    names = sorted(files.names())
    # The sequence number leads the name. A snapshot that lost its swap, or whose run crashed
    # before it, has the number of the one that won; of the current number only that is kept.
    snapshots = [name for name in names if name.startswith("snapshots/")]
    newest = current.snapshot.sequence
    kept = {n for n in snapshots if newest - keep < _sequence(n) < newest}
    kept.add(current.pointer.snapshot)
    needed = set(kept)
    for name, path in zip(sorted(kept), files.local(sorted(kept)), strict=True):
        needed |= Snapshot.from_json(path.read_bytes(), name).files()
    doomed = [n for n in names if n not in needed and _old(n, now)]
    # Snapshots first: one that is there must never name files that are not.
    doomed.sort(key=lambda n: not n.startswith("snapshots/"))
    for name in doomed:
        files.remove(name)
    files.sweep(now - GRACE)
    return tuple(doomed)


def _sequence(name: str) -> int:
    return int(name.removeprefix("snapshots/").partition("-")[0])


def _old(name: str, now: datetime) -> bool:
    made = _MADE.search(name)
    if made is None:
        return False  # none of the store's own
    return now - datetime.strptime(made[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) > GRACE
