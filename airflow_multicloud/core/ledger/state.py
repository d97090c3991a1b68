"""The state that a commit holds: the one before it, and what is new."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice

from msgspec.structs import replace

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger import commits, looks, segments
from airflow_multicloud.core.ledger.commits import (
    Commit,
    Identity,
    Look,
    Loss,
    OpenRun,
    Sibling,
    Step,
)
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.ledger.losses import Losses, is_same, with_loss
from airflow_multicloud.core.ledger.merging import Merging
from airflow_multicloud.core.ledger.refs import SortedRun


def no_look() -> None:
    """A run that has not ended says nothing of all that it was to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a commit is to say, but for the state that it follows on.

    :param look: tells what was found, at the end of a run; asked once all changes are gone through.
    :param stays: likewise, whether there may be objects that only an older look at another source
        tells of.
    :param siblings: the newest commits of the other replicas, as far as the run knows.
    """

    identity: Identity
    step: Step
    prefix: str
    source: str | None
    started: datetime
    deleted: int = 0
    look: Callable[[], Look | None] = no_look
    stays: Callable[[Look], bool] = looks.may_stay
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


@dataclass(frozen=True, slots=True)
class Effects:
    """What the changes of a commit mean for looks; known once all are gone through.

    :param merged: what came of merging with what others have committed, if they have.
    :param since: the newest commit when the run began.
    :param earlier: as :attr:`dropped`, by the commits of the run before this one.
    """

    losses: Losses
    merged: Merging | None
    since: int
    earlier: int = 0

    @property
    def dropped(self) -> int:
        """How many objects that the run has written others have deleted or replaced since."""
        return self.earlier + (self.merged.dropped if self.merged else 0)


def looks_after(state: Commit | None, draft: Draft, effects: Effects) -> tuple[Look, ...]:
    """What was looked at, once this was."""
    known = effects.losses.looks()
    if (look := draft.look()) is not None:
        # What others take from a run that has not had its look yet is counted here.
        displaced = max(effects.dropped, int(_others_took(state, look, effects.since)))
        known = looks.with_look(known, replace(look, displaced=displaced), draft.stays)
    for entry in effects.merged.overtaken if effects.merged else ():
        known = looks.moved_back(known, entry)
    return known


def _others_took(state: Commit | None, look: Look, since: int) -> bool:
    """Whether a run of another source has taken objects where a look was, after a commit."""
    return any(
        loss.taken
        and loss.number > since
        and looks.is_near(loss.prefix, look.prefix)
        and not is_same(loss.prefix, loss.source, look.prefix, look.source)
        for loss in (state.losses if state else ())
    )


def losses_after(
    state: Commit | None, draft: Draft, number: int, effects: Effects
) -> tuple[Loss, ...]:
    """Where objects were deleted, or taken from others, and by which commit.

    :param number: of the commit that is made.
    """
    known = state.losses if state else ()
    if draft.deleted or effects.losses:
        return with_loss(known, Loss(draft.prefix, draft.source, number, effects.losses.taken))
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
