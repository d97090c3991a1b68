"""A restored instance is given what it could not be given at once.

Neither labels nor protection, size or network can be named when an instance is cloned. They are set
(``instances.patch``) when it is there, by whoever asks how far the restore is; only then has it
succeeded. What is made of a backup has them already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.database.claims import claimed_with
from airflow_multicloud.clouds.gcp.database.errors import Failure, failure_in, translated
from airflow_multicloud.clouds.gcp.database.fields import (
    Place,
    state_of,
    told_state,
)
from airflow_multicloud.clouds.gcp.database.operations import (
    CHANGING,
    Handle,
    RunningOperations,
    begun,
    operation_of,
)
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import TOKEN_LABEL, DatabaseState
from airflow_multicloud.ports.operations import Operation, OperationState


class Completions(RunningOperations):
    """How far a restore is."""

    def _by_instance(
        self, action: str, place: Place, item: dict[str, Any] | None, handle: Handle
    ) -> Operation:
        if action != "restore":
            return super()._by_instance(action, place, item, handle)
        return self._restored_so_far(place, item, handle)

    def _restored_so_far(
        self, place: Place, item: dict[str, Any] | None, handle: Handle
    ) -> Operation:
        """How far a restore is, by its instance, which gets what it lacks."""
        state, why = OperationState.CANCELLED, "the instance is not there any more"
        if item is not None:
            with well_formed(f"describing {place.id}", NAME, area=DatabaseError):
                instance, token = state_of(item), claimed_with(item)
                wanted = handle.settings["userLabels"][TOKEN_LABEL]
            if token not in (None, wanted):
                why = "another order has the instance now"
            elif instance is DatabaseState.FAILED:
                failed = self._why_failed(place, item)
                return operation_of("restore", place.id, state, handle, failed=failed)
            elif instance is DatabaseState.DELETING:
                why = "it is being deleted"
            elif instance in CHANGING:
                state = OperationState.RUNNING
            elif token is None:
                return self._completed(place, handle)
            elif instance is DatabaseState.AVAILABLE:
                # The labels came with all the rest. What was changed since then stays.
                state = OperationState.SUCCEEDED
            elif self._unfinished(place, "UPDATE") is not None:
                state = OperationState.RUNNING
            else:
                why = "it has been stopped"
        error = why if state is OperationState.CANCELLED else None
        return operation_of("restore", place.id, state, handle, error=error)

    def _completed(self, place: Place, handle: Handle) -> Operation:
        """Have the instance get what it lacks; somebody else may do so just now."""
        try:
            with translated(f"labelling {place.id}"):
                told = self._admin.ask("PATCH", place.path, body={"settings": handle.settings})
        except DatabaseError as err:
            if err.kind is not ErrorKind.BUSY:
                raise
            return operation_of("restore", place.id, OperationState.RUNNING, handle)
        return begun("restore", place.id, told, settings=handle.settings)

    def _why_failed(self, place: Place, item: Mapping[str, Any]) -> Failure:
        for told in self._operations_on(place):
            if (failed := failure_in(told)) is not None:
                return failed
        return Failure(ErrorKind.UNAVAILABLE, told_state(item), None)
