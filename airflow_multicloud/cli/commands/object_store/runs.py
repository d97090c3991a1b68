"""``airflow multicloud runs``: the runs recorded beside a replica."""

from __future__ import annotations

from argparse import Namespace

from airflow_multicloud.api import Run, list_runs
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.running import command
from airflow_multicloud.documents import to_document


@command()
def run(args: Namespace) -> Result:
    """List them, the newest first."""
    found = list_runs(args.replica, limit=args.limit)
    sources = {one.source for one in found}
    return Result(
        [_row(one, several=len(sources) > 1) for one in found],
        [to_document(one) for one in found],
        [f"note: the newest {args.limit}; give --limit for more"]
        if len(found) == args.limit
        else [],
    )


def _row(one: Run, *, several: bool) -> dict[str, object]:
    return {
        "commit": one.commit,
        "run_id": one.run_id,
        "started": f"{one.started:%Y-%m-%d %H:%M:%S}",
        "objects": one.objects,
        "changed": one.changed,
        "deleted": one.deleted,
        **({"source": one.source} if several else {}),
    }
