"""Snapshots: taking, listing and removing them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.operations import operation_of
from airflow_multicloud.adapters.orders import carries, check_order, check_token
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.database.describing import carries_token, check_settled
from airflow_multicloud.clouds.aws.database.errors import failure, translated
from airflow_multicloud.clouds.aws.database.fields import Place, place_of, snapshot_of
from airflow_multicloud.clouds.aws.database.listing import PAGE
from airflow_multicloud.clouds.aws.database.operations import (
    Handle,
    RunningOperations,
    told_of_snapshot,
)
from airflow_multicloud.clouds.aws.tagging import tag_list
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import TOKEN_LABEL, DatabaseRef, Snapshot, SnapshotOrder
from airflow_multicloud.ports.operations import Operation, OperationState

_NEVER = datetime.max.replace(tzinfo=UTC)


class Snapshots(RunningOperations):
    """The port's verbs of snapshots."""

    def snapshot_database(self, order: SnapshotOrder) -> Operation:
        """Take a snapshot, or find the one that this order took before; see the port.

        RDS knows no tokens: the name is unique, and a tag of the same request tells whose it is.
        """
        check_order(order, cloud=NAME)
        source = self._database_place(order.database)
        doing = f"taking the snapshot {order.name} of {source.name}"
        place = Place(name=order.name, region=source.region)
        item = self._snapshot_or_none(place)
        if item is None:
            check_settled(self._described(source), doing)
            item = self._created(order, source, doing) or self._snapshot_or_none(place)
        if item is None:
            raise failure(f"{doing}: one of this name came and went; try again", ErrorKind.BUSY)
        if not carries_token(item, order.token):
            raise failure(
                f"name: there is another snapshot {order.name!r} in {source.region}, which this "
                "order did not take; expected a name that is free",
                ErrorKind.ALREADY_EXISTS,
            )
        return told_of_snapshot(item, Handle.new(order.token))

    def describe_snapshot(self, ref: DatabaseRef) -> Snapshot:
        """A snapshot as it is now; see the port. Also an automated one, and one of AWS Backup."""
        place = self._snapshot_place(ref)
        item = self._snapshot_or_none(place)
        doing = f"describing the snapshot {place.name} in {place.region}"
        if item is None:
            raise failure(f"{doing}: there is no {ref.id} in this account", ErrorKind.NOT_FOUND)
        with well_formed(doing, NAME, area=DatabaseError):
            return snapshot_of(item, place.region)

    def list_snapshots(
        self, database: DatabaseRef | None, labels: Mapping[str, str | None]
    ) -> Iterator[Snapshot]:
        """Manual snapshots that carry these labels, the newest first; see the port."""
        place = None if database is None else self._database_place(database)
        region = self._home() if place is None else place.region
        of = {} if place is None else {"DBInstanceIdentifier": place.name}
        doing = f"listing the snapshots of {region if place is None else place.name}"
        found: list[Snapshot] = []
        with translated(doing):
            pages = self._client_of("rds", region).get_paginator("describe_db_snapshots")
            for page in pages.paginate(SnapshotType="manual", PaginationConfig=PAGE, **of):
                with well_formed(doing, NAME, area=DatabaseError):
                    found += [snapshot_of(item, region) for item in page["DBSnapshots"]]
        if place is not None and place.arn and not any(one.database == place.arn for one in found):
            self._check_own(place)
        # One that has no time yet is being taken.
        found.sort(key=lambda one: one.created_at or _NEVER, reverse=True)
        for snapshot in found:
            is_of_it = place is None or place.arn in (None, snapshot.database)
            if is_of_it and carries(snapshot.labels, labels):
                yield snapshot

    def remove_snapshot(self, ref: DatabaseRef, *, token: str) -> Operation:
        """Delete a snapshot that carries the token; see the port."""
        check_token(token, cloud=NAME)
        place = self._snapshot_place(ref)
        item = self._snapshot_or_none(place)
        state, handle = OperationState.SUCCEEDED, Handle.new(token)
        if item is None:
            return operation_of("remove_snapshot", ref.id, state, handle)
        if not carries_token(item, token):
            raise failure(
                f"removing the snapshot {place.name}: it does not carry the tag {TOKEN_LABEL} of "
                "the order; expected one that this order took",
                ErrorKind.PRECONDITION_FAILED,
            )
        try:
            with translated(f"removing the snapshot {place.name}"):
                client = self._client_of("rds", place.region)
                client.delete_db_snapshot(DBSnapshotIdentifier=place.name)
            state = OperationState.RUNNING
        except DatabaseError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
        return operation_of("remove_snapshot", item["DBSnapshotArn"], state, handle)

    def _snapshot_place(self, ref: DatabaseRef) -> Place:
        home = self._home() if not ref.region and not ref.id.startswith("arn:") else None
        return place_of(ref, kind="snapshot", home=home)

    def _created(self, order: SnapshotOrder, source: Place, doing: str) -> dict[str, Any] | None:
        """What RDS says of a new snapshot; ``None`` when somebody was quicker."""
        client = self._client_of("rds", source.region)
        try:
            answer = self._ordered(
                source,
                doing,
                lambda: client.create_db_snapshot(
                    DBSnapshotIdentifier=order.name,
                    DBInstanceIdentifier=source.name,
                    Tags=tag_list({**order.labels, TOKEN_LABEL: order.token}),
                ),
            )
        except DatabaseError as err:
            if err.kind is not ErrorKind.ALREADY_EXISTS:
                raise
            return None
        with well_formed(doing, NAME, area=DatabaseError):
            made: dict[str, Any] = answer["DBSnapshot"]
        return made
