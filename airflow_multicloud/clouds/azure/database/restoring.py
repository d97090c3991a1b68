"""Restoring into a new server: a point in time of another, which is still there.

"Servers - Create Or Update" (https://learn.microsoft.com/rest/api/postgresql/) changes a server
that has the name already, and takes no condition: so it is looked first, and its tags are looked at
when it is done.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from azure.mgmt.postgresqlflexibleservers import models

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.orders import check_order
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.database.client import begun
from airflow_multicloud.clouds.azure.database.describing import carries_token, check_settled
from airflow_multicloud.clouds.azure.database.errors import failure, translated
from airflow_multicloud.clouds.azure.database.fields import (
    Place,
    moment_of,
    place_of,
    state_of,
    text_of,
    tier_of,
)
from airflow_multicloud.clouds.azure.database.handles import Handle, started
from airflow_multicloud.clouds.azure.database.operations import is_complete
from airflow_multicloud.clouds.azure.database.snapshots import Snapshots
from airflow_multicloud.clouds.azure.tagging import TAG_RULES
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.labels import current_work
from airflow_multicloud.ports.database import (
    TOKEN_LABEL,
    DatabaseNetwork,
    DatabaseState,
    FromPointInTime,
    FromSnapshot,
    RestoreOrder,
)
from airflow_multicloud.ports.operations import Operation

if TYPE_CHECKING:
    from azure.mgmt.postgresqlflexibleservers.models import Server


class Restores(Snapshots):
    """The port's ``restore_database``."""

    def restore_database(self, order: RestoreOrder) -> Operation:
        """Restore into a new instance, or find the one of this order; see the port.

        It lies in the resource group and the region of its source, and has no standby. A snapshot
        is restored by the time at which it was completed. The latest moment is now. Protection is a
        lock, made when the instance is there: it needs ``Microsoft.Authorization/locks/write``.
        """
        check_order(order, cloud=NAME)
        _check_network(order.network)
        if isinstance(order.source, FromSnapshot):
            source = place_of(order.source.snapshot, self._subscription, is_backup=True)
        else:
            source = place_of(order.source.database, self._subscription)
        target = Place(subscription=source.subscription, group=source.group, name=order.name)
        handle = Handle(token=order.token, protect=order.deletion_protected)
        server = self._server_or_none(target)
        if server is None:
            doing = f"restoring {order.name} from {source.id}"
            settings = self._settings(order, source, doing)
            try:
                with translated(doing):
                    first = begun(
                        self._postgres.servers.begin_create_or_update,
                        target.group,
                        target.name,
                        settings,
                    )
                return started("restore", target.server, first, handle)
            except DatabaseError as err:
                # A first try may have been carried out although its answer was lost.
                if err.kind not in (ErrorKind.BUSY, ErrorKind.ALREADY_EXISTS):
                    raise
                server = self._server_or_none(target)
                if server is None:
                    raise
        if not carries_token(server, order.token):
            raise failure(
                f"name: there is another server {order.name!r} in {target.group}, which this order "
                "did not make; expected a name that is free",
                ErrorKind.ALREADY_EXISTS,
            )
        if state_of(server) is DatabaseState.DELETING:
            check_settled(server, f"restoring {order.name}")
        return self._restored(target, server, handle)

    def _settings(self, order: RestoreOrder, source: Place, doing: str) -> Server:
        like = self._server(
            Place(subscription=source.subscription, group=source.group, name=source.name)
        )
        if isinstance(order.source, FromSnapshot):
            moment = self._completed(source, doing)
        else:
            moment = _moment(order.source, like)
        tags = {
            **current_work().lasting().labels(TAG_RULES),
            **order.labels,
            TOKEN_LABEL: order.token,
        }
        with well_formed(doing, NAME, area=DatabaseError):
            network = like.properties.network if like.properties else None
            settings = models.Server(
                location=like.location,
                tags=tags,
                properties=models.ServerProperties(
                    create_mode="PointInTimeRestore",
                    source_server_resource_id=source.server,
                    point_in_time_utc=moment,
                    network=_network(order.network, network),
                ),
            )
        if order.size is not None:
            settings.sku = models.Sku(name=order.size, tier=tier_of(order.size))
        return settings

    def _completed(self, place: Place, doing: str) -> datetime:
        """When a snapshot was completed.

        :raises DatabaseError: ``not_found``; ``busy`` while it is taken.
        """
        backup = self._backup_or_none(place)
        if backup is None:
            raise failure(f"{doing}: there is no such snapshot", ErrorKind.NOT_FOUND)
        completed = moment_of(backup.properties.completed_time if backup.properties else None)
        if completed is None or not is_complete(backup):
            raise failure(f"{doing}: it is being taken; try again", ErrorKind.BUSY)
        return completed


def _moment(source: FromPointInTime, like: Server) -> datetime:
    """The moment to restore.

    :raises DatabaseError: ``invalid_argument`` for one that can't be.
    """
    now = datetime.now(UTC)
    backup = like.properties.backup if like.properties else None
    earliest = moment_of(backup.earliest_restore_date if backup else None)
    if source.time is None:
        return now
    if source.time > now or (earliest is not None and source.time < earliest):
        raise failure(
            f"time: {source.time.isoformat()} given; {like.name} can be restored to moments from "
            f"{earliest.isoformat() if earliest else 'its first backup'} until now"
        )
    return source.time.astimezone(UTC)


def _check_network(network: DatabaseNetwork | None) -> None:
    """Refuse what Azure does not have.

    :raises DatabaseError: ``invalid_argument``.
    """
    if network is None:
        return
    if network.security_groups:
        raise failure(
            f"network.security_groups: {', '.join(network.security_groups)} given; Azure has them "
            "on the subnet; expected none"
        )
    if network.public_address and network.subnet:
        raise failure(
            "network.public_address: given with a subnet; a server in a subnet has no public "
            "address; expected one of both"
        )
    if network.private_zone and not network.subnet:
        raise failure("network.private_zone: given without a subnet; expected both")


def _network(wanted: DatabaseNetwork | None, like: models.Network | None) -> models.Network:
    """Where the new server is attached; what is left out is the source's.

    :raises DatabaseError: ``invalid_argument`` for a subnet without a zone.
    """
    public = wanted is not None and wanted.public_address
    subnet = wanted.subnet if wanted else None
    if subnet is None and not public:
        subnet = like.delegated_subnet_resource_id if like else None
    if subnet:
        zone = (wanted.private_zone if wanted else None) or (
            like.private_dns_zone_arm_resource_id if like else None
        )
        if not zone:
            raise failure(
                "network.private_zone: none given, and the source has none; expected the resource "
                "id of a private DNS zone for the subnet"
            )
        return models.Network(
            delegated_subnet_resource_id=subnet, private_dns_zone_arm_resource_id=zone
        )
    access = text_of(like.public_network_access if like else None) or "Enabled"
    if wanted is not None:
        access = "Enabled" if public else "Disabled"
    return models.Network(public_network_access=access)
