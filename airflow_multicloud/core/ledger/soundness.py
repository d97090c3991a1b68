"""What must be so in a commit beside the form of its fields."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_multicloud.core.ledger import entries

if TYPE_CHECKING:
    from airflow_multicloud.core.ledger.commits import Commit, Look

#: Globs in all looks together, and their characters; whoever commits forgets looks before.
GLOBS = 10_000
GLOB_TEXT = 1 << 20


def globs_of(look: Look) -> tuple[str, ...]:
    """What a look's names have to match, or not to."""
    return (*look.selection.include, *look.selection.exclude)


def check(commit: Commit) -> None:
    """Refuse a commit that contradicts itself.

    :raises ValueError: for the first thing that is wrong; ``OverflowError`` for no time in UTC.
    """
    previous = commit.previous
    if previous is not None and previous.number >= commit.number:
        raise ValueError(f"commit {commit.number} follows on {previous.number}")
    for moment in _times(commit):
        if moment is not None:
            moment.astimezone(UTC)  # fails for what is no time in UTC
    if any(loss.number > commit.number for loss in commit.losses):
        raise ValueError("a loss is by a commit that is still to come")
    if commit.mended > commit.number:
        raise ValueError("it was mended by a commit that is still to come")
    _check_globs(commit.looks)
    for entry in commit.recent:
        entries.check(entry)
    if any(left.key >= right.key for left, right in itertools.pairwise(commit.recent)):
        raise ValueError("the keys of 'recent' are out of order")
    for run in commit.segments:
        # No key is in two of them: it would count twice.
        follow = all(left.last < right.first for left, right in itertools.pairwise(run))
        if not follow or any(ref.first > ref.last for ref in run):
            raise ValueError("the segments of a run are out of order")


def _check_globs(looks: Sequence[Look]) -> None:
    globs = [glob for look in looks for glob in globs_of(look)]
    if len(globs) > GLOBS or sum(map(len, globs)) > GLOB_TEXT:
        raise ValueError(
            f"its looks have more than {GLOBS} globs, or more than {GLOB_TEXT} characters of globs"
        )


def _times(commit: Commit) -> Iterator[datetime | None]:
    yield from (commit.made_at, commit.started)
    for look in commit.looks:
        yield from (look.as_of, look.started, look.finished, look.since, look.newest)
    for run in commit.open_runs:
        yield from (run.started, run.seen)
    for one in commit.siblings:
        yield one.seen
