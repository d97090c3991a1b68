"""Stopping and starting: https://cloud.google.com/sql/docs/postgres/start-stop-restart-instance."""

from __future__ import annotations

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.database.fields import state_of
from airflow_multicloud.clouds.gcp.database.operations import (
    Handle,
    RunningOperations,
    begun,
    operation_of,
)
from airflow_multicloud.errors import DatabaseError
from airflow_multicloud.ports.database import DatabaseRef, DatabaseState
from airflow_multicloud.ports.operations import Operation, OperationState


class Power(RunningOperations):
    """The port's ``power_database``."""

    def power_database(self, ref: DatabaseRef, *, on: bool) -> Operation:
        """Start an instance that is stopped, or stop one that runs; see the port."""
        place, action = self._database_place(ref), "start" if on else "stop"
        item = self._described(place, ref.region)
        with well_formed(f"{action} of {place.id}", NAME, area=DatabaseError):
            state = state_of(item)
        if state is (DatabaseState.AVAILABLE if on else DatabaseState.STOPPED):
            # The instance shows the policy that it is to have before that is done.
            if (told := self._unfinished(place, "UPDATE")) is not None:
                return begun(action, place.id, told)
            return operation_of(action, place.id, OperationState.SUCCEEDED, Handle())
        body = {"settings": {"activationPolicy": "ALWAYS" if on else "NEVER"}}
        return self._carried_out(action, place, "PATCH", place.path, body=body)
