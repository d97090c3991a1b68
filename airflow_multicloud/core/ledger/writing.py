"""Commits are made: one after the other, whoever makes them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from airflow_multicloud.core import cancellation, records
from airflow_multicloud.core.endpoints import Endpoint, has_capability
from airflow_multicloud.core.ledger import commits, looks, merging, reading, segments
from airflow_multicloud.core.ledger.base import Base, base_of
from airflow_multicloud.core.ledger.commits import Commit
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.ledger.losses import Losses
from airflow_multicloud.core.ledger.merging import Known, Merging
from airflow_multicloud.core.ledger.names import LAST_COMMIT, commit_key, place_of
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.core.ledger.state import (
    Draft,
    Effects,
    entries_after,
    looks_after,
    losses_after,
    open_runs_after,
    siblings_after,
    why_not_read,
)
from airflow_multicloud.core.streams import PERHAPS_OURS, put_stream
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    ConditionalWrites,
    ConditionKind,
    ObjectAttributes,
    WriteOptions,
)

#: How often another writer may be faster. With hundreds of tasks that end at once each needs some
#: tens.
_TRIES = 200
#: Seconds that are waited at most before the next try.
_LONGEST_WAIT = 2.0
_LINES = ObjectAttributes(content_type="application/x-ndjson")

#: Makes the second line of a commit's object from the commit and its root.
Sign = Callable[[Commit, str], bytes]

#: Gives entries that are new or changed, by key; called again for another try.
Changes = Callable[[], Iterable[Entry]]


def commit(
    end: Endpoint,
    draft: Draft,
    changes: Changes,
    *,
    base: Base,
    known: Known,
    sign: Sign | None = None,
) -> Base:
    """Write the next commit; whoever was faster is read, and what both changed is looked at.

    :param base: the newest commit that the run knows.
    :param known: what the run went by: an entry that is another one by now was changed by others.
    :return: the commit that was made, to go on from.
    :raises StorageError: kind ``busy`` when others are faster for too long; ``integrity`` when the
        numbers are used up, as only a forged commit can do; what ``base`` was refused with.
    """
    if base.refused is not None:
        raise base.refused
    now = base
    for number in range(_TRIES):
        if number:
            time.sleep(random.uniform(0, min(_LONGEST_WAIT, 0.02 * 1.5**number)))  # noqa: S311
            cancellation.check()
            now = base_of(end).without(base.lost, base.partly)
        now = now.to_write_on()
        alone = base.alone and now.number == base.number
        damaged = now.damaged or (base.damaged if now.number == base.number else None)
        head = None if damaged else now.head
        losses = Losses(
            head.commit.looks if head else (), draft.prefix, draft.source, draft.started
        )
        if alone or head is None:
            found, merged = losses.watched(changes(), known), None
        else:
            emptied = _emptied(head.commit, draft.prefix, base.since)
            merged = Merging(end, head, draft.prefix, known, emptied, losses, draft.started)
            found = merged.changes(changes())
        dropped = max(base.dropped, int(base.is_lost(head)))
        so_far = Effects(losses, merged, base.since, dropped)
        made = _made(end, draft, found, so_far, now=now, damaged=damaged, sign=sign)
        if made is not None:
            last = made.commit.number
            return Base(made, last, alone=alone, began=base.since, dropped=so_far.dropped)
    raise StorageError(
        f"{end.location}: its ledger could not be written to, as others were faster {_TRIES} times",
        kind=ErrorKind.BUSY,
        cloud=end.cloud,
    )


def _emptied(state: Commit, prefix: str, since: int) -> list[str]:
    """Where a run has deleted or replaced objects of others after a commit."""
    near = (loss.prefix for loss in state.losses if loss.number > since)
    return [one for one in near if looks.is_near(one, prefix)]


def _made(
    end: Endpoint,
    draft: Draft,
    changes: Iterable[Entry],
    effects: Effects,
    *,
    now: Base,
    damaged: str | None,
    sign: Sign | None,
) -> Head | None:
    """The commit, or ``None`` when another one has its number."""
    if now.number >= LAST_COMMIT:
        raise records.damaged(end, commit_key(now.number), "no number is left for a next commit")
    state = now.head.commit if now.head and not damaged else None
    number = now.number + 1
    found = _Counted(changes)
    runs, recent = entries_after(end, state, found)
    made_at = datetime.now(UTC)
    this = Commit(
        format=commits.FORMAT,
        version=commits.VERSION,
        number=number,
        place=place_of(end),
        made_at=made_at,
        identity=draft.identity,
        step=draft.step,
        previous=now.head.mark if now.head else None,
        prefix=draft.prefix,
        source=draft.source,
        started=draft.started,
        changed=found.count,
        deleted=draft.deleted,
        restarted=f"{damaged}"[:2000] if damaged else None,
        why=None if damaged else now.partly and now.partly[:2000],
        looks=looks_after(state, draft, effects),
        open_runs=open_runs_after(state, draft, made_at),
        siblings=siblings_after(state, draft),
        losses=losses_after(state, draft, number, effects),
        mended=number if damaged or now.partly else state.mended if state else 0,
        segments=runs,
        recent=recent,
    )
    return _put(end, this, sign)


def _put(end: Endpoint, this: Commit, sign: Sign | None) -> Head | None:
    line = commits.write(this)
    root = commits.root_of(line)
    signature = sign(this, root) if sign else None
    body = line + b"\n" + (signature + b"\n" if signature else b"")
    key = commit_key(this.number)
    if why := why_not_read(line, len(body)):
        raise StorageError(
            f"{end.location}: its ledger can't take this commit: {why}",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=end.cloud,
        )
    guarded = is_guarded(end)
    if not guarded and merging.stat(end, key) is not None:
        return None
    options = WriteOptions(attributes=_LINES, condition=end.condition(None))
    try:
        put_stream(end, key, [body], options, part_size=segments.largest_put(end))
    except CloudError as err:
        if err.kind not in PERHAPS_OURS or err.kind is ErrorKind.NOT_FOUND:
            raise
        guarded = False  # A repeated request may have met its own object.
    if not guarded and _root_at(end, this.number) != root:
        return None
    return Head(end, this, root, signature)


def _root_at(end: Endpoint, number: int) -> str | None:
    try:
        return reading.at(end, number).root
    except CloudError as err:
        if err.kind in (ErrorKind.INTEGRITY, ErrorKind.UNSUPPORTED, ErrorKind.NOT_FOUND):
            return None
        raise


def is_guarded(end: Endpoint) -> bool:
    """Whether the store writes an object only if it is absent: no two commits have one number.

    Where it does not, two runs at once may overwrite each other's commits; the one that looked last
    is kept, and what the other said is found out again by the next run.
    """
    return (
        has_capability(end.store, ConditionalWrites)
        and ConditionKind.ABSENT in end.store.write_conditions
    )


class _Counted:
    """Entries that are counted as they pass."""

    def __init__(self, found: Iterable[Entry]) -> None:
        self._found = iter(found)
        self.count = 0

    def __iter__(self) -> Iterator[Entry]:
        for entry in self._found:
            self.count += 1
            yield entry
