"""Instances and operations of the memory cloud, as the port has them."""

from __future__ import annotations

from datetime import datetime

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.database import (
    DatabaseEndpoint,
    DatabaseInstance,
    DatabaseRole,
    DatabaseState,
    ReplicaLag,
    SnapshotState,
)
from airflow_multicloud.ports.operations import Operation, OperationState
from airflow_multicloud.testing.memory_cloud.database.servers import KeptSnapshot, Server, behind
from airflow_multicloud.testing.memory_cloud.database.space import Databases

_SOURCE = "memory.replica_lag"
_PORT = 5432
_NO_ADDRESS = (DatabaseState.CREATING, DatabaseState.FAILED)
_DONE = {
    "restore": DatabaseState.AVAILABLE,
    "promote": DatabaseState.AVAILABLE,
    "start": DatabaseState.AVAILABLE,
    "stop": DatabaseState.STOPPED,
}


def instance_of(kept: Databases, server: Server, *, with_lag: bool) -> DatabaseInstance:
    """An instance."""
    is_replica = server.primary is not None
    has_failed = server.state is DatabaseState.FAILED
    is_idle = server.state is DatabaseState.AVAILABLE and kept.is_busy(server)
    can_restore = not is_replica and server.state not in _NO_ADDRESS
    now = kept.clock.now()
    return DatabaseInstance(
        ref=server.ref,
        name=server.name,
        state=DatabaseState.BUSY if is_idle else server.state,
        role=DatabaseRole.REPLICA if is_replica else DatabaseRole.PRIMARY,
        engine="postgres",
        engine_version="18.1",
        account_id=kept.account_id,
        endpoint=None
        if server.state in _NO_ADDRESS
        else DatabaseEndpoint(f"{server.name}.memory.test", _PORT),
        replica_of=None if server.primary is None else kept.servers[server.primary].ref.id,
        replicas=tuple(one.ref.id for one in kept.replicas_of(server)),
        lag=_lag_of(server, now) if is_replica and with_lag else None,
        size=server.size,
        labels=dict(server.labels),
        labels_may_follow=server.may_be_labelled(now),
        deletion_protected=server.deletion_protected,
        created_at=server.created_at,
        restorable_from=server.created_at if can_restore else None,
        restorable_until=now if can_restore else None,
        error_kind=server.fails if has_failed else None,
        error="it could not be made" if has_failed else None,
        console_url=f"https://console.memory.test/databases/{server.name}",
    )


def _lag_of(server: Server, now: datetime) -> ReplicaLag:
    if not server.is_measured or server.state is not DatabaseState.AVAILABLE:
        return ReplicaLag(value=None, measured_at=None, source=_SOURCE)
    return ReplicaLag(value=behind(server, now), measured_at=now, source=_SOURCE)


def told(kept: Databases, action: str, server: Server) -> Operation:
    """What goes on with an instance."""
    state, error = OperationState.RUNNING, None
    if server.state is DatabaseState.FAILED:
        state, error = OperationState.FAILED, server.fails
    elif server.going_to is None:
        done = server.state is _DONE.get(action) and not (action == "promote" and server.primary)
        state = OperationState.SUCCEEDED if done else OperationState.CANCELLED
    elif server.going_to is DatabaseState.DELETING and action != "remove":
        state = OperationState.CANCELLED
    return _operation(kept, action, server.ref.id, server.number, state, server.progress, error)


def told_of_snapshot(kept: Databases, action: str, snapshot: KeptSnapshot) -> Operation:
    """What goes on with a snapshot."""
    state, error = OperationState.RUNNING, None
    if snapshot.state is SnapshotState.FAILED:
        state, error = OperationState.FAILED, snapshot.fails or ErrorKind.UNAVAILABLE
    elif snapshot.state is SnapshotState.AVAILABLE:
        state = OperationState.SUCCEEDED
    return _operation(
        kept, action, snapshot.ref.id, snapshot.number, state, snapshot.progress, error
    )


def gone(kept: Databases, action: str, resource: str, number: int = 0) -> Operation:
    """What went on with something that is not there: a removal has succeeded."""
    is_removal = action.startswith("remove")
    state = OperationState.SUCCEEDED if is_removal else OperationState.CANCELLED
    return _operation(kept, action, resource, number, state, 1.0, None)


def _operation(
    kept: Databases,
    action: str,
    resource: str,
    number: int,
    state: OperationState,
    progress: float,
    error: ErrorKind | None,
) -> Operation:
    return Operation(
        handle=str(number),
        action=action,
        resource=resource,
        state=state,
        seen_at=kept.clock.now(),
        progress=1.0 if state is OperationState.SUCCEEDED else progress,
        error_kind=error,
        error=None if error is None else f"{error}, as planted",
        code=None if error is None else "Planted",
    )
