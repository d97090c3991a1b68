"""Databases, opened from their connections; and one look, as a trigger makes it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_multicloud.core.database.lags import lag_now, why_too_far
from airflow_multicloud.core.database.removals import (
    DatabaseRemoval,
    OneDatabase,
    ScratchOf,
    advance_removal,
)
from airflow_multicloud.core.waiting import NotYet
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    Database,
    DatabaseInstance,
    DatabaseRef,
    DatabaseRole,
    DatabaseService,
    DatabaseState,
)
from airflow_multicloud.registry import cloud_of, resolve
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OpenDatabases:
    """The databases of a connection's account."""

    conn_id: str
    cloud: str
    service: DatabaseService


def open_databases(conn_id: str) -> OpenDatabases:
    """The databases that a connection reaches.

    :raises CloudError: for a connection that can't be used, or whose cloud has no databases here.
    """
    service: DatabaseService = resolve(Database, conn_id)  # type: ignore[assignment]
    return OpenDatabases(conn_id, cloud_of(conn_id).name, service)


def removal_arguments(
    conn_id: str,
    wanted: ScratchOf | OneDatabase,
    removal: DatabaseRemoval,
    final_snapshot: str | None = None,
) -> dict[str, Any]:
    """What :func:`check_removal` is called with (JSON)."""
    scratch = isinstance(wanted, ScratchOf)
    return {
        "conn_id": conn_id,
        "scratch_of": to_document(wanted) if scratch else None,
        "one": None if scratch else to_document(wanted),
        "removal": to_document(removal),
        "final_snapshot": final_snapshot,
    }


def check_removal(
    *,
    conn_id: str,
    scratch_of: Mapping[str, Any] | None,
    one: Mapping[str, Any] | None,
    removal: Mapping[str, Any],
    final_snapshot: str | None,
) -> dict[str, Any] | NotYet:
    """Do what is due of a removal; gives it when a listing has shown nothing.

    :raises CloudError: for what can't be removed.
    """
    wanted: ScratchOf | OneDatabase
    if scratch_of is not None:
        wanted = read_document(ScratchOf, scratch_of, what="what is removed")
    else:
        wanted = read_document(OneDatabase, one, what="what is removed")
    now = advance_removal(
        open_databases(conn_id).service,
        wanted,
        read_document(DatabaseRemoval, removal, what="a removal"),
        now=datetime.now(UTC),
        final_snapshot=final_snapshot,
    )
    if now.done:
        return to_document(now)
    return NotYet(wait=now.wait, arguments=removal_arguments(conn_id, wanted, now, final_snapshot))


def tell_removal(*, conn_id: str, removal: Mapping[str, Any], **_others: object) -> None:
    """Say in the log what goes on although nobody waits for it any more."""
    for one in read_document(DatabaseRemoval, removal, what="a removal").removed:
        _log.warning("%s: not called off, its removal goes on: %s", conn_id, printable(one.id))


def check_replica_lag(
    *,
    conn_id: str,
    replica: str,
    region: str | None,
    max_lag_seconds: float,
    max_age_seconds: float,
) -> dict[str, Any] | None:
    """How far a replica is behind, when that is known and near enough.

    :raises DatabaseError: ``precondition_failed`` when it is a primary; ``not_found``.
    """
    instance = open_databases(conn_id).service.describe_database(DatabaseRef(replica, region))
    max_lag, max_age = timedelta(seconds=max_lag_seconds), timedelta(seconds=max_age_seconds)
    if instance.role is not DatabaseRole.REPLICA:
        raise DatabaseError(
            f"replica: {instance.ref.id} is a {instance.role}, which lags behind nothing; has it "
            "been promoted?",
            kind=ErrorKind.PRECONDITION_FAILED,
        )
    now = datetime.now(UTC)
    why = why_too_far(instance, max_lag, max_age, now)
    if instance.state is not DatabaseState.AVAILABLE:
        why = f"{instance.ref.id} is {instance.state}"
    if why is not None:
        _log.info("not yet: %s", printable(why))
        return None
    return _lag_facts(instance, max_age, now)


def _lag_facts(instance: DatabaseInstance, max_age: timedelta, now: datetime) -> dict[str, Any]:
    lag = lag_now(instance, max_age, now)
    measured = None if instance.lag is None else instance.lag.measured_at
    return {
        "replica": instance.ref.id,
        "replica_of": instance.replica_of,
        "lag_seconds": lag.total_seconds() if isinstance(lag, timedelta) else None,
        "measured_at": None if measured is None else measured.isoformat(),
        "state": instance.state.value,
    }
