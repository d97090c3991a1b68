"""What the memory cloud keeps: servers with what was committed to them, and snapshots."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.database import (
    NAMED,
    TOKEN_LABEL,
    DatabaseRef,
    DatabaseState,
    Snapshot,
    SnapshotState,
)

#: One row of a table.
Row = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One row that was inserted."""

    at: datetime
    table: str
    row: Row


@dataclass(slots=True, kw_only=True)
class Server:
    """One instance, changed in place under its space's lock.

    :param number: tells it from one of the same name before.
    :param labels: with the order's token; none of one that no order made.
    :param coming_labels: what it gets once it is there.
    :param commits: what was inserted, oldest first; of a replica, until it is promoted, nothing:
        it shows its primary's.
    :param primary: name of what it follows.
    :param paused_at: since when a replica has not received anything.
    :param is_measured: whether a replica's lag is known.
    :param is_promoted: whether it takes writes once what goes on is done.
    :param going_to: the state that it will have; ``None`` when nothing goes on.
    :param left: how often it must be looked at until then, of :attr:`looks` in all.
    :param fails: what making it will have failed with.
    """

    number: int
    ref: DatabaseRef
    name: str
    size: str
    labels: dict[str, str]
    created_at: datetime
    state: DatabaseState
    subnet: str
    deletion_protected: bool = False
    coming_labels: dict[str, str] | None = None
    commits: list[Commit] = field(default_factory=list)
    primary: str | None = None
    paused_at: datetime | None = None
    is_measured: bool = True
    is_promoted: bool = False
    going_to: DatabaseState | None = None
    looks: int = 0
    left: int = 0
    fails: ErrorKind | None = None

    @property
    def progress(self) -> float:
        """How much of what goes on is done, from 0 to 1."""
        return 1.0 if not self.looks else 1 - self.left / self.looks

    def may_be_labelled(self, now: datetime) -> bool:
        """Whether its labels may follow; of one that has been there for long they do not."""
        never_there = self.state in (DatabaseState.CREATING, DatabaseState.FAILED)
        return self.coming_labels is not None and (never_there or now - self.created_at < NAMED)

    def is_of(self, token: str, now: datetime) -> bool:
        """Whether an order with this token made it; one without labels yet is told by its name."""
        if self.may_be_labelled(now):
            return uuid.UUID(token).hex[:8] in self.name
        return self.labels.get(TOKEN_LABEL) == token

    def get_labels(self) -> None:
        """Get the labels that are to come, if it is there."""
        if self.state is DatabaseState.AVAILABLE and self.going_to is None:
            self.labels |= self.coming_labels or {}
            self.coming_labels = None

    def go(self, through: DatabaseState, to: DatabaseState, looks: int) -> None:
        """Begin to change."""
        self.state, self.going_to, self.looks, self.left = through, to, looks, looks


@dataclass(slots=True, kw_only=True)
class KeptSnapshot:
    """One snapshot, changed in place under its space's lock.

    :param of: name of the instance.
    :param commits: what was committed when it was ordered.
    :param is_damaged: whether what is restored of it lacks rows.
    """

    number: int
    ref: DatabaseRef
    name: str
    of: DatabaseRef
    labels: dict[str, str]
    created_at: datetime
    commits: tuple[Commit, ...]
    account_id: str
    size: str
    state: SnapshotState = SnapshotState.CREATING
    is_damaged: bool = False
    looks: int = 0
    left: int = 0
    fails: ErrorKind | None = None

    @property
    def progress(self) -> float:
        """As of a server."""
        return 1.0 if not self.looks else 1 - self.left / self.looks

    def seen(self) -> Snapshot:
        """As the port has it."""
        failed = self.state is SnapshotState.FAILED
        return Snapshot(
            ref=self.ref,
            name=self.name,
            database=self.of.id,
            state=self.state,
            account_id=self.account_id,
            engine="postgres",
            created_at=self.created_at,
            labels=dict(self.labels),
            error="it could not be taken" if failed else None,
        )


def until(commits: Iterable[Commit], moment: datetime) -> list[Commit]:
    """What was committed until then."""
    return [commit for commit in commits if commit.at <= moment]


def damaged(commits: Iterable[Commit]) -> list[Commit]:
    """The same without the newest row of each table."""
    kept = list(commits)
    newest = {commit.table: place for place, commit in enumerate(kept)}
    return [commit for place, commit in enumerate(kept) if place not in newest.values()]


def rows_of(commits: Iterable[Commit]) -> Mapping[str, list[Row]]:
    """Table → its rows, oldest first."""
    found: dict[str, list[Row]] = {}
    for commit in commits:
        found.setdefault(commit.table, []).append(commit.row)
    return found


def behind(server: Server, now: datetime) -> timedelta:
    """How far a replica is behind."""
    return timedelta(0) if server.paused_at is None else now - server.paused_at
