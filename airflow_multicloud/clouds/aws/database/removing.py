"""Deleting an instance that an order made."""

from __future__ import annotations

from typing import Any

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.operations import operation_of
from airflow_multicloud.adapters.orders import check_name, check_token
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.database.describing import carries_token
from airflow_multicloud.clouds.aws.database.errors import failure
from airflow_multicloud.clouds.aws.database.fields import state_of
from airflow_multicloud.clouds.aws.database.operations import (
    Handle,
    RunningOperations,
    told,
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

        Its automatic backups go with it; snapshots stay.
        """
        check_token(token, cloud=NAME)
        if final_snapshot is not None:
            check_name("final_snapshot", final_snapshot, cloud=NAME)
        place = self._database_place(ref)
        item = self._described_or_none(place)
        if item is None:
            return _gone(ref)
        doing = f"removing {place.name}"
        _check(item, token, doing)
        if state_of(item) is DatabaseState.DELETING:
            return told("remove", item)
        final: dict[str, Any] = {"SkipFinalSnapshot": final_snapshot is None}
        if final_snapshot is not None:
            final["FinalDBSnapshotIdentifier"] = final_snapshot
        client = self._client_of("rds", place.region)
        try:
            answer = self._ordered(
                place,
                doing,
                lambda: client.delete_db_instance(
                    DBInstanceIdentifier=place.name, DeleteAutomatedBackups=True, **final
                ),
            )
        except DatabaseError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
            return _gone(ref)
        with well_formed(doing, NAME, area=DatabaseError):
            return told("remove", answer["DBInstance"])


def _gone(ref: DatabaseRef) -> Operation:
    return operation_of("remove", ref.id, OperationState.SUCCEEDED, Handle.new(""))


def _check(item: dict[str, Any], token: str, doing: str) -> None:
    """Refuse what must not be deleted.

    :raises DatabaseError: ``precondition_failed``.
    """
    why = None
    with well_formed(doing, NAME, area=DatabaseError):
        if not carries_token(item, token):
            why = f"it does not carry the tag {TOKEN_LABEL} with the order's token"
        elif item.get("DeletionProtection"):
            why = "it is protected from deletion; take that off first (DeletionProtection)"
        elif replicas := item.get("ReadReplicaDBInstanceIdentifiers"):
            # RDS would promote them.
            why = f"it has replicas: {', '.join(replicas)}"
    if why is not None:
        raise failure(f"{doing}: {why}", ErrorKind.PRECONDITION_FAILED)
