"""Which snapshots of a series are kept, and which are removed once there is a newer one.

A series is what one task takes of one instance, over all of its runs. It is told by labels that are
part of the order's token, so nothing else is ever counted or removed. An instance that is made
under the name of one that was deleted is another: what was taken before it was made is not of it.

Runs are counted, not snapshots: a run that is cleared or whose task is mapped takes several.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.database.given import refused
from airflow_multicloud.core.database.identity import SERIES, OrderIdentity
from airflow_multicloud.core.database.snapshot_removals import (
    GivenUp,
    LeftSnapshot,
    RemovedSnapshot,
    SnapshotRemoval,
)
from airflow_multicloud.core.database.wanted_snapshots import Ours, ours
from airflow_multicloud.core.telemetry import count_retry
from airflow_multicloud.errors import CloudError
from airflow_multicloud.ports.database import (
    DatabasePlace,
    DatabaseRef,
    DatabaseService,
    SnapshotState,
)
from airflow_multicloud.text import printable

if TYPE_CHECKING:
    from airflow_multicloud.core.database.snapshots import BegunSnapshot

_log = logging.getLogger(__name__)

#: What is not gone by then is left to the next run: it must not cost the snapshot that was taken.
PATIENCE = timedelta(minutes=10)
#: So much older than the snapshot is what is removed: what a restore may still read stays.
MIN_AGE = timedelta(days=1)
_MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotRetention:
    """What was done about the older snapshots of a series.

    :param keep: of how many runs, the newest, all snapshots are kept.
    :param kept: how many there are that can be restored, after the removal; ``None`` when its cloud
        could not be asked.
    :param predating: how many there are that were taken before the instance was made, of another
        one of its name: they are never removed; ``None`` when its cloud could not be asked, or does
        not say when it was made, and nothing is removed then.
    :param removed: what is gone.
    :param left: what should be gone and could not be removed; the next run tries again.
    :param given_up: why the rest was given up: its cloud could not be asked what there is, or what
        became of it. The next run tries again.
    """

    keep: int
    kept: int | None
    predating: int | None
    removed: tuple[RemovedSnapshot, ...]
    left: tuple[LeftSnapshot, ...]
    given_up: GivenUp | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OlderSnapshots:
    """What is to be removed of a series once a snapshot of it is available.

    :param keep: of so many runs, the newest, all snapshots stay.
    :param taken: full id of the snapshot: nothing newer is removed, and nothing of its own run.
    :param database: full id of the instance.
    :param database_created_at: when the instance was made, as its cloud says; nothing is removed
        for ``None``.
    :param min_age: nothing is removed that is not so much older than the snapshot.
    """

    keep: int
    taken: str
    identity: OrderIdentity
    database: DatabaseRef
    account_id: str
    database_created_at: datetime | None = None
    min_age: timedelta = MIN_AGE

    @classmethod
    def than(cls, begun: BegunSnapshot, keep: int, min_age: timedelta = MIN_AGE) -> OlderSnapshots:
        """Than this snapshot, which has been taken."""
        return cls(
            keep=keep,
            taken=begun.operation.resource,
            identity=begun.identity,
            database=begun.database,
            account_id=begun.account_id,
            database_created_at=begun.database_created_at,
            min_age=min_age,
        )

    def listed(self, service: DatabaseService) -> list[Ours]:
        """What should be gone, the oldest first."""
        series = self._series(service)
        own = [one for one in series if one[1].ref.id == self.taken]
        if not own or own[0][1].created_at is None:
            # A listing that lacks it may lack others as well.
            _log.warning("%s is not listed: nothing is removed for it", printable(self.taken))
            return []
        taken_at, made_at = own[0][1].created_at, self.database_created_at
        if made_at is None:
            return []
        series = [one for one in series if not _is_before(one, made_at)]
        # By the newest that it has; what was taken for a cleared run is as new as any.
        runs = dict.fromkeys(identity.run for identity, _ in _usable(series))
        # The run itself: another map index, or an order before this task was cleared.
        staying = {self.identity.run, *[*runs][: self.keep]}
        return [
            (identity, one)
            for identity, one in reversed(series)
            if identity.run not in staying
            and one.created_at is not None
            and one.created_at < taken_at
            and taken_at - one.created_at >= self.min_age
            and one.state is not SnapshotState.CREATING
        ]

    def places(self, service: DatabaseService) -> tuple[DatabasePlace, ...]:
        """Where the instance lies."""
        return (service.database_place(self.database),)

    def outcome(self, service: DatabaseService, removal: SnapshotRemoval) -> SnapshotRetention:
        """What came of it."""
        left = {one.id for one in removal.left}
        series, made_at = self._series(service), self.database_created_at
        predating = None if made_at is None else sum(_is_before(one, made_at) for one in series)
        if predating is None:
            _log.warning(
                "nothing is removed: it is not known since when there is %s, and another instance "
                "may have had its name before",
                printable(self.database.id),
            )
        elif predating:
            _log.warning(
                "never removed by keep, and not counted: %d snapshots that were taken before %s "
                "was made (%s), of another instance of its name",
                *(predating, printable(self.database.id), made_at),
            )
        return SnapshotRetention(
            keep=self.keep,
            kept=len(_usable(series)),
            predating=predating,
            removed=tuple(one for one in removal.removed if one.id not in left),
            left=removal.left,
            given_up=removal.given_up,
        )

    def unknown(self, removal: SnapshotRemoval, err: CloudError) -> SnapshotRetention:
        """What came of it, where its cloud can't be asked what there is now.

        :raises CloudError: the error, when the work is to stop.
        """
        given_up = _given_up(err)
        left = {one.id for one in removal.left}
        return SnapshotRetention(
            keep=self.keep,
            kept=None,
            predating=None,
            removed=tuple(one for one in removal.removed if one.id not in left),
            left=removal.left,
            given_up=removal.given_up or given_up,
        )

    def _series(self, service: DatabaseService) -> list[Ours]:
        """The snapshots of the series, the newest first; one that has no time yet is new."""
        found = []
        for one in service.list_snapshots(self.database, {SERIES: self.identity.series}):
            identity = ours(one)
            if (
                identity is not None
                and identity.series == self.identity.series
                and identity.source == self.identity.source
                and one.account_id == self.account_id
            ):
                found.append((identity, one))
        found.sort(key=_time_of, reverse=True)
        return found


def begin_retention(now: datetime, within: timedelta = PATIENCE) -> SnapshotRemoval:
    """A removal that gives up in time.

    :param within: what is left of the time for all of it; ten minutes at most are taken.
    :param now: aware.
    """
    patience = max(timedelta(), min(PATIENCE, within))
    return SnapshotRemoval(certain_from=now, gives_up_at=now + patience)


def spared(
    removal: SnapshotRemoval, now: datetime, advance: Callable[[], SnapshotRemoval]
) -> SnapshotRemoval:
    """A step of a removal whose errors end it: they must not cost the snapshot that was taken.

    :param now: aware.
    :param advance: does what is due, once.
    :return: unchanged after an error that may pass, as long as there is time.
    :raises CloudError: when the work is to stop.
    """
    try:
        return advance()
    except CloudError as err:
        in_time = removal.gives_up_at is None or now < removal.gives_up_at
        if err.retryable and in_time and not cancellation.requested():
            count_retry(err)
            _log.info("not yet: %s: %s", err.kind, printable(str(err)))
            return removal
        return replace(removal, waits_for=(), given_up=_given_up(err))


def _given_up(err: CloudError) -> GivenUp:
    if cancellation.requested():
        # A request that was aborted may fail with anything.
        raise err
    _log.warning("older snapshots are left to the next run: %s: %s", err.kind, printable(str(err)))
    return GivenUp(kind=err.kind, error=printable(str(err)))


def check_keep(keep: object) -> int | None:
    """Of how many runs to keep the snapshots of a series.

    :raises DatabaseError: ``invalid_argument``.
    """
    if keep is None:
        return None
    if not isinstance(keep, int) or isinstance(keep, bool) or not 1 <= keep <= _MOST:
        raise refused("keep", keep, f"a number of runs, from 1 to {_MOST}")
    return keep


def _is_before(pair: Ours, moment: datetime) -> bool:
    created_at = pair[1].created_at
    return created_at is not None and created_at < moment


def _usable(series: list[Ours]) -> list[Ours]:
    return [one for one in series if one[1].state is SnapshotState.AVAILABLE]


def _time_of(pair: Ours) -> tuple[bool, float]:
    moment = pair[1].created_at
    return (True, 0.0) if moment is None else (False, moment.timestamp())
