"""One database as it is now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.database.errors import failure, if_there, translated
from airflow_multicloud.clouds.azure.database.fields import CHANGING
from airflow_multicloud.clouds.azure.database.locks import Locks
from airflow_multicloud.clouds.azure.database.sql.client import SqlBase
from airflow_multicloud.clouds.azure.database.sql.fields import (
    SqlPlace,
    instance_of,
    place_of,
    state_of,
    status_of,
)
from airflow_multicloud.clouds.azure.database.sql.lag import SqlLags
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import TOKEN_LABEL, DatabaseInstance, DatabaseRef

if TYPE_CHECKING:
    from azure.mgmt.sql.models import Database, ReplicationLink


class SqlDescriptions(SqlLags, Locks, SqlBase):
    """The port's ``describe_database``, and what the other verbs look at before they order."""

    def describe_database(self, ref: DatabaseRef) -> DatabaseInstance:
        """The database as it is now; see the port.

        Its address is its server's, and so is the version. It is protected when a lock on it, its
        server, its group or its subscription keeps it from being deleted.
        """
        place = place_of(ref, self._subscription)
        doing = f"describing {place.id}"
        database = self._database(place)
        with translated(doing):
            server = self._sql.servers.get(place.group, place.server)
        links = self._links(place)
        is_locked = self._is_locked(place.id)
        with well_formed(doing, NAME, area=DatabaseError):
            found = instance_of(
                database, server, links, is_locked=is_locked, endpoint=self._manager.endpoint
            )
        if found.replica_of is None:
            return found
        return replace(found, lag=self._lag_behind(found.replica_of, place))

    def _database_or_none(self, place: SqlPlace) -> Database | None:
        """What the service says of a database; ``None`` when there is none."""
        return if_there(
            f"describing {place.id}",
            lambda: self._sql.databases.get(place.group, place.server, place.name),
        )

    def _database(self, place: SqlPlace) -> Database:
        """The same.

        :raises DatabaseError: ``not_found``.
        """
        found = self._database_or_none(place)
        if found is None:
            raise failure(f"database: there is no {place.id}", ErrorKind.NOT_FOUND)
        return found

    def _links(self, place: SqlPlace) -> list[ReplicationLink]:
        """The links of replication that a database is part of."""
        doing = f"listing the replication links of {place.id}"
        with translated(doing), well_formed(doing, NAME, area=DatabaseError):
            links = self._sql.replication_links
            return list(links.list_by_database(place.group, place.server, place.name))


def check_settled(database: Database, doing: str) -> None:
    """Refuse a database that Azure changes just now.

    :raises DatabaseError: ``busy``.
    """
    if state_of(database) in CHANGING:
        raise failure(
            f"{doing}: its state is {status_of(database)}; try again when that is over",
            ErrorKind.BUSY,
        )


def carries_token(database: Database, token: str) -> bool:
    """Whether an order with this token made a database."""
    return (database.tags or {}).get(TOKEN_LABEL) == token
