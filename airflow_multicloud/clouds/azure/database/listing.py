"""All servers that carry labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.orders import carries
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.database.describing import Descriptions
from airflow_multicloud.clouds.azure.database.errors import all_listed
from airflow_multicloud.clouds.azure.database.fields import (
    TYPE,
    canonical,
    instance_of,
    labels_of,
    place_of,
    primary_of,
    region_of,
)
from airflow_multicloud.clouds.azure.database.locks import is_within
from airflow_multicloud.errors import DatabaseError
from airflow_multicloud.ports.database import DatabaseInstance, DatabasePlace, DatabaseRef


class Listings(Descriptions):
    """The port's ``database_place`` and ``list_databases``."""

    def database_place(self, ref: DatabaseRef | None) -> DatabasePlace:
        """The connection's subscription, with all its regions; see the port."""
        if ref is not None:
            place_of(ref, self._subscription, is_backup="/backups/" in ref.id.lower())
        return DatabasePlace(account_id=self._subscription.lower(), kind=TYPE)

    def list_databases(
        self, labels: Mapping[str, str | None], place: DatabasePlace | None = None
    ) -> Iterator[DatabaseInstance]:
        """Every instance that carries these labels; see the port.

        The service has no filters: all servers of the subscription are asked for.
        """
        region = self._region_of_place(place)
        doing = f"listing the flexible servers of {self._subscription}"
        servers = all_listed(doing, self._postgres.servers.list_by_subscription)
        with well_formed(doing, NAME, area=DatabaseError):
            replicas = defaultdict(list)
            for server in servers:
                if (primary := primary_of(server)) is not None:
                    replicas[primary].append(canonical(str(server.id)))
            wanted = [
                server
                for server in servers
                if carries(labels_of(server), labels) and region in (None, region_of(server))
            ]
        locked = self._scopes_locked(None) if wanted else []
        for server in wanted:
            with well_formed(doing, NAME, area=DatabaseError):
                id_ = canonical(str(server.id))
                found = instance_of(
                    server,
                    replicas=replicas[id_],
                    is_locked=is_within(id_, locked),
                    endpoint=self._manager.endpoint,
                )
            yield found
