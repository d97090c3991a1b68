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
from airflow_multicloud.core.drill.failover import ControlOutcome
from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint
from airflow_multicloud.core.streams import put_stream
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.object_store import ObjectAttributes, WriteOptions


class Verdict(StrEnum):
    """How a drill ended; the first that applies."""

    INVALID = "INVALID"
    """A corrupt copy was accepted, no replica's was rejected, or no replica was verified: the
    drill could not have failed, so it proves nothing."""
    FAILED_INTEGRITY = "FAILED_INTEGRITY"
    """Nothing verified could be recovered, the canary is missing or a replica is damaged."""
    FAILED_RTO = "FAILED_RTO"
    FAILED_RPO = "FAILED_RPO"
    FAILED_FAILBACK = "FAILED_FAILBACK"
    """The primary did not serve the canary once the fault was gone."""
    FAILED_REPLICA = "FAILED_REPLICA"
    """All objectives were met, but a replica was out of reach or was not verified: nothing is
    known of it, and there is one copy less than there should be."""
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
            "findings": list(findings(self.measurement, self.verification)),
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
    outcomes = {control["outcome"] for control in measurement["controls"]}
    untested = ControlOutcome.REJECTED not in outcomes
    rpo = measurement["rpo_seconds"]
    unproven = not all(report["proven"] for report in verification)
    rules = (
        (ControlOutcome.ACCEPTED in outcomes, Verdict.INVALID),
        # No control is needed to believe a failure.
        (not measurement["recovered"], Verdict.FAILED_INTEGRITY),
        (untested or not verification, Verdict.INVALID),
        (not measurement["canary_found"] or rpo is None or unproven, Verdict.FAILED_INTEGRITY),
        (measurement["rto_seconds"] > objectives.rto.total_seconds(), Verdict.FAILED_RTO),
        (rpo is not None and rpo > objectives.rpo.total_seconds(), Verdict.FAILED_RPO),
        (not measurement["failback"], Verdict.FAILED_FAILBACK),
        (bool(findings(measurement, verification)), Verdict.FAILED_REPLICA),
    )
    return next((verdict for applies, verdict in rules if applies), Verdict.PASSED)


def findings(
    measurement: Mapping[str, Any], verification: Sequence[Mapping[str, Any]]
) -> tuple[str, ...]:
    """What is wrong with single replicas, a sentence each. Pure."""
    found: list[str] = []
    for control in measurement["controls"]:
        replica = control["replica"]
        if control["outcome"] == ControlOutcome.ACCEPTED:
            found.append(f"{replica}: {control['detail']}")
        elif control["outcome"] == ControlOutcome.UNTESTED:
            found.append(f"{replica}: its negative control could not be run: {control['detail']}")
        if not any(replica.startswith(report["replica"]) for report in verification):
            found.append(f"{replica}: it was not verified")
    found += [f"{r['replica']}: it is not proven" for r in verification if not r["proven"]]
    return tuple(found)


def store(evidence: Evidence, place: Endpoint) -> tuple[str, ...]:
    """Write both forms to a place; never over an earlier record. Returns the URIs."""
    stamp = evidence.written_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    base = f"{RESERVED_PREFIX}evidence/{evidence.drill_id}-{stamp}"
    uris: list[str] = []
    for suffix, kind, body in (
        ("json", "application/json", evidence.json()),
        ("html", "text/html; charset=utf-8", evidence.html()),
    ):
        options = WriteOptions(
            attributes=ObjectAttributes(content_type=kind), condition=place.condition(None)
        )
        try:
            put_stream(place, f"{base}.{suffix}", [body], options)
        except CloudError as err:
            if err.kind not in _PERHAPS_OURS or not _holds(place, f"{base}.{suffix}", body):
                raise
        uris.append(str(place.location.with_key(f"{base}.{suffix}")))
    return tuple(uris)


#: A write whose answer got lost is repeated by the SDK, and then meets its own object.
_PERHAPS_OURS = (ErrorKind.ALREADY_EXISTS, ErrorKind.PRECONDITION_FAILED)


def _holds(place: Endpoint, key: str, body: bytes) -> bool:
    return bytes(place.store.get_object(place.ref(key)).read()) == body
