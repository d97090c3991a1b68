"""Database: the port of managed database servers, and its values.

The port works on whole instances; what is in them is read by SQL, through Airflow's own hooks.
Errors are of the class ``DatabaseError``, or ``CredentialsError`` when the connection can't be
used. Beside an order's labels a new instance gets those of
:func:`airflow_multicloud.labels.current_work` without the run, so that the bill names the DAG.
Instances and snapshots show their order's token as :data:`TOKEN_LABEL`. The actions of operations
are ``snapshot``, ``restore``, ``promote``, ``start``, ``stop``, ``remove`` and ``remove_snapshot``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from airflow_multicloud.ports.database.requests import (
    TOKEN_LABEL,
    DatabaseNetwork,
    FromPointInTime,
    FromSnapshot,
    RestoreOrder,
    SnapshotOrder,
)
from airflow_multicloud.ports.database.values import (
    NAMED,
    UNSEEN,
    DatabaseEndpoint,
    DatabaseInstance,
    DatabasePlace,
    DatabaseRef,
    DatabaseRole,
    DatabaseState,
    ReplicaLag,
    Snapshot,
    SnapshotState,
)
from airflow_multicloud.ports.operations import Operation, Operations

__all__ = [
    "NAMED",
    "TOKEN_LABEL",
    "UNSEEN",
    "Database",
    "DatabaseEndpoint",
    "DatabaseInstance",
    "DatabaseNetwork",
    "DatabasePlace",
    "DatabasePlaces",
    "DatabasePower",
    "DatabaseRef",
    "DatabaseRole",
    "DatabaseService",
    "DatabaseSnapshots",
    "DatabaseState",
    "FromPointInTime",
    "FromSnapshot",
    "ReplicaLag",
    "ReplicaPromotion",
    "RestoreOrder",
    "Snapshot",
    "SnapshotOrder",
    "SnapshotState",
]


class Database(Operations, Protocol):
    """Managed database instances of one account."""

    def describe_database(self, ref: DatabaseRef) -> DatabaseInstance:
        """The instance as it is now, with a replica's lag.

        :raises DatabaseError: ``not_found``; ``invalid_argument`` for a reference that is none.
        """
        ...

    def list_databases(
        self, labels: Mapping[str, str | None], place: DatabasePlace | None = None
    ) -> Iterator[DatabaseInstance]:
        """Every instance that carries these labels, without lags; in no order.

        :param labels: key → value; ``None`` for any value. All instances for none.
        :param place: only what is there, of :meth:`DatabasePlaces.database_place`. Left out: the
            connection's own account, and its own region (AWS) or every one (Google Cloud, Azure).
        :raises DatabaseError: also between pages; ``invalid_argument`` for an account that the
            connection does not see.
        """
        ...

    def snapshot_database(self, order: SnapshotOrder) -> Operation:
        """Take a snapshot, or find the one that this order took before.

        The operation's resource is the snapshot's full id.

        :raises DatabaseError: ``not_found``; ``already_exists`` when another order's snapshot has
            the name; ``busy`` when the cloud does something else to the instance;
            ``precondition_failed`` when the instance can't be snapshotted as it is.
        """
        ...

    def restore_database(self, order: RestoreOrder) -> Operation:
        """Restore into a new instance, or find the one that this order made before.

        The operation's resource is the new instance's full id. It has succeeded when the instance
        is available and carries all its labels.

        :raises DatabaseError: ``not_found`` for the source; ``already_exists`` when something that
            this order did not make has the name; ``invalid_argument`` for a moment that can't be
            restored; ``quota``, ``capacity``, each of them also as the operation's ``error_kind``.
        """
        ...

    def remove_database(
        self, ref: DatabaseRef, *, token: str, final_snapshot: str | None
    ) -> Operation:
        """Delete an instance that carries the token of the order which made it.

        It has succeeded when nothing is left, and does so for an instance that is not there.
        Protection is never taken off: it is the caller's to do, by other means.

        :param token: of the order that made it; looked at again right before. Of one that an order
            may label later, the first eight digits must be in its name.
        :param final_snapshot: name of a snapshot to take first; ``None`` for none.
        :raises DatabaseError: ``precondition_failed`` when it is protected, has replicas, or does
            not carry the token.
        """
        ...


class DatabasePlaces(Protocol):
    """Where instances lie; every cloud has it."""

    def database_place(self, ref: DatabaseRef | None) -> DatabasePlace:
        """Where an instance lies, and what is restored from it or from a snapshot; asks nobody.

        :param ref: an instance or a snapshot, there or not; ``None`` for what is where the
            connection's plain names are.
        :raises DatabaseError: ``invalid_argument`` for a reference that is none.
        """
        ...

    def database_account(self, place: DatabasePlace) -> str:
        """The account that a place is in, whether anything lies there or not.

        Where the place does not say it (AWS), that of the connection's credentials, of which the
        cloud is asked once.

        :param place: of :meth:`database_place`.
        :return: AWS account, Google project, Azure subscription.
        """
        ...


class DatabaseSnapshots(Protocol):
    """The snapshots of instances; every cloud has it."""

    def describe_snapshot(self, ref: DatabaseRef) -> Snapshot:
        """A snapshot as it is now, wherever it lies; also one that the cloud took by itself.

        :raises DatabaseError: ``not_found``; ``invalid_argument`` for a reference that is none.
        """
        ...

    def list_snapshots(
        self, database: DatabaseRef | None, labels: Mapping[str, str | None]
    ) -> Iterator[Snapshot]:
        """Snapshots that carry these labels, the newest first; not the cloud's automatic ones.

        :param database: of this instance only, which may be gone where the cloud keeps its
            snapshots; ``None`` for all of the account (and region: AWS).
        :param labels: as in :meth:`Database.list_databases`.
        :raises DatabaseError: also between pages.
        """
        ...

    def remove_snapshot(self, ref: DatabaseRef, *, token: str) -> Operation:
        """Delete a snapshot that carries the token of the order which took it.

        It has succeeded when it is gone, and does so for one that is not there.

        :raises DatabaseError: ``precondition_failed`` when it does not carry the token.
        """
        ...


class ReplicaPromotion(Protocol):
    """Making a replica a primary of its own; every cloud has it."""

    def promote_replica(self, ref: DatabaseRef) -> Operation:
        """Cut a replica from its primary, for good, so that it takes writes.

        What its primary has and it has not received is not in it. For one that is a primary
        already it has succeeded at once.

        :raises DatabaseError: ``not_found``; ``busy``; ``precondition_failed`` when it can't be
            promoted as it is.
        """
        ...


class DatabasePower(Protocol):
    """Stopping and starting; every cloud has it."""

    def power_database(self, ref: DatabaseRef, *, on: bool) -> Operation:
        """Start an instance that is stopped, or stop one that runs, without losing its data.

        It succeeds at once where it is so already.

        :raises DatabaseError: ``not_found``; ``busy``; ``precondition_failed`` when the cloud
            does not stop such an instance (a replica, or one with replicas).
        """
        ...


class DatabaseService(
    Database, DatabasePlaces, DatabaseSnapshots, ReplicaPromotion, DatabasePower, Protocol
):
    """What every database hook is."""
