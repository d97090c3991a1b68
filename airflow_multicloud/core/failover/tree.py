"""Fetch a whole prefix: every object from the first candidate that can be trusted with it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from airflow_multicloud.core import cancellation, telemetry
from airflow_multicloud.core.failover.ages import Ages
from airflow_multicloud.core.failover.candidates import Candidate
from airflow_multicloud.core.failover.copies import Copies, Copy
from airflow_multicloud.core.failover.fetch import serve
from airflow_multicloud.core.failover.moments import Moments
from airflow_multicloud.core.failover.naming import Naming, left_of, names_of
from airflow_multicloud.core.failover.policy import OUTAGES, FailoverPolicy
from airflow_multicloud.core.failover.provenance import (
    Attempt,
    FailoverError,
    Provenance,
    TreeProvenance,
)
from airflow_multicloud.core.failover.tally import Tally
from airflow_multicloud.core.failover.targets import Target, TargetError, UnfitError
from airflow_multicloud.core.replication.progress import Progress
from airflow_multicloud.errors import ErrorKind

#: How often in a row a candidate may be overtaken before it is tried last.
_SLOW = 2


def fetch_tree(
    candidates: Sequence[Candidate],
    target: Target,
    policy: FailoverPolicy = FailoverPolicy(),
    *,
    concurrency: int = 8,
    progress: Progress | None = None,
    moments: Moments | None = None,
) -> TreeProvenance:
    """Fetch every object below a prefix; each one appears atomically.

    The names come from the first candidate that answers: from its ledger if it is a
    replica, so that what a damaged replica lost is missed, else from its listing. They are kept in
    a temporary file, and looked up one after the other, so memory does not grow with them. A
    candidate that could not be listed (its bucket is gone, say), or was found down or slow
    later, is tried last for the objects that follow. ``hedge_after`` holds for listing, too.

    :param progress: counts objects and bytes; its listener is told on the calling thread.
    :param moments: is told when something first happened, also in a fetch that fails.
    :raises IncompleteFetchError: when all is done, if no candidate served some of the objects, or
        the target can't hold them; all others are in place.
    :raises StorageError: at once, when the target failed; what was fetched before stays in place.
    :raises FailoverError: at once, likewise, and when the deadline has passed.
    """
    with telemetry.operation("failover_fetch_tree", multicloud__target=str(target)) as span:
        end = time.monotonic() + policy.deadline.total_seconds()
        ages = Ages(datetime.now(UTC))
        copies = Copies(candidates, policy, moments)
        naming, failed = names_of(copies, end)
        with closing(naming.names):
            tally = Tally(target, naming, failed, ages)
            counted = progress or Progress()
            counted.expect(len(naming.names), 0)
            order = _Order(copies.all, down={attempt.uri for attempt in failed})
            with cancellation.pool(concurrency, "multicloud-tree") as pool:
                running: set[Future[_Ended]] = set()
                for name in naming.names:
                    while len(running) >= 2 * concurrency:
                        running = _collect(running, tally, order, counted)
                    if (place := _place_of(name, target, naming, tally)) is None:
                        counted.finished(1)
                        continue
                    one = partial(_fetch_one, name, order.now(), place, policy, end, counted)
                    running.add(telemetry.submit_in_context(pool, one))
                while running:
                    running = _collect(running, tally, order, counted)
                counted.tell(force=True)
            if policy.list_unknown:
                tally.add_unknown()
        span.set_attribute("multicloud.objects", tally.objects)
        return tally.provenance(candidates[0].uri)


def _place_of(name: str, target: Target, naming: Naming, tally: Tally) -> Target | None:
    """Where an object goes; ``None`` when it can't be at the target, which is counted."""
    if target.leave_out(name) is not None:
        tally.add_left_out(name)
        return None
    try:
        return target.below(name, naming.names)
    except UnfitError as err:
        tally.add_unfit(name, err)
        return None


@dataclass(frozen=True, slots=True)
class _Ended:
    """What became of one object.

    :param result: ``None`` when no candidate served it, and a replica had left it out.
    """

    name: str
    place: Target
    result: Provenance | FailoverError | UnfitError | None


def _fetch_one(
    name: str,
    copies: Sequence[Copy],
    place: Target,
    policy: FailoverPolicy,
    end: float,
    progress: Progress,
) -> _Ended:
    """Fetch one object in what is left of the whole prefix's deadline.

    :raises StorageError: what ends the whole fetch.
    """
    try:
        left = replace(policy, deadline=left_of(policy, end, ()))
        one = serve(copies, name, place, left, progress=progress, told=False)
    except UnfitError as err:
        return _Ended(name, place, err)
    except FailoverError as err:
        if isinstance(err.__cause__, UnfitError):
            return _Ended(name, place, err.__cause__)
        if isinstance(err.__cause__, TargetError) or time.monotonic() >= end:
            raise
        left_out = any(copy.left_out(name) for copy in copies)
        return _Ended(name, place, None if left_out else err)
    return _Ended(name, place, one)


class _Order:
    """The candidates, those that were found down last."""

    def __init__(self, copies: Sequence[Copy], *, down: set[str]) -> None:
        self._copies = tuple(copies)
        self._down = down
        self._slow: Counter[str] = Counter()

    def saw(self, attempts: Sequence[Attempt], served_by: str | None = None) -> None:
        if served_by is not None:
            self._slow.pop(served_by, None)
        for attempt in attempts:
            if attempt.overtaken:
                # One object may be large, or unlucky.
                self._slow[attempt.uri] += 1
                if self._slow[attempt.uri] >= _SLOW:
                    self._down.add(attempt.uri)
            # One object that is not there says nothing of the others.
            elif attempt.kind in OUTAGES - {ErrorKind.NOT_FOUND}:
                self._down.add(attempt.uri)

    def now(self) -> list[Copy]:
        # Sorting is stable: among those up, and among those down, the order of preference stays.
        return sorted(self._copies, key=lambda copy: copy.candidate.uri in self._down)


def _collect(
    running: set[Future[_Ended]], tally: Tally, order: _Order, progress: Progress
) -> set[Future[_Ended]]:
    done, rest = wait(running, cancellation.LOOK, return_when=FIRST_COMPLETED)
    progress.finished(len(done))
    for future in done:
        ended = future.result()
        match ended.result:
            case None:
                tally.add_left_out(ended.name)
            case Provenance() as one:
                tally.add(ended.name, one, ended.place)
                order.saw(one.attempts, one.served_by)
            case FailoverError() as err:
                tally.add_failed(ended.name, err, err.attempts)
                order.saw(err.attempts)
            case UnfitError() as err:
                tally.add_unfit(ended.name, err)
    return rest
