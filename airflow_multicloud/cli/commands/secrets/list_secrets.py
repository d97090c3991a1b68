"""``airflow multicloud list-secrets``: the secrets of a store, without values."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from airflow_multicloud.api import list_secrets
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.running import command
from airflow_multicloud.documents import to_document
from airflow_multicloud.ports.secrets import Secret


@command()
def run(args: Namespace) -> Result:
    """List."""
    found = list_secrets(args.conn_id, prefix=args.prefix or "")
    return Result([_row(one) for one in found], [to_document(one) for one in found])


def _row(one: Secret) -> dict[str, Any]:
    current = one.current
    return {
        "name": one.name,
        "state": one.state.value,
        "version": None if current is None else current.id,
        "created_at": None if current is None else current.created_at.isoformat(),
        "tags": len(one.tags),
    }
