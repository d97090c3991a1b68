"""Snapshots: on-demand backups of the project, which outlast their instance.

https://cloud.google.com/sql/docs/postgres/backup-recovery/backups: those of an instance that is
deleted are kept when it was set to (``retainBackupsOnDelete``), which restored instances are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.orders import carries, check_order, check_token
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.database.claims import token_text
from airflow_multicloud.clouds.gcp.database.completing import Completions
from airflow_multicloud.clouds.gcp.database.descriptions import described, description_in
from airflow_multicloud.clouds.gcp.database.errors import Failure, failure, failure_of, translated
from airflow_multicloud.clouds.gcp.database.fields import (
    Place,
    backup_place_of,
    engine_of,
    moment_of,
    project_path,
)
from airflow_multicloud.clouds.gcp.database.listing import check_complete
from airflow_multicloud.clouds.gcp.database.operations import (
    Handle,
    begun,
    operation_of,
)
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    DatabaseRef,
    Snapshot,
    SnapshotOrder,
    SnapshotState,
)
from airflow_multicloud.ports.operations import Operation, OperationState

_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_STATES: Final[Mapping[str, SnapshotState]] = {
    "SUCCESSFUL": SnapshotState.AVAILABLE,
    "FAILED": SnapshotState.FAILED,
    "DELETING": SnapshotState.DELETING,
    # It is there, and can be deleted again.
    "DELETION_FAILED": SnapshotState.AVAILABLE,
}
_ORDERED: Final = ("ON_DEMAND", "FINAL")


class Snapshots(Completions):
    """The port's verbs of snapshots."""

    def snapshot_database(self, order: SnapshotOrder) -> Operation:
        """Take a snapshot, or find the one that this order took before; see the port.

        Names are unique for an instance. Cloud SQL does one thing to an instance at a time, so two
        processes don't take one snapshot twice.
        """
        check_order(order, cloud=NAME)
        text = described(order.name, order.token, order.labels)
        place = self._database_place(order.database)
        for item, told in self._ordered_backups(place.project, place):
            if told.token == token_text(order.token) and told.name == order.name:
                return _so_far(item, Handle())
            if told.name == order.name:
                raise failure(
                    f"name: {place.id} has another snapshot {order.name!r}, which this order did "
                    "not take; expected a name that is free",
                    ErrorKind.ALREADY_EXISTS,
                )
        source = self._described(place, order.database.region)
        doing = f"taking the snapshot {order.name} of {place.id}"
        body = {"instance": source["name"], "description": text}
        with translated(doing):
            operation = self._admin.ask("POST", f"{project_path(place.project)}/backups", body=body)
        with well_formed(doing, NAME, area=DatabaseError):
            made = str(operation["backupContext"]["name"])
        return begun("snapshot", backup_place_of(DatabaseRef(made)).backup_id, operation)

    def describe_snapshot(self, ref: DatabaseRef) -> Snapshot:
        """A backup as it is now; see the port. Also an automatic one."""
        place = backup_place_of(ref)
        item = self._backup_or_none(place)
        doing = f"describing {place.backup_id}"
        if item is None:
            raise failure(f"{doing}: there is no such backup", ErrorKind.NOT_FOUND)
        with well_formed(doing, NAME, area=DatabaseError):
            found = _snapshot_of(item, place.project)
        if ref.region not in (None, found.ref.region):
            raise failure(
                f"{doing}: it is not in {ref.region} but in {found.ref.region}",
                ErrorKind.NOT_FOUND,
            )
        return found

    def list_snapshots(
        self, database: DatabaseRef | None, labels: Mapping[str, str | None]
    ) -> Iterator[Snapshot]:
        """Snapshots of the project that carry these labels, the newest first; see the port."""
        place = None if database is None else self._database_place(database)
        project = self._home() if place is None else place.project
        with well_formed(f"listing the snapshots of {project}", NAME, area=DatabaseError):
            found = [
                _snapshot_of(item, project)
                for item, told in self._ordered_backups(project, place)
                if carries(told.all_labels, labels)
            ]
        # One that has no time yet is being taken.
        found.sort(key=lambda one: one.created_at or _NEVER, reverse=True)
        yield from found

    def remove_snapshot(self, ref: DatabaseRef, *, token: str) -> Operation:
        """Delete a snapshot that carries the token; see the port."""
        check_token(token, cloud=NAME)
        place = backup_place_of(ref)
        item = self._backup_or_none(place)
        if item is None:
            return _removed(place)
        told = description_in(item.get("description"))
        if told is None or told.token != token_text(token):
            raise failure(
                f"removing {place.backup_id}: it does not carry the order's token in its "
                "description; expected a snapshot that this order took",
                ErrorKind.PRECONDITION_FAILED,
            )
        if item.get("state") == "DELETING":
            return operation_of(
                "remove_snapshot", place.backup_id, OperationState.RUNNING, Handle()
            )
        try:
            operation = self._delete(f"removing {place.backup_id}", place.backup_path)
        except DatabaseError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
            return _removed(place)
        return begun("remove_snapshot", place.backup_id, operation)

    def describe_operation(self, operation: Operation) -> Operation:
        """The operation as it is now; see the port."""
        if operation.state.is_final or operation.action not in ("snapshot", "remove_snapshot"):
            return super().describe_operation(operation)
        handle = Handle.parse(operation.handle)
        place = backup_place_of(DatabaseRef(operation.resource))
        if (seen := self._going_on(operation, place.project, handle)) is not None:
            return seen
        item = self._backup_or_none(place)
        if operation.action == "remove_snapshot":
            return _removed(place) if item is None else _still_there(item, place, handle)
        if item is None:
            return operation_of(
                "snapshot",
                place.backup_id,
                OperationState.CANCELLED,
                handle,
                error="the backup is not there any more",
            )
        return _so_far(item, handle)

    def _backup_or_none(self, place: Place) -> dict[str, Any] | None:
        """What Cloud SQL says of a backup; ``None`` when there is none."""
        try:
            with translated(f"asking for {place.backup_id}"):
                return self._admin.ask("GET", place.backup_path)
        except DatabaseError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
            return None

    def _ordered_backups(
        self, project: str, of: Place | None
    ) -> Iterator[tuple[dict[str, Any], Any]]:
        """The backups that were ordered, with what their descriptions say."""
        doing = f"listing the snapshots of {project if of is None else of.id}"
        query = {} if of is None else {"filter": f"instance:{of.name}"}
        with translated(doing):
            for page in self._admin.pages(f"{project_path(project)}/backups", query, doing):
                check_complete(page, doing, None)
                for item in page.get("backups", ()):
                    told = description_in(item.get("description"))
                    named = of is None or _instance_in(item) == of.name
                    if told is not None and named and item.get("type") in _ORDERED:
                        yield item, told


def _snapshot_of(item: Mapping[str, Any], project: str) -> Snapshot:
    told = description_in(item.get("description"))
    state = _state_of(item)
    settings = item.get("instanceSettings") or {}
    engine, _ = engine_of(item["databaseVersion"])
    return Snapshot(
        ref=DatabaseRef(_id_of(item), settings.get("region") or item["location"]),
        # Nobody ordered it here: it has no name but its id's.
        name=item["name"].rpartition("/")[2] if told is None else told.name,
        database=Place(project, _instance_in(item)).id,
        state=state,
        account_id=project,
        engine=engine,
        created_at=_taken_at(item),
        labels={} if told is None else told.all_labels,
        error=_why(item).text if state is SnapshotState.FAILED else None,
    )


def _so_far(item: Mapping[str, Any], handle: Handle) -> Operation:
    """How far the taking of a snapshot is."""
    with well_formed("describing a snapshot", NAME, area=DatabaseError):
        resource, state = _id_of(item), _state_of(item)
    known = {
        SnapshotState.AVAILABLE: OperationState.SUCCEEDED,
        SnapshotState.DELETING: OperationState.CANCELLED,
    }
    return operation_of(
        "snapshot",
        resource,
        known.get(state, OperationState.RUNNING),
        handle,
        failed=_why(item) if state is SnapshotState.FAILED else None,
    )


def _still_there(item: Mapping[str, Any], place: Place, handle: Handle) -> Operation:
    failed = _why(item) if item.get("state") == "DELETION_FAILED" else None
    return operation_of(
        "remove_snapshot", place.backup_id, OperationState.RUNNING, handle, failed=failed
    )


def _removed(place: Place) -> Operation:
    return operation_of("remove_snapshot", place.backup_id, OperationState.SUCCEEDED, Handle())


def _why(item: Mapping[str, Any]) -> Failure:
    return failure_of(item.get("error") or {})


def _state_of(item: Mapping[str, Any]) -> SnapshotState:
    return _STATES.get(item.get("state", ""), SnapshotState.CREATING)


def _id_of(item: Mapping[str, Any]) -> str:
    return backup_place_of(DatabaseRef(item["name"])).backup_id


def _instance_in(item: Mapping[str, Any]) -> str:
    """The name of the instance, which may be told with its project."""
    return str(item["instance"]).rpartition("/")[2]


def _taken_at(item: Mapping[str, Any]) -> datetime | None:
    return moment_of((item.get("backupInterval") or {}).get("startTime"))
