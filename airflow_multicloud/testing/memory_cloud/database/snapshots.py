"""Snapshots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from airflow_multicloud.adapters.orders import carries, check_order, check_token
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    TOKEN_LABEL,
    DatabaseRef,
    DatabaseState,
    Snapshot,
    SnapshotOrder,
    SnapshotState,
)
from airflow_multicloud.ports.operations import Operation
from airflow_multicloud.testing.memory_cloud import NAME
from airflow_multicloud.testing.memory_cloud.database.ids import REGION
from airflow_multicloud.testing.memory_cloud.database.orders import labels_of
from airflow_multicloud.testing.memory_cloud.database.reading import Reading
from airflow_multicloud.testing.memory_cloud.database.refusals import (
    check_idle,
    check_state,
    failure,
    name_taken,
)
from airflow_multicloud.testing.memory_cloud.database.servers import KeptSnapshot, Server
from airflow_multicloud.testing.memory_cloud.database.telling import gone, told_of_snapshot
from airflow_multicloud.testing.sql_faults import DatabaseCall


class Snapshots(Reading):
    """The port's ``snapshot_database``, ``list_snapshots`` and ``remove_snapshot``."""

    def snapshot_database(self, order: SnapshotOrder) -> Operation:
        """Take a snapshot, or find the one that this order took before; see the port."""
        check_order(order, cloud=NAME)
        kept = self._kept
        with kept.lock:
            kept.check(DatabaseCall.SNAPSHOT, order.name)
            snapshot = kept.snapshots.get(order.name)
            if snapshot is None:
                server = kept.found(order.database)
                check_idle(kept, server)
                check_state(server, DatabaseState.AVAILABLE)
                snapshot = self._taken(server, order.name, labels_of(order))
                snapshot.fails = kept.later(DatabaseCall.SNAPSHOT, order.name)
            elif snapshot.labels.get(TOKEN_LABEL) != order.token:
                raise name_taken("snapshot", order.name)
            kept.lose_answer(DatabaseCall.SNAPSHOT, order.name)
            return told_of_snapshot(kept, "snapshot", snapshot)

    def describe_snapshot(self, ref: DatabaseRef) -> Snapshot:
        """A snapshot as it is now; see the port."""
        kept = self._kept
        with kept.lock:
            kept.check(DatabaseCall.DESCRIBE, ref.id.rpartition("/")[2])
            return kept.found_snapshot(ref).seen()

    def list_snapshots(
        self, database: DatabaseRef | None, labels: Mapping[str, str | None]
    ) -> Iterator[Snapshot]:
        """Snapshots that carry these labels, the newest first; see the port."""
        kept = self._kept
        with kept.lock:
            kept.check(DatabaseCall.LIST, "")
            known = sorted(kept.snapshots.values(), key=lambda one: one.number, reverse=True)
            found = [one.seen() for one in known]
            region, name = (REGION, "") if database is None else kept.named(database, "databases")
        of = kept.id_of("databases", region, name)
        for snapshot in found:
            there = snapshot.ref.region == region if database is None else snapshot.database == of
            if there and carries(snapshot.labels, labels):
                yield snapshot

    def remove_snapshot(self, ref: DatabaseRef, *, token: str) -> Operation:
        """Delete a snapshot that carries the token; see the port."""
        check_token(token, cloud=NAME)
        kept = self._kept
        with kept.lock:
            kept.check(DatabaseCall.REMOVE, ref.id.rpartition("/")[2])
            try:
                snapshot = kept.found_snapshot(ref)
            except DatabaseError as err:
                if err.kind is not ErrorKind.NOT_FOUND:
                    raise
                return gone(kept, "remove_snapshot", ref.id)
            if snapshot.labels.get(TOKEN_LABEL) != token:
                raise failure(
                    f"snapshot {ref.id}: it does not carry the token",
                    ErrorKind.PRECONDITION_FAILED,
                )
            if snapshot.state is SnapshotState.CREATING:
                raise failure(f"snapshot {ref.id}: it is being taken", ErrorKind.BUSY)
            del kept.snapshots[snapshot.name]
            kept.lose_answer(DatabaseCall.REMOVE, snapshot.name)
            return gone(kept, "remove_snapshot", snapshot.ref.id)

    def _taken(self, server: Server, name: str, labels: dict[str, str]) -> KeptSnapshot:
        kept = self._kept
        snapshot = KeptSnapshot(
            number=kept.number(),
            ref=replace(server.ref, id=kept.id_of("snapshots", server.ref.region or "", name)),
            name=name,
            of=server.ref,
            labels=labels,
            created_at=kept.clock.now(),
            commits=tuple(kept.held(server)),
            account_id=kept.account_id,
            size=server.size,
            looks=kept.looks,
            left=kept.looks,
        )
        kept.snapshots[name] = snapshot
        return snapshot
