"""Removals of snapshots, step by step: what another process may go on with is JSON."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from airflow_multicloud.core import telemetry
from airflow_multicloud.core.database.retention import (
    OlderSnapshots,
    SnapshotRetention,
    spared,
)
from airflow_multicloud.core.database.snapshot_removals import (
    SnapshotRemoval,
    advance_snapshot_removal,
)
from airflow_multicloud.core.database.wanted_snapshots import OneSnapshot, SnapshotsOf
from airflow_multicloud.core.waiting import NotYet
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.errors import CloudError
from airflow_multicloud.opening.databases import open_databases
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)

#: What is removed → how its document is read.
_WANTED: Mapping[str, type[SnapshotsOf | OneSnapshot | OlderSnapshots]] = MappingProxyType(
    {"of": SnapshotsOf, "one": OneSnapshot, "older": OlderSnapshots}
)


def snapshot_removal_arguments(
    conn_id: str, wanted: SnapshotsOf | OneSnapshot | OlderSnapshots, removal: SnapshotRemoval
) -> dict[str, Any]:
    """What :func:`check_snapshot_removal` is called with (JSON)."""
    (form,) = [name for name, cls in _WANTED.items() if isinstance(wanted, cls)]
    return {
        "conn_id": conn_id,
        "wanted": {form: to_document(wanted)},
        "removal": to_document(removal),
    }


def check_snapshot_removal(
    *, conn_id: str, wanted: Mapping[str, Any], removal: Mapping[str, Any]
) -> dict[str, Any] | NotYet:
    """Do what is due of a removal of snapshots; gives it when nothing is left to do.

    :raises CloudError: when the cloud can't be asked, or what is there may not go; not for what is
        older than a snapshot that was taken.
    """
    ((form, document),) = wanted.items()
    what = read_document(_WANTED[form], document, what="what is removed")
    so_far, now = read_document(SnapshotRemoval, removal, what="a removal"), datetime.now(UTC)

    def advance() -> SnapshotRemoval:
        return advance_snapshot_removal(open_databases(conn_id).service, what, so_far, now=now)

    after = spared(so_far, now, advance) if isinstance(what, OlderSnapshots) else advance()
    if after.done:
        return to_document(after)
    # The look that gives up must come before the task's own time is over.
    wait = after.wait if after.gives_up_at is None else min(after.wait, after.gives_up_at - now)
    return NotYet(
        wait=max(timedelta(), wait), arguments=snapshot_removal_arguments(conn_id, what, after)
    )


def tell_snapshot_removal(*, conn_id: str, removal: Mapping[str, Any], **_others: object) -> None:
    """Say in the log what goes on although nobody waits for it any more."""
    for one in read_document(SnapshotRemoval, removal, what="a removal").removed:
        _log.warning("%s: not called off, its removal goes on: %s", conn_id, printable(one.id))


def retention_of(
    conn_id: str, older: OlderSnapshots, removal: SnapshotRemoval
) -> SnapshotRetention:
    """What came of a retention, told in its span and in the log.

    :raises CloudError: when the work is to stop.
    """
    try:
        return _told(conn_id, older, removal)
    except CloudError as err:
        return older.unknown(removal, err)


def _told(conn_id: str, older: OlderSnapshots, removal: SnapshotRemoval) -> SnapshotRetention:
    opened = open_databases(conn_id)
    with telemetry.operation("database.retention", cloud__provider=opened.cloud) as span:
        outcome = older.outcome(opened.service, removal)
        span.set_attribute("multicloud.keep", outcome.keep)
        span.set_attribute("multicloud.kept", outcome.kept or 0)
        span.set_attribute("multicloud.removed", len(outcome.removed))
        span.set_attribute("multicloud.left", len(outcome.left))
        with telemetry.noted():
            removal.raise_if_left(opened.cloud)
    for one in outcome.left:
        _log.warning("older than the newest %d runs', left: %s", outcome.keep, printable(one.id))
    return outcome
