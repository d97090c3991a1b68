"""``airflow multicloud promote-replica``: a replica that becomes a primary."""

from __future__ import annotations

from argparse import Namespace

from airflow_multicloud.api import promote_replica
from airflow_multicloud.cli.commands.database.options import given
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.running import command
from airflow_multicloud.documents import to_document

_OPTIONS = ("max_lag", "max_lag_age", "region", "account", "timeout", "poll_interval")


@command(interrupted="a promotion that was begun goes on; the same command says how it stands")
def run(args: Namespace) -> Result:
    """Promote it: who types its name twice allows it."""
    promoted = promote_replica(
        args.conn_id,
        args.replica,
        confirm=args.confirm,
        allow=[args.replica],
        promote_unknown_lag=args.promote_unknown_lag,
        **given(args, _OPTIONS),
    )
    one = promoted.database
    row = {
        "name": one.name,
        "role": one.role.value,
        "already": promoted.already,
        "lag_seconds": None if promoted.lag is None else promoted.lag.total_seconds(),
        "endpoint": None if one.endpoint is None else f"{one.endpoint.host}:{one.endpoint.port}",
        "id": one.ref.id,
    }
    remarks = ["note: it was a primary already"] if promoted.already else []
    return Result([row], [to_document(promoted)], remarks)
