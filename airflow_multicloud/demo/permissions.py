"""Whether the demo's replication is allowed what it needs, with one permission taken away."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from airflow_multicloud import api
from airflow_multicloud.demo.telemetry import Claim
from airflow_multicloud.ports.identity import Decision
from airflow_multicloud.testing.local_clouds.aws.identity import ACCOUNT
from airflow_multicloud.testing.local_clouds.kit.admin import Admin

#: The stand-ins of the stores know no permissions: the same buckets are asked about at those of
#: the identities. Azure's needs none, as the account's key may do all.
_ASKED = {"aws_local": "aws_identity_local", "gcp_local": "gcp_identity_local"}
_DENIED = "storage.objects.create"
_STYLES = {Decision.ALLOW: "green", Decision.DENY: "red", Decision.UNKNOWN: "yellow"}


def ask(source: str, destinations: Sequence[str], console: Console, claim: Claim) -> None:
    """Deny one permission, print what the clouds say, and take the denial away."""
    operations = [
        {"replicate": {"source": _at(source), "destinations": [_at(d) for d in destinations]}}
    ]
    bucket = _bucket(destinations[0])
    # Buckets are at the stand-ins of the stores; that of the identities is told of its own.
    amazon = Admin(_extra(_ASKED["aws_local"])["local_admin"])
    amazon.seed("identity", [{"bucket": _bucket(source), "account": ACCOUNT}])
    google = Admin(_extra(_ASKED["gcp_local"])["local_admin"])
    denial = {"resource": f"projects/_/buckets/{bucket}", "denies": [_DENIED]}
    google.seed("identity", [denial])
    try:
        report = api.run_preflight(operations)
    finally:
        google.reset()
    _show(report, console)
    (first, *_) = report.permissions
    claim(
        f"refused before anything is read or written: {first.permission} is denied to "
        f"{first.conn_id}; the {report.allowed} others are allowed",
        holds=(first.permission, first.decision) == (_DENIED, Decision.DENY)
        and (report.denied, report.unknown, report.passed) == (1, 0, False),
    )
    again = api.run_preflight(operations)
    claim(
        f"the permission given again: all {again.allowed} are allowed",
        holds=again.passed and again.allowed == len(report.permissions),
    )


def _show(report: api.PreflightReport, console: Console) -> None:
    table = Table("cloud", "permission", "on", "decision", "of", "without it", box=None)
    table.pad_edge = False
    for one in report.permissions:
        style = _STYLES[one.decision]
        table.add_row(
            *(one.cloud, _end(one.permission, 2), _end(one.resource, 2)),
            *(f"[{style}]{one.decision}[/]", ", ".join(one.operations), one.without),
        )
    console.print(table)


def _end(name: str, parts: int) -> str:
    """The last parts of a long name."""
    short = "/".join(name.rpartition(":::")[2].split("/")[-parts:])
    return short if short == name or ":::" in name else f"…{short}"


def _bucket(uri: str) -> str:
    return uri.partition("@")[2].partition("/")[0]


def _at(uri: str) -> str:
    for conn_id, asked in _ASKED.items():
        uri = uri.replace(f"//{conn_id}@", f"//{asked}@")
    return uri


def _extra(conn_id: str) -> dict[str, Any]:
    extra: dict[str, Any] = json.loads(os.environ[f"AIRFLOW_CONN_{conn_id.upper()}"])["extra"]
    return extra
