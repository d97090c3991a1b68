"""The verdict on a drill. Pure: the same facts are judged the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from airflow_multicloud.core.drill.controls import ControlKind, ControlOutcome
from airflow_multicloud.core.drill.findings import Facts
from airflow_multicloud.core.drill.objectives import Objectives, missed_phases
from airflow_multicloud.core.drill.parts import PartKind
from airflow_multicloud.core.pages import duration


class Verdict(StrEnum):
    """How a drill ended; the first that applies."""

    INVALID = "INVALID"
    """It proves nothing: it did not begin from a sound state, or could not have failed, as a
    corrupt, stale or rolled-back copy was accepted, or one of these was rejected by no replica."""
    ABORTED = "ABORTED"
    """It ended before anything was measured."""
    FAILED_INTEGRITY = "FAILED_INTEGRITY"
    """Nothing verified could be recovered, or the canary is missing."""
    FAILED_SECRETS = "FAILED_SECRETS"
    """Copies of secrets could not be made or read, or one lacks the canary secret."""
    FAILED_DATABASE = "FAILED_DATABASE"
    """A database was not restored, or is not what it must be."""
    FAILED_DEPLOY = "FAILED_DEPLOY"
    """What was deployed in the clouds that are left did not serve."""
    FAILED_RTO = "FAILED_RTO"
    """Recovery, or a phase of it, took longer than its objective."""
    FAILED_RPO = "FAILED_RPO"
    """The data recovered was older than the objective, or how old it is can't be told: clocks
    disagree, or a ledger does not say when some of it was up to date."""
    FAILED_FAILBACK = "FAILED_FAILBACK"
    """The primary did not serve the canary once the fault was gone."""
    FAILED_CLEANUP = "FAILED_CLEANUP"
    """Something is left of the drill, or no listing shows that nothing is."""
    FAILED_REPLICA = "FAILED_REPLICA"
    """All objectives were met, but a replica that was sound before did not answer afterwards:
    there is one copy less than there should be."""
    FAILED_EVIDENCE = "FAILED_EVIDENCE"
    """Nothing else is wrong, but fewer than two clouds hold the evidence."""
    PASSED = "PASSED"


#: What a verdict means, for who has not read our documentation.
MEANINGS: Mapping[str, str] = {
    Verdict.PASSED: "Everything was recovered from the replicas, verified, and within the "
    "objectives; the primary served again afterwards.",
    Verdict.INVALID: "This drill proves nothing: it did not begin from a sound state, or it could "
    "not have failed, as a damaged, stale or rolled-back copy was accepted or not offered.",
    Verdict.ABORTED: "This drill ended before anything was measured, so it proves nothing.",
    Verdict.FAILED_INTEGRITY: "Not everything could be recovered and verified.",
    Verdict.FAILED_SECRETS: "Copies of secrets could not be made or read.",
    Verdict.FAILED_DATABASE: "A database could not be restored and verified.",
    Verdict.FAILED_DEPLOY: "What was deployed in the clouds that are left did not serve.",
    Verdict.FAILED_RTO: "Recovery, or a phase of it, took longer than its objective.",
    Verdict.FAILED_RPO: "The data recovered was older than the objective allows, or its age can't "
    "be told.",
    Verdict.FAILED_FAILBACK: "The primary did not serve once the fault was gone.",
    Verdict.FAILED_CLEANUP: "All objectives were met, but something is left of the drill, or it is "
    "not known that nothing is.",
    Verdict.FAILED_REPLICA: "Everything was recovered within the objectives, but a replica did "
    "not answer any more: there is one copy less than there should be.",
    Verdict.FAILED_EVIDENCE: "Everything was recovered within the objectives, but fewer than two "
    "clouds hold this evidence, so the loss of one cloud can take it away.",
}

#: The verdicts on what was drilled besides objects.
_OF_PARTS = {
    PartKind.SECRETS: Verdict.FAILED_SECRETS,
    PartKind.DATABASE: Verdict.FAILED_DATABASE,
    PartKind.DEPLOYMENT: Verdict.FAILED_DEPLOY,
}


def judge(facts: Facts, objectives: Objectives) -> tuple[Verdict, str | None]:
    """The verdict, and in a sentence why it is not another one, if that is known."""
    return next(_verdicts(facts, objectives), (Verdict.PASSED, None))


def _verdicts(facts: Facts, objectives: Objectives) -> Iterator[tuple[Verdict, str | None]]:
    measured = facts.measurement
    for control in measured["controls"]:
        if control["outcome"] == ControlOutcome.ACCEPTED:
            yield Verdict.INVALID, f"Nothing would have noticed it: {control['detail']}."
    if measured["fault_at"] is None:
        yield Verdict.INVALID if facts.before else Verdict.ABORTED, measured["reason"]
    # No control is needed to believe a failure.
    if not measured["recovered"]:
        yield Verdict.FAILED_INTEGRITY, measured["reason"]
    yield from ((Verdict.INVALID, why) for why in _why_invalid(facts))
    if not measured["canary_found"]:
        yield Verdict.FAILED_INTEGRITY, "The canary was not recovered as it was written."
    # The first of each kind is the reason.
    failed = {part.kind: part.detail for part in reversed(facts.failed_parts)}
    yield from ((_OF_PARTS[kind], failed[kind]) for kind in _OF_PARTS if kind in failed)
    yield from _missed(measured, objectives)
    if not measured["failback"]:
        yield Verdict.FAILED_FAILBACK, "The primary did not serve the canary afterwards."
    if PartKind.CLEANUP in failed:
        yield Verdict.FAILED_CLEANUP, failed[PartKind.CLEANUP]
    yield from ((Verdict.FAILED_REPLICA, f"{one}.") for one in facts.about_replicas())
    yield from ((Verdict.FAILED_EVIDENCE, _sentence(one)) for one in facts.about_evidence())


def _missed(
    measured: Mapping[str, Any], objectives: Objectives
) -> Iterator[tuple[Verdict, str | None]]:
    rto, rpo = measured["rto_seconds"], measured["rpo_seconds"]
    most = objectives.rto.total_seconds()
    if rto is None or rto > most:
        took = "never" if rto is None else f"after {duration(rto)}"
        yield Verdict.FAILED_RTO, f"All was recovered {took}; the objective is {duration(most)}."
    for one in missed_phases(measured, objectives):
        yield Verdict.FAILED_RTO, _sentence(one)
    most = objectives.rpo.total_seconds()
    if rpo is None:
        yield Verdict.FAILED_RPO, None
    elif rpo > most:
        old = f"What was recovered is {duration(rpo)} old; the objective is {duration(most)}."
        yield Verdict.FAILED_RPO, old


def _sentence(part: str) -> str:
    return f"{part[0].upper()}{part[1:]}."


def _why_invalid(facts: Facts) -> Iterator[str]:
    """Why a drill that recovered everything shows nothing by it."""
    yield from (f"Before the fault: {one}." for one in (*facts.before, *facts.unsound()))
    if not facts.verification:
        yield "No replica was verified before the fault."
    for kind in _never_rejected(facts.measurement):
        what = kind.replace("_", "-")
        yield f"No replica has rejected a {what} copy, so it is not known whether one would be."


def _never_rejected(measured: Mapping[str, Any]) -> Sequence[ControlKind]:
    """What no replica has rejected, of what must be rejected."""
    rejected = {
        # Records of before there were several have none.
        one.get("kind", ControlKind.CORRUPT)
        for one in measured["controls"]
        if one["outcome"] == ControlOutcome.REJECTED
    }
    return [kind for kind in ControlKind if kind not in rejected]
