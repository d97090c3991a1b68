"""Deleting a database that an order made."""

from __future__ import annotations

from airflow_multicloud.adapters.orders import check_name, check_token
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.database.client import begun
from airflow_multicloud.clouds.azure.database.errors import failure, if_there
from airflow_multicloud.clouds.azure.database.handles import operation_of, started
from airflow_multicloud.clouds.azure.database.sql.describing import carries_token
from airflow_multicloud.clouds.azure.database.sql.fields import SqlPlace, followers, place_of
from airflow_multicloud.clouds.azure.database.sql.operations import SqlOperations
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.database import TOKEN_LABEL, DatabaseRef
from airflow_multicloud.ports.operations import Operation, OperationState


class SqlRemovals(SqlOperations):
    """The port's ``remove_database``."""

    def remove_database(
        self, ref: DatabaseRef, *, token: str, final_snapshot: str | None
    ) -> Operation:
        """Delete a database that carries the token; see the port.

        Its server stays. There are no backups on demand: a final snapshot is ``unsupported``.
        """
        check_token(token, cloud=NAME)
        if final_snapshot is not None:
            check_name("final_snapshot", final_snapshot, cloud=NAME)
            raise failure(
                f"final_snapshot: {final_snapshot!r} given; Azure SQL has no backups on demand, "
                "and keeps its own of a deleted one for their days of retention; expected None",
                ErrorKind.UNSUPPORTED,
            )
        place = place_of(ref, self._subscription)
        database = self._database_or_none(place)
        if database is None:
            return operation_of("remove", place.id, OperationState.SUCCEEDED)
        doing = f"removing {place.id}"
        if not carries_token(database, token):
            raise failure(
                f"{doing}: it does not carry the tag {TOKEN_LABEL} with the order's token",
                ErrorKind.PRECONDITION_FAILED,
            )
        if_there(doing, lambda: self._check_removable(place, doing))
        first = if_there(
            doing,
            lambda: begun(self._sql.databases.begin_delete, place.group, place.server, place.name),
        )
        if first is None:
            return operation_of("remove", place.id, OperationState.SUCCEEDED)
        return started("remove", place.id, first)

    def _check_removable(self, place: SqlPlace, doing: str) -> None:
        """Refuse what must not be deleted.

        :raises DatabaseError: ``precondition_failed``.
        """
        why = None
        if self._is_locked(place.id):
            why = "it is protected from deletion by a lock; remove that first"
        elif replicas := sorted(followers(self._links(place))):
            why = f"it has replicas: {', '.join(replicas)}"
        if why is not None:
            raise failure(f"{doing}: {why}", ErrorKind.PRECONDITION_FAILED)
