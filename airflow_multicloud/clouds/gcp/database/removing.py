"""Deleting an instance that an order made."""

from __future__ import annotations

from typing import Any

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.orders import check_name, check_token
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.database.claims import (
    NAME_LABEL,
    belongs_to,
)
from airflow_multicloud.clouds.gcp.database.descriptions import described
from airflow_multicloud.clouds.gcp.database.errors import failure
from airflow_multicloud.clouds.gcp.database.fields import (
    Place,
    replicas_of,
    settings_of,
    state_of,
)
from airflow_multicloud.clouds.gcp.database.operations import (
    Handle,
    RunningOperations,
    begun,
    operation_of,
)
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import TOKEN_LABEL, DatabaseRef, DatabaseState
from airflow_multicloud.ports.operations import Operation, OperationState


class Removals(RunningOperations):
    """The port's ``remove_database``."""

    def remove_database(
        self, ref: DatabaseRef, *, token: str, final_snapshot: str | None
    ) -> Operation:
        """Delete an instance that carries the token; see the port.

        A clone that nobody has labelled yet is known by its name, for a day: its restore has
        failed, or was killed.
        """
        check_token(token, cloud=NAME)
        query: dict[str, Any] = {}
        if final_snapshot is not None:
            check_name("final_snapshot", final_snapshot, cloud=NAME)
            query = {
                "enableFinalBackup": "true",
                "finalBackupDescription": described(final_snapshot, token, {}),
            }
        place = self._database_place(ref)
        item = self._described_or_none(place)
        if item is None:
            return _seen(place, OperationState.SUCCEEDED)
        doing = f"removing {place.id}"
        with well_formed(doing, NAME, area=DatabaseError):
            _check(item, token, doing)
            deleting = state_of(item) is DatabaseState.DELETING
        if deleting:
            return _seen(place, OperationState.RUNNING)
        try:
            return begun("remove", place.id, self._delete(doing, place.path, query))
        except DatabaseError as err:
            if err.kind is ErrorKind.NOT_FOUND:
                return _seen(place, OperationState.SUCCEEDED)
            if err.kind is not ErrorKind.BUSY:
                raise
            told = self._unfinished(place, "DELETE")
            if told is None:
                raise
        return begun("remove", place.id, told)


def _seen(place: Place, state: OperationState) -> Operation:
    return operation_of("remove", place.id, state, Handle())


def _check(item: dict[str, Any], token: str, doing: str) -> None:
    """Refuse what must not be deleted.

    :raises DatabaseError: ``precondition_failed``.
    """
    why = None
    if not belongs_to(item, token):
        why = f"it does not carry the labels {TOKEN_LABEL} and {NAME_LABEL} of the order"
    elif settings_of(item).get("deletionProtectionEnabled"):
        why = "it is protected from deletion; take that off first (deletionProtectionEnabled)"
    elif replicas := replicas_of(item):
        why = f"it has replicas: {', '.join(replicas)}"
    if why is not None:
        raise failure(f"{doing}: {why}", ErrorKind.PRECONDITION_FAILED)
