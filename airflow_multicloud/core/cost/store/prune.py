"""Removing what no snapshot needs any more.

Readers are not told apart from anybody else, so nothing is taken from under them: a snapshot that
was current within the last day stays, with all of its files, however few are to be kept. A reader
opens its files within a day of looking which snapshot is current, and a run makes its new files
part of one within a day.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from airflow_multicloud.core.cost.store.current import load, read_snapshot
from airflow_multicloud.core.cost.store.files import Files
from airflow_multicloud.core.cost.store.names import made_at, sequence_of
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import CostAnalysisError, ErrorKind

_log = logging.getLogger(__name__)

#: Files younger than this may belong to a run that has not swapped the pointer yet, and a
#: snapshot that was replaced more lately may have readers.
GRACE = timedelta(days=1)


@operation("cost.prune_store")
def prune(files: Files, *, keep: int, now: datetime) -> tuple[str, ...]:
    """Delete snapshots before the last ``keep``, and files that no kept snapshot names.

    What a crashed run left goes the same way; files that are none of the store's stay. While a
    snapshot that is to be kept can't be read, nobody knows which files it names, and all stay but
    snapshots; that is logged. Returns the names deleted.
    """
    current = load(files)
    if current.pointer is None:
        return ()
    names = sorted(files.names())
    # The sequence number leads the name. A snapshot that lost its swap, or whose run crashed
    # before it, has the number of the one that won; of the current number only that is kept.
    snapshots = [name for name in names if name.startswith("snapshots/")]
    newest = current.snapshot.sequence
    replaced = {sequence_of(n) - 1 for n in snapshots if not _old(n, now)}
    kept = {
        n
        for n in snapshots
        if sequence_of(n) < newest
        and (sequence_of(n) > newest - keep or sequence_of(n) in replaced)
    }
    kept.add(current.pointer.snapshot)
    needed = kept | _named_by(files, kept, names)
    doomed = [n for n in names if n not in needed and _old(n, now)]
    # Snapshots first: one that is there must never name files that are not.
    doomed.sort(key=lambda n: not n.startswith("snapshots/"))
    for name in doomed:
        files.remove(name)
    files.sweep(now - GRACE)
    return tuple(doomed)


def _named_by(files: Files, snapshots: set[str], names: list[str]) -> set[str]:
    named: set[str] = set()
    for snapshot in sorted(snapshots):
        try:
            named |= read_snapshot(files, snapshot).files()
        except CostAnalysisError as err:
            if err.kind not in {ErrorKind.INTEGRITY, ErrorKind.UNSUPPORTED}:
                raise
            _log.warning(
                "Only snapshots are pruned: which files the earlier snapshot %s needs can't be "
                "known (%s). It goes itself when it is no longer among those to be kept",
                snapshot,
                err,
            )
            named.update(n for n in names if not n.startswith("snapshots/"))
    return named


def _old(name: str, now: datetime) -> bool:
    made = made_at(name)
    return made is not None and now - made > GRACE
