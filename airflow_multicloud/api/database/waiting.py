"""On whose behalf calls order, and waiting in this process for what they have ordered."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.database.finishing import finished
from airflow_multicloud.core.database.identity import Requester
from airflow_multicloud.core.database.removals import DatabaseRemoval
from airflow_multicloud.core.database.restores import BegunRestore
from airflow_multicloud.core.database.snapshot_removals import SnapshotRemoval
from airflow_multicloud.core.database.snapshots import BegunSnapshot
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.opening.airflow_id import airflow_id
from airflow_multicloud.opening.databases import OpenDatabases

POLL = timedelta(seconds=10)

BegunT = TypeVar("BegunT", BegunSnapshot, BegunRestore)
RemovalT = TypeVar("RemovalT", DatabaseRemoval, SnapshotRemoval)


def requester(run: str | None, name: str | None = None, series: str | None = None) -> Requester:
    """On whose behalf a call orders.

    :param run: as it was given; for ``None`` the name stands for it, else each call is its own run.
    :param series: that a snapshot is one of.
    """
    airflow = airflow_id()
    told = json.dumps([airflow, "api", "series", series]) if series else ""
    if run is None and name is not None:
        whose, readable = [airflow, "api", "name", name], name
    else:
        whose = [airflow, "api", "run", run or uuid.uuid4().hex]
        readable = run or series or "api"
    return Requester(run=json.dumps(whose), readable=readable, series=told)


def ended(
    opened: OpenDatabases, begun: BegunT, *, timeout: timedelta, poll_interval: timedelta
) -> BegunT:
    """What was ordered, once its operation has succeeded.

    :raises DatabaseError: what it has failed with; ``timeout``.
    """
    operation = finished(
        opened.service,
        begun.operation,
        poll_interval=poll_interval,
        timeout=timeout,
        cloud=opened.cloud,
    )
    return replace(begun, operation=operation)


def until_done(
    removal: RemovalT,
    advance: Callable[[RemovalT, datetime], RemovalT],
    *,
    cloud: str,
    timeout: timedelta,
    poll_interval: timedelta,
) -> RemovalT:
    """A removal, once a listing has shown nothing.

    :param advance: does what is due, once.
    :raises DatabaseError: ``timeout``, and what the removal raises.
    """
    end = datetime.now(UTC) + timeout
    while True:
        removal = advance(removal, datetime.now(UTC))
        if removal.done:
            return removal
        if datetime.now(UTC) >= end:
            raise DatabaseError(
                f"timeout: it was not removed within {timeout}; what was begun goes on in the "
                "cloud, and the same call again removes the rest",
                kind=ErrorKind.TIMEOUT,
                cloud=cloud,
            )
        cancellation.pause(max(poll_interval, removal.wait).total_seconds())
