"""``airflow multicloud restore-database``: a database in a new instance."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from airflow_multicloud.api import restore_database
from airflow_multicloud.cli.commands.database.options import given, labels_of
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.running import command
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import DatabaseError, ErrorKind

_OPTIONS = (
    *("database", "snapshot", "at", "name", "size", "run", "region", "account"),
    *("timeout", "poll_interval"),
)


@command(interrupted="the restore goes on; the same --run finds it, and remove-database removes it")
def run(args: Namespace) -> Result:
    """Restore it, or find what was restored."""
    restored = restore_database(
        args.conn_id,
        scratch=not args.keep,
        labels=labels_of(args),
        network=_network(args),
        deletion_protected=args.deletion_protected,
        **given(args, _OPTIONS),
    )
    end = restored.endpoint
    moment = restored.restored_moment
    row = {
        "name": restored.name,
        "endpoint": None if end is None else f"{end.host}:{end.port}",
        "restored_moment": None if moment is None else moment.isoformat(timespec="seconds"),
        "scratch": restored.scratch,
        "found": restored.found,
        "id": restored.id,
    }
    remarks = ["note: it was there before, and was not restored now"] if restored.found else []
    return Result([row], [to_document(restored)], remarks)


def _network(args: Namespace) -> dict[str, Any] | None:
    if args.subnet is None:
        for option in ("security_group", "private_zone"):
            if getattr(args, option):
                raise DatabaseError(
                    f"{option}: given without a subnet, expected --subnet with it",
                    kind=ErrorKind.INVALID_ARGUMENT,
                )
        return None
    return {
        "subnet": args.subnet,
        "security_groups": args.security_group or (),
        "private_zone": args.private_zone,
    }
