"""Promoting, stopping, starting and removing an instance."""

from __future__ import annotations

from airflow_multicloud.adapters.orders import check_name, check_token
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import DatabaseRef, DatabaseState
from airflow_multicloud.ports.operations import Operation
from airflow_multicloud.testing.memory_cloud import NAME
from airflow_multicloud.testing.memory_cloud.database.refusals import (
    check_idle,
    check_state,
    name_taken,
    unfit,
)
from airflow_multicloud.testing.memory_cloud.database.servers import Server
from airflow_multicloud.testing.memory_cloud.database.snapshots import Snapshots
from airflow_multicloud.testing.memory_cloud.database.telling import gone, told
from airflow_multicloud.testing.sql_faults import DatabaseCall


class Changes(Snapshots):
    """The port's ``promote_replica``, ``power_database`` and ``remove_database``."""

    def promote_replica(self, ref: DatabaseRef) -> Operation:
        """Cut a replica from its primary; see the port."""
        kept = self._kept
        with kept.lock:
            server = kept.found(ref)
            kept.check(DatabaseCall.PROMOTE, server.name)
            if server.primary is not None and not server.is_promoted:
                check_idle(kept, server)
                check_state(server, DatabaseState.AVAILABLE)
                server.paused_at = server.paused_at or kept.clock.now()
                server.is_promoted = True
                server.go(DatabaseState.BUSY, DatabaseState.AVAILABLE, kept.looks)
            kept.lose_answer(DatabaseCall.PROMOTE, server.name)
            return told(kept, "promote", server)

    def power_database(self, ref: DatabaseRef, *, on: bool) -> Operation:
        """Start an instance that is stopped, or stop one that runs; see the port."""
        kept = self._kept
        with kept.lock:
            server = kept.found(ref)
            kept.check(DatabaseCall.POWER, server.name)
            wanted = DatabaseState.AVAILABLE if on else DatabaseState.STOPPED
            if wanted not in (server.state, server.going_to):
                check_idle(kept, server)
                check_state(server, DatabaseState.STOPPED if on else DatabaseState.AVAILABLE)
                if server.primary is not None or kept.replicas_of(server):
                    raise unfit(server, "a replica, or one with replicas, can't be stopped")
                through = DatabaseState.STARTING if on else DatabaseState.STOPPING
                server.go(through, wanted, kept.looks)
            kept.lose_answer(DatabaseCall.POWER, server.name)
            return told(kept, "start" if on else "stop", server)

    def remove_database(
        self, ref: DatabaseRef, *, token: str, final_snapshot: str | None
    ) -> Operation:
        """Delete an instance that carries the token; see the port."""
        check_token(token, cloud=NAME)
        if final_snapshot is not None:
            check_name("final_snapshot", final_snapshot, cloud=NAME)
        kept = self._kept
        with kept.lock:
            kept.check(DatabaseCall.REMOVE, ref.id.rpartition("/")[2])
            try:
                server = kept.found(ref)
            except DatabaseError as err:
                if err.kind is not ErrorKind.NOT_FOUND:
                    raise
                return gone(kept, "remove", ref.id)
            if not server.is_of(token, kept.clock.now()):
                raise unfit(server, "it does not carry the token")
            if server.going_to is not DatabaseState.DELETING:
                self._end(server, final_snapshot)
            kept.lose_answer(DatabaseCall.REMOVE, server.name)
            return told(kept, "remove", server)

    def _end(self, server: Server, final_snapshot: str | None) -> None:
        kept = self._kept
        check_idle(kept, server)
        if server.deletion_protected:
            raise unfit(server, "it is protected from deletion; take that off first")
        if kept.replicas_of(server):
            raise unfit(server, "it has replicas")
        if final_snapshot is not None:
            check_state(server, DatabaseState.AVAILABLE)
            if final_snapshot in kept.snapshots:
                raise name_taken("snapshot", final_snapshot)
            self._taken(server, final_snapshot, dict(server.labels))
        server.go(DatabaseState.DELETING, DatabaseState.DELETING, kept.looks)
