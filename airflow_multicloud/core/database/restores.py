"""Restores: what is asked for, what is under way, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from airflow_multicloud.core.database.identity import OrderIdentity
from airflow_multicloud.documents import Documented
from airflow_multicloud.ports.database import (
    DatabaseEndpoint,
    DatabaseNetwork,
    FromPointInTime,
    FromSnapshot,
)
from airflow_multicloud.ports.operations import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreWish:
    """A restore as it is asked for.

    :param source: a snapshot, or an instance and a moment.
    :param name: of the new instance; derived from the run for ``None``, which only a scratch
        instance may have.
    :param scratch: whether it may be removed when its run is over.
    :param account: in which the source must be; any for ``None``.
    """

    source: FromSnapshot | FromPointInTime
    name: str | None = None
    scratch: bool = True
    labels: Mapping[str, str] = field(default_factory=dict)
    size: str | None = None
    network: DatabaseNetwork | None = None
    deletion_protected: bool = False
    account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunRestore:
    """A restore that is under way, as another process can take it up.

    :param source: full id of what is restored.
    :param account_id: in which the new instance must turn up; ``None`` when the source's can't be
        seen.
    :param found: whether the new instance was there before this try.
    :param removing: of failed instances of earlier tries.
    """

    source: str
    identity: OrderIdentity
    account_id: str | None
    found: bool
    region: str | None
    operation: Operation
    removing: tuple[Operation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredDatabase(Documented):
    """What came of a restore.

    :param id: the new instance's full id.
    :param source: full id of what was restored.
    :param restored_moment: what it holds is as of then; of a snapshot when that was taken, of
        "the latest" the last moment that could be restored when it was ordered, as far as known.
    :param found: an earlier try of the same task had begun it, or a run that was not cleared since.
    :param token: what removing it needs.
    """

    conn_id: str
    cloud: str
    id: str
    name: str
    region: str | None
    account_id: str
    engine: str
    engine_version: str
    endpoint: DatabaseEndpoint | None
    source: str
    restored_moment: datetime | None
    scratch: bool
    found: bool
    token: str
    console_url: str | None = None
