"""What Cloud SQL goes on with: its own operations, and the state of what they are about.

An operation is kept for some time only, and one that another process began is not at hand; then the
instance or the backup tells.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from airflow_multicloud.adapters import operations
from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.database.errors import (
    Failure,
    failure,
    failure_in,
    translated,
)
from airflow_multicloud.clouds.gcp.database.fields import (
    Place,
    place_of,
    primary_of,
    project_path,
    state_of,
    told_state,
)
from airflow_multicloud.clouds.gcp.database.listing import Listings
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import DatabaseRef, DatabaseState
from airflow_multicloud.ports.operations import Operation, OperationState

#: Instances in these states work on.
CHANGING: Final = frozenset({DatabaseState.CREATING, DatabaseState.BUSY})
_ENDS: Final = {
    "promote": DatabaseState.AVAILABLE,
    "start": DatabaseState.AVAILABLE,
    "stop": DatabaseState.STOPPED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """What finds an operation again.

    :param operation: name of Google's; empty when none is known, and only its object tells.
    :param settings: what a restored instance must have in the end, as ``instances.patch`` takes it.
    """

    operation: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Handle:
        """The handle that a text is.

        :raises DatabaseError: ``invalid_argument``.
        """
        try:
            operation, settings = json.loads(text)
            if isinstance(operation, str) and isinstance(settings, dict):
                return cls(operation=operation, settings=settings)
        except (TypeError, ValueError):
            pass
        raise failure(
            f"handle: {text[:100]!r} given, expected one of an operation of Cloud SQL's",
            ErrorKind.INVALID_ARGUMENT,
        )

    def __str__(self) -> str:
        """As an operation keeps it."""
        return json.dumps([self.operation, dict(self.settings)], separators=(",", ":"))


def operation_of(
    action: str,
    resource: str,
    state: OperationState,
    handle: Handle,
    *,
    failed: Failure | None = None,
    error: str | None = None,
) -> Operation:
    """An operation, seen now.

    :param failed: why it has failed, which it has then.
    :param error: why it was cancelled.
    """
    if failed is None:
        return operations.operation_of(action, resource, state, handle, error=error)
    return operations.operation_of(
        action,
        resource,
        OperationState.FAILED,
        handle,
        error_kind=failed.kind,
        error=failed.text,
        code=failed.code,
    )


def begun(
    action: str,
    resource: str,
    told: Mapping[str, Any],
    *,
    settings: Mapping[str, Any] | None = None,
) -> Operation:
    """What Google has accepted just now.

    :param told: its operation.
    :param settings: as :class:`Handle` has them.
    :raises DatabaseError: when it is none.
    """
    with well_formed(f"{action} of {resource}", NAME, area=DatabaseError):
        handle = Handle(operation=str(told["name"]), settings=settings or {})
        pending = told["status"] == "PENDING"
        failed = failure_in(told)
    state = OperationState.PENDING if pending else OperationState.RUNNING
    return operation_of(action, resource, state, handle, failed=failed)


class RunningOperations(Listings):
    """The port's ``describe_operation``, but for what restores and snapshots have besides."""

    def describe_operation(self, operation: Operation) -> Operation:
        """The operation as it is now; see the port."""
        if operation.state.is_final:
            return operation
        handle = Handle.parse(operation.handle)
        place = place_of(DatabaseRef(operation.resource), home=None)
        if (seen := self._going_on(operation, place.project, handle)) is not None:
            return seen
        item = self._described_or_none(place)
        return self._by_instance(operation.action, place, item, handle)

    def _going_on(self, operation: Operation, project: str, handle: Handle) -> Operation | None:
        """The operation by Google's own, while that goes on or when it has failed."""
        told = self._told(project, handle.operation) if handle.operation else None
        if told is None:
            return None
        with well_formed(f"asking for operation {handle.operation}", NAME, area=DatabaseError):
            failed = failure_in(told)
            status = told["status"]
        if status == "DONE" and failed is None:
            return None
        state = OperationState.PENDING if status == "PENDING" else OperationState.RUNNING
        return operation_of(operation.action, operation.resource, state, handle, failed=failed)

    def _told(self, project: str, name: str) -> dict[str, Any] | None:
        """Google's operation; ``None`` when it is forgotten."""
        path = f"{project_path(project)}/operations/{quote(name, safe='')}"
        try:
            with translated(f"asking for operation {name} of {project}"):
                return self._admin.ask("GET", path)
        except DatabaseError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
            return None

    def _unfinished(self, place: Place, kind: str) -> dict[str, Any] | None:
        """Google's operation of this type that goes on with an instance, if one does."""
        return next(
            (
                told
                for told in self._operations_on(place)
                if told.get("operationType") == kind and told.get("status") != "DONE"
            ),
            None,
        )

    def _operations_on(self, place: Place) -> list[dict[str, Any]]:
        """The newest operations on an instance, the newest first."""
        doing = f"asking for the operations on {place.id}"
        query = {"instance": place.name, "maxResults": 20}
        with translated(doing):
            answer = self._admin.ask("GET", f"{project_path(place.project)}/operations", query)
        with well_formed(doing, NAME, area=DatabaseError):
            return list(answer.get("items", ()))

    def _by_instance(
        self, action: str, place: Place, item: dict[str, Any] | None, handle: Handle
    ) -> Operation:
        """How far something is, by the instance it is about."""
        if item is None:
            removed = action == "remove"
            return operation_of(
                action,
                place.id,
                OperationState.SUCCEEDED if removed else OperationState.CANCELLED,
                handle,
                error=None if removed else "the instance is not there any more",
            )
        with well_formed(f"{action}: describing {place.id}", NAME, area=DatabaseError):
            state, following = state_of(item), primary_of(item) is not None
        if action == "remove":
            gone = state is DatabaseState.DELETING or handle.operation
            return operation_of(
                action,
                place.id,
                OperationState.RUNNING if gone else OperationState.CANCELLED,
                handle,
                error=None if gone else told_state(item),
            )
        if state is _ENDS.get(action) and not (action == "promote" and following):
            return operation_of(action, place.id, OperationState.SUCCEEDED, handle)
        if state in CHANGING:
            return operation_of(action, place.id, OperationState.RUNNING, handle)
        return operation_of(
            action, place.id, OperationState.CANCELLED, handle, error=told_state(item)
        )

    def _delete(
        self, doing: str, path: str, query: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Google's operation of a deletion, for which :meth:`RestApi.ask` has no answer."""
        with translated(doing):
            answer = self._admin.send("DELETE", path, query, headers={}).data
        with well_formed(doing, NAME, area=DatabaseError):
            told: dict[str, Any] = json.loads(answer)
            return told

    def _carried_out(
        self, action: str, place: Place, method: str, path: str, **request: Any
    ) -> Operation:
        """Have Cloud SQL do something to an instance."""
        with translated(f"{action} of {place.id}"):
            told = self._admin.ask(method, path, **request)
        return begun(action, place.id, told)
