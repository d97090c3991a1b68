"""All databases that carry labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.orders import carries
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.database.errors import all_listed, if_there
from airflow_multicloud.clouds.azure.database.locks import is_within
from airflow_multicloud.clouds.azure.database.sql.describing import SqlDescriptions
from airflow_multicloud.clouds.azure.database.sql.fields import (
    TYPE,
    SqlPlace,
    instance_of,
    is_system,
    place_of,
    region_of,
)
from airflow_multicloud.errors import DatabaseError
from airflow_multicloud.ports.database import DatabaseInstance, DatabasePlace, DatabaseRef

if TYPE_CHECKING:
    from azure.mgmt.sql.models import Database, Server


class SqlListings(SqlDescriptions):
    """The port's ``database_place`` and ``list_databases``."""

    def database_place(self, ref: DatabaseRef | None) -> DatabasePlace:
        """The connection's subscription, with all its regions; see the port."""
        if ref is not None:
            place_of(ref, self._subscription)
        return DatabasePlace(account_id=self._subscription.lower(), kind=TYPE)

    def list_databases(
        self, labels: Mapping[str, str | None], place: DatabasePlace | None = None
    ) -> Iterator[DatabaseInstance]:
        """Every database that carries these labels; see the port.

        The service has no filters: all servers of the subscription are asked for theirs.
        """
        region = self._region_of_place(place)
        doing = f"listing the servers of Azure SQL in {self._subscription}"
        servers = all_listed(doing, self._sql.servers.list)
        with well_formed(doing, NAME, area=DatabaseError):
            there = [one for one in servers if region in (None, region_of(one))]
        locked: list[str] | None = None
        for server in there:
            wanted = self._wanted(server, labels)
            if wanted and locked is None:
                locked = self._scopes_locked(None)
            for at, database in wanted:
                # One that is gone meanwhile has no links.
                links = if_there(f"listing {at.id}", partial(self._links, at)) or []
                with well_formed(doing, NAME, area=DatabaseError):
                    found = instance_of(
                        database,
                        server,
                        links,
                        is_locked=is_within(at.id, locked or []),
                        endpoint=self._manager.endpoint,
                    )
                yield found

    def _wanted(
        self, server: Server, labels: Mapping[str, str | None]
    ) -> list[tuple[SqlPlace, Database]]:
        """A server's databases that carry these labels; none of one that is gone meanwhile."""
        # Any database's id has its server's.
        doing = f"listing the databases of {server.name}"
        with well_formed(doing, NAME, area=DatabaseError):
            at = place_of(DatabaseRef(f"{server.id}/databases/any"), self._subscription)
            databases = self._sql.databases
            found = if_there(doing, lambda: list(databases.list_by_server(at.group, at.server)))
            return [
                (place_of(DatabaseRef(str(one.id)), self._subscription), one)
                for one in found or ()
                if not is_system(one) and carries(one.tags or {}, labels)
            ]
