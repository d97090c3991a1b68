"""``airflow multicloud snapshot-database``: a snapshot of a database."""

from __future__ import annotations

from argparse import Namespace

from airflow_multicloud.api import snapshot_database
from airflow_multicloud.cli.commands.database.options import given, labels_of
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.running import command
from airflow_multicloud.documents import to_document

_OPTIONS = ("name", "run", "series", "keep", "min_age", "region", "account")


@command(interrupted="the snapshot goes on; the same --name or --run finds it")
def run(args: Namespace) -> Result:
    """Take it, or find it."""
    taken = snapshot_database(
        args.conn_id,
        args.database,
        labels=labels_of(args),
        **given(args, (*_OPTIONS, "timeout", "poll_interval")),
    )
    row = {
        "name": taken.name,
        "taken_at": taken.taken_at.isoformat(timespec="seconds") if taken.taken_at else None,
        "found": taken.found,
        "database": taken.database,
        "id": taken.id,
    }
    remarks = ["note: it was there before, and was not taken now"] if taken.found else []
    retention = taken.retention
    if retention is not None:
        remarks += [f"note: removed, older: {one.id}" for one in retention.removed]
        remarks += [f"warning: not removed: {one.id}: {one.error}" for one in retention.left]
        if retention.given_up is not None:
            remarks.append(f"warning: older ones are left: {retention.given_up.error}")
    return Result([row], [to_document(taken)], remarks)
