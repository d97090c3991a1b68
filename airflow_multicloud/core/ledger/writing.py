"""Commits are made: one after the other, whoever makes them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from airflow_multicloud.core import cancellation, records
from airflow_multicloud.core.endpoints import Endpoint, has_capability
from airflow_multicloud.core.ledger import commits, mending, merging, reading, segments
from airflow_multicloud.core.ledger.commits import Commit, Look
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.ledger.losses import Losses, is_near
from airflow_multicloud.core.ledger.merging import Known, Merging
from airflow_multicloud.core.ledger.names import LAST_COMMIT, commit_key, place_of
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.core.ledger.refs import SegmentRef
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


@dataclass(frozen=True, slots=True)
class Base:
    """What a run goes by: the newest commit when it began, or that it can't be read.

    :param number: of the newest commit, readable or not.
    :param damaged: why what is there counts for nothing.
    :param alone: whether nobody else has committed since the run began.
    :param refused: why nothing can be written: by another release, or out of reach.
    :param lost: segments that can't be read, and
    :param partly: what that means: the rest of what is there still counts.
    :param began: the number of the newest commit when the run began; ``None``: it is this one.
    :param dropped: how many objects that the run has written were deleted or replaced by others
        before it could say so.
    """

    head: Head | None = None
    number: int = 0
    damaged: str | None = None
    alone: bool = True
    refused: CloudError | None = None
    lost: tuple[SegmentRef, ...] = ()
    partly: str | None = None
    began: int | None = None
    dropped: int = 0

    @property
    def since(self) -> int:
        """The newest commit when the run began."""
        return self.number if self.began is None else self.began

    def without_state(self, why: str) -> Base:
        """The same, once its state turned out to be unreadable."""
        return Base(self.head, self.number, why)

    def without_unreadable(self, prefix: str, why: str) -> Base:
        """The same, once some of what it says below a prefix turned out to be unreadable.

        What else it says still counts; nothing does if all of it can be read, and is no ledger.
        """
        lost = mending.unreadable(self.head, prefix) if self.head else ()
        return self.without(lost, mending.text(lost, why)) if lost else self.without_state(why)

    def without(self, lost: tuple[SegmentRef, ...], why: str | None) -> Base:
        """The same without some segments, as far as it has them."""
        head = mending.mended(self.head, lost) if self.head and lost else self.head
        return self if head is self.head else replace(self, head=head, lost=lost, partly=why)

    @property
    def looks(self) -> tuple[Look, ...]:
        """What was looked at, and when."""
        return self.head.commit.looks if self.head and not self.damaged else ()

    def entries(self, prefix: str, *, least: str = "", most: str | None = None) -> Iterator[Entry]:
        """What is known below a prefix, from one key to another."""
        if self.head is None or self.damaged:
            return iter(())
        return self.head.entries(prefix, least=least, most=most)

    def entry(self, key: str) -> Entry | None:
        """What is known of one key."""
        return self.head.entry(key) if self.head and not self.damaged else None


def base_of(end: Endpoint) -> Base:
    """The newest commit.

    One that is damaged is no error here: what it said is then found out again.

    :raises StorageError: kind ``unsupported`` when another release wrote it.
    """
    try:
        head = reading.newest(end)
    except CloudError as err:
        if err.kind is not ErrorKind.INTEGRITY:
            raise
        return Base(None, next(reading.numbers(end), 0), str(err))
    return Base(head, head.commit.number if head else 0)


def base_or_refusal(end: Endpoint) -> Base:
    """The newest commit, or why none can follow: by another release, or out of reach."""
    try:
        return base_of(end)
    except CloudError as err:
        if err.kind is not ErrorKind.UNSUPPORTED and not err.kind.is_outage:
            raise
        return Base(refused=err)


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
            merged = Merging(end, head, draft.prefix, known, emptied, losses)
            found = merged.changes(changes())
        so_far = Effects(losses, merged, base.since, base.dropped)
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
    return [one for one in near if is_near(one, prefix)]


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
    found = _Counted(changes)
    runs, recent = entries_after(end, state, found)
    made_at = datetime.now(UTC)
    this = Commit(
        format=commits.FORMAT,
        version=commits.VERSION,
        number=now.number + 1,
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
        losses=losses_after(state, draft, now.number + 1, effects),
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
