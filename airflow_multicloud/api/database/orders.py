"""Restores of databases, and the removal of what was restored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_multicloud.api.database.waiting import POLL, ended, requester, until_done
from airflow_multicloud.core.database.given import check_not_nothing, reference, resource_name
from airflow_multicloud.core.database.removals import (
    DatabaseRemoval,
    OneDatabase,
    ScratchOf,
    advance_removal,
    one_database,
)
from airflow_multicloud.core.database.restores import RestoredDatabase
from airflow_multicloud.core.database.restoring import begin_restore, restored_database
from airflow_multicloud.core.database.wishes import restore_wish
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.opening.databases import open_databases
from airflow_multicloud.ports.database import UNSEEN, DatabaseNetwork
from airflow_multicloud.registry import session


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
    poll_interval: timedelta = POLL,
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
    begun = begin_restore(opened.service, requester(run, name), wish)
    done = ended(opened, begun, timeout=timeout, poll_interval=poll_interval)
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
    poll_interval: timedelta = POLL,
) -> DatabaseRemoval:
    """Remove an instance that this package has restored, until it is gone.

    :param conn_id: the connection of its cloud.
    :param database: as its cloud writes it, or its name.
    :param confirm: the instance's name, for one that is not scratch.
    :param allow: full ids or names of what may be removed, for one that is not scratch; of Azure
        SQL full ids only.
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
    poll_interval: timedelta = POLL,
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
    wanted = ScratchOf.by(requester(run), region, account, sources)
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
    return until_done(
        DatabaseRemoval(certain_from=datetime.now(UTC) + confirm_after),
        lambda removal, now: advance_removal(
            opened.service, wanted, removal, now=now, final_snapshot=final_snapshot
        ),
        cloud=opened.cloud,
        timeout=timeout,
        poll_interval=poll_interval,
    )
