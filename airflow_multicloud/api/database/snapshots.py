"""Snapshots of databases, and their removal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_multicloud.api.database.waiting import POLL, ended, requester, until_done
from airflow_multicloud.core.database.given import (
    duration,
    is_nothing,
    label_map,
    line,
    reference,
    refused,
)
from airflow_multicloud.core.database.given import resource_name as checked_name
from airflow_multicloud.core.database.retention import (
    MIN_AGE,
    PATIENCE,
    OlderSnapshots,
    begin_retention,
    check_keep,
    spared,
)
from airflow_multicloud.core.database.snapshot_removals import (
    SnapshotRemoval,
    advance_snapshot_removal,
)
from airflow_multicloud.core.database.snapshots import (
    SnapshotWish,
    TakenSnapshot,
    begin_snapshot,
    taken_snapshot,
)
from airflow_multicloud.core.database.wanted_snapshots import one_snapshot
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.opening.airflow_id import warn_if_untold
from airflow_multicloud.opening.databases import open_databases
from airflow_multicloud.opening.snapshots import retention_of
from airflow_multicloud.registry import session


@session()
@operation("database.snapshot")
def snapshot_database(
    conn_id: str,
    database: str,
    *,
    name: str | None = None,
    labels: Mapping[str, str] | None = None,
    run: str | None = None,
    series: str | None = None,
    keep: int | None = None,
    min_age: timedelta = MIN_AGE,
    region: str | None = None,
    account: str | None = None,
    timeout: timedelta = timedelta(hours=1),
    poll_interval: timedelta = POLL,
) -> TakenSnapshot:
    """Take a snapshot of an instance; remove older ones of its series, where that is asked for.

    What can't be removed is in the result's ``retention``, and raises nothing.

    :param conn_id: the connection of its cloud.
    :param database: as its cloud writes it, or its name.
    :param name: of the snapshot: at most 60 characters, a lower-case letter, then those, digits and
        hyphens; derived from ``run`` when left out.
    :param labels: besides those that find it.
    :param run: on whose behalf: the same run asks for the same snapshot, and finds it. When left
        out, the ``name`` stands for it, else each call is a run of its own.
    :param series: what this snapshot is one of, by a name that you choose: those that were taken of
        the same instance with the same ``series``.
    :param keep: of how many runs, the newest, the snapshots of the series stay; of all when left
        out.
    :param min_age: with ``keep``: nothing is removed that is not so much older than the snapshot: a
        restore may still read it.
    :param region: in which it is; the connection's own when left out.
    :param account: in which it must be, or nothing is done.
    :param timeout: for all of it.
    :param poll_interval: between two looks.
    :raises CloudError: as the port's ``snapshot_database``; what the snapshot has failed with.
    """
    wish = SnapshotWish(
        database=reference("database", database, region),
        name=None if name is None else checked_name("name", name),
        labels=label_map("labels", labels),
        account=account,
    )
    kept, age = check_keep(keep), duration("min_age", min_age)
    if kept is not None and is_nothing(series):
        raise refused("series", series, "it with keep, which counts the snapshots of a series")
    of = None if series is None else line("series", series)
    if kept is not None:
        warn_if_untold()
    opened = open_databases(conn_id)
    until = datetime.now(UTC) + timeout
    begun = begin_snapshot(opened.service, requester(run, name, of), wish)
    done = ended(opened, begun, timeout=timeout, poll_interval=poll_interval)
    taken = taken_snapshot(opened.service, done, conn_id=conn_id, cloud=opened.cloud)
    if kept is None:
        return taken
    older = OlderSnapshots.than(done, kept, age)
    return _retained(conn_id, older, taken, until, poll_interval)


def _retained(
    conn_id: str,
    older: OlderSnapshots,
    taken: TakenSnapshot,
    until: datetime,
    poll_interval: timedelta,
) -> TakenSnapshot:
    now, opened = datetime.now(UTC), open_databases(conn_id)
    # It gives up by itself, which is no error: the snapshot was taken.
    removal = until_done(
        begin_retention(now, until - now),
        lambda so_far, at: spared(
            so_far,
            at,
            lambda: advance_snapshot_removal(opened.service, older, so_far, now=at),
        ),
        cloud=opened.cloud,
        timeout=PATIENCE + max(timedelta(minutes=1), 2 * poll_interval),
        poll_interval=poll_interval,
    )
    return replace(taken, retention=retention_of(conn_id, older, removal))


@session()
@operation("database.remove_snapshot")
def remove_snapshot(
    conn_id: str,
    snapshot: str | Mapping[str, Any],
    *,
    confirm: str,
    allow: Sequence[str],
    region: str | None = None,
    account: str | None = None,
    timeout: timedelta = timedelta(hours=1),
    poll_interval: timedelta = POLL,
) -> SnapshotRemoval:
    """Remove a snapshot that this package has taken, until it is gone.

    One that is not there is a success.

    :param conn_id: the connection of its cloud.
    :param snapshot: its full id, or a mapping that has it as ``id``.
    :param confirm: its name, exactly.
    :param allow: full ids or names of what may be removed; there are no patterns.
    :param region: in which it is; the connection's own when left out.
    :param account: in which it must be, or nothing is done.
    :param timeout: for all of it.
    :param poll_interval: between two looks.
    :raises CloudError: ``precondition_failed`` for one that does not carry the full identity of a
        snapshot by this package, or lies in another account.
    """
    wanted = one_snapshot(snapshot, region=region, confirm=confirm, allow=allow, account=account)
    opened = open_databases(conn_id)
    removal = until_done(
        SnapshotRemoval(certain_from=datetime.now(UTC)),
        lambda so_far, now: advance_snapshot_removal(opened.service, wanted, so_far, now=now),
        cloud=opened.cloud,
        timeout=timeout,
        poll_interval=poll_interval,
    )
    removal.raise_if_left(opened.cloud)
    return removal
