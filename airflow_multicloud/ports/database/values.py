"""What there is: database instances, replicas, snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from airflow_multicloud.errors import ErrorKind

#: For how long a cloud may not show what it was told to make, or show it as it was before. No cloud
#: gives a bound; this is this package's, and whatever is concluded from what is not seen waits for
#: as long.
UNSEEN: Final = timedelta(minutes=5)

#: For how long after its making the name of an instance tells whose it is, where labels follow
#: (Google Cloud). Later one without labels has lost them: somebody keeps it.
NAMED: Final = timedelta(days=1)


class DatabaseRole(StrEnum):
    """What an instance is to others."""

    #: It takes writes, whether it has replicas or not.
    PRIMARY = "primary"
    #: It follows another and can only be read.
    REPLICA = "replica"


class DatabaseState(StrEnum):
    """How an instance is."""

    CREATING = "creating"
    AVAILABLE = "available"
    #: It may answer SQL; the cloud changes something about it and takes no other order.
    BUSY = "busy"
    STARTING = "starting"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DELETING = "deleting"
    #: It could not be made, or does not work any more.
    FAILED = "failed"


class SnapshotState(StrEnum):
    """How a snapshot is."""

    CREATING = "creating"
    AVAILABLE = "available"
    DELETING = "deleting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DatabaseRef:
    """Which instance.

    :param id: as its cloud writes it: ``arn:aws:rds:…:db:…``; ``projects/…/instances/…``;
        ``/subscriptions/…``. A hook also takes an instance's plain name in the connection's own
        account and region, where the cloud has one (AWS, Google Cloud).
    :param region: in which it is; when left out the one that the id names, else the connection's
        own.
    """

    id: str
    region: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabasePlace:
    """Where instances lie and are listed.

    :param region: ``None`` for every region of the account.
    :param account_id: Google project, Azure subscription; ``None`` on AWS, where a connection sees
        its own account only.
    :param kind: the type of these instances, where a cloud lists each type by calls of its own
        (Azure: the resource type); empty for every type.
    """

    region: str | None = None
    account_id: str | None = None
    kind: str = ""

    def __str__(self) -> str:
        """For people."""
        account = "the connection's account" if self.account_id is None else self.account_id
        where = f"{account}, {'every region' if self.region is None else self.region}"
        return f"{where}, {self.kind}" if self.kind else where


@dataclass(frozen=True, slots=True)
class DatabaseEndpoint:
    """Where an instance answers SQL.

    :param database: which of those there it is, where an instance is one database of a server
        (Azure SQL); ``None`` where it is a server.
    """

    host: str
    port: int
    database: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaLag:
    """How far a replica was behind its primary.

    :param value: by how much; ``None`` when the cloud has no measurement, which is never zero, or
        says that replication is inactive.
    :param measured_at: the time of the measurement, which the cloud gives; ``None`` without one.
    :param source: which metric told.
    """

    value: timedelta | None
    measured_at: datetime | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseInstance:
    """A managed database server.

    :param ref: with its full id and its region.
    :param name: unique in its account and region; on Azure anywhere.
    :param engine: ``postgres``, ``mysql``, ``sqlserver`` …: SQLAlchemy's word, not the cloud's.
    :param endpoint: ``None`` while it has none.
    :param replica_of: full id of its primary, for a replica.
    :param replicas: full ids of what follows it.
    :param lag: of a replica, when it was described, not when it was listed.
    :param labels: labels or tags, all of them.
    :param labels_may_follow: no order has labelled it, and one that restores a moment may do so
        later: until then its name tells whose it is (Google Cloud). Not of one that has been there
        for longer than :data:`NAMED`.
    :param account_id: in which it is: AWS account, Google project, Azure subscription.
    :param deletion_protected: whether the cloud refuses to delete it.
    :param restorable_from: the first moment that it can be restored to.
    :param restorable_until: the last one.
    :param error_kind: why it failed, where known; ``error`` is what the cloud says of that.
    """

    ref: DatabaseRef
    name: str
    state: DatabaseState
    role: DatabaseRole
    engine: str
    engine_version: str
    account_id: str
    endpoint: DatabaseEndpoint | None = None
    replica_of: str | None = None
    replicas: tuple[str, ...] = ()
    lag: ReplicaLag | None = None
    size: str | None = None
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    labels_may_follow: bool = False
    deletion_protected: bool = False
    created_at: datetime | None = None
    restorable_from: datetime | None = None
    restorable_until: datetime | None = None
    error_kind: ErrorKind | None = None
    error: str | None = None
    console_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A copy of an instance's data at one moment: one that was ordered, or one of the cloud's own.

    :param ref: full id and region of the snapshot.
    :param name: the order's name; where the cloud's backups have none of their own (Google Cloud),
        it is kept in the backup's description, and one that nobody ordered here has its id's.
    :param database: full id of the instance that it was taken of, which may be gone.
    :param created_at: when the cloud says that it was taken.
    :param labels: what the order gave.
    :param account_id: in which it is, and in which it is restored.
    """

    ref: DatabaseRef
    name: str
    database: str
    state: SnapshotState
    account_id: str
    engine: str | None = None
    created_at: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    error: str | None = None
