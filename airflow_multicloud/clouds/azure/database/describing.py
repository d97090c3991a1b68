"""One server as it is now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.database.errors import failure, if_there, translated
from airflow_multicloud.clouds.azure.database.fields import (
    CHANGING,
    Place,
    canonical,
    instance_of,
    place_of,
    primary_of,
    state_of,
    status_of,
)
from airflow_multicloud.clouds.azure.database.lag import Lags
from airflow_multicloud.clouds.azure.database.locks import Locks
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import TOKEN_LABEL, DatabaseInstance, DatabaseRef

if TYPE_CHECKING:
    from azure.mgmt.postgresqlflexibleservers.models import Server


class Descriptions(Lags, Locks):
    """The port's ``describe_database``, and what the other verbs look at before they order."""

    def describe_database(self, ref: DatabaseRef) -> DatabaseInstance:
        """The instance as it is now; see the port.

        It is protected when a lock on it, its group or its subscription keeps it from being
        deleted; whoever may not read locks gets ``permission_denied``.
        """
        place = place_of(ref, self._subscription)
        server = self._server(place)
        replicas = [] if primary_of(server) is not None else self._replicas(place)
        is_locked = self._is_locked(place.server)
        with well_formed(f"describing {place.name}", NAME, area=DatabaseError):
            found = instance_of(
                server, replicas=replicas, is_locked=is_locked, endpoint=self._manager.endpoint
            )
        return replace(found, lag=self._lag(place) if found.replica_of is not None else None)

    def _server_or_none(self, place: Place) -> Server | None:
        """What the service says of a server; ``None`` when there is none."""
        return if_there(
            f"describing {place.server}",
            lambda: self._postgres.servers.get(place.group, place.name),
        )

    def _server(self, place: Place) -> Server:
        """The same.

        :raises DatabaseError: ``not_found``.
        """
        found = self._server_or_none(place)
        if found is None:
            raise failure(f"database: there is no {place.server}", ErrorKind.NOT_FOUND)
        return found

    def _replicas(self, place: Place) -> list[str]:
        """The ids of what follows a server."""
        doing = f"listing the replicas of {place.server}"
        with translated(doing), well_formed(doing, NAME, area=DatabaseError):
            found = self._postgres.replicas.list_by_server(place.group, place.name)
            return [canonical(str(one.id)) for one in found if primary_of(one) is not None]


def check_settled(server: Server, doing: str) -> None:
    """Refuse a server that Azure changes just now.

    :raises DatabaseError: ``busy``.
    """
    if state_of(server) in CHANGING:
        raise failure(
            f"{doing}: its state is {status_of(server)}; try again when that is over",
            ErrorKind.BUSY,
        )


def carries_token(server: Server, token: str) -> bool:
    """Whether an order with this token made a server."""
    return (server.tags or {}).get(TOKEN_LABEL) == token
