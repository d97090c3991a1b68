"""What is to be restored, and where its restores lie."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from airflow_multicloud.core.database.accounts import check_account
from airflow_multicloud.core.database.restores import RestoreWish
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    DatabasePlace,
    DatabaseService,
    FromPointInTime,
    FromSnapshot,
    SnapshotState,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreSource:
    """What is restored, as it was seen.

    :param place: where its restores lie.
    """

    id: str
    account_id: str | None
    place: DatabasePlace
    moment: datetime | None
    order: FromSnapshot | FromPointInTime


def source_of(service: DatabaseService, wish: RestoreWish) -> RestoreSource:
    """What is to be restored.

    A snapshot that is gone is one nevertheless: an earlier try may have restored it.

    :raises DatabaseError: ``not_found`` for an instance; ``precondition_failed`` for a source of
        another account, and a snapshot that has failed; ``busy`` for one that is being taken.
    """
    if isinstance(wish.source, FromPointInTime):
        instance = service.describe_database(wish.source.database)
        check_account(instance.ref.id, instance.account_id, wish.account)
        return RestoreSource(
            id=instance.ref.id,
            account_id=instance.account_id,
            place=service.database_place(instance.ref),
            moment=wish.source.time or instance.restorable_until,
            order=FromPointInTime(instance.ref, wish.source.time),
        )
    ref = wish.source.snapshot
    try:
        snapshot = service.describe_snapshot(ref)
    except DatabaseError as err:
        if err.kind is not ErrorKind.NOT_FOUND:
            raise
        # What was restored from it by an earlier try is found all the same.
        check_account(ref.id, None, wish.account)
        place = service.database_place(ref)
        return RestoreSource(
            id=ref.id, account_id=None, place=place, moment=None, order=wish.source
        )
    check_account(snapshot.ref.id, snapshot.account_id, wish.account)
    if snapshot.state is not SnapshotState.AVAILABLE:
        creating = snapshot.state is SnapshotState.CREATING
        raise DatabaseError(
            f"snapshot: {snapshot.ref.id} is {snapshot.state}, expected it to be available",
            kind=ErrorKind.BUSY if creating else ErrorKind.PRECONDITION_FAILED,
        )
    return RestoreSource(
        id=snapshot.ref.id,
        account_id=snapshot.account_id,
        place=service.database_place(snapshot.ref),
        moment=snapshot.created_at,
        order=FromSnapshot(snapshot.ref),
    )
