"""What snapshots, restores, promotions, verifications and removals of databases need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from airflow_multicloud.core.preflight.needs import Need
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.lists import is_template

#: Parameters of every operator of databases that change nothing in what is called.
_COMMON = frozenset({"account", "deferrable", "poll_interval", "timeout"})
#: What only the run tells may be any.
_ANY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotDatabase:
    """A snapshot, in the words of ``SnapshotDatabaseOperator``."""

    conn_id: str
    database: object
    region: str | None = None
    keep: int | None = None

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = _COMMON | {"name", "labels", "min_age"}

    def needs(self) -> Iterator[Need]:
        """Of the instance and its snapshots."""
        uses = ["describe_database", "list_snapshots", "remove_snapshot:failed"]
        uses += ["snapshot_database", "describe_operation:snapshot"]
        uses += [] if self.keep is None else ["remove_snapshot"]
        facts = _facts(self.region, database=self.database)
        yield from _needs("snapshot_database", self.conn_id, uses, facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveSnapshot:
    """A removal of snapshots, in the words of ``RemoveSnapshotOperator``.

    :param source: with ``snapshot_task_id``, and without ``database``: what the task takes
        snapshots of, for the operator looks where it says that in XCom.
    """

    conn_id: str
    snapshot_task_id: str | None = None
    database: object = None
    snapshot: object = None
    region: str | None = None
    source: object = None

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = _COMMON | {"confirm", "allow", "confirm_after"}

    def needs(self) -> Iterator[Need]:
        """Of one snapshot, or of all that a task has taken.

        :raises DatabaseError: kind ``invalid_argument`` when not exactly one of
            ``snapshot_task_id`` and ``snapshot`` is given, and for a ``source`` beside others.
        """
        if (self.snapshot is None) is (self.snapshot_task_id is None):
            raise _refused("snapshot_task_id, snapshot: expected exactly one of them")
        if self.source is not None and (self.snapshot is not None or self.database is not None):
            raise _refused("source: expected only with snapshot_task_id, and without database")
        database = self.source if self.database is None else self.database
        if self.snapshot is not None:
            seen = "describe_snapshot"
        else:
            seen = "list_snapshots:all" if database is None else "list_snapshots"
        uses = (seen, "remove_snapshot", "describe_operation:snapshot")
        facts = _facts(self.region, database=database, snapshot=self.snapshot)
        yield from _needs("remove_snapshot", self.conn_id, uses, facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreDatabase:
    """A restore, in the words of ``RestoreDatabaseOperator``."""

    conn_id: str
    database: object = None
    snapshot: object = None
    region: str | None = None
    deletion_protected: bool = False

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = _COMMON | {
        *("at", "name", "scratch", "labels", "size", "network")
    }

    def needs(self) -> Iterator[Need]:
        """Of what is restored, and of the new instance.

        :raises DatabaseError: kind ``invalid_argument`` when not exactly one of ``database`` and
            ``snapshot`` is given.
        """
        if (self.database is None) is (self.snapshot is None):
            raise _refused("database, snapshot: expected exactly one of them")
        of = "describe_snapshot" if self.database is None else "describe_database"
        restored = "snapshot" if self.database is None else "moment"
        uses = [of, "list_databases", "remove_database:failed", f"restore_database:{restored}"]
        uses += ["describe_operation:made", "describe_database:made"]
        uses += ["restore_database:protected"] if self.deletion_protected else []
        facts = _facts(self.region, database=self.database, snapshot=self.snapshot)
        yield from _needs("restore_database", self.conn_id, uses, facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteReplica:
    """A promotion, in the words of ``PromoteReplicaOperator``."""

    conn_id: str
    replica: object
    region: str | None = None

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = _COMMON | {
        *("confirm", "allow", "max_lag", "max_lag_age", "promote_unknown_lag")
    }

    def needs(self) -> Iterator[Need]:
        """Of the replica, whose lag is looked at."""
        uses = ("describe_database:replica", "promote_replica", "describe_operation")
        facts = _facts(self.region, database=self.replica)
        yield from _needs("promote_replica", self.conn_id, uses, facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyDatabase:
    """A verification of an instance, in the words of ``VerifyDatabaseOperator``.

    What is asked by SQL is the database's to allow. One without ``conn_id`` asks no cloud.
    """

    conn_id: str
    database: object
    region: str | None = None

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = frozenset(
        {"sql_conn_id", "checks", "schema", "restored_moment", "statement_timeout"}
    )

    def needs(self) -> Iterator[Need]:
        """Of the instance, whose address is looked up."""
        facts = _facts(self.region, database=self.database)
        yield from _needs("verify_database", self.conn_id, ("describe_database",), facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveDatabase:
    """A removal, in the words of ``RemoveDatabaseOperator``.

    :param source: with ``restore_task_id``: what the task restores, for the operator looks where
        it says that in XCom, too.
    """

    conn_id: str
    restore_task_id: str | None = None
    database: object = None
    region: str | None = None
    account: str | None = None
    final_snapshot: str | None = None
    source: object = None

    WITHOUT_EFFECT: ClassVar[frozenset[str]] = (_COMMON - {"account"}) | {
        *("confirm", "allow", "confirm_after")
    }

    def needs(self) -> Iterator[Need]:
        """Of the instance, or of all that a task has restored.

        :raises DatabaseError: kind ``invalid_argument`` when not exactly one of
            ``restore_task_id`` and ``database`` is given, and for a ``source`` of the latter.
        """
        if (self.database is None) is (self.restore_task_id is None):
            raise _refused("restore_task_id, database: expected exactly one of them")
        if self.source is not None and self.database is not None:
            raise _refused("source: expected only with restore_task_id")
        looked = "list_databases" if self.database is None else "describe_database"
        uses = [looked, "remove_database", "describe_operation"]
        uses += ["remove_database:final_snapshot"] if self.final_snapshot else []
        facts = _facts(self.region, database=self.database)
        if self.database is None and (account := _text(self.account)) is not None:
            facts["in_account"] = account
        yield from _needs("remove_database", self.conn_id, uses, facts)
        if self.source is not None:
            yield from _needs("remove_database", self.conn_id, uses, _facts(beside=self.source))


def _needs(
    what: str, conn_id: str, uses: Iterable[str], facts: Mapping[str, str]
) -> Iterator[Need]:
    for use in uses:
        yield Need(what=what, conn_id=conn_id, service="database", use=use, facts=facts)


def _facts(region: object = None, **named: object) -> dict[str, str]:
    """Instances by their ids where those are known beforehand, and the region where it is told.

    :param region: its own parameter, which counts before what a task has returned.
    """
    facts = {key: text for key, given in named.items() if (text := _id_in(given)) is not None}
    told = [region, *(one.get("region") for one in named.values() if isinstance(one, Mapping))]
    if (where := next((one for one in told if isinstance(one, str) and one), None)) is not None:
        facts["region"] = _ANY if is_template(where) else where
    return facts


def _id_in(given: object) -> str | None:
    """The id in a parameter; ``None`` for what only the run tells."""
    return _text(given.get("id") if isinstance(given, Mapping) else given)


def _text(given: object) -> str | None:
    return given if isinstance(given, str) and given and not is_template(given) else None


def _refused(message: str) -> DatabaseError:
    return DatabaseError(message, kind=ErrorKind.INVALID_ARGUMENT)
