"""Making a geo-replicated secondary the primary.

"Active geo-replication"
(https://learn.microsoft.com/azure/azure-sql/database/active-geo-replication-overview).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.clouds.azure.database.client import begun
from airflow_multicloud.clouds.azure.database.errors import failure, translated
from airflow_multicloud.clouds.azure.database.fields import text_of
from airflow_multicloud.clouds.azure.database.handles import operation_of, started
from airflow_multicloud.clouds.azure.database.sql.describing import check_settled
from airflow_multicloud.clouds.azure.database.sql.fields import following, place_of
from airflow_multicloud.clouds.azure.database.sql.operations import SqlOperations
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.database import DatabaseRef
from airflow_multicloud.ports.operations import Operation, OperationState

if TYPE_CHECKING:
    from azure.mgmt.sql.models import Database, ReplicationLink

_SYNCHRONIZED = "catch_up"
_COMING = ("pending", "seeding")


class SqlPromotions(SqlOperations):
    """The port's ``promote_replica``."""

    def promote_replica(self, ref: DatabaseRef) -> Operation:
        """Make a secondary the primary, without losing anything; see the port.

        It is Azure's planned failover: the secondary first receives all that its primary has, which
        therefore must answer, and then the two change their roles. What was the primary follows.
        The failover that loses data is never asked for: who must have it, because the primary is
        gone, does it by other means (``az sql db replica set-primary --allow-data-loss``).
        """
        place = place_of(ref, self._subscription)
        doing = f"promoting {place.id}"
        database = self._database(place)
        check_settled(database, doing)
        link = following(self._links(place))
        if link is None:
            return operation_of("promote", place.id, OperationState.SUCCEEDED)
        _check_promotable(database, link, doing)
        with translated(doing):
            first = begun(
                self._sql.replication_links.begin_failover,
                place.group,
                place.server,
                place.name,
                link.name,
            )
        return started("promote", place.id, first)


def _check_promotable(database: Database, link: ReplicationLink, doing: str) -> None:
    """Refuse what Azure does not fail over by its link.

    :raises DatabaseError: ``precondition_failed``; ``busy`` while the secondary is being filled.
    """
    group = database.properties.failover_group_id if database.properties else None
    if group:
        raise failure(
            f"{doing}: it is in the failover group {group}, which fails over as a whole; do that",
            ErrorKind.PRECONDITION_FAILED,
        )
    kind = text_of(link.properties.link_type if link.properties else None).lower()
    if kind == "named":
        raise failure(
            f"{doing}: it is a named replica, which shares the storage of its primary; expected a "
            "geo-replicated secondary",
            ErrorKind.PRECONDITION_FAILED,
        )
    state = text_of(link.properties.replication_state if link.properties else None)
    if state.lower() in _COMING:
        raise failure(f"{doing}: its replication is {state}; try again later", ErrorKind.BUSY)
    if state.lower() != _SYNCHRONIZED:
        raise failure(
            f"{doing}: its replication is {state or 'in no state'}; without losing data it can be "
            "promoted when that is CATCH_UP",
            ErrorKind.PRECONDITION_FAILED,
        )
