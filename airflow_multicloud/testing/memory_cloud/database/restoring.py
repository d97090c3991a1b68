"""Restoring into a new instance."""

from __future__ import annotations

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.database import (
    DatabaseState,
    FromPointInTime,
    FromSnapshot,
    RestoreOrder,
    SnapshotState,
)
from airflow_multicloud.ports.operations import Operation
from airflow_multicloud.testing.memory_cloud.database.orders import check_restore, labels_of
from airflow_multicloud.testing.memory_cloud.database.reading import Reading
from airflow_multicloud.testing.memory_cloud.database.refusals import failure, name_taken, unfit
from airflow_multicloud.testing.memory_cloud.database.servers import (
    Commit,
    KeptSnapshot,
    Server,
    damaged,
    until,
)
from airflow_multicloud.testing.memory_cloud.database.telling import instance_of, told
from airflow_multicloud.testing.sql_faults import DatabaseCall


class Restores(Reading):
    """The port's ``restore_database``."""

    def restore_database(self, order: RestoreOrder) -> Operation:
        """Restore into a new instance, or find the one that this order made; see the port."""
        check_restore(order)
        kept = self._kept
        with kept.lock:
            kept.check(DatabaseCall.RESTORE, order.name)
            server = kept.servers.get(order.name)
            if server is None:
                server = self._restored(order)
                server.fails = kept.later(DatabaseCall.RESTORE, order.name)
            elif not server.is_of(order.token, kept.clock.now()):
                raise name_taken("instance", order.name)
            elif server.going_to is DatabaseState.DELETING:
                raise failure(f"database {order.name}: it is being deleted", ErrorKind.BUSY)
            else:
                server.get_labels()
            kept.lose_answer(DatabaseCall.RESTORE, order.name)
            return told(kept, "restore", server)

    def _restored(self, order: RestoreOrder) -> Server:
        kept = self._kept
        source, commits = self._what(order.source)
        follow = kept.labels_follow and isinstance(order.source, FromPointInTime)
        subnet = None if order.network is None else order.network.subnet
        server = kept.add(
            order.name,
            region=source.ref.region or "",
            size=order.size or source.size,
            subnet=subnet or "net-1",
            labels={} if follow else labels_of(order),
        )
        if follow:
            server.coming_labels = labels_of(order)
        server.deletion_protected = order.deletion_protected
        server.commits = commits
        server.go(DatabaseState.CREATING, DatabaseState.AVAILABLE, kept.looks)
        return server

    def _what(
        self, source: FromSnapshot | FromPointInTime
    ) -> tuple[Server | KeptSnapshot, list[Commit]]:
        kept = self._kept
        if isinstance(source, FromSnapshot):
            snapshot = kept.found_snapshot(source.snapshot)
            if snapshot.state is not SnapshotState.AVAILABLE:
                raise failure(
                    f"snapshot {snapshot.ref.id}: it is {snapshot.state}, expected available",
                    ErrorKind.BUSY
                    if snapshot.state is SnapshotState.CREATING
                    else ErrorKind.PRECONDITION_FAILED,
                )
            commits = list(snapshot.commits)
            return snapshot, damaged(commits) if snapshot.is_damaged else commits
        server = kept.found(source.database)
        seen = instance_of(kept, server, with_lag=False)
        if seen.restorable_from is None or seen.restorable_until is None:
            raise unfit(server, "it can't be restored to a moment: it is a replica or has no data")
        moment = source.time or seen.restorable_until
        if not seen.restorable_from <= moment <= seen.restorable_until:
            raise failure(
                f"time: {moment.isoformat()} given; expected one from "
                f"{seen.restorable_from.isoformat()} to {seen.restorable_until.isoformat()}",
                ErrorKind.INVALID_ARGUMENT,
            )
        return server, until(server.commits, moment)
