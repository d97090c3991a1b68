"""Fetch a whole prefix: every object from the first candidate that can be trusted with it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from airflow_multicloud.core import telemetry
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
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError

#: How many failed attempts a provenance names.
_NAMED = 20


@dataclass(frozen=True, slots=True)
class TreeProvenance:
    """What was fetched of a prefix, and from where.

    :param served: objects by the candidate that served them.
    :param attempts: the attempts that failed, the first twenty.
    :param as_of: the oldest of the objects' ``as_of``.
    :param not_kept: the attributes that the target can't keep, with the number of objects.
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
    not_kept: Mapping[str, int] = field(default_factory=dict)

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
            "not_kept": dict(self.not_kept),
            "attempts": [str(a) for a in self.attempts],
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


def fetch_tree(
    candidates: Sequence[Candidate],
    target: Target,
    policy: FailoverPolicy = FailoverPolicy(),
    *,
    concurrency: int = 8,
) -> TreeProvenance:
    """Fetch every object below a prefix; each one appears atomically.

    The names come from the first candidate that answers: from its manifest if it is a
    replica, so that what a damaged replica lost is missed, else from its listing. A
    candidate that could not be listed (its bucket is gone, say), or was found down later, is
    tried last for the objects that follow.

    :raises StorageError: for a key that can't be at the target, before any byte moves.
    :raises FailoverError: for the first object that no candidate serves; what was fetched
        before stays in place.
    """
    with telemetry.operation("failover_fetch_tree", multicloud__target=str(target)) as span:
        end = time.monotonic() + policy.deadline.total_seconds()
        copies = [_Copy(candidate) for candidate in candidates]
        names, failed = _names(copies, policy, end)
        target.check(dict.fromkeys(names))
        tally = _Tally(target, failed)
        order = _Order(copies, down={attempt.uri for attempt in failed})
        with ThreadPoolExecutor(concurrency, thread_name_prefix="multicloud-tree") as pool:
            running: set[Future[Provenance]] = set()
            for name in names:
                if len(running) >= 2 * concurrency:
                    running = _collect(running, tally, order)
                below = order.below(name)
                one = partial(_fetch_one, below, target.below(name), policy, end)
                running.add(telemetry.submit_in_context(pool, one))
            while running:
                running = _collect(running, tally, order)
        span.set_attribute("multicloud.objects", tally.objects)
    return tally.provenance(candidates[0].uri)


def _fetch_one(
    candidates: Sequence[Candidate], target: Target, policy: FailoverPolicy, end: float
) -> Provenance:
    """Fetch one object in what is left of the whole prefix's deadline."""
    return fetch(candidates, target, replace(policy, deadline=_left(policy, end, ())))


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

    def below(self, name: str) -> list[Candidate]:
        # Sorting is stable: among those up, and among those down, the order of preference stays.
        ordered = sorted(self._copies, key=lambda copy: copy.candidate.uri in self._down)
        return [copy.below(name) for copy in ordered]


class _Tally:
    def __init__(self, target: Target, failed: Sequence[Attempt]) -> None:
        self._target = target
        self._failed = list(failed)
        self._failures = len(failed)
        self._served: Counter[str] = Counter()
        self._verified: Counter[str] = Counter()
        self._not_kept: Counter[str] = Counter()
        self._size = 0
        self._as_of: datetime | None = None

    @property
    def objects(self) -> int:
        return self._served.total()

    def add(self, one: Provenance) -> list[Attempt]:
        self._served[one.served_by] += 1
        self._verified[one.verified_by or "nothing"] += 1
        self._not_kept.update(one.not_kept)
        self._size += one.size
        self._as_of = one.as_of if self._as_of is None else min(self._as_of, one.as_of)
        failed = [a for a in one.attempts if a.kind is not None]
        self._failures += len(failed)
        self._failed.extend(failed[: max(0, _NAMED - len(self._failed))])
        return failed

    def provenance(self, primary: str) -> TreeProvenance:
        assert self._as_of is not None  # noqa: S101 - there is at least one object
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
            not_kept=dict(self._not_kept),
        )


def _collect(
    running: set[Future[Provenance]], tally: _Tally, order: _Order
) -> set[Future[Provenance]]:
    done, rest = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        for attempt in tally.add(future.result()):
            order.saw(attempt)
    return rest
