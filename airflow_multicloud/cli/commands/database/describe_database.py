"""``airflow multicloud describe-database``: how a database is."""

from __future__ import annotations

from argparse import Namespace

from airflow_multicloud.api import describe_database
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.running import command
from airflow_multicloud.documents import to_document


@command()
def run(args: Namespace) -> Result:
    """Look."""
    one = describe_database(args.conn_id, args.database, region=args.region)
    lag = None if one.lag is None or one.lag.value is None else one.lag.value.total_seconds()
    row = {
        "name": one.name,
        "role": one.role.value,
        "state": one.state.value,
        "engine": f"{one.engine} {one.engine_version}",
        "endpoint": None if one.endpoint is None else f"{one.endpoint.host}:{one.endpoint.port}",
        "lag_seconds": lag,
        "replica_of": one.replica_of,
        "account": one.account_id,
        "id": one.ref.id,
    }
    remarks = [f"its cloud says: {one.error}"] if one.error else []
    return Result([row], [to_document(one)], remarks)
