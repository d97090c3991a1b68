"""Restoring into a new instance: a backup, or a clone of an instance as it was."""

from __future__ import annotations

import re
from datetime import UTC
from typing import Any, Final

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.orders import check_order
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.database.claims import (
    belongs_to,
    claimed_with,
    labels_for,
)
from airflow_multicloud.clouds.gcp.database.errors import failure, translated
from airflow_multicloud.clouds.gcp.database.fields import Place, backup_place_of, project_path
from airflow_multicloud.clouds.gcp.database.operations import Handle, begun
from airflow_multicloud.clouds.gcp.database.snapshots import Snapshots
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    DatabaseNetwork,
    FromPointInTime,
    FromSnapshot,
    RestoreOrder,
)
from airflow_multicloud.ports.operations import Operation

#: Sizes that ``tiers.list`` does not list one by one:
#: https://cloud.google.com/sql/docs/postgres/create-instance#machine-types.
_CUSTOM: Final = re.compile(r"db-custom-[0-9]{1,3}-[0-9]{1,7}")
_WEEK: Final = (
    "; the name of an instance that was deleted can't be used again for a week: expected another"
)


class Restores(Snapshots):
    """The port's ``restore_database``."""

    def restore_database(self, order: RestoreOrder) -> Operation:
        """Restore into a new instance, or find the one of this order; see the port.

        It is in its source's project. Backups of it are kept when it is deleted. A clone gets its
        labels, size and network when it is there; until then another process finds it only when its
        name contains the first eight digits of the token.
        """
        check_order(order, cloud=NAME)
        settings = _settings(order)
        if isinstance(order.source, FromSnapshot):
            source = backup_place_of(order.source.snapshot)
        else:
            source = self._database_place(order.source.database)
        target = Place(source.project, order.name)
        item = self._described_or_none(target)
        if item is not None:
            return self._found(order, target, item, settings)
        self._check_size(order, source.project)
        try:
            return self._ordered(order, source, target, settings)
        except DatabaseError as err:
            if err.kind not in (ErrorKind.ALREADY_EXISTS, ErrorKind.BUSY):
                raise
            item = self._described_or_none(target)
            if item is None:
                why = _WEEK if err.kind is ErrorKind.ALREADY_EXISTS else ""
                raise DatabaseError(
                    f"{err}{why}", kind=err.kind, cloud=NAME, code=err.code
                ) from err
        return self._found(order, target, item, settings)

    def _found(
        self, order: RestoreOrder, place: Place, item: dict[str, Any], settings: dict[str, Any]
    ) -> Operation:
        """What goes on with an instance of the order's name."""
        with well_formed(f"restoring {place.id}", NAME, area=DatabaseError):
            ours, labelled = belongs_to(item, order.token), claimed_with(item) is not None
        if not ours:
            hint = (
                ""
                if labelled
                else "; a clone that is not labelled yet is known as an order's by the first eight "
                "digits of its token in the name"
            )
            raise failure(
                f"name: there is another instance {order.name!r} in {place.project}, which this "
                f"order did not make{hint}; expected a name that is free",
                ErrorKind.ALREADY_EXISTS,
            )
        return self._restored_so_far(place, item, Handle(settings=settings))

    def _ordered(
        self, order: RestoreOrder, source: Place, target: Place, settings: dict[str, Any]
    ) -> Operation:
        """What Cloud SQL says of a new instance."""
        if isinstance(order.source, FromSnapshot):
            doing = f"restoring {target.id} from {source.backup_id}"
            self._check_backup(source, doing)
            if self._described_or_none(target) is not None:
                raise failure(f"{doing}: an instance of this name came up", ErrorKind.BUSY)
            path = f"{target.path}/restoreBackup"
            # The settings are "to restore new instances only" by the discovery document; the plain
            # request would replace what an instance of this name holds.
            body = {"backup": source.backup_id, "restoreInstanceSettings": {"settings": settings}}
        else:
            doing = f"restoring {target.id} from {source.id}"
            context = {"destinationInstanceName": target.name}
            if order.source.time is not None:
                moment = order.source.time.astimezone(UTC)
                context["pointInTime"] = moment.isoformat().replace("+00:00", "Z")
            self._check_moment(order.source, source)
            path, body = f"{source.path}/clone", {"cloneContext": context}
        with translated(doing):
            told = self._admin.ask("POST", path, body=body)
        return begun("restore", target.id, told, settings=settings)

    def _check_backup(self, place: Place, doing: str) -> None:
        item = self._backup_or_none(place)
        if item is None:
            raise failure(f"{doing}: there is no such backup", ErrorKind.NOT_FOUND)
        state = item.get("state")
        if state != "SUCCESSFUL":
            going_on = state in ("ENQUEUED", "RUNNING")
            raise failure(
                f"{doing}: the backup's state is {state}, expected SUCCESSFUL",
                ErrorKind.BUSY if going_on else ErrorKind.PRECONDITION_FAILED,
            )

    def _check_moment(self, source: FromPointInTime, place: Place) -> None:
        """Refuse a moment that can't be restored.

        :raises DatabaseError: ``not_found`` for the instance; ``invalid_argument``.
        """
        item = self._described(place, source.database.region)
        if source.time is None:
            return
        earliest, latest = self._window(place, item)
        if earliest is None or latest is None:
            raise failure(
                f"time: {source.time.isoformat()} given, but {place.id} keeps no log to restore "
                "moments from (point-in-time recovery); expected none, for what it holds now",
                ErrorKind.INVALID_ARGUMENT,
            )
        if not earliest <= source.time <= latest:
            raise failure(
                f"time: {source.time.isoformat()} given; {place.id} can be restored to moments "
                f"from {earliest.isoformat()} to {latest.isoformat()}",
                ErrorKind.INVALID_ARGUMENT,
            )

    def _check_size(self, order: RestoreOrder, project: str) -> None:
        """Refuse a size that there is not: a clone is made before it gets its own.

        :raises DatabaseError: ``invalid_argument``.
        """
        if order.size is None or _CUSTOM.fullmatch(order.size):
            return
        doing = f"asking for the sizes in {project}"
        with translated(doing):
            answer = self._admin.ask("GET", f"{project_path(project)}/tiers")
        with well_formed(doing, NAME, area=DatabaseError):
            known = sorted(tier["tier"] for tier in answer.get("items", ()))
        if order.size not in known:
            raise failure(
                f"size: {order.size!r} given; expected db-custom-<cores>-<MB> or one out of "
                f"{', '.join(known)}",
                ErrorKind.INVALID_ARGUMENT,
            )


def _settings(order: RestoreOrder) -> dict[str, Any]:
    """What the new instance must have in the end, as ``instances.patch`` takes it."""
    settings: dict[str, Any] = {
        "userLabels": labels_for(order),
        "deletionProtectionEnabled": order.deletion_protected,
        "retainBackupsOnDelete": True,
        # A clone of one that is stopped may be stopped.
        "activationPolicy": "ALWAYS",
    }
    if order.size is not None:
        settings["tier"] = order.size
    if order.network is not None:
        settings["ipConfiguration"] = _network(order.network)
    return settings


def _network(network: DatabaseNetwork) -> dict[str, Any]:
    for name in ("security_groups", "private_zone"):
        if given := getattr(network, name):
            raise failure(
                f"network.{name}: {given!r} given, which Cloud SQL has none of; expected none",
                ErrorKind.INVALID_ARGUMENT,
            )
    found: dict[str, Any] = {"ipv4Enabled": network.public_address}
    if network.subnet is not None:
        found["privateNetwork"] = network.subnet
    return found
