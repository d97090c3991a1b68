"""One row for each replica: how old it is, what is proven of it, and when it was drilled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from airflow_multicloud.core.pages import duration, moment, size
from airflow_multicloud.plugins.page.drills import Drill, read_drill
from airflow_multicloud.plugins.page.recorded import Recorded
from airflow_multicloud.plugins.page.shapes import (
    Told,
    Unread,
    aware,
    facts_as,
    read_each,
    told_by,
)

#: A finding of a verification that is none.
_FINE = "verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Destination:
    uri: str
    outcomes: Mapping[str, int]
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Replication:
    objects: int
    bytes: int
    destinations: tuple[_Destination, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verification:
    replica: str
    commit: int
    ledger_root: str
    objects: int
    findings: Mapping[str, int]
    proven: bool
    as_of: datetime | None = None
    extraneous: int = 0
    contradictions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Freshness:
    replica: str
    max_lag: timedelta
    as_of: datetime | None = None


@dataclass(slots=True)
class Replica:
    """A replica as the page shows it; what nothing has told of is empty.

    :param lag: no more than this: since the moment up to which it is known to hold every change.
    :param is_late: whether that is more than the objective; ``None`` where one of them is unknown.
    :param proven: the newest commit that a verification has proven, with its root and time.
    """

    uri: str
    as_of: datetime | None = None
    objective: timedelta | None = None
    lag: str = ""
    is_late: bool | None = None
    proven_commit: int | None = None
    proven_root: str = ""
    proven_at: str = ""
    objects: int | None = None
    size: str = ""
    findings: list[str] = field(default_factory=list)
    is_proven: bool | None = None
    verified: Told | None = None
    verified_at: str = ""
    replicated: Told | None = None
    replicated_at: str = ""
    outcomes: str = ""
    drill: Drill | None = None
    _objective_at: datetime | None = None

    def aim(self, objective: timedelta | None, at: datetime) -> None:
        """Take an objective, the newest."""
        if objective is not None and (self._objective_at is None or at > self._objective_at):
            self.objective, self._objective_at = objective, at

    def know(self, as_of: datetime | None) -> None:
        """Take the moment up to which it holds every change, the newest."""
        as_of = aware(as_of)
        if as_of is not None and (self.as_of is None or as_of > self.as_of):
            self.as_of = as_of


@dataclass(frozen=True, slots=True)
class Replicas:
    """What the page shows."""

    replicas: tuple[Replica, ...]
    unread: tuple[Unread, ...]


def replicas_of(
    *,
    replicated: Iterable[Recorded],
    verified: Iterable[Recorded],
    fresh: Iterable[Recorded],
    drilled: Iterable[Recorded],
    now: datetime,
) -> Replicas:
    """A row for each replica that any of these names; each kind is given with the newest first."""
    rows = _Rows()
    unread: list[Unread] = []
    for found, read in (
        (replicated, rows.replicate),
        (verified, rows.verify),
        (fresh, rows.freshen),
        (drilled, rows.drill),
    ):
        unread += read_each(found, read)[1]
    for row in rows.known.values():
        _age(row, now)
    return Replicas(tuple(rows.known[uri] for uri in sorted(rows.known)), tuple(unread))


class _Rows:
    def __init__(self) -> None:
        self.known: dict[str, Replica] = {}

    def _of(self, uri: str) -> Replica:
        return self.known.setdefault(uri, Replica(uri))

    def replicate(self, one: Recorded) -> None:
        facts, at = facts_as(_Replication, one), moment(one.at)
        whole, told = size(facts.bytes), told_by(one)
        for destination in facts.destinations:
            counts = ", ".join(f"{n:,} {what}" for what, n in sorted(destination.outcomes.items()))
            row = self._of(destination.uri)
            if row.replicated is None:
                row.replicated, row.replicated_at, row.outcomes = told, at, counts
                row.objects, row.size = facts.objects, whole

    def verify(self, one: Recorded) -> None:
        facts, at = facts_as(_Verification, one), moment(one.at)
        row = self._of(facts.replica)
        if row.verified is None:
            row.verified, row.verified_at, row.is_proven = told_by(one), at, facts.proven
            row.objects = facts.objects
            row.findings = [
                *(f"{n:,} {what}" for what, n in facts.findings.items() if what != _FINE),
                *([f"{facts.extraneous:,} extraneous"] if facts.extraneous else []),
                *facts.contradictions,
            ]
        if facts.proven and row.proven_commit is None:
            row.proven_commit, row.proven_root = facts.commit, facts.ledger_root
            row.proven_at = at
        if facts.proven:
            row.know(facts.as_of)

    def freshen(self, one: Recorded) -> None:
        facts = facts_as(_Freshness, one)
        row = self._of(facts.replica)
        row.know(facts.as_of)
        row.aim(facts.max_lag, one.at)

    def drill(self, one: Recorded) -> None:
        drill = read_drill(one)
        for uri in drill.facts.replicas:
            row = self._of(uri)
            if row.drill is None:
                row.drill = drill
            row.aim(drill.facts.rpo_objective, one.at)


def _age(row: Replica, now: datetime) -> None:
    if row.as_of is None:
        return
    lag = now - row.as_of
    row.lag = duration(max(lag, timedelta()).total_seconds())
    row.is_late = None if row.objective is None else lag > row.objective
