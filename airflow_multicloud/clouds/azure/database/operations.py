"""What Azure goes on with, which any process can ask about.

Where there is no operation to ask for, or Azure has forgotten it, the server or the backup tells
itself.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from airflow_multicloud.clouds.azure.database.backup_tags import BackupTags
from airflow_multicloud.clouds.azure.database.describing import carries_token
from airflow_multicloud.clouds.azure.database.errors import if_there
from airflow_multicloud.clouds.azure.database.fields import (
    FAILURES,
    Place,
    place_of,
    primary_of,
    state_of,
    status_of,
)
from airflow_multicloud.clouds.azure.database.handles import (
    Asking,
    Handle,
    made_by_another,
    operation_of,
)
from airflow_multicloud.ports.database import DatabaseRef, DatabaseState
from airflow_multicloud.ports.operations import Operation, OperationState

if TYPE_CHECKING:
    from azure.mgmt.postgresqlflexibleservers.models import BackupAutomaticAndOnDemand, Server

_DONE = {
    "restore": DatabaseState.AVAILABLE,
    "promote": DatabaseState.AVAILABLE,
    "start": DatabaseState.AVAILABLE,
    "stop": DatabaseState.STOPPED,
}
_LASTING = frozenset({DatabaseState.AVAILABLE, DatabaseState.STOPPED})


def told_by(action: str, server: Server, place: Place, handle: Handle | None = None) -> Operation:
    """What goes on with a server, by its state."""
    state, status = state_of(server), status_of(server)
    found = operation_of(action, place.server, OperationState.RUNNING, handle)
    if action == "remove":
        if state not in _LASTING:
            return found
    elif state is DatabaseState.FAILED:
        return operation_of(
            action,
            place.server,
            OperationState.FAILED,
            handle,
            error_kind=FAILURES[status.lower()],
            error=f"the server's state is {status}",
            code=status,
        )
    elif state is _DONE[action] and not (action == "promote" and primary_of(server)):
        return operation_of(action, place.server, OperationState.SUCCEEDED, handle)
    elif state not in _LASTING and state is not DatabaseState.DELETING:
        return found
    error = f"the server's state is {status}"
    return operation_of(action, place.server, OperationState.CANCELLED, handle, error=error)


class RunningOperations(BackupTags, Asking):
    """The port's ``describe_operation``."""

    def describe_operation(self, operation: Operation) -> Operation:
        """The operation as it is now; see the port.

        The look that finds a restore done also makes the lock that its order asks for.
        """
        return self._described(operation, partial(self._shown, operation))

    def _shown(self, operation: Operation, handle: Handle, is_done: bool) -> Operation:
        """How far an operation is, by its server or its backup.

        :param is_done: whether Azure has said so.
        """
        ref = DatabaseRef(operation.resource)
        if operation.action in ("snapshot", "remove_snapshot"):
            place = place_of(ref, self._subscription, is_backup=True)
            return self._by_backup(operation.action, place, handle, is_done=is_done)
        place = place_of(ref, self._subscription)
        server = self._server_or_none(place)
        if operation.action == "restore" and server is not None:
            return self._restored(place, server, handle)
        return _by_server(operation.action, place, server, handle, is_done=is_done)

    def _restored(self, place: Place, server: Server, handle: Handle) -> Operation:
        """How far a restore is, by its server; one that is done gets its lock."""
        if not carries_token(server, handle.token):
            return made_by_another(place.server, handle, "server")
        told = told_by("restore", server, place, handle)
        is_done = told.state is OperationState.SUCCEEDED
        if is_done and handle.protect and not self._is_locked(place.server):
            self._lock(place.server)
        return told

    def _by_backup(self, action: str, place: Place, handle: Handle, *, is_done: bool) -> Operation:
        """How far a snapshot, or its removal, is.

        :param is_done: whether Azure has said so.
        """
        backup = self._backup_or_none(place)
        if action == "remove_snapshot":
            state = OperationState.RUNNING
            if backup is None:
                self._forget_labels(place, self._server_or_none(place))
                state = OperationState.SUCCEEDED
            return operation_of(action, place.id, state, handle)
        if is_complete(backup):
            return operation_of(action, place.id, OperationState.SUCCEEDED, handle)
        if backup is not None or is_done:
            return operation_of(action, place.id, OperationState.RUNNING, handle)
        error = "it is not there any more"
        return operation_of(action, place.id, OperationState.CANCELLED, handle, error=error)

    def _backup_or_none(self, place: Place) -> BackupAutomaticAndOnDemand | None:
        """What the service says of a backup; ``None`` when there is none."""
        return if_there(
            f"describing {place.id}",
            lambda: self._postgres.backups_automatic_and_on_demand.get(
                place.group, place.name, str(place.backup)
            ),
        )


def is_complete(backup: BackupAutomaticAndOnDemand | None) -> bool:
    """Whether a backup is there and has been taken."""
    properties = backup.properties if backup is not None else None
    return properties is not None and properties.completed_time is not None


def _by_server(
    action: str, place: Place, server: Server | None, handle: Handle, *, is_done: bool
) -> Operation:
    """How an operation is that Azure says is done, or does not know any more."""
    if server is None:
        is_removal = action == "remove"
        state = OperationState.SUCCEEDED if is_removal else OperationState.CANCELLED
        error = None if is_removal else "it is not there any more"
        return operation_of(action, place.server, state, handle, error=error)
    if is_done:
        state = OperationState.RUNNING if action == "remove" else OperationState.SUCCEEDED
        return operation_of(action, place.server, state, handle)
    return told_by(action, server, place, handle)
