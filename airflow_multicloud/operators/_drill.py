"""Who held a drill: the run, and whom each copy was reached as."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from airflow_multicloud import api, registry
from airflow_multicloud.core.drill.failover import ControlOutcome, Measurement
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.failover.fetch import Candidate
from airflow_multicloud.core.pages import moment

if TYPE_CHECKING:
    from airflow.sdk import Context


def identities_of(candidates: Sequence[Candidate], measured: Measurement) -> list[dict[str, Any]]:
    """Whom each copy was reached as. One that is out of reach is not asked again."""
    silent = {c.replica for c in measured.controls if c.outcome is ControlOutcome.UNTESTED}
    if not measured.failback:
        silent.add(candidates[0].uri)
    found: list[dict[str, Any]] = []
    for candidate in candidates:
        end = candidate.endpoint
        conn_id = _connection(end) if end else ""
        if end is None or silent & {candidate.uri, str(end.location)}:
            status = api.CloudProviderStatus(conn_id, end.cloud if end else None, False)
            facts = {**status.as_dict(), "problem": "not asked: it was out of reach"}
        else:
            facts = api.check_connection(conn_id).as_dict()
        found.append({"uri": candidate.uri, **facts})
    return found


def _connection(end: Endpoint) -> str:
    return end.location.conn_id or registry.default_connection(end.location.scheme)


def run_facts(context: Context) -> dict[str, str]:
    """Who held the drill, and in which run; what is not known is left out."""
    run, ti = context.get("dag_run"), context["ti"]
    found = {
        "DAG": context["dag"].dag_id,
        "run": context["run_id"],
        "triggered by": getattr(run, "triggering_user_name", None),
        "kind of run": getattr(run, "run_type", None),
        "run started": getattr(run, "start_date", None),
        "try of the judging task": getattr(ti, "try_number", None),
        "worker": socket.gethostname(),
    }
    return {name: _text(value) for name, value in found.items() if value is not None}


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return moment(value)
    return str(value.value if isinstance(value, Enum) else value)
