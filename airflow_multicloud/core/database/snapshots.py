"""Snapshots that are ordered once, however often a task is tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from airflow_multicloud.core.database.accounts import check_account
from airflow_multicloud.core.database.identity import (
    ORDER,
    SNAPSHOT,
    OrderIdentity,
    Requester,
    identity_of,
    identity_of_order,
)
from airflow_multicloud.core.database.retention import SnapshotRetention
from airflow_multicloud.documents import Documented
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    DatabaseRef,
    DatabaseService,
    Snapshot,
    SnapshotOrder,
    SnapshotState,
)
from airflow_multicloud.ports.operations import Operation

_GONE = (SnapshotState.FAILED, SnapshotState.DELETING)


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotWish:
    """A snapshot as it is asked for.

    :param name: of its own, of which there is only one; derived from the run when left out.
    :param labels: besides those that find it.
    :param account: in which the instance must be; any for ``None``.
    """

    database: DatabaseRef
    name: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunSnapshot:
    """A snapshot that is being taken, as another process can take it up.

    :param database: with the instance's full id.
    :param found: whether it was there before this try.
    :param database_created_at: when the instance was made, as its cloud says.
    """

    database: DatabaseRef
    identity: OrderIdentity
    account_id: str
    found: bool
    operation: Operation
    database_created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenSnapshot(Documented):
    """What came of a snapshot.

    :param id: the snapshot's full id.
    :param database: full id of the instance.
    :param taken_at: as its cloud says.
    :param found: an earlier try of the same task had begun it, or a run that was not cleared since.
    :param token: what removing it needs.
    :param retention: what was done about older ones, where it was asked for.
    """

    conn_id: str
    cloud: str
    id: str
    name: str
    region: str | None
    account_id: str
    database: str
    engine: str | None
    taken_at: datetime | None
    found: bool
    token: str
    labels: Mapping[str, str]
    retention: SnapshotRetention | None = None


def begin_snapshot(
    service: DatabaseService, requester: Requester, wish: SnapshotWish
) -> BegunSnapshot:
    """Take a snapshot, or find the one that this requester ordered before.

    :raises DatabaseError: as :meth:`~airflow_multicloud.ports.database.Database.snapshot_database`;
        ``precondition_failed`` for an instance of another account.
    """
    instance = service.describe_database(wish.database)
    check_account(instance.ref.id, instance.account_id, wish.account)
    wanted = identity_of_order(
        SNAPSHOT,
        requester,
        instance.ref.id,
        {"name": wish.name},
        again_when_cleared=wish.name is None,
    )
    earlier = _ordered_before(service, instance.ref, wanted, instance.account_id)
    there = [one for one in earlier if one[1].state not in _GONE]
    if there:
        identity = max(there, key=lambda one: one[0].generation)[0]
    else:
        _remove_failed(service, earlier)
        past = [one[0].generation for one in earlier]
        fresh = replace(wanted, generation=max(past, default=-1) + 1)
        identity = fresh.named(wish.name, requester.readable)
    order = SnapshotOrder(
        database=instance.ref,
        name=identity.name,
        token=identity.token,
        labels={**wish.labels, **identity.labels()},
    )
    return BegunSnapshot(
        database=instance.ref,
        identity=identity,
        account_id=instance.account_id,
        found=bool(there),
        operation=service.snapshot_database(order),
        database_created_at=instance.created_at,
    )


def taken_snapshot(
    service: DatabaseService, begun: BegunSnapshot, *, conn_id: str, cloud: str
) -> TakenSnapshot:
    """What a snapshot is, once its operation has succeeded.

    :raises DatabaseError: ``unavailable`` while its cloud does not list it.
    """
    labels = {ORDER: begun.identity.order}
    for one in service.list_snapshots(begun.database, labels):
        if (
            one.ref.id == begun.operation.resource
            and identity_of(one.labels, one.name) == begun.identity
        ):
            check_account(one.ref.id, one.account_id, begun.account_id)
            return TakenSnapshot(
                conn_id=conn_id,
                cloud=cloud,
                id=one.ref.id,
                name=one.name,
                region=one.ref.region,
                account_id=one.account_id,
                database=one.database,
                engine=one.engine,
                taken_at=one.created_at,
                found=begun.found,
                token=begun.identity.token,
                labels=one.labels,
            )
    raise DatabaseError(
        f"{begun.operation.resource} was taken, and its cloud does not list it with its labels yet",
        kind=ErrorKind.UNAVAILABLE,
        cloud=cloud,
    )


def _ordered_before(
    service: DatabaseService, database: DatabaseRef, wanted: OrderIdentity, account_id: str
) -> list[tuple[OrderIdentity, Snapshot]]:
    """What carries this order's full identity, whatever its generation."""
    found = []
    for one in service.list_snapshots(database, {ORDER: wanted.order}):
        identity = identity_of(one.labels, one.name)
        if (
            identity is not None
            and identity.token == replace(wanted, generation=identity.generation).token
            and one.account_id == account_id
        ):
            found.append((identity, one))
    return found


def _remove_failed(service: DatabaseService, earlier: list[tuple[OrderIdentity, Snapshot]]) -> None:
    for identity, one in earlier:
        if one.state is SnapshotState.FAILED:
            service.remove_snapshot(one.ref, token=identity.token)
