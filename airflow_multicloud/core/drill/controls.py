"""Negative controls: what must be rejected is offered, as a check that the drill can fail.

Each is offered by one replica alone, so that only its rejection shows that a check works. What is
rejected must be served when nothing is wrong with it, or when nobody looks: else it was rejected
for another reason.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path

from airflow_multicloud.core.drill.canary import CANARY_NAME, Canary
from airflow_multicloud.core.drill.faults import Fault, with_fault
from airflow_multicloud.core.drill.offers import rolled_back, stale
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.failover.candidates import Candidate
from airflow_multicloud.core.failover.fetch import fetch
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import FailoverError
from airflow_multicloud.core.failover.targets import FileTarget
from airflow_multicloud.core.ledger import reading
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.ledger.memory import Remembered
from airflow_multicloud.core.ledger.names import place_of
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.errors import CloudError, ErrorKind

#: How many commits back the one before the canary is looked for.
_FURTHEST = 50
#: How many entries of an older ledger are looked at for a small object.
_LOOKED_AT = 10_000
#: What is small, in bytes.
_SMALL = 1 << 20
#: How many of the smallest are looked up in the newest commit.
_TRIED = 5


class ControlKind(StrEnum):
    """What is wrong with what a replica was made to offer."""

    CORRUPT = "corrupt"
    """The canary with one bit flipped, which its digests show."""
    STALE = "stale"
    """An older canary, sound in itself, which the ledger shows."""
    ROLLED_BACK = "rolled_back"
    """A ledger as it was before the canary, which only a memory of it shows."""


class ControlOutcome(StrEnum):
    """What became of it."""

    REJECTED = "rejected"
    """For the right reason: the checks work."""
    ACCEPTED = "accepted"
    """Nothing would have noticed it there."""
    UNTESTED = "untested"
    """It could not be offered: the replica was out of reach, or has no canary."""


@dataclass(frozen=True, slots=True)
class Control:
    """A check that the drill itself can fail: what a replica offers here must be rejected."""

    kind: ControlKind
    replica: str
    outcome: ControlOutcome
    detail: str


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a fetch from one candidate came to.

    :param kinds: of the failed attempts; ``None`` when it served.
    """

    said: str
    kinds: frozenset[ErrorKind] | None = None


def controls_of(replica: Candidate, canary: Canary, policy: FailoverPolicy) -> Iterator[Control]:
    """Offer what must be rejected, of each kind, and say what became of it."""
    end = replica.endpoint
    uri = str(end.location) if end else replica.uri
    sound = _offer(replica, end and end.below(CANARY_NAME), policy)
    if end is None or sound.kinds is not None:
        for kind in ControlKind:
            why = f"its canary, with nothing wrong, is not served: {sound.said}"
            yield Control(kind, uri, ControlOutcome.UNTESTED, why)
        return
    one = _Replica(replica, end, canary, policy)
    for kind, offered in (
        (ControlKind.CORRUPT, one.corrupt),
        (ControlKind.STALE, one.stale),
        (ControlKind.ROLLED_BACK, one.rolled_back),
    ):
        try:
            outcome, detail = offered()
        except CloudError as err:
            outcome, detail = ControlOutcome.UNTESTED, f"{err.kind}: {err}"
        yield Control(kind, uri, outcome, detail)


def fetch_aside(candidate: Candidate, policy: FailoverPolicy) -> None:
    """Fetch one object from one candidate, to where it is never taken for something recovered."""
    with tempfile.TemporaryDirectory(prefix="multicloud-drill-") as aside:
        fetch([candidate], FileTarget(Path(aside, "canary")), policy)


@dataclass(frozen=True, slots=True)
class _Replica:
    """One whose canary is served when nothing is wrong."""

    candidate: Candidate
    end: Endpoint
    canary: Canary
    policy: FailoverPolicy

    def corrupt(self) -> tuple[ControlOutcome, str]:
        there = with_fault(self.end, Fault.CORRUPT).below(CANARY_NAME)
        return self._judged(there, self.policy, "a corrupt copy", ErrorKind.INTEGRITY)

    def stale(self) -> tuple[ControlOutcome, str]:
        there = stale(self.end, self.end.key_of(CANARY_NAME), self.canary).below(CANARY_NAME)
        # Too old by the ledger, or (where there is none) by the policy.
        right = (ErrorKind.INTEGRITY, ErrorKind.PRECONDITION_FAILED)
        return self._judged(there, self.policy, "a stale copy", *right)

    def rolled_back(self) -> tuple[ControlOutcome, str]:
        head = reading.newest(self.end)
        if head is None:
            return ControlOutcome.UNTESTED, "it has no ledger that could be rolled back"
        before = _before(head, self.end.key_of(CANARY_NAME))
        if before is None:
            return ControlOutcome.UNTESTED, "its ledger has no commit before the canary's"
        key = _as_it_was(before, head, self.end)
        if key is None:
            return ControlOutcome.UNTESTED, "its ledger has no object that is older than the canary"
        older = rolled_back(self.end, before.commit.number)
        there = replace(older, location=older.location.with_key(key))
        forgets = replace(self.policy, remembered=(), expected_roots={}, at_least_commits={})
        unnoticed = _offer(self.candidate, there, forgets)
        if unnoticed.kinds is not None:
            why = f"with an older ledger it does not serve, whoever asks: {unnoticed.said}"
            return ControlOutcome.UNTESTED, why
        memory = self.policy.remembered_at(self.end)
        if memory is None or memory.commit <= before.commit.number:
            memory = Remembered(
                place_of(self.end), head.commit.number, head.root, datetime.now(UTC)
            )
        remembers = replace(forgets, remembered=(memory,))
        what = f"a replica whose ledger was rolled back to commit {before.commit.number}"
        return self._judged(there, remembers, what, ErrorKind.INTEGRITY)

    def _judged(
        self, there: Endpoint, policy: FailoverPolicy, what: str, *right: ErrorKind
    ) -> tuple[ControlOutcome, str]:
        """What became of an offer.

        :param right: the kinds of error that it must be rejected with.
        """
        answer = _offer(self.candidate, there, policy)
        if answer.kinds is None:
            return ControlOutcome.ACCEPTED, f"{what} of {there.location} was accepted"
        rejected = not answer.kinds.isdisjoint(right)
        return (ControlOutcome.REJECTED if rejected else ControlOutcome.UNTESTED), answer.said


def _offer(candidate: Candidate, there: Endpoint | None, policy: FailoverPolicy) -> _Answer:
    """What a fetch that has no other candidate says."""
    uri = candidate.uri if there is None else str(there.location)
    try:
        fetch_aside(replace(candidate, uri=uri, endpoint=there), policy)
    except FailoverError as err:
        return _Answer(str(err), frozenset(a.kind for a in err.attempts if a.kind is not None))
    return _Answer("served")


def _before(head: Head, key: str) -> Head | None:
    """The newest commit that does not know the canary as the newest one does."""
    now = head.entry(key)
    earlier = reading.back_to(head, max(1, head.commit.number - _FURTHEST))
    return next((one for one in earlier if one.entry(key) != now), None)


def _as_it_was(before: Head, now: Head, end: Endpoint) -> str | None:
    """The key of a small object that both commits know alike; or of the canary, if it is newer."""
    smallest: list[Entry] = []
    for entry in islice(before.entries(end.location.key), _LOOKED_AT):
        if entry.current and entry.proof is not None:
            smallest = sorted([*smallest, entry], key=_size)[:_TRIED]
            if len(smallest) == _TRIED and _size(smallest[-1]) <= _SMALL:
                break
    for entry in smallest:
        if now.entry(entry.key) == entry:
            return entry.key
    canary = end.key_of(CANARY_NAME)
    return canary if before.entry(canary) is None else None


def _size(entry: Entry) -> int:
    return entry.proof.size if entry.proof else 0
