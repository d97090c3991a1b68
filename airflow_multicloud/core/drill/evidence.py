"""The verdict on a drill, and the record that an auditor can read without us."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from importlib.resources import files
from typing import Any

import jinja2

from airflow_multicloud import __version__
from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint
from airflow_multicloud.core.streams import put_stream
from airflow_multicloud.ports.object_store import ObjectAttributes, WriteOptions


class Verdict(StrEnum):
    """How a drill ended; the first that applies."""

    INVALID = "INVALID"
    """The negative control did not fire for every replica, or no replica was verified: the
    drill could not have failed, so it proves nothing."""
    FAILED_INTEGRITY = "FAILED_INTEGRITY"
    """Nothing verified could be recovered, the canary is missing or a replica is damaged."""
    FAILED_RTO = "FAILED_RTO"
    FAILED_RPO = "FAILED_RPO"
    FAILED_FAILBACK = "FAILED_FAILBACK"
    """The primary did not serve the canary once the fault was gone."""
    PASSED = "PASSED"


@dataclass(frozen=True, slots=True)
class Objectives:
    """What is to be met."""

    rto: timedelta
    rpo: timedelta


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything about one drill.

    :param measurement: of :meth:`Measurement.as_dict`.
    :param replication: of :meth:`ReplicationReport.as_dict`, for each replication.
    :param verification: of :meth:`VerificationReport.as_dict`, for each replica.
    """

    drill_id: str
    verdict: Verdict
    objectives: Objectives
    measurement: Mapping[str, Any]
    replication: Sequence[Mapping[str, Any]]
    verification: Sequence[Mapping[str, Any]]
    canary: Mapping[str, Any]
    written_at: datetime

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "drill_id": self.drill_id,
            "verdict": str(self.verdict),
            "objectives": {
                "rto_seconds": self.objectives.rto.total_seconds(),
                "rpo_seconds": self.objectives.rpo.total_seconds(),
            },
            "measurement": dict(self.measurement),
            "canary": dict(self.canary),
            "replication": [dict(r) for r in self.replication],
            "verification": [dict(v) for v in self.verification],
            "written_at": self.written_at.isoformat(),
            "software": f"airflow-multicloud {__version__}",
        }

    def json(self) -> bytes:
        """As JSON."""
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=False).encode()

    def html(self) -> bytes:
        """As one page that needs nothing else."""
        template = files(__package__).joinpath("evidence.html.jinja").read_text("utf-8")
        environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
        return environment.from_string(template).render(self.as_dict()).encode()


def judge(
    measurement: Mapping[str, Any],
    verification: Sequence[Mapping[str, Any]],
    objectives: Objectives,
) -> Verdict:
    """The verdict on a measurement. Pure."""
    if not measurement["control_fired"] or not verification:
        return Verdict.INVALID
    rpo = measurement["rpo_seconds"]
    intact = measurement["recovered"] and measurement["canary_found"] and rpo is not None
    if not intact or not all(report["proven"] for report in verification):
        return Verdict.FAILED_INTEGRITY
    if measurement["rto_seconds"] > objectives.rto.total_seconds():
        return Verdict.FAILED_RTO
    if rpo > objectives.rpo.total_seconds():
        return Verdict.FAILED_RPO
    if not measurement["failback"]:
        return Verdict.FAILED_FAILBACK
    return Verdict.PASSED


def store(evidence: Evidence, places: Sequence[Endpoint]) -> tuple[str, ...]:
    """Write both forms to each place; never over an earlier record. Returns the URIs."""
    stamp = evidence.written_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    base = f"{RESERVED_PREFIX}evidence/{evidence.drill_id}-{stamp}"
    uris: list[str] = []
    for place in places:
        for suffix, kind, body in (
            ("json", "application/json", evidence.json()),
            ("html", "text/html; charset=utf-8", evidence.html()),
        ):
            options = WriteOptions(
                attributes=ObjectAttributes(content_type=kind), condition=place.condition(None)
            )
            put_stream(place, f"{base}.{suffix}", [body], options)
            uris.append(str(place.location.with_key(f"{base}.{suffix}")))
    return tuple(uris)
