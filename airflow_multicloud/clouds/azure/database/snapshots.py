"""Snapshots: on-demand backups, taking, listing and removing them.

"Full backups on demand"
(https://learn.microsoft.com/azure/postgresql/backup-restore/how-to-perform-full-backup). Azure
deletes them with their server, and when the server's retention is over.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.orders import carries, check_order, check_token
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.database.backup_tags import labels_of_backup
from airflow_multicloud.clouds.azure.database.client import begun
from airflow_multicloud.clouds.azure.database.describing import check_settled
from airflow_multicloud.clouds.azure.database.errors import (
    all_listed,
    failure,
    if_there,
    translated,
)
from airflow_multicloud.clouds.azure.database.fields import (
    Place,
    canonical,
    moment_of,
    place_of,
    region_of,
    text_of,
)
from airflow_multicloud.clouds.azure.database.handles import operation_of, started
from airflow_multicloud.clouds.azure.database.operations import RunningOperations, is_complete
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    TOKEN_LABEL,
    DatabaseRef,
    Snapshot,
    SnapshotOrder,
    SnapshotState,
)
from airflow_multicloud.ports.operations import Operation, OperationState

if TYPE_CHECKING:
    from azure.mgmt.postgresqlflexibleservers.models import BackupAutomaticAndOnDemand, Server

_NEVER = datetime.max.replace(tzinfo=UTC)
_ON_DEMAND = "customer on-demand"
#: A name, and the beginning of its order's token.
_NAMED = re.compile(r"(?P<name>.+)-(?P<mark>[0-9a-f]{8})")


class Snapshots(RunningOperations):
    """The port's ``snapshot_database``, ``list_snapshots`` and ``remove_snapshot``."""

    def snapshot_database(self, order: SnapshotOrder) -> Operation:
        """Take a snapshot, or find the one that this order took before; see the port.

        The backup is named ``<name>-<the token's first eight digits>``: so two orders of one name
        do not take each other's for their own.
        """
        check_order(order, cloud=NAME)
        place = place_of(order.database, self._subscription)
        server, doing = self._server(place), f"taking the snapshot {order.name} of {place.name}"
        backup = f"{order.name}-{_mark(order.token)}"
        there = self._backups(place)
        found = _found(there, place, server, order, backup)
        labels = {**order.labels, TOKEN_LABEL: order.token}
        names = {str(one.name) for one in there}
        if found is None:
            check_settled(server, doing)
            self._keep_labels(place, server, backup, labels, names)
            try:
                with translated(doing):
                    first = begun(
                        self._postgres.backups_automatic_and_on_demand.begin_create,
                        place.group,
                        place.name,
                        backup,
                    )
                return started("snapshot", f"{place.server}/backups/{backup}", first)
            except DatabaseError as err:
                # A first try may have been carried out although its answer was lost.
                if err.kind not in (ErrorKind.BUSY, ErrorKind.ALREADY_EXISTS):
                    raise
                found = _found(self._backups(place), place, server, order, backup)
                if found is None:
                    raise
        elif labels_of_backup(server, backup) != labels:
            self._keep_labels(place, server, backup, labels, names)
        state = OperationState.SUCCEEDED if is_complete(found) else OperationState.RUNNING
        return operation_of("snapshot", f"{place.server}/backups/{backup}", state)

    def describe_snapshot(self, ref: DatabaseRef) -> Snapshot:
        """A backup as it is now; see the port. Also an automatic one."""
        place = place_of(ref, self._subscription, is_backup=True)
        doing = f"describing the snapshot {place.backup} of {place.name}"
        server, found = self._server_or_none(place), self._backup_or_none(place)
        if server is None or found is None:
            raise failure(f"{doing}: there is none", ErrorKind.NOT_FOUND)
        with well_formed(doing, NAME, area=DatabaseError):
            return _snapshot_of(found, place, server)

    def list_snapshots(
        self, database: DatabaseRef | None, labels: Mapping[str, str | None]
    ) -> Iterator[Snapshot]:
        """On-demand backups that carry these labels, the newest first; see the port."""
        if database is not None:
            place = place_of(database, self._subscription)
            server = self._server_or_none(place)
            servers = [] if server is None else [server]
        else:
            doing = f"listing the flexible servers of {self._subscription}"
            servers = all_listed(doing, self._postgres.servers.list_by_subscription)
        found: list[Snapshot] = []
        for server in servers:
            place = place_of(DatabaseRef(canonical(str(server.id))), self._subscription)
            doing = f"listing the backups of {place.name}"
            backups = self._backups(place)
            with well_formed(doing, NAME, area=DatabaseError):
                found += [_snapshot_of(one, place, server) for one in backups]
        # One that has no time yet is being taken.
        found.sort(key=lambda one: one.created_at or _NEVER, reverse=True)
        yield from (one for one in found if carries(one.labels, labels))

    def remove_snapshot(self, ref: DatabaseRef, *, token: str) -> Operation:
        """Delete a snapshot that carries the token; see the port.

        A lock on its server keeps it as well.
        """
        check_token(token, cloud=NAME)
        place = place_of(ref, self._subscription, is_backup=True)
        server, found = self._server_or_none(place), self._backup_or_none(place)
        if server is None or found is None:
            self._forget_labels(place, server)
            return operation_of("remove_snapshot", ref.id, OperationState.SUCCEEDED)
        named = _NAMED.fullmatch(str(place.backup))
        known = labels_of_backup(server, str(place.backup)).get(TOKEN_LABEL)
        if known != token or named is None or named["mark"] != _mark(token):
            raise failure(
                f"removing the snapshot {place.backup}: it does not carry the token of the order; "
                "expected one that this order took",
                ErrorKind.PRECONDITION_FAILED,
            )
        with translated(f"removing the snapshot {place.backup}"):
            first = begun(
                self._postgres.backups_automatic_and_on_demand.begin_delete,
                place.group,
                place.name,
                place.backup,
            )
        return started("remove_snapshot", place.id, first)

    def _backups(self, place: Place) -> list[BackupAutomaticAndOnDemand]:
        """The on-demand backups of a server; none of one that is gone meanwhile."""
        doing = f"listing the backups of {place.name}"
        client = self._postgres.backups_automatic_and_on_demand
        with well_formed(doing, NAME, area=DatabaseError):
            found = if_there(doing, lambda: list(client.list_by_server(place.group, place.name)))
            return [
                one
                for one in found or ()
                if one.properties and text_of(one.properties.backup_type).lower() == _ON_DEMAND
            ]


def _found(
    backups: Iterable[BackupAutomaticAndOnDemand],
    place: Place,
    server: Server,
    order: SnapshotOrder,
    backup: str,
) -> BackupAutomaticAndOnDemand | None:
    """The backup that an order has taken.

    :raises DatabaseError: ``already_exists`` when another order's has the name.
    """
    mine = None
    for one in backups:
        token = labels_of_backup(server, str(one.name)).get(TOKEN_LABEL)
        if one.name == backup and token in (None, order.token):
            mine = one
        elif _name_of(str(one.name)) == order.name:
            raise failure(
                f"name: there is another snapshot {order.name!r} of {place.name}, which this "
                "order did not take; expected a name that is free",
                ErrorKind.ALREADY_EXISTS,
            )
    return mine


def _mark(token: str) -> str:
    return uuid.UUID(token).hex[:8]


def _name_of(backup: str) -> str:
    """The name that an order gave; all of it for a backup that nobody ordered here."""
    found = _NAMED.fullmatch(backup)
    return found["name"] if found else backup


def _snapshot_of(backup: BackupAutomaticAndOnDemand, place: Place, server: Server) -> Snapshot:
    name = str(backup.name)
    labels = labels_of_backup(server, name)
    properties = backup.properties
    done = is_complete(backup)
    return Snapshot(
        ref=DatabaseRef(f"{place.server}/backups/{name}", region_of(server)),
        name=_name_of(name) if TOKEN_LABEL in labels else name,
        database=place.server,
        state=SnapshotState.AVAILABLE if done else SnapshotState.CREATING,
        account_id=place.subscription,
        engine="postgres",
        created_at=moment_of(properties.completed_time if properties else None),
        labels=labels,
    )
