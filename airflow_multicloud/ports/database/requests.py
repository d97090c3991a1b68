"""What is asked for: a snapshot to take, an instance to restore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

from airflow_multicloud.ports.database.values import DatabaseRef

#: The label that holds the order's token, among those of an instance and of a snapshot, wherever
#: its cloud keeps it.
TOKEN_LABEL: Final = "multicloud-token"  # noqa: S105 - the name of a label


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotOrder:
    """One snapshot to take.

    :param database: of which instance.
    :param name: at most 60 characters: a lower-case letter, then those, digits and hyphens, with no
        two hyphens side by side and none at the end.
    :param token: a UUID; two orders with one token are one order. It is kept on the snapshot as the
        label or the part of the description that its cloud has for it.
    :param labels: as in compute: keys and values of lower-case letters, digits, hyphens and
        underscores, at most 63 characters; keys begin with a letter.
    """

    database: DatabaseRef
    name: str
    token: str
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class FromSnapshot:
    """Restore what a snapshot holds."""

    snapshot: DatabaseRef


@dataclass(frozen=True, slots=True)
class FromPointInTime:
    """Restore an instance as it was.

    :param database: which; it must still be there.
    :param time: aware; the latest moment that the cloud can restore when left out.
    """

    database: DatabaseRef
    time: datetime | None = None

    def __post_init__(self) -> None:
        if self.time is not None and self.time.tzinfo is None:
            raise ValueError("time: a datetime without a timezone given, expected an aware one")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseNetwork:
    """Where a restored instance is attached; it must be there before. Left out: as its source.

    :param subnet: AWS: name of a DB subnet group. Google Cloud: resource link of a VPC network.
        Azure: resource id of a delegated subnet.
    :param security_groups: AWS: ids of security groups; the others refuse any.
    :param private_zone: Azure: resource id of a private DNS zone, with a subnet.
    :param public_address: whether it gets an address of the internet.
    """

    subnet: str | None = None
    security_groups: tuple[str, ...] = ()
    private_zone: str | None = None
    public_address: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOrder:
    """One new instance to restore; nothing that is there is ever restored over.

    :param source: what to restore.
    :param name: of the new instance; as in :class:`SnapshotOrder`. On Google Cloud an instance that
        is restored to a moment has no labels at first, and another process takes it for this
        order's only when the name contains the first eight hexadecimal digits of the token.
    :param token: a UUID; two orders with one token are one order.
    :param labels: on the new instance; as in :class:`SnapshotOrder`.
    :param size: instance class, tier or SKU; the source's own when left out.
    :param network: the source's own when left out.
    :param deletion_protected: whether the cloud is to refuse to delete it.
    """

    source: FromSnapshot | FromPointInTime
    name: str
    token: str
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    size: str | None = None
    network: DatabaseNetwork | None = None
    deletion_protected: bool = False
