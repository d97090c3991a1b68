"""Snapshots and restores of databases, and the removal of what was restored."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.database.finishing import finished
from airflow_multicloud.core.database.given import (
    check_not_nothing,
    label_map,
    reference,
    resource_name,
)
from airflow_multicloud.core.database.identity import Requester
from airflow_multicloud.core.database.removals import (
    DatabaseRemoval,
    OneDatabase,
    ScratchOf,
    advance_removal,
    one_database,
)
from airflow_multicloud.core.database.restores import RestoredDatabase
from airflow_multicloud.core.database.restoring import begin_restore, restored_database
from airflow_multicloud.core.database.snapshots import (
    SnapshotWish,
    TakenSnapshot,
    begin_snapshot,
    taken_snapshot,
)
from airflow_multicloud.core.database.wishes import restore_wish
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.opening.databases import open_databases
from airflow_multicloud.ports.database import UNSEEN, DatabaseNetwork
from airflow_multicloud.registry import session

_POLL = timedelta(seconds=10)


@session()
@operation("database.snapshot")
def snapshot_database(
    conn_id: str,
    database: str,
    *,
    name: str | None = None,
    labels: Mapping[str, str] | None = None,
    run: str | None = None,
    region: str | None = None,
    account: str | None = None,
    timeout: timedelta = timedelta(hours=1),
    poll_interval: timedelta = _POLL,
) -> TakenSnapshot:
    """Take a snapshot of an instance.

    :param conn_id: the connection of its cloud.
    :param database: as its cloud writes it, or its name.
    :param name: of the snapshot: at most 60 characters, a lower-case letter, then those, digits and
        hyphens; derived from ``run`` when left out.
    :param labels: besides those that find it.
    :param run: on whose behalf: the same run asks for the same snapshot, and finds it. When left
        out, the ``name`` stands for it, else each call is a run of its own.
    :param region: in which it is; the connection's own when left out.
    :param account: in which it must be, or nothing is done.
    :param timeout: for all of it.
    :param poll_interval: between two looks.
    :raises CloudError: as the port's ``snapshot_database``; what the snapshot has failed with.
    """
    wish = SnapshotWish(
        database=reference("database", database, region),
        name=None if name is None else resource_name("name", name),
        labels=label_map("labels", labels),
        account=account,
    )
    opened = open_databases(conn_id)
    begun = begin_snapshot(opened.service, _requester(run, name), wish)
    ended = finished(
        opened.service,
        begun.operation,
        poll_interval=poll_interval,
        timeout=timeout,
        cloud=opened.cloud,
    )
    done = replace(begun, operation=ended)
    return taken_snapshot(opened.service, done, conn_id=conn_id, cloud=opened.cloud)


@session()
@operation("database.restore")
def restore_database(
    conn_id: str,
    *,
    database: str | None = None,
    snapshot: str | None = None,
    at: datetime | str | None = None,
    name: str | None = None,
    scratch: bool = True,
    labels: Mapping[str, str] | None = None,
    size: str | None = None,
    network: DatabaseNetwork | Mapping[str, Any] | None = None,
    deletion_protected: bool = False,
    run: str | None = None,
    region: str | None = None,
    account: str | None = None,
    timeout: timedelta = timedelta(hours=2),
    poll_interval: timedelta = _POLL,
) -> RestoredDatabase:
    """Restore a snapshot, or an instance as it was, into a new instance.

    :param conn_id: the connection of its cloud.
    :param database: the instance to restore, as its cloud writes it or by its name; or else
        ``snapshot``.
    :param snapshot: full id of the snapshot to restore.
    :param at: the moment to restore the database at; the latest that its cloud can when left out.
    :param name: of the new instance; left out it is derived from ``run``, which only scratch may.
    :param scratch: whether it may be removed by :func:`remove_scratch_databases`; it is labelled
        so, and is never protected from deletion.
    :param labels: besides those that find it.
    :param size: instance class, tier or SKU; the source's own when left out.
    :param network: where it is attached; as its source when left out.
    :param deletion_protected: whether its cloud is to refuse to delete it.
    :param run: on whose behalf: the same run asks for the same instance, and finds it. When left
        out, the ``name`` stands for it, else each call is a run of its own.
    :param region: in which the source is; the connection's own when left out.
    :param account: in which the source must be, or nothing is done.
    :param timeout: for all of it.
    :param poll_interval: between two looks.
    :raises CloudError: as the port's ``restore_database``; what the restore has failed with.
    """
    wish = restore_wish(
        database=database,
        snapshot=snapshot,
        at=at,
        name=name,
        scratch=scratch,
        labels=labels,
        size=size,
        network=network,
        deletion_protected=deletion_protected,
        region=region,
        account=account,
    )
    opened = open_databases(conn_id)
    begun = begin_restore(opened.service, _requester(run, name), wish)
    ended = finished(
        opened.service,
        begun.operation,
        poll_interval=poll_interval,
        timeout=timeout,
        cloud=opened.cloud,
    )
    done = replace(begun, operation=ended)
    return restored_database(opened.service, done, conn_id=conn_id, cloud=opened.cloud)


@session()
@operation("database.remove")
def remove_database(
    conn_id: str,
    database: str,
    *,
    confirm: str | None = None,
    allow: Sequence[str] | None = None,
    final_snapshot: str | None = None,
    region: str | None = None,
    account: str | None = None,
    timeout: timedelta = timedelta(hours=1),
    poll_interval: timedelta = _POLL,
) -> DatabaseRemoval:
    """Remove an instance that this package has restored, until it is gone.

    :param conn_id: the connection of its cloud.
    :param database: as its cloud writes it, or its name.
    :param confirm: the instance's name, for one that is not scratch.
    :param allow: full ids or names of what may be removed, for one that is not scratch.
    :param final_snapshot: name of a snapshot to take first.
    :param region: in which it is; the connection's own when left out.
    :param account: in which it must be, or nothing is done.
    :param timeout: for all of it.
    :param poll_interval: between two looks.
    :raises CloudError: ``precondition_failed`` for one that is protected, has replicas, or does not
        carry the full identity of a restore of this package.
    """
    wanted = one_database(database, region=region, confirm=confirm, allow=allow, account=account)
    name = None if final_snapshot is None else resource_name("final_snapshot", final_snapshot)
    return _removed(conn_id, wanted, timedelta(), name, timeout, poll_interval)


@session()
@operation("database.remove")
def remove_scratch_databases(
    conn_id: str,
    run: str,
    *,
    source: str | None = None,
    region: str | None = None,
    account: str | None = None,
    confirm_after: timedelta = UNSEEN,
    timeout: timedelta = timedelta(hours=1),
    poll_interval: timedelta = _POLL,
) -> DatabaseRemoval:
    """Remove every scratch instance that a run has restored, until a listing shows nothing.

    They lie where what they were restored from does. The result's ``searched`` says where they were
    looked for; what was restored elsewhere is still there.

    :param conn_id: the connection of their cloud.
    :param run: as :func:`restore_database` was given it.
    :param source: full id of the instance or the snapshot that was restored, which may be gone:
        they are looked for where that lies as well.
    :param region: in which they are; the connection's own when left out.
    :param account: in which they must be, or nothing is done; on Google Cloud also the project to
        look in, the connection's own when left out.
    :param confirm_after: the closing listing is made no earlier than this after the beginning.
    :param timeout: for all of it.
    :param poll_interval: between two looks.
    :raises CloudError: for what can't be removed.
    """
    check_not_nothing("run", run)
    sources = () if source is None else (reference("source", source, None),)
    wanted = ScratchOf.by(_requester(run), region, account, sources)
    return _removed(conn_id, wanted, confirm_after, None, timeout, poll_interval)


def _removed(
    conn_id: str,
    wanted: ScratchOf | OneDatabase,
    confirm_after: timedelta,
    final_snapshot: str | None,
    timeout: timedelta,
    poll_interval: timedelta,
) -> DatabaseRemoval:
    opened = open_databases(conn_id)
    begun = datetime.now(UTC)
    removal = DatabaseRemoval(certain_from=begun + confirm_after)
    while True:
        removal = advance_removal(
            opened.service,
            wanted,
            removal,
            now=datetime.now(UTC),
            final_snapshot=final_snapshot,
        )
        if removal.done:
            return removal
        if datetime.now(UTC) >= begun + timeout:
            raise DatabaseError(
                f"timeout: it was not removed within {timeout}; what was begun goes on in the "
                "cloud, and the same call again removes the rest",
                kind=ErrorKind.TIMEOUT,
                cloud=opened.cloud,
            )
        cancellation.pause(max(poll_interval, removal.wait).total_seconds())


def _requester(run: str | None, name: str | None = None) -> Requester:
    if run is None and name is not None:
        return Requester(run=f"api, by its name: {name}", readable=name)
    return Requester(run=f"api {run or uuid.uuid4().hex}", readable=run or "api")
