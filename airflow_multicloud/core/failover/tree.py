"""Fetch a whole prefix: every object from the first candidate that can be trusted with it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import ClassVar

from airflow_multicloud.core import cancellation, telemetry
from airflow_multicloud.core.failover.ages import Age
from airflow_multicloud.core.failover.candidates import Candidate
from airflow_multicloud.core.failover.copies import Copies, Copy
from airflow_multicloud.core.failover.fetch import serve
from airflow_multicloud.core.failover.naming import Naming, left_of, listed_names, names_of
from airflow_multicloud.core.failover.policy import OUTAGES, FailoverPolicy
from airflow_multicloud.core.failover.provenance import Attempt, FailoverError, Provenance
from airflow_multicloud.core.failover.targets import Target
from airflow_multicloud.core.replication.progress import Progress
from airflow_multicloud.documents import Document
from airflow_multicloud.errors import ErrorKind, StorageError

#: How many failed attempts a provenance names.
_NAMED = 20
#: How often in a row a candidate may be overtaken before it is tried last.
_SLOW = 2


@dataclass(frozen=True, slots=True)
class TreeProvenance:
    """What was fetched of a prefix, and from where.

    :param served: objects by the candidate that served them.
    :param attempts: the attempts that failed, the first twenty.
    :param as_of: the oldest of the objects' ``as_of``, or of the parts that the ledger which the
        names are from has looked at; ``None`` when it is not known of one of them.
    :param oldest: which object or part that is.
    :param not_kept: the attributes that the target can't keep, with the number of objects.
    :param left_out: how many objects were left out, as their keys are kept for this package's own
        files, at the target or at the replica that would have served them.
    :param left_out_names: the first twenty of them.
    :param findings: what a reader should know though all was served, the first twenty.
    :param unknown: how many objects lie at the replica that the names are from, and are not owed
        by its ledger; ``None``: not looked at (``list_unknown``).
    :param unknown_names: the first twenty of them.
    """

    target: str
    objects: int
    size: int
    served: Mapping[str, int]
    verified_by: Mapping[str, int]
    as_of: datetime | None
    failed_over: bool
    failed_attempts: int
    attempts: tuple[Attempt, ...]
    left_out: int = 0
    left_out_names: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    not_kept: Mapping[str, int] = field(default_factory=dict)
    oldest: str | None = None
    unknown: int | None = None
    unknown_names: tuple[str, ...] = ()

    DOCUMENT: ClassVar = Document(
        (
            "target",
            "objects",
            "size",
            "served",
            "verified_by",
            "as_of",
            "oldest",
            "failed_over",
            "failed_attempts",
            "not_kept",
            ("attempts", "attempt_lines"),
            "findings",
            "left_out",
            "left_out_names",
            "unknown",
            "unknown_names",
        )
    )

    @property
    def attempt_lines(self) -> tuple[str, ...]:
        """The attempts, a line each."""
        return tuple(str(attempt) for attempt in self.attempts)


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
    candidate that could not be listed (its bucket is gone, say), or was found down or slow
    later, is tried last for the objects that follow. ``hedge_after`` holds for listing, too.

    :param progress: counts objects and bytes; its listener is told on the calling thread.
    :raises StorageError: for a key that can't be at the target, before any byte moves.
    :raises FailoverError: for the first object that no candidate serves; what was fetched
        before stays in place.
    """
    with telemetry.operation("failover_fetch_tree", multicloud__target=str(target)) as span:
        end = time.monotonic() + policy.deadline.total_seconds()
        copies = Copies(candidates, policy)
        naming, failed = names_of(copies, end)
        with closing(naming.names):
            tally = _Tally(target, naming, failed)
            target.check(naming.names)
            counted = progress or Progress()
            counted.expect(len(naming.names), 0)
            order = _Order(copies.all, down={attempt.uri for attempt in failed})
            with cancellation.pool(concurrency, "multicloud-tree") as pool:
                running: _Running = {}
                for name in naming.names:
                    if target.leave_out(name) is not None:
                        tally.add_left_out(name)
                        counted.finished()
                        continue
                    if len(running) >= 2 * concurrency:
                        running = _collect(running, tally, order, counted)
                    one = partial(
                        _fetch_one, name, order.now(), target.below(name), policy, end, counted
                    )
                    running[telemetry.submit_in_context(pool, one)] = name
                while running:
                    running = _collect(running, tally, order, counted)
                counted.tell(force=True)
            if policy.list_unknown:
                tally.add_unknown(naming)
        span.set_attribute("multicloud.objects", tally.objects)
    return tally.provenance(candidates[0].uri)


@dataclass(frozen=True, slots=True)
class _LeftOut:
    """An object that no candidate served, and that a replica had left out."""

    name: str


#: What is under way, with its name.
_Running = dict[Future[Provenance | _LeftOut], str]


def _fetch_one(
    name: str,
    copies: Sequence[Copy],
    target: Target,
    policy: FailoverPolicy,
    end: float,
    progress: Progress,
) -> Provenance | _LeftOut:
    """Fetch one object in what is left of the whole prefix's deadline."""
    try:
        left = replace(policy, deadline=left_of(policy, end, ()))
        return serve(copies, name, target, left, progress=progress, told=False)
    except FailoverError:
        if any(copy.left_out(name) for copy in copies):
            return _LeftOut(name)
        raise


class _Order:
    """The candidates, those that were found down last."""

    def __init__(self, copies: Sequence[Copy], *, down: set[str]) -> None:
        self._copies = tuple(copies)
        self._down = down
        self._slow: Counter[str] = Counter()

    def saw(self, one: Provenance) -> None:
        self._slow.pop(one.served_by, None)
        for attempt in one.attempts:
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


class _Tally:
    def __init__(self, target: Target, naming: Naming, failed: Sequence[Attempt]) -> None:
        self._target = target
        self._failed = list(failed)
        self._failures = len(failed)
        self._served: Counter[str] = Counter()
        self._verified: Counter[str] = Counter()
        self._not_kept: Counter[str] = Counter()
        self._size = 0
        self._age = Age.of(naming.freshness)
        self._findings: dict[str, None] = {}
        self._left_out = 0
        self._left_out_names: list[str] = []
        self._unknown: int | None = None
        self._unknown_names: list[str] = []

    @property
    def objects(self) -> int:
        return self._served.total()

    def add_left_out(self, name: str) -> None:
        self._left_out += 1
        if len(self._left_out_names) < _NAMED:
            self._left_out_names.append(name)

    def add_unknown(self, naming: Naming) -> None:
        """Count what lies beside the names, if they are a ledger's."""
        if naming.freshness is None:
            return
        self._unknown = 0
        for name in listed_names(naming.copy):
            if name not in naming.names:
                self._unknown += 1
                if len(self._unknown_names) < _NAMED:
                    self._unknown_names.append(name)

    def add(self, name: str, one: Provenance) -> None:
        self._served[one.served_by] += 1
        self._verified[one.verified_by or "nothing"] += 1
        self._not_kept.update(one.not_kept)
        self._size += one.size
        self._age = self._age.with_part(one.as_of, name)
        failed = [a for a in one.attempts if a.kind is not None]
        self._failures += len(failed)
        self._failed.extend(failed[: max(0, _NAMED - len(self._failed))])
        self._findings.update(dict.fromkeys(one.findings[: max(0, _NAMED - len(self._findings))]))

    def provenance(self, primary: str) -> TreeProvenance:
        if not self.objects:
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
            as_of=self._age.as_of,
            oldest=self._age.oldest,
            failed_over=set(self._served) != {primary},
            failed_attempts=self._failures,
            attempts=tuple(self._failed),
            not_kept=dict(self._not_kept),
            left_out=self._left_out,
            left_out_names=tuple(sorted(self._left_out_names)),
            findings=tuple(self._findings),
            unknown=self._unknown,
            unknown_names=tuple(self._unknown_names),
        )


def _collect(running: _Running, tally: _Tally, order: _Order, progress: Progress) -> _Running:
    done, rest = wait(running, cancellation.LOOK, return_when=FIRST_COMPLETED)
    progress.finished(len(done))
    for future in done:
        one = future.result()
        if isinstance(one, _LeftOut):
            tally.add_left_out(one.name)
            continue
        tally.add(running[future], one)
        order.saw(one)
    return {future: running[future] for future in rest}
