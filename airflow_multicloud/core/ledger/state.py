"""The state that a commit holds: the one before it, and what is new."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger import commits, looks, segments
from airflow_multicloud.core.ledger.commits import (
    Commit,
    Identity,
    Look,
    OpenRun,
    Sibling,
    SortedRun,
    Step,
)
from airflow_multicloud.core.ledger.entries import Entry


def no_look() -> None:
    """A run that has not ended says nothing of all that it was to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a commit is to say, but for the state that it follows on.

    :param look: tells what was found, at the end of a run; asked once all changes are gone through.
    :param siblings: the newest commits of the other replicas, as far as the run knows.
    """

    identity: Identity
    step: Step
    prefix: str
    source: str | None
    started: datetime
    deleted: int = 0
    why: str | None = None
    look: Callable[[], Look | None] = no_look
    siblings: tuple[Sibling, ...] = ()


def entries_after(
    end: Endpoint, state: Commit | None, found: Iterable[Entry]
) -> tuple[tuple[SortedRun, ...], tuple[Entry, ...]]:
    """The sorted runs and the newest entries, once these came to them."""
    runs = state.segments if state else ()
    before = state.recent if state else ()
    rest = iter(found)
    first = list(islice(rest, commits.MOST_RECENT + 1))
    recent = tuple(segments.newest([before, first]))
    if len(first) <= commits.MOST_RECENT and len(recent) <= commits.MOST_RECENT:
        return runs, recent if runs else tuple(one for one in recent if not one.removed)
    every = segments.newest([before, chain(first, rest)])
    fresh = segments.write(end, (one for one in every if runs or not one.removed))
    return segments.compacted(end, (*runs, fresh)), ()


def looks_after(
    state: Commit | None, draft: Draft, overtaken: Iterable[Entry] = ()
) -> tuple[Look, ...]:
    """What was looked at, once this was.

    :param overtaken: what the run has written over what a later one had found up to date.
    """
    known = state.looks if state else ()
    if (look := draft.look()) is not None:
        known = looks.with_look(known, look)
    for entry in overtaken:
        known = looks.moved_back(known, entry)
    return known


def open_runs_after(state: Commit | None, draft: Draft, now: datetime) -> tuple[OpenRun, ...]:
    """The runs under way: this one until its end, and others that are not silent for long."""
    identity = draft.identity
    open_runs = [
        run
        for run in (state.open_runs if state else ())
        if not _ends(draft, run)
        and not identity.is_later_try_of(run.identity)
        and abs(now - run.seen) <= commits.SILENT  # A forged one may be of the future.
    ]
    if draft.step in (Step.BEGIN, Step.PROGRESS):
        open_runs.append(OpenRun(identity, draft.prefix, draft.started, now))
    return tuple(open_runs)


def _ends(draft: Draft, run: OpenRun) -> bool:
    """Whether a commit speaks for an open run: at its end also for earlier tries of its name."""
    same = run.identity.token == draft.identity.token or draft.step is Step.END
    named = (run.identity.run_id, run.prefix) == (draft.identity.run_id, draft.prefix)
    return same and named


def siblings_after(state: Commit | None, draft: Draft) -> tuple[Sibling, ...]:
    """The newest known commit of each; a lower number than before is a finding, and no news."""
    known = {one.place: one for one in (state.siblings if state else ())}
    for one in draft.siblings:
        before = known.get(one.place)
        if before is None or one.number >= before.number:
            known[one.place] = one
    return tuple(sorted(known.values(), key=lambda one: one.place))


def why_not_read(line: bytes, size: int) -> str | None:
    """Why no reader would take a commit, if so; asked before it is written.

    :param size: bytes of its object.
    """
    if size > commits.LARGEST_COMMIT:
        return f"it would have {size} bytes, more than {commits.LARGEST_COMMIT}"
    try:
        commits.read(line)
    except ValueError as err:
        return str(err)
    return None
