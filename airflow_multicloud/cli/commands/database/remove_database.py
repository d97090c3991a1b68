"""``airflow multicloud remove-database``: what was restored, removed."""

from __future__ import annotations

from argparse import Namespace

from airflow_multicloud.api import DatabaseRemoval, remove_database, remove_scratch_databases
from airflow_multicloud.cli.commands.database.options import given
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.running import command
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import DatabaseError, ErrorKind

_OPTIONS = ("region", "account", "timeout", "poll_interval")


@command(interrupted="what is being removed goes on ending; the same command removes the rest")
def run(args: Namespace) -> Result:
    """Remove one, or all of a run."""
    removal = _removed(args)
    rows = [
        {"outcome": "removed", "name": one.name, "region": one.region, "id": one.id}
        for one in removal.removed
    ]
    searched = "; ".join(map(str, removal.searched))
    remarks = [] if rows else [f"note: there was nothing to remove in: {searched}"]
    return Result(rows, [to_document(removal)], remarks)


def _removed(args: Namespace) -> DatabaseRemoval:
    if (args.database is None) == (args.run is None):
        raise _refused("database, run", "expected exactly one of them")
    if args.run is not None:
        for option in ("confirm", "final_snapshot"):
            if getattr(args, option) is not None:
                raise _refused(option, "given with --run, expected only with --database")
        options = given(args, (*_OPTIONS, "source", "confirm_after"))
        return remove_scratch_databases(args.conn_id, args.run, **options)
    for option in ("source", "confirm_after"):
        if getattr(args, option) is not None:
            raise _refused(option, "given with --database, expected only with --run")
    if args.confirm is None:
        raise _refused("confirm", "not given, expected the name of the instance once more")
    return remove_database(
        args.conn_id,
        args.database,
        confirm=args.confirm,
        allow=[args.database],
        **given(args, (*_OPTIONS, "final_snapshot")),
    )


def _refused(parameter: str, why: str) -> DatabaseError:
    return DatabaseError(f"{parameter}: {why}", kind=ErrorKind.INVALID_ARGUMENT)
