"""What of a ledger is not needed any more: old commits, and segments that no commit names.

Each commit holds the whole state, so the newest one is all that a reader needs. Those before it are
what a ledger can be held against: a root that somebody noted, what another ledger has seen, the
state at an earlier run.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger import reading
from airflow_multicloud.core.ledger.names import COMMITS, SEGMENTS, number_of, segment_of
from airflow_multicloud.core.ledger.trust import KEPT
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectMeta

#: A segment is written just before the commit that names it. One that none names after so long was
#: left by a run that was killed, or by commits that are deleted.
_ABOUT_TO_BE_NAMED = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Which commits to keep.

    :param keep_commits: so many of the newest ones, and
    :param keep_days: all that were the newest one at any time in so many days; at least 30, as
        other ledgers and Airflow count on that.
    """

    keep_commits: int = 100
    keep_days: int = 90

    def __post_init__(self) -> None:
        """Refuse what would delete what is needed, naming the parameter."""
        if self.keep_commits < 1:
            raise StorageError(
                f"keep_commits: {self.keep_commits} given, expected at least 1",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        if self.keep_days < KEPT.days:
            raise StorageError(
                f"keep_days: {self.keep_days} given, expected at least {KEPT.days}: so long "
                "ledgers are held against commits that others have seen",
                kind=ErrorKind.INVALID_ARGUMENT,
            )


def old_commits(end: Endpoint, retention: Retention, now: datetime) -> list[ObjectMeta]:
    """The commits that need not be kept, the oldest first: deleted in this order they leave no gap.

    :param now: by the store's clock, more or less: it says when a commit was followed by another.
    """
    found = [meta for meta in end.objects(COMMITS) if number_of(meta.key) is not None]
    found.sort(key=lambda meta: meta.key)  # Counted down: the newest first.
    kept, since = retention.keep_commits, now - timedelta(days=retention.keep_days)
    while kept < len(found) and found[kept - 1].last_modified > since:
        kept += 1
    return found[: kept - 1 : -1]


def unnamed_segments(
    end: Endpoint, *, but: Collection[str], before: datetime, now: datetime
) -> list[ObjectMeta]:
    """The segments that no commit names.

    :param but: keys of commits that do not count.
    :param before: only what was written before this, and a day ago at least: a run may be about to
        name it.
    :raises StorageError: kind ``integrity`` or ``unsupported`` when a commit can't be read: it may
        name any of them.
    """
    before = min(before, now - _ABOUT_TO_BE_NAMED)
    found = {
        sha256: meta
        for meta in end.objects(SEGMENTS)
        if (sha256 := segment_of(meta.key)) is not None and meta.last_modified < before
    }
    if not found:
        return []
    for meta in list(end.objects(COMMITS)):  # Listed once the segments were: none is missed.
        number = number_of(meta.key)
        if number is None or meta.key in but:
            continue
        try:
            commit = reading.at(end, number).commit
        except CloudError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
            continue  # Deleted meanwhile, by another cleanup.
        for run in commit.segments:
            for ref in run:
                found.pop(ref.sha256, None)
        if not found:
            break
    return list(found.values())
