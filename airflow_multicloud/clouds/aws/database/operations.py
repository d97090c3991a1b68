"""What RDS goes on with, told by the state of the instance or the snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.operations import operation_of
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.database.describing import carries_token
from airflow_multicloud.clouds.aws.database.errors import FAILURES, failure, translated
from airflow_multicloud.clouds.aws.database.fields import (
    Place,
    place_of,
    reason_of,
    snapshot_state_of,
    snapshot_type_of,
    state_of,
)
from airflow_multicloud.clouds.aws.database.listing import Listings
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import UNSEEN, DatabaseRef, DatabaseState, SnapshotState
from airflow_multicloud.ports.operations import Operation, OperationState

_DONE = {
    "restore": DatabaseState.AVAILABLE,
    "promote": DatabaseState.AVAILABLE,
    "start": DatabaseState.AVAILABLE,
    "stop": DatabaseState.STOPPED,
}
# As it was when that was asked for.
_BEFORE = {
    "promote": DatabaseState.AVAILABLE,
    "start": DatabaseState.STOPPED,
    "stop": DatabaseState.AVAILABLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """What finds an operation again: ``identity seconds``.

    :param identity: what tells the instance (its resource id) or the snapshot (its order's token)
        from another that has its name later.
    :param begun: when it began, in seconds since 1970.
    """

    identity: str
    begun: float

    @classmethod
    def new(cls, identity: str) -> Handle:
        """Of an operation that begins now."""
        return cls(identity=identity, begun=datetime.now(UTC).timestamp())

    @classmethod
    def parse(cls, text: str) -> Handle:
        """The handle that a text is.

        :raises DatabaseError: ``invalid_argument``.
        """
        identity, _, begun = text.partition(" ")
        try:
            return cls(identity=identity, begun=float(begun))
        except ValueError:
            raise failure(
                f"handle: {text!r} given, expected one of an operation of RDS's",
                ErrorKind.INVALID_ARGUMENT,
            ) from None

    def __str__(self) -> str:
        """As an operation keeps it."""
        return f"{self.identity} {self.begun:.3f}"

    @property
    def is_new(self) -> bool:
        """Whether what it is of may not be seen yet."""
        return datetime.now(UTC).timestamp() - self.begun < UNSEEN.total_seconds()


def told(action: str, item: dict[str, Any], handle: Handle | None = None) -> Operation:
    """What goes on with an instance, by its state.

    :param handle: of an operation that began before.
    """
    with well_formed(f"{action}: describing an instance", NAME, area=DatabaseError):
        resource, state = item["DBInstanceArn"], state_of(item)
        handle = handle or Handle.new(item["DbiResourceId"])
        status = item["DBInstanceStatus"]
    # One that failed may be shown so for a while when it is removed.
    if state is DatabaseState.FAILED and not (action == "remove" and handle.is_new):
        return operation_of(
            action,
            resource,
            OperationState.FAILED,
            handle,
            error_kind=FAILURES[status],
            error=reason_of(item),
            code=status,
        )
    following = action == "promote" and bool(item.get("ReadReplicaSourceDBInstanceIdentifier"))
    if action != "remove" and state is _DONE[action] and not following:
        return operation_of(action, resource, OperationState.SUCCEEDED, handle)
    lasts = state in (DatabaseState.AVAILABLE, DatabaseState.STOPPED)
    may_begin = state is _BEFORE.get(action) and handle.is_new
    if action != "remove" and (state is DatabaseState.DELETING or (lasts and not may_begin)):
        return operation_of(
            action,
            resource,
            OperationState.CANCELLED,
            handle,
            error=f"the instance's status is {status}",
        )
    return operation_of(action, resource, OperationState.RUNNING, handle, progress=_progress(item))


def told_of_snapshot(item: dict[str, Any], handle: Handle) -> Operation:
    """How far a snapshot is."""
    with well_formed("describing a snapshot", NAME, area=DatabaseError):
        resource, state = item["DBSnapshotArn"], snapshot_state_of(item)
        status, percent = item["Status"], item.get("PercentProgress")
    if state is SnapshotState.FAILED:
        return operation_of(
            "snapshot",
            resource,
            OperationState.FAILED,
            handle,
            error_kind=ErrorKind.UNAVAILABLE,
            error=f"the snapshot's status is {status}",
            code=status,
        )
    known = {
        SnapshotState.AVAILABLE: OperationState.SUCCEEDED,
        SnapshotState.DELETING: OperationState.CANCELLED,
    }
    progress = None if percent is None else min(max(percent / 100, 0.0), 1.0)
    return operation_of(
        "snapshot",
        resource,
        known.get(state, OperationState.RUNNING),
        handle,
        progress=progress,
    )


class RunningOperations(Listings):
    """The port's ``describe_operation``."""

    def describe_operation(self, operation: Operation) -> Operation:
        """The operation as it is now; see the port."""
        if operation.state.is_final:
            return operation
        handle, ref = Handle.parse(operation.handle), DatabaseRef(operation.resource)
        if operation.action in ("snapshot", "remove_snapshot"):
            return self._snapshot_operation(operation, place_of(ref, kind="snapshot", home=None))
        item = self._described_or_none(place_of(ref, kind="db", home=None))
        if item is not None and item.get("DbiResourceId") != handle.identity:
            item = None
        if item is not None:
            return told(operation.action, item, handle)
        return _without(operation, handle)

    def _snapshot_operation(self, operation: Operation, place: Place) -> Operation:
        handle = Handle.parse(operation.handle)
        item = self._snapshot_or_none(place)
        if item is None or not carries_token(item, handle.identity):
            return _without(operation, handle)
        if operation.action == "snapshot":
            return told_of_snapshot(item, handle)
        return operation_of(operation.action, place.arn or "", OperationState.RUNNING, handle)

    def _snapshot_or_none(self, place: Place) -> dict[str, Any] | None:
        """What RDS says of a snapshot; ``None`` when there is none of this name.

        :raises DatabaseError: ``invalid_argument`` for the ARN of another account.
        """
        doing = f"describing the snapshot {place.name} in {place.region}"
        try:
            with translated(doing):
                client = self._client_of("rds", place.region)
                answer = client.describe_db_snapshots(
                    DBSnapshotIdentifier=place.name, SnapshotType=snapshot_type_of(place.name)
                )
        except DatabaseError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
            self._check_own(place)
            return None
        with well_formed(doing, NAME, area=DatabaseError):
            (item,) = answer["DBSnapshots"]
            found: dict[str, Any] = item
            is_it = place.arn in (None, found["DBSnapshotArn"])
        if is_it:
            return found
        self._check_own(place)
        return None


def _without(operation: Operation, handle: Handle) -> Operation:
    """An operation on what is not there."""
    if operation.action.startswith("remove"):
        state, error = OperationState.SUCCEEDED, None
    elif operation.action in ("restore", "snapshot") and handle.is_new:
        state, error = OperationState.PENDING, None
    else:
        state, error = OperationState.CANCELLED, "it is not there any more"
    return operation_of(operation.action, operation.resource, state, handle, error=error)


def _progress(item: dict[str, Any]) -> float | None:
    """RDS tells it as a text, and seldom."""
    percent = str(item.get("PercentProgress") or "")
    return min(int(percent), 100) / 100 if percent.isdecimal() else None
