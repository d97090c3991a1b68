"""``airflow multicloud remove-snapshot``: a snapshot, removed."""

from __future__ import annotations

from argparse import Namespace

from airflow_multicloud.api import remove_snapshot
from airflow_multicloud.cli.commands.database.options import given
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.running import command
from airflow_multicloud.documents import to_document

_OPTIONS = ("region", "account", "timeout", "poll_interval")


@command(interrupted="what is being removed goes on ending; the same command waits for it")
def run(args: Namespace) -> Result:
    """Remove it."""
    removal = remove_snapshot(
        args.conn_id,
        args.snapshot,
        confirm=args.confirm,
        allow=[args.confirm],
        **given(args, _OPTIONS),
    )
    rows = [
        {
            "outcome": "removed",
            "name": one.name,
            "taken_at": one.taken_at.isoformat(timespec="seconds") if one.taken_at else None,
            "id": one.id,
        }
        for one in removal.removed
    ]
    remarks = [] if rows else ["note: there was nothing to remove"]
    return Result(rows, [to_document(removal)], remarks)
