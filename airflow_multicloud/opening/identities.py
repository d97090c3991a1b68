"""Whom each copy of a drill was reached as."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_multicloud import known_clouds
from airflow_multicloud.core.drill.controls import ControlOutcome
from airflow_multicloud.core.drill.failover import Measurement
from airflow_multicloud.core.failover.candidates import Candidate
from airflow_multicloud.documents import to_document
from airflow_multicloud.opening.preflight import CloudProviderStatus, check_connection


def identities_of(candidates: Sequence[Candidate], measured: Measurement) -> list[dict[str, Any]]:
    """Whom each copy was reached as. One that is out of reach is not asked again."""
    answered = {c.replica for c in measured.controls if c.outcome is not ControlOutcome.UNTESTED}
    silent = {c.replica for c in measured.controls} - answered
    if not measured.failback:
        silent.add(candidates[0].uri)
    found: list[dict[str, Any]] = []
    for candidate in candidates:
        end = candidate.endpoint
        conn_id = (end and known_clouds.connection_of(end.location)) or ""
        if end is None or silent & {candidate.uri, str(end.location)}:
            status = CloudProviderStatus(conn_id, end.cloud if end else None, False)
            facts = {**to_document(status), "problem": "not asked: it was out of reach"}
        else:
            facts = to_document(check_connection(conn_id))
        found.append({"uri": candidate.uri, **facts})
    return found
