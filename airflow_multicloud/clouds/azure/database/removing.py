"""Deleting a server that an order made."""

from __future__ import annotations

from airflow_multicloud.adapters.orders import check_name, check_token
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.database.client import begun
from airflow_multicloud.clouds.azure.database.describing import carries_token
from airflow_multicloud.clouds.azure.database.errors import failure, if_there
from airflow_multicloud.clouds.azure.database.fields import Place, place_of, state_of
from airflow_multicloud.clouds.azure.database.handles import operation_of, started
from airflow_multicloud.clouds.azure.database.operations import RunningOperations, told_by
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.database import TOKEN_LABEL, DatabaseRef, DatabaseState
from airflow_multicloud.ports.operations import Operation, OperationState


class Removals(RunningOperations):
    """The port's ``remove_database``."""

    def remove_database(
        self, ref: DatabaseRef, *, token: str, final_snapshot: str | None
    ) -> Operation:
        """Delete an instance that carries the token; see the port.

        Azure deletes all its backups with it: a final snapshot is ``unsupported``.
        """
        check_token(token, cloud=NAME)
        if final_snapshot is not None:
            check_name("final_snapshot", final_snapshot, cloud=NAME)
            raise failure(
                f"final_snapshot: {final_snapshot!r} given; Azure deletes a server's backups with "
                "it; expected None, and a dump or a restored copy where the data is to stay",
                ErrorKind.UNSUPPORTED,
            )
        place = place_of(ref, self._subscription)
        server = self._server_or_none(place)
        if server is None:
            return operation_of("remove", place.server, OperationState.SUCCEEDED)
        doing = f"removing {place.name}"
        if not carries_token(server, token):
            raise failure(
                f"{doing}: it does not carry the tag {TOKEN_LABEL} with the order's token",
                ErrorKind.PRECONDITION_FAILED,
            )
        if state_of(server) is DatabaseState.DELETING:
            return told_by("remove", server, place)
        if_there(doing, lambda: self._check_removable(place, doing))
        first = if_there(
            doing, lambda: begun(self._postgres.servers.begin_delete, place.group, place.name)
        )
        if first is None:
            return operation_of("remove", place.server, OperationState.SUCCEEDED)
        return started("remove", place.server, first)

    def _check_removable(self, place: Place, doing: str) -> None:
        """Refuse what must not be deleted.

        :raises DatabaseError: ``precondition_failed``.
        """
        why = None
        if self._is_locked(place.server):
            why = "it is protected from deletion by a lock; remove that first"
        elif replicas := self._replicas(place):
            why = f"it has replicas: {', '.join(replicas)}"
        if why is not None:
            raise failure(f"{doing}: {why}", ErrorKind.PRECONDITION_FAILED)
