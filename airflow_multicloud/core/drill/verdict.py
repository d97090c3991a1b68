"""The verdict on a drill. Pure: the same measurement is judged the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from airflow_multicloud.core.drill.controls import ControlKind, ControlOutcome
from airflow_multicloud.core.pages import duration


class Verdict(StrEnum):
    """How a drill ended; the first that applies."""

    INVALID = "INVALID"
    """A corrupt, stale or rolled-back copy was accepted, no replica rejected one of these, or no
    replica was verified: the drill could not have failed, so it proves nothing."""
    FAILED_INTEGRITY = "FAILED_INTEGRITY"
    """Nothing verified could be recovered, the canary is missing or a replica is damaged."""
    FAILED_RTO = "FAILED_RTO"
    """Recovery took longer than the objective."""
    FAILED_RPO = "FAILED_RPO"
    """The data recovered was older than the objective, or how old it is can't be told: clocks
    disagree, or a ledger does not say when some of it was up to date."""
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


#: What a verdict means, for who has not read our documentation.
MEANINGS: Mapping[str, str] = {
    Verdict.PASSED: "Everything was recovered from the replicas, verified, and within both "
    "objectives; the primary served again afterwards.",
    Verdict.INVALID: "This drill could not have failed, so it proves nothing: a damaged, stale or "
    "rolled-back copy was accepted or could not be offered, or no replica was verified.",
    Verdict.FAILED_INTEGRITY: "Not everything could be recovered and verified.",
    Verdict.FAILED_RTO: "Recovery took longer than the objective.",
    Verdict.FAILED_RPO: "The data recovered was older than the objective allows, or its age can't "
    "be told.",
    Verdict.FAILED_FAILBACK: "The primary did not serve once the fault was gone.",
    Verdict.FAILED_REPLICA: "Everything was recovered within both objectives, but a replica was "
    "out of reach or not verified: there is one copy less than there should be.",
}


def judge(
    measurement: Mapping[str, Any],
    verification: Sequence[Mapping[str, Any]],
    objectives: Objectives,
) -> Verdict:
    """The verdict on a :class:`Measurement`, as a document."""
    outcomes = {control["outcome"] for control in measurement["controls"]}
    untested = any(True for _ in _never_rejected(measurement))
    rto, rpo = measurement["rto_seconds"], measurement["rpo_seconds"]
    unproven = not all(report["proven"] for report in verification)
    rules = (
        (ControlOutcome.ACCEPTED in outcomes, Verdict.INVALID),
        # No control is needed to believe a failure.
        (not measurement["recovered"], Verdict.FAILED_INTEGRITY),
        (untested or not verification, Verdict.INVALID),
        (not measurement["canary_found"] or unproven, Verdict.FAILED_INTEGRITY),
        (rto is None or rto > objectives.rto.total_seconds(), Verdict.FAILED_RTO),
        (rpo is None or rpo > objectives.rpo.total_seconds(), Verdict.FAILED_RPO),
        (not measurement["failback"], Verdict.FAILED_FAILBACK),
        (bool(findings(measurement, verification)), Verdict.FAILED_REPLICA),
    )
    return next((verdict for applies, verdict in rules if applies), Verdict.PASSED)


def findings(
    measurement: Mapping[str, Any], verification: Sequence[Mapping[str, Any]]
) -> tuple[str, ...]:
    """What is wrong, with single replicas or with the clocks, a sentence each."""
    found: list[str] = []
    ahead = measurement["clock_ahead_seconds"]
    if ahead is not None:
        found.append(
            f"clocks disagree: what came before the fault is dated {duration(ahead)} after it, so "
            "the RPO can't be measured; set the clocks of the workers and of the primary by NTP"
        )
    recovered = measurement["recovered"]
    if recovered and ahead is None and measurement["rpo_seconds"] is None:
        found.append(
            "the RPO can't be measured: it is not known when this was up to date last: "
            f"{recovered.get('oldest')}"
        )
    found += _about_controls(measurement)
    for replica in dict.fromkeys(control["replica"] for control in measurement["controls"]):
        if not any(replica.startswith(report["replica"]) for report in verification):
            found.append(f"{replica}: it was not verified")
    found += [f"{r['replica']}: it is not proven" for r in verification if not r["proven"]]
    return tuple(found)


def _never_rejected(measurement: Mapping[str, Any]) -> Iterator[ControlKind]:
    """What no replica has rejected, of what must be rejected."""
    for kind in ControlKind:
        of_kind = [one for one in measurement["controls"] if _kind_of(one) == kind]
        if not any(one["outcome"] == ControlOutcome.REJECTED for one in of_kind):
            yield kind


def _about_controls(measurement: Mapping[str, Any]) -> Iterator[str]:
    untested: dict[tuple[str, str], list[str]] = {}
    for control in measurement["controls"]:
        replica, detail = control["replica"], control["detail"]
        if control["outcome"] == ControlOutcome.ACCEPTED:
            yield f"{replica}: {detail}"
        elif control["outcome"] == ControlOutcome.UNTESTED:
            untested.setdefault((replica, detail), []).append(_kind_of(control))
    for (replica, detail), kinds in untested.items():
        which = ", ".join(kind.replace("_", " ") for kind in kinds)
        yield f"{replica}: its negative control ({which}) could not be run: {detail}"


def _kind_of(control: Mapping[str, Any]) -> str:
    """Records of before there were several have none."""
    kind: str = control.get("kind", ControlKind.CORRUPT)
    return kind
