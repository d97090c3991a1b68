"""Fetch a whole prefix: every object from the first candidate that can be trusted with it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from airflow_multicloud.core import cancellation, telemetry
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.failover.candidates import Reference, manifest_of, references
from airflow_multicloud.core.failover.fetch import Candidate, fetch
from airflow_multicloud.core.failover.limits import within
from airflow_multicloud.core.failover.policy import OUTAGES, FailoverPolicy
from airflow_multicloud.core.failover.provenance import (
    Attempt,
    FailoverError,
    Provenance,
    kind_of,
)
from airflow_multicloud.core.failover.targets import Target
from airflow_multicloud.core.replication import planning
from airflow_multicloud.core.replication.progress import Progress
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError

#: How many failed attempts a provenance names.
_NAMED = 20


@dataclass(frozen=True, slots=True)
class TreeProvenance:
    """What was fetched of a prefix, and from where.

    :param served: objects by the candidate that served them.
    :param attempts: the attempts that failed, the first twenty.
    :param as_of: the oldest of the objects' ``as_of``.
    :param left_out: how many objects were left out, as their keys are kept for this package's own
        files, at the target or at the replica that would have served them.
    :param left_out_names: the first twenty of them.
    """

    target: str
    objects: int
    size: int
    served: Mapping[str, int]
    verified_by: Mapping[str, int]
    as_of: datetime
    failed_over: bool
    failed_attempts: int
    attempts: tuple[Attempt, ...]
    left_out: int = 0
    left_out_names: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For XCom."""
        return {
            "target": self.target,
            "objects": self.objects,
            "size": self.size,
            "served": dict(self.served),
            "verified_by": dict(self.verified_by),
            "as_of": self.as_of.isoformat(),
            "failed_over": self.failed_over,
            "failed_attempts": self.failed_attempts,
            "attempts": [str(a) for a in self.attempts],
            "left_out": self.left_out,
            "left_out_names": list(self.left_out_names),
        }


class _Copy:
    """One candidate, and what its manifest or listing says of its objects, read once."""

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate
        self._lock = threading.Lock()
        self._references: dict[str, Reference] | None = None

    def references(self) -> Mapping[str, Reference]:
        with self._lock:
            if self._references is None:
                end = self.candidate.endpoint
                if end is None:
                    raise self.candidate.refused or AssertionError("neither endpoint nor refusal")
                self._references = dict(_listed(end))
            return self._references

    def below(self, name: str) -> Candidate:
        end = self.candidate.endpoint
        if end is None:
            return self.candidate
        location = end.location.with_key(end.location.key + name)
        return replace(
            self.candidate,
            endpoint=replace(end, location=location),
            reference=partial(self._reference, name),
        )

    def _reference(self, name: str) -> Reference:
        # What it does not list may still be there: reading it will tell.
        return self.references().get(name, Reference(None))

    def left_out(self, name: str) -> bool:
        """Whether this copy is known to lack the object because it was left out here."""
        known = self._references
        return known is not None and name in known and known[name].left_out


def fetch_tree(
    candidates: Sequence[Candidate],
    target: Target,
    policy: FailoverPolicy = FailoverPolicy(),
    *,
    concurrency: int = 8,
    progress: Progress | None = None,
) -> TreeProvenance:
    """Fetch every object below a prefix; each one appears atomically.

    The names come from the first candidate that answers: from its manifest if it is a
    replica, so that what a damaged replica lost is missed, else from its listing. A
    candidate that could not be listed (its bucket is gone, say), or was found down later, is
    tried last for the objects that follow.

    :param progress: counts objects and bytes; its listener is told on the calling thread.
    :raises StorageError: for a key that can't be at the target, before any byte moves.
    :raises FailoverError: for the first object that no candidate serves; what was fetched
        before stays in place.
    """
    with telemetry.operation("failover_fetch_tree", multicloud__target=str(target)) as span:
        end = time.monotonic() + policy.deadline.total_seconds()
        copies = [_Copy(candidate) for candidate in candidates]
        names, failed = _names(copies, policy, end)
        tally = _Tally(target, failed)
        names = tally.leave_out(names)
        target.check(dict.fromkeys(names))
        counted = progress or Progress()
        counted.expect(len(names), 0)
        order = _Order(copies, down={attempt.uri for attempt in failed})
        with cancellation.pool(concurrency, "multicloud-tree") as pool:
            running: set[Future[Provenance | _LeftOut]] = set()
            for name in names:
                if len(running) >= 2 * concurrency:
                    running = _collect(running, tally, order, counted)
                one = partial(
                    _fetch_one, name, order.now(), target.below(name), policy, end, counted
                )
                running.add(telemetry.submit_in_context(pool, one))
            while running:
                running = _collect(running, tally, order, counted)
            counted.tell(force=True)
        span.set_attribute("multicloud.objects", tally.objects)
    return tally.provenance(candidates[0].uri)


@dataclass(frozen=True, slots=True)
class _LeftOut:
    """An object that no candidate served, and that a replica had left out."""

    name: str


def _fetch_one(
    name: str,
    copies: Sequence[_Copy],
    target: Target,
    policy: FailoverPolicy,
    end: float,
    progress: Progress,
) -> Provenance | _LeftOut:
    """Fetch one object in what is left of the whole prefix's deadline."""
    candidates = [copy.below(name) for copy in copies]
    try:
        left = replace(policy, deadline=_left(policy, end, ()))
        return fetch(candidates, target, left, progress=progress, told=False)
    except FailoverError:
        if any(copy.left_out(name) for copy in copies):
            return _LeftOut(name)
        raise


def _left(policy: FailoverPolicy, end: float, attempts: Sequence[Attempt]) -> timedelta:
    left = end - time.monotonic()
    if left <= 0:
        raise FailoverError(
            f"deadline ({policy.deadline}) passed",
            kind=ErrorKind.TIMEOUT,
            attempts=tuple(attempts),
        )
    return timedelta(seconds=left)


def _names(
    copies: Sequence[_Copy], policy: FailoverPolicy, end: float
) -> tuple[list[str], list[Attempt]]:
    failed: list[Attempt] = []
    for copy in copies:
        candidate = copy.candidate
        limit = min(policy.attempt_timeout, _left(policy, end, failed))
        started = time.monotonic()
        try:
            known = within(limit, copy.references, parameter="attempt_timeout")
        except CloudError as err:
            cloud = candidate.endpoint.cloud if candidate.endpoint else None
            took = round((time.monotonic() - started) * 1000)
            failed.append(Attempt(candidate.uri, cloud, took, err.kind, str(err)))
            if not policy.goes_on(err.kind):
                raise FailoverError(
                    f"{candidate.uri} can't be listed", kind=err.kind, attempts=tuple(failed)
                ) from err
            continue
        if known:
            return sorted(known), failed
        failed.append(
            Attempt(candidate.uri, None, 0, ErrorKind.NOT_FOUND, "no object under this prefix")
        )
    if not failed:
        raise StorageError(
            "candidates: none given, expected at least one URI", kind=ErrorKind.INVALID_ARGUMENT
        )
    raise FailoverError(
        "no candidate could be listed", kind=kind_of(failed), attempts=tuple(failed)
    )


def _listed(endpoint: Endpoint) -> Iterator[tuple[str, Reference]]:
    latest = manifest_of(endpoint)
    if latest is None:
        for listed in planning.listing(endpoint):
            yield listed.name, Reference(None)
        return
    skip = endpoint.location.key[len(latest.replica) :]
    for name, reference in references(endpoint, latest):
        if name.startswith(skip):
            yield name[len(skip) :], reference


class _Order:
    """The candidates, those that were found down last."""

    def __init__(self, copies: Sequence[_Copy], *, down: set[str]) -> None:
        self._copies = tuple(copies)
        self._down = down

    def saw(self, attempt: Attempt) -> None:
        # One object that is not there says nothing of the others.
        if attempt.kind in OUTAGES - {ErrorKind.NOT_FOUND}:
            self._down.add(attempt.uri)

    def now(self) -> list[_Copy]:
        # Sorting is stable: among those up, and among those down, the order of preference stays.
        return sorted(self._copies, key=lambda copy: copy.candidate.uri in self._down)


class _Tally:
    def __init__(self, target: Target, failed: Sequence[Attempt]) -> None:
        self._target = target
        self._failed = list(failed)
        self._failures = len(failed)
        self._served: Counter[str] = Counter()
        self._verified: Counter[str] = Counter()
        self._size = 0
        self._as_of: datetime | None = None
        self._left_out = 0
        self._left_out_names: list[str] = []

    @property
    def objects(self) -> int:
        return self._served.total()

    def leave_out(self, names: Sequence[str]) -> list[str]:
        """The names that may be written at the target."""
        kept = [name for name in names if self._target.leave_out(name) is None]
        if len(kept) < len(names):
            for name in set(names).difference(kept):
                self.add_left_out(name)
        return kept

    def add_left_out(self, name: str) -> None:
        self._left_out += 1
        if len(self._left_out_names) < _NAMED:
            self._left_out_names.append(name)

    def add(self, one: Provenance) -> list[Attempt]:
        self._served[one.served_by] += 1
        self._verified[one.verified_by or "nothing"] += 1
        self._size += one.size
        self._as_of = one.as_of if self._as_of is None else min(self._as_of, one.as_of)
        failed = [a for a in one.attempts if a.kind is not None]
        self._failures += len(failed)
        self._failed.extend(failed[: max(0, _NAMED - len(self._failed))])
        return failed

    def provenance(self, primary: str) -> TreeProvenance:
        if self._as_of is None:
            raise StorageError(
                f"target: nothing was fetched to {self._target}: all {self._left_out} objects have "
                "keys that are kept for this package's own files",
                kind=ErrorKind.NOT_FOUND,
            )
        return TreeProvenance(
            target=str(self._target),
            objects=self.objects,
            size=self._size,
            served=dict(self._served),
            verified_by=dict(self._verified),
            as_of=self._as_of,
            failed_over=set(self._served) != {primary},
            failed_attempts=self._failures,
            attempts=tuple(self._failed),
            left_out=self._left_out,
            left_out_names=tuple(sorted(self._left_out_names)),
        )


def _collect(
    running: set[Future[Provenance | _LeftOut]], tally: _Tally, order: _Order, progress: Progress
) -> set[Future[Provenance | _LeftOut]]:
    done, rest = wait(running, cancellation.LOOK, return_when=FIRST_COMPLETED)
    progress.finished(len(done))
    for future in done:
        one = future.result()
        if isinstance(one, _LeftOut):
            tally.add_left_out(one.name)
            continue
        for attempt in tally.add(one):
            order.saw(attempt)
    return rest
