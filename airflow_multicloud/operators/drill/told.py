"""What a task tells of a drill that was judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_multicloud.core.drill.chain import StoredRecord
from airflow_multicloud.core.drill.evidence import Evidence
from airflow_multicloud.core.drill.verdict import Verdict
from airflow_multicloud.core.pages import duration
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import CloudError
from airflow_multicloud.operators.base import Outcome

if TYPE_CHECKING:
    from logging import Logger


def outcome_of(
    evidence: Evidence,
    records: Sequence[StoredRecord],
    failed: Mapping[str, CloudError],
    log: Logger,
) -> Outcome:
    """The facts for XCom and assets; a failure unless it passed and is written everywhere.

    :param failed: places that could not take the evidence, and why.
    :param log: the task's.
    """
    facts = facts_of(evidence, records)
    objectives = evidence.objectives
    log.info(
        "%s: RTO %s of %s, RPO %s of %s",
        evidence.verdict,
        *map(_readable, (facts["rto_seconds"], objectives.rto.total_seconds())),
        *map(_readable, (facts["rpo_seconds"], objectives.rpo.total_seconds())),
    )
    if facts["reason"]:
        log.info("why: %s", facts["reason"])
    for one in evidence.earlier:
        log.warning("%s has judged this drill before: %s", one.uri, one.verdict)
    for uri in facts["evidence"]:
        log.info("evidence: %s", uri)
    for uri, err in failed.items():
        log.warning("no evidence at %s: %s: %s", uri, err.kind, err)
    if failed and evidence.verdict in (Verdict.PASSED, Verdict.FAILED_EVIDENCE):
        # Nothing else is wrong, so a retry is worth it: it may still write it there.
        uri, err = next(iter(failed.items()))
        return Outcome(facts, err.with_context(f"{evidence.verdict}, with no evidence at {uri}"))
    if evidence.verdict is not Verdict.PASSED:
        verdict = f"the drill's verdict is {evidence.verdict}: {facts}"
        return Outcome(facts, AirflowFailException(verdict))
    return Outcome(facts)


def facts_of(evidence: Evidence, records: Sequence[StoredRecord]) -> dict[str, Any]:
    """What is told of a record, and where it is."""
    document, measured = to_document(evidence), evidence.measurement
    recovered = measured["recovered"] or {}
    return {
        "verdict": str(evidence.verdict),
        "reason": evidence.reason,
        "findings": list(evidence.findings),
        "rto_seconds": measured["rto_seconds"],
        "rpo_seconds": measured["rpo_seconds"],
        "evidence": [uri for record in records for uri in (record.uri, record.page)],
        "records": [to_document(record) for record in records],
        "drill_id": evidence.drill_id,
        "replicas": [report["replica"] for report in evidence.verification],
        "rto_objective_seconds": evidence.objectives.rto.total_seconds(),
        "rpo_objective_seconds": evidence.objectives.rpo.total_seconds(),
        "phase_objectives": {
            f"{name}_seconds": most.total_seconds()
            for name, most in evidence.objectives.of_phases().items()
        },
        "fault": measured["fault"],
        "phases": measured.get("phases"),
        "ages": recovered.get("ages", {}),
        "parts": document["parts"],
        "earlier": document["earlier"],
    }


def _readable(seconds: float | None) -> str:
    return "none" if seconds is None else duration(seconds)
