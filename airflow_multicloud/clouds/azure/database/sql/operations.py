"""What Azure goes on with, which any process can ask about.

A database's state does not show that it is deleted or becomes the primary. So one whose operation
Azure never named is taken to go on until the database, or its links, show the end.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from airflow_multicloud.clouds.azure.database.handles import (
    Asking,
    Handle,
    made_by_another,
    operation_of,
)
from airflow_multicloud.clouds.azure.database.sql.describing import carries_token
from airflow_multicloud.clouds.azure.database.sql.fields import (
    SqlPlace,
    failure_of,
    following,
    place_of,
    state_of,
    status_of,
)
from airflow_multicloud.clouds.azure.database.sql.listing import SqlListings
from airflow_multicloud.ports.database import DatabaseRef, DatabaseState
from airflow_multicloud.ports.operations import Operation, OperationState

if TYPE_CHECKING:
    from azure.mgmt.sql.models import Database

_DONE = {
    "restore": DatabaseState.AVAILABLE,
    "start": DatabaseState.AVAILABLE,
    "stop": DatabaseState.STOPPED,
}
_LASTING = frozenset({DatabaseState.AVAILABLE, DatabaseState.STOPPED})


def told_by(
    action: str, database: Database, place: SqlPlace, handle: Handle | None = None
) -> Operation:
    """How a restore, a start or a stop goes on, by the database's state."""
    state, kind = state_of(database), failure_of(database)
    error = f"the database's state is {status_of(database)}"
    if kind is not None:
        return operation_of(
            action,
            place.id,
            OperationState.FAILED,
            handle,
            error_kind=kind,
            error=error,
            code=status_of(database),
        )
    # A serverless database that was just restored may be paused, and resumes by itself.
    if state is _DONE[action] or (action == "restore" and state is DatabaseState.STOPPED):
        return operation_of(action, place.id, OperationState.SUCCEEDED, handle)
    if state not in _LASTING:
        return operation_of(action, place.id, OperationState.RUNNING, handle)
    return operation_of(action, place.id, OperationState.CANCELLED, handle, error=error)


class SqlOperations(SqlListings, Asking):
    """The port's ``describe_operation``."""

    def describe_operation(self, operation: Operation) -> Operation:
        """The operation as it is now; see the port.

        The look that finds a restore done also makes the lock that its order asks for.
        """
        return self._described(operation, partial(self._shown, operation))

    def _shown(self, operation: Operation, handle: Handle, is_done: bool) -> Operation:
        """How far an operation is, by its database.

        :param is_done: whether Azure has said so.
        """
        action = operation.action
        place = place_of(DatabaseRef(operation.resource), self._subscription)
        database = self._database_or_none(place)
        if database is None:
            is_removal = action == "remove"
            state = OperationState.SUCCEEDED if is_removal else OperationState.CANCELLED
            error = None if is_removal else "it is not there any more"
            return operation_of(action, place.id, state, handle, error=error)
        if action == "restore":
            return self._restored(place, database, handle)
        if action in ("remove", "promote"):
            return self._shown_at_its_end(action, place, handle, is_done=is_done)
        if is_done:
            return operation_of(action, place.id, OperationState.SUCCEEDED, handle)
        return told_by(action, database, place, handle)

    def _restored(self, place: SqlPlace, database: Database, handle: Handle) -> Operation:
        """How far a restore is, by its database; one that is done gets its lock."""
        if not carries_token(database, handle.token):
            return made_by_another(place.id, handle, "database")
        told = told_by("restore", database, place, handle)
        is_done = told.state is OperationState.SUCCEEDED
        if is_done and handle.protect and not self._is_locked(place.id):
            self._lock(place.id)
        return told

    def _shown_at_its_end(
        self, action: str, place: SqlPlace, handle: Handle, *, is_done: bool
    ) -> Operation:
        """How far a removal or a promotion is, of a database that is there."""
        if action == "promote" and following(self._links(place)) is None:
            return operation_of(action, place.id, OperationState.SUCCEEDED, handle)
        if is_done or not handle.url:
            return operation_of(action, place.id, OperationState.RUNNING, handle)
        why = "Azure has forgotten it, and it is not done"
        return operation_of(action, place.id, OperationState.CANCELLED, handle, error=why)
