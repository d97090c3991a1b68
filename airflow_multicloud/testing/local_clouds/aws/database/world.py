"""What the local RDS keeps: instances with a PostgreSQL server each, and snapshots."""

from __future__ import annotations

import re
import secrets
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from airflow_multicloud.testing.local_clouds.aws.database import ACCOUNT_ID
from airflow_multicloud.testing.local_clouds.aws.database.answers import Refusal
from airflow_multicloud.testing.local_clouds.aws.database.words import (
    invalid,
    no_instance,
    no_snapshot,
)
from airflow_multicloud.testing.local_clouds.kit.postgres.archives import Backup
from airflow_multicloud.testing.local_clouds.kit.postgres.home import PostgresHome
from airflow_multicloud.testing.local_clouds.kit.postgres.instance import Instance
from airflow_multicloud.testing.local_clouds.kit.state import State

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_AUTOMATED = "rds:"
_LONGEST_INSTANCE, _LONGEST_SNAPSHOT = 63, 255


@dataclass(slots=True, kw_only=True)
class Db:
    """One instance, changed in place under the world's lock.

    :param source: identifier of the instance that a replica follows.
    :param server: what runs; ``None`` until it does.
    """

    identifier: str
    region: str
    db_class: str
    subnet_group: str
    security_groups: list[str]
    parameter_group: str
    engine_version: str
    master_user: str
    tags: dict[str, str]
    public: bool = False
    deletion_protection: bool = False
    copy_tags: bool = False
    iam: bool = False
    retention_days: int = 1
    source: str | None = None
    status: str = "creating"
    message: str = ""
    resource_id: str = field(default_factory=lambda: f"db-{secrets.token_hex(13).upper()}")
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    server: Instance | None = None

    @property
    def arn(self) -> str:
        """Its full id."""
        return f"arn:aws:rds:{self.region}:{ACCOUNT_ID}:db:{self.identifier}"


@dataclass(slots=True, kw_only=True)
class DbSnapshot:
    """One snapshot, likewise.

    :param kind: as RDS names it: ``manual``, or ``automated``.
    :param engine_version: of the instance when it was taken.
    """

    identifier: str
    region: str
    of: Db
    tags: dict[str, str]
    kind: str = "manual"
    engine_version: str
    status: str = "creating"
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    backup: Backup | None = None

    @property
    def arn(self) -> str:
        """Its full id."""
        return f"arn:aws:rds:{self.region}:{ACCOUNT_ID}:snapshot:{self.identifier}"


T = TypeVar("T", Db, DbSnapshot)


class World:
    """All regions of the account; safe for many threads that hold :attr:`lock`.

    :param home: where the servers run.
    :param state: what was told; a record ``{"size": n}`` seeded as ``database_pages`` says how many
        entries a page of a listing has at most.
    """

    def __init__(self, home: PostgresHome, state: State) -> None:
        self.home = home
        self._state = state
        self.lock = threading.RLock()
        self.instances: dict[tuple[str, str], Db] = {}
        self.snapshots: dict[tuple[str, str], DbSnapshot] = {}

    @property
    def page_size(self) -> int | None:
        """What a page holds at most, where that was told."""
        told = self._state.seeded("database_pages")
        return int(told[-1]["size"]) if told else None

    def found(self, region: str, identifier: str) -> Db:
        """An instance by its identifier or its ARN, whatever their case.

        :raises Refusal: when there is none.
        """
        known = self.instances.get((region, _plain(identifier, region, "db")))
        if known is None:
            raise no_instance(identifier)
        return known

    def found_snapshot(self, region: str, identifier: str) -> DbSnapshot:
        """A snapshot, likewise.

        :raises Refusal: when there is none.
        """
        plain = _plain(identifier, region, "snapshot")
        known = self.snapshots.get((region, plain))
        if known is None and plain.startswith(_AUTOMATED):
            known = next((one for one in self.automated(region) if one.identifier == plain), None)
        if known is None:
            raise no_snapshot(identifier)
        return known

    def automated(self, region: str) -> Iterator[DbSnapshot]:
        """The snapshots that RDS has taken by itself: of each instance its first backup."""
        for one in self.instances.values():
            server = one.server
            if one.region != region or server is None or one.source or not one.retention_days:
                continue
            if (earliest := server.archive.earliest) is not None:
                yield DbSnapshot(
                    identifier=f"{_AUTOMATED}{one.identifier}-{earliest:%Y-%m-%d-%H-%M}",
                    region=region,
                    of=one,
                    tags={},
                    kind="automated",
                    engine_version=one.engine_version,
                    status="available",
                    created_at=earliest,
                )

    def add(self, made: Db) -> None:
        """A new instance.

        :raises Refusal: for a name that there is, or that is none.
        """
        made.identifier = _checked("DBInstanceIdentifier", made.identifier, _LONGEST_INSTANCE)
        if (made.region, made.identifier) in self.instances:
            raise Refusal("DBInstanceAlreadyExists", "DB instance already exists")
        self.instances[made.region, made.identifier] = made

    def add_snapshot(self, made: DbSnapshot) -> None:
        """A new snapshot, likewise."""
        made.identifier = _checked("DBSnapshotIdentifier", made.identifier, _LONGEST_SNAPSHOT)
        if (made.region, made.identifier) in self.snapshots:
            raise Refusal(
                "DBSnapshotAlreadyExists",
                f"Cannot create the snapshot because a snapshot with the identifier "
                f"{made.identifier} already exists.",
            )
        self.snapshots[made.region, made.identifier] = made

    def replicas_of(self, one: Db) -> Iterator[Db]:
        """What follows an instance."""
        for other in self.instances.values():
            if other.source == one.identifier and other.region == one.region:
                yield other

    def run(self, work: Callable[[], None], failed: Callable[[], None]) -> None:
        """Do what takes time in a thread of its own, which does not hold the lock.

        :param failed: what becomes of it when it could not be done; with the lock.
        """

        def go() -> None:
            try:
                work()
            except Exception:  # noqa: BLE001 - the instance's status tells, and the log of the server
                traceback.print_exc()
                with self.lock:
                    failed()

        threading.Thread(target=go, daemon=True).start()

    def server_of(self, database_id: str) -> Instance:
        """For the administration, by its ARN."""
        with self.lock:
            server = _by_arn(self.instances, database_id).server
        if server is None:
            raise KeyError(database_id)
        return server

    def backup_of(self, snapshot_id: str) -> Backup:
        """Likewise."""
        with self.lock:
            backup = _by_arn(self.snapshots, snapshot_id).backup
        if backup is None:
            raise KeyError(snapshot_id)
        return backup


def _by_arn(known: dict[tuple[str, str], T], arn: str) -> T:
    for one in known.values():
        if one.arn == arn:
            return one
    raise KeyError(arn)


def _plain(identifier: str, region: str, kind: str) -> str:
    return identifier.lower().removeprefix(f"arn:aws:rds:{region}:{ACCOUNT_ID}:{kind}:")


def _checked(parameter: str, identifier: str, longest: int) -> str:
    name = identifier.lower()
    if not _NAME.fullmatch(name) or len(name) > longest:
        raise invalid(
            f"The parameter {parameter} is not a valid identifier. Identifiers must begin with a "
            "letter; must contain only ASCII letters, digits, and hyphens; and must not end with a "
            "hyphen or contain two consecutive hyphens."
        )
    return name
