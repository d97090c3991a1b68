"""What a replication did, in numbers that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from airflow_multicloud.core.replication.items import Item, Untouched
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.documents import Document, Documented
from airflow_multicloud.text import printable

#: How many failures a report names; all of them are in the ledgers.
NAMED_FAILURES = 20


@dataclass(frozen=True, slots=True)
class Failure:
    """One object that is not sound at one destination."""

    name: str
    destination: str
    outcome: Outcome
    kind: str | None
    reason: str | None

    def __str__(self) -> str:
        """One line."""
        return printable(
            f"{self.name!r} at {self.destination}: {self.outcome} ({self.kind}): {self.reason}"
        )


@dataclass(frozen=True, slots=True)
class DestinationReport:
    """One destination's part; ``sum(outcomes.values())`` is the number of objects.

    :param bytes_written: bytes of the objects written and confirmed or unverifiable.
    :param not_kept: what the destination could not keep, with the number of objects.
    :param commit: the number of the run's last commit in the ledger there; ``None``: the run could
        not be recorded.
    :param ledger_root: that commit's root, which commits to all that the ledger says.
    :param commit_uri: where it lies.
    :param content: the Merkle root over what is proven below the prefix: equal content has an equal
        root, on any cloud.
    :param retained: what was to be deleted and can't be for now, and why: retention policies,
        leases, snapshots.
    :param findings: what a reader should know of the ledger there.
    """

    uri: str
    outcomes: Mapping[Outcome, int]
    bytes_written: int
    deleted: int
    not_kept: Mapping[str, int]
    commit: int | None = None
    ledger_root: str | None = None
    commit_uri: str | None = None
    content: str | None = None
    retained: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()

    @property
    def sound(self) -> int:
        """Objects that are at the destination, proven or unverifiable."""
        return sum(n for outcome, n in self.outcomes.items() if outcome.sound)

    @property
    def owed(self) -> int:
        """Objects that should be at the destination: all but those that were left out."""
        return sum(n for outcome, n in self.outcomes.items() if outcome.owed)


@dataclass(frozen=True, slots=True)
class ReplicationReport(Documented):
    """A whole run.

    :param root: the Merkle root over what is proven, where all destinations have the same.
    :param failures: the first that are not sound; all are in the ledgers.
    :param left_out: the first whose key is kept for this package's own files at a destination.
    """

    run_id: str
    source: str
    objects: int
    bytes: int
    bytes_read: int
    root: str | None
    newest_source: datetime | None
    seconds: float
    destinations: tuple[DestinationReport, ...]
    failures: tuple[Failure, ...]
    left_out: tuple[Failure, ...] = ()

    DOCUMENT: ClassVar = Document(
        (
            "run_id",
            "source",
            "objects",
            "bytes",
            "bytes_read",
            "root",
            "newest_source",
            "seconds",
            "success_ratio",
            "destinations",
        )
    )

    @property
    def owed(self) -> int:
        """Object-destination pairs that should be there: all but those that were left out."""
        return sum(d.owed for d in self.destinations)

    @property
    def success_ratio(self) -> float:
        """The share of object-destination pairs that ended sound, of those that are owed."""
        pairs = self.owed
        return sum(d.sound for d in self.destinations) / pairs if pairs else 1.0


def without_effect(report: ReplicationReport, given: Mapping[str, Collection[str]]) -> list[str]:
    """Which options did nothing for objects that were there already, a sentence each.

    They hold for what is written; an object that is there unchanged is not written again.

    :param given: option → the destinations it was given for.
    """
    told: list[str] = []
    for destination in report.destinations:
        there = sum(destination.outcomes.get(o, 0) for o in (Outcome.UNCHANGED, Outcome.VERIFIED))
        names = [name for name, places in given.items() if destination.uri in places]
        if there and names:
            told.append(
                f"{' and '.join(names)} did nothing for {there} objects at {destination.uri}: they "
                "were there already, and are not written again for it"
            )
    return told


class Tally:
    """Counts items one by one, in the order of their names' UTF-8 bytes."""

    def __init__(self, destinations: tuple[str, ...]) -> None:
        self._destinations = destinations
        self._outcomes: list[Counter[Outcome]] = [Counter() for _ in destinations]
        self._not_kept: list[Counter[str]] = [Counter() for _ in destinations]
        self._bytes = [0] * len(destinations)
        self.objects = 0
        self.failures: list[Failure] = []
        self.left_out: list[Failure] = []
        self.newest: datetime | None = None

    @property
    def failed(self) -> int:
        """Object-destination pairs that are not sound, of those that are owed."""
        every = ((outcome, n) for one in self._outcomes for outcome, n in one.items())
        return sum(n for outcome, n in every if outcome.owed and not outcome.sound)

    def over(self, items: Iterable[Item]) -> Iterable[Item]:
        """Pass items through, counting them."""
        for item in items:
            self.add(item)
            yield item

    def add(self, item: Item) -> None:
        """Count one item."""
        self.objects += 1
        if self.newest is None or item.modified > self.newest:
            self.newest = item.modified
        for index, state in enumerate(item.replicas):
            outcome = state.outcome
            if outcome is None:
                raise AssertionError(f"{item.name!r} has no outcome at destination {index}")
            self._outcomes[index][outcome] += 1
            if state.not_kept:
                self._not_kept[index].update(state.not_kept)
            if outcome.written:
                self._bytes[index] += item.size
            # Apart: who plants keys that are left out must not crowd out what failed.
            named = self.failures if outcome.owed else self.left_out
            if not outcome.sound and len(named) < NAMED_FAILURES:
                named.append(
                    Failure(item.name, self._destinations[index], outcome, state.kind, state.reason)
                )

    def add_untouched(self, found: Untouched) -> None:
        """Count what is unchanged at every destination, and of which nothing else is to say."""
        if found.newest is None:
            return
        self.objects += found.objects
        self.newest = max(self.newest or found.newest, found.newest)
        for outcomes in self._outcomes:
            outcomes[Outcome.UNCHANGED] += found.objects

    def destination(self, index: int, *, deleted: int = 0) -> DestinationReport:
        """One destination's counts."""
        return DestinationReport(
            self._destinations[index],
            dict(self._outcomes[index]),
            self._bytes[index],
            deleted,
            dict(self._not_kept[index]),
        )

    def sound(self, index: int) -> bool:
        """Whether everything so far that a destination should have is sound there."""
        return all(outcome.sound or not outcome.owed for outcome in self._outcomes[index])
