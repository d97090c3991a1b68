"""Runs that write to a replica now, as its ledger says, and how long to wait for their news."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from airflow_multicloud.core.clocks import CLOCKS_DIFFER
from airflow_multicloud.core.ledger.commits import SILENT, Commit, OpenRun
from airflow_multicloud.core.replication.history import overlaps
from airflow_multicloud.text import printable

#: A run says in time what it has finished: after five seconds first, and then less and less often
#: as it goes on, but once a minute at least.
_FIRST, _SELDOM = timedelta(seconds=5), timedelta(minutes=1)
#: What a commit may take besides.
_SLACK = timedelta(seconds=10)
#: Seconds that are waited altogether, however much news there is.
_ALTOGETHER = 150.0


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """What waiting goes by; another one in tests."""

    now: Callable[[], datetime] = _now
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


SYSTEM = Clock()


def open_runs(commit: Commit, key: str, now: datetime) -> tuple[OpenRun, ...]:
    """Runs that have said that they write to a place, and were heard of in the last hours.

    :param key: a prefix, or one key.
    """
    return tuple(
        run
        for run in commit.open_runs
        if overlaps(run.prefix, key) and abs(now - run.seen) <= SILENT
    )


def unfinished(commit: Commit, key: str) -> str | None:
    """Why a place has not all objects yet: no replication has ever come to its end there.

    :param key: a prefix, or one key.
    """
    for run in commit.open_runs:
        whole = run.prefix == "" or run.prefix.endswith("/")
        looked = any(run.prefix.startswith(look.prefix) for look in commit.looks)
        if whole and not looked and overlaps(run.prefix, key):
            return f"the first replication to it has not ended: {run_text(run)}"
    return None


def run_text(run: OpenRun) -> str:
    """A run, for readers."""
    task = run.identity.task_id and f" ({run.identity.dag_id}.{run.identity.task_id})"
    since, seen = (moment.isoformat(timespec="seconds") for moment in (run.started, run.seen))
    return printable(f"run {run.identity.run_id}{task}, since {since}, heard of last at {seen}")


class Waiting:
    """Tells whether to go on waiting for news of runs."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = self._heard = clock.monotonic()

    def heard(self) -> None:
        """There was news."""
        self._heard = self._clock.monotonic()

    def over(self, runs: Iterable[OpenRun]) -> bool:
        """Whether no more news is due: a run was killed, or sends a large object."""
        at = self._clock.monotonic()
        due = max((_due(run, self._clock.now()) for run in runs), default=0.0)
        return at - self._heard >= due or at - self._began >= _ALTOGETHER


def _due(run: OpenRun, now: datetime) -> float:
    """Seconds in which a run says something."""
    due = min(_SELDOM, _FIRST + (run.seen - run.started) / 2) + _SLACK
    return due.total_seconds() if -CLOCKS_DIFFER <= now - run.seen <= due else 0.0
