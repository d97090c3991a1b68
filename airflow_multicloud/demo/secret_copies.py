"""A secret of one cloud in two others: made equal, and then changed by somebody else."""

from __future__ import annotations

import secrets
import uuid

from rich.console import Console
from rich.table import Table

from airflow_multicloud import api, registry
from airflow_multicloud.core.secret_sync.outcomes import FindingKind
from airflow_multicloud.demo.telemetry import Claim
from airflow_multicloud.ports.secrets import SecretsService

#: Connection → the cloud's name for its store, the source first.
CONNECTIONS = {
    "aws_secrets_local": "Secrets Manager",
    "gcp_secrets_local": "Secret Manager",
    "azure_secrets_local": "Key Vault",
}
NAME = "shop/warehouse"


def keep_equal(console: Console, claim: Claim) -> None:
    """Copy a secret, and see that neither a second run nor a foreign value is written over."""
    source, *copies = CONNECTIONS
    value = secrets.token_bytes(24)
    stores = {conn_id: _store(conn_id) for conn_id in CONNECTIONS}
    _write(stores[source], value, None)
    first = api.sync_secrets(source, copies, names=[NAME])
    table = Table("destination", "what happened", "its name there", box=None, pad_edge=False)
    for one in first.destinations:
        told = _outcomes(one)
        there = stores[one.conn_id].check_secret_name(NAME)
        table.add_row(f"{CONNECTIONS[one.conn_id]} ({one.conn_id})", told, there)
    console.print(table)
    equal = all(store.read_secret(NAME).value == value for store in stores.values())
    claim(f"{NAME} has the same value in {len(stores)} clouds; it is printed nowhere", holds=equal)
    again = api.sync_secrets(source, copies, names=[NAME])
    claim(
        f"the same again writes nothing: {sum(d.unchanged for d in again.destinations)} unchanged",
        holds=again.in_sync and not again.changes,
    )
    other = copies[0]
    current = stores[other].describe_secret(NAME).current
    foreign = secrets.token_bytes(24)
    _write(stores[other], foreign, None if current is None else current.id)
    found = _conflict(source, copies)
    claim(
        f"somebody else changed it in {CONNECTIONS[other]}: {found or 'nobody noticed'}",
        holds=found is not None and stores[other].read_secret(NAME).value == foreign,
    )


def _conflict(source: str, copies: list[str]) -> str | None:
    try:
        api.sync_secrets(source, copies, names=[NAME])
    except api.SyncFailedError as err:
        told = [f for f in err.report.findings if f.finding is FindingKind.UNKNOWN_VALUE]
        return f"{_outcomes(err.report.destinations[0])}, {told[0].message}" if told else None
    return None


def _outcomes(store: object) -> str:
    """The account of a destination, without its name."""
    return str(store).partition(": ")[2]


def _store(conn_id: str) -> SecretsService:
    return registry.resolve(SecretsService, conn_id)


def _write(store: SecretsService, value: bytes, replaces: str | None) -> None:
    store.write_secret(NAME, value, token=str(uuid.uuid4()), replaces=replaces, tags=None)
