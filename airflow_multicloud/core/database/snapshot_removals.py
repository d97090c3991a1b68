"""Removing snapshots: those of a task, one that is named, or the older ones of a series.

Only what carries the full identity of a snapshot that this package has ordered is removed, and only
with that order's token. What can't be removed costs itself, and is told.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from airflow_multicloud.core.database.finishing import still_going
from airflow_multicloud.core.database.identity import OrderIdentity
from airflow_multicloud.core.database.wanted_snapshots import Wanted
from airflow_multicloud.core.telemetry import count_retry
from airflow_multicloud.documents import Documented
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import DatabasePlace, DatabaseService, Snapshot
from airflow_multicloud.ports.operations import Operation, longest_wait
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedSnapshot:
    """A snapshot whose removal was begun."""

    id: str
    name: str
    taken_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftSnapshot:
    """A snapshot that could not be removed.

    :param kind: of the error.
    :param error: what its cloud says.
    """

    id: str
    name: str
    kind: ErrorKind
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    """An error that ended a removal.

    :param error: what its cloud says.
    """

    kind: ErrorKind
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotRemoval(Documented):
    """How far a removal is, as another process can take it up.

    :param certain_from: nothing counts as gone by a listing made before.
    :param gives_up_at: what is not gone by then is left; ``None``: it is tried again and again.
    :param removed: each once, in the order in which they were begun.
    :param left: what could not be removed.
    :param waits_for: what goes on.
    :param searched: where they were looked for, and nowhere else.
    :param listed_at: of the listing that has shown nothing but what is left.
    :param given_up: why the rest was given up, where that costs nothing but itself.
    """

    certain_from: datetime
    gives_up_at: datetime | None = None
    removed: tuple[RemovedSnapshot, ...] = ()
    left: tuple[LeftSnapshot, ...] = ()
    waits_for: tuple[Operation, ...] = ()
    searched: tuple[DatabasePlace, ...] = ()
    listed_at: datetime | None = None
    given_up: GivenUp | None = None

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return self.listed_at is not None or self.given_up is not None

    @property
    def wait(self) -> timedelta:
        """How long the clouds ask to wait before the next look."""
        return longest_wait(self.waits_for)

    def raise_if_left(self, cloud: str) -> None:
        """Fail for what could not be removed.

        :raises DatabaseError: with the first one's kind and all ids; for what it was given up for.
        """
        if self.left:
            told = "; ".join(f"{one.id}: {one.error}" for one in self.left)
            raise DatabaseError(f"not removed: {told}", kind=self.left[0].kind, cloud=cloud)
        if self.given_up is not None:
            raise DatabaseError(self.given_up.error, kind=self.given_up.kind, cloud=cloud)


@dataclass(slots=True)
class _Round:
    """What one look does: the ids of what is tried, and what came of it."""

    begun: list[Operation] = field(default_factory=list)
    removed: list[RemovedSnapshot] = field(default_factory=list)
    left: list[LeftSnapshot] = field(default_factory=list)


def advance_snapshot_removal(
    service: DatabaseService, wanted: Wanted, removal: SnapshotRemoval, *, now: datetime
) -> SnapshotRemoval:
    """Do what is due, once.

    :param now: aware.
    :raises DatabaseError: when the cloud can't be asked what there is, or what is there may not go.
    """
    late = removal.gives_up_at is not None and now >= removal.gives_up_at
    going_on = still_going(service, removal.waits_for)
    if going_on and not late:
        return replace(removal, waits_for=going_on)
    removal = replace(removal, searched=wanted.places(service))
    given_up = {one.id for one in removal.left}
    found = [one for one in wanted.listed(service) if one[1].ref.id not in given_up]
    if not found:
        # What was ordered just before may not be listed yet.
        certain = now >= removal.certain_from
        return replace(removal, waits_for=(), listed_at=now if certain else None)
    if late:
        left = tuple(_late(snapshot) for _, snapshot in found)
        return replace(removal, waits_for=(), left=(*removal.left, *left), listed_at=now)
    this = _Round()
    for identity, snapshot in found:
        _remove(service, identity, snapshot, this)
    before = {one.id for one in removal.removed}
    return replace(
        removal,
        removed=(*removal.removed, *(one for one in this.removed if one.id not in before)),
        left=(*removal.left, *this.left),
        waits_for=tuple(this.begun),
    )


def _remove(
    service: DatabaseService, identity: OrderIdentity, snapshot: Snapshot, this: _Round
) -> None:
    ref = snapshot.ref
    # Also of one whose removal an earlier try has begun: how it ends is told by an operation.
    _log.info("removing %s", printable(ref.id))
    try:
        operation = service.remove_snapshot(ref, token=identity.token)
    except DatabaseError as err:
        if err.retryable:
            # A cloud may do one thing at a time to an instance: it is tried again.
            count_retry(err)
            _log.info("not yet: %s: %s", err.kind, printable(str(err)))
            return
        _log.warning("not removed: %s: %s", printable(ref.id), printable(str(err)))
        this.left.append(
            LeftSnapshot(id=ref.id, name=snapshot.name, kind=err.kind, error=printable(str(err)))
        )
        return
    this.begun.append(operation)
    this.removed.append(
        RemovedSnapshot(id=ref.id, name=snapshot.name, taken_at=snapshot.created_at)
    )


def _late(snapshot: Snapshot) -> LeftSnapshot:
    _log.warning("not removed in time: %s", printable(snapshot.ref.id))
    return LeftSnapshot(
        id=snapshot.ref.id,
        name=snapshot.name,
        kind=ErrorKind.TIMEOUT,
        error="it was not removed in time; what was begun goes on in the cloud",
    )
