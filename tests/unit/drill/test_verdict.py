"""The first verdict that applies, and why it does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from airflow_multicloud.core.drill.controls import ControlKind
from airflow_multicloud.core.drill.findings import Facts
from airflow_multicloud.core.drill.parts import Part, PartKind, PartOutcome
from airflow_multicloud.core.drill.unmeasured import unmeasured
from airflow_multicloud.core.drill.verdict import MEANINGS, Objectives, Verdict, judge

MINUTE = Objectives(timedelta(minutes=1), timedelta(minutes=1))
PROVEN = {"replica": "gs://b/", "proven": True}
TWO_CLOUDS = ("gs://b/", "abfs://c/")


def control(kind: str, outcome: str = "rejected") -> dict[str, str]:
    said = f"a {kind} copy of gs://b/x was accepted" if outcome == "accepted" else "no"
    return {"kind": kind, "replica": "gs://b/", "outcome": outcome, "detail": said}


SOUND: dict[str, Any] = {
    "fault": "unavailable",
    "fault_at": "2026-11-23T09:00:00+00:00",
    "recovered": {"objects": 1, "oldest": "x"},
    "reason": None,
    "rto_seconds": 10.0,
    "rpo_seconds": 20.0,
    "clock_ahead_seconds": None,
    "canary_found": True,
    "controls": [control(kind) for kind in ControlKind],
    "failback": True,
}


def facts(*, measured: dict[str, Any] | None = None, **given: Any) -> Facts:
    known = {"verification": [PROVEN], "places": TWO_CLOUDS, **given}
    return Facts(measurement={**SOUND, **(measured or {})}, **known)


def with_control(kind: str, outcome: str) -> dict[str, Any]:
    others = [control(one) for one in ControlKind if one != kind]
    return {"controls": [*others, control(kind, outcome)]}


def failed(kind: PartKind) -> Part:
    return Part(kind, PartOutcome.FAILED, "it is broken")


def test_a_sound_drill_has_passed() -> None:
    assert judge(facts(), MINUTE) == (Verdict.PASSED, None)
    assert facts().findings() == ()


@pytest.mark.parametrize("kind", [*map(str, ControlKind)])
def test_each_control_must_have_been_rejected_somewhere(kind: str) -> None:
    verdict, reason = judge(facts(measured=with_control(kind, "accepted")), MINUTE)
    assert (verdict, f"a {kind} copy of gs://b/x was accepted" in str(reason)) == (
        Verdict.INVALID,
        True,
    )
    verdict, reason = judge(facts(measured=with_control(kind, "untested")), MINUTE)
    assert verdict is Verdict.INVALID
    assert str(reason).startswith(f"No replica has rejected a {kind.replace('_', '-')} copy")
    # Another replica has rejected it: only this one is in doubt.
    both = {"controls": [*SOUND["controls"], control(kind, "untested")]}
    assert judge(facts(measured=both), MINUTE)[0] is Verdict.FAILED_REPLICA
    missing = {"controls": [one for one in SOUND["controls"] if one["kind"] != kind]}
    assert judge(facts(measured=missing), MINUTE)[0] is Verdict.INVALID


CASES: list[tuple[dict[str, Any], Verdict, str]] = [
    ({"before": ["preflight: denied"]}, Verdict.INVALID, "Before the fault: preflight: denied."),
    (
        {"verification": [{**PROVEN, "proven": False}]},
        Verdict.INVALID,
        "Before the fault: gs://b/: it is not proven.",
    ),
    ({"verification": []}, Verdict.INVALID, "Before the fault: gs://b/: it was not verified."),
    (
        {"measured": {"recovered": None, "reason": "nobody served"}},
        Verdict.FAILED_INTEGRITY,
        "nobody served",
    ),
    ({"measured": {"canary_found": False}}, Verdict.FAILED_INTEGRITY, "The canary was not"),
    ({"parts": [failed(PartKind.SECRETS)]}, Verdict.FAILED_SECRETS, "it is broken"),
    ({"parts": [failed(PartKind.DATABASE)]}, Verdict.FAILED_DATABASE, "it is broken"),
    ({"parts": [failed(PartKind.DEPLOYMENT)]}, Verdict.FAILED_DEPLOY, "it is broken"),
    (
        {
            "parts": [
                Part(PartKind.SECRETS, PartOutcome.FAILED, "the first"),
                failed(PartKind.SECRETS),
            ]
        },
        Verdict.FAILED_SECRETS,
        "the first",
    ),
    (
        {"measured": {"rto_seconds": 61.0}},
        Verdict.FAILED_RTO,
        "All was recovered after 1 min 1 s; the objective is 1 min.",
    ),
    (
        {"measured": {"rpo_seconds": 61.0}},
        Verdict.FAILED_RPO,
        "What was recovered is 1 min 1 s old; the objective is 1 min.",
    ),
    ({"measured": {"rpo_seconds": None}}, Verdict.FAILED_RPO, "None"),
    ({"measured": {"failback": False}}, Verdict.FAILED_FAILBACK, "The primary did not serve"),
    ({"parts": [failed(PartKind.CLEANUP)]}, Verdict.FAILED_CLEANUP, "it is broken"),
]


@pytest.mark.parametrize(("given", "verdict", "why"), CASES)
def test_what_is_wrong_decides_and_is_named(
    given: dict[str, Any], verdict: Verdict, why: str
) -> None:
    found, reason = judge(facts(**given), MINUTE)
    assert found is verdict
    assert str(reason).startswith(why)


def test_the_first_that_applies_decides() -> None:
    """A drill with everything wrong, mended step by step."""
    wrong: dict[str, Any] = {
        "before": ["preflight: denied"],
        "measured": {
            "recovered": None,
            "canary_found": False,
            "rto_seconds": 61.0,
            "rpo_seconds": 61.0,
            "failback": False,
        },
        "parts": [
            failed(kind)
            for kind in (
                *(PartKind.CLEANUP, PartKind.DEPLOYMENT),
                *(PartKind.DATABASE, PartKind.SECRETS),
            )
        ],
    }
    found: list[str] = []
    for mended, value in (
        ("recovered", {}),
        ("before", []),
        ("canary_found", True),
        ("parts", wrong["parts"][:3]),
        ("parts", wrong["parts"][:2]),
        ("parts", wrong["parts"][:1]),
        ("rto_seconds", 1.0),
        ("rpo_seconds", 1.0),
        ("failback", True),
        ("parts", []),
    ):
        found.append(judge(facts(**wrong), MINUTE)[0])
        if mended in wrong:
            wrong[mended] = value
        else:
            wrong["measured"][mended] = value or SOUND["recovered"]
    assert found == [
        "FAILED_INTEGRITY",
        "INVALID",
        "FAILED_INTEGRITY",
        "FAILED_SECRETS",
        "FAILED_DATABASE",
        "FAILED_DEPLOY",
        "FAILED_RTO",
        "FAILED_RPO",
        "FAILED_FAILBACK",
        "FAILED_CLEANUP",
    ]
    assert judge(facts(**wrong), MINUTE)[0] is Verdict.PASSED


def test_without_a_measurement_it_is_aborted_or_was_not_begun() -> None:
    nothing = unmeasured("The drill ended before anything was measured.", fault="stalled")
    verdict, reason = judge(Facts(measurement=nothing, verification=[PROVEN]), MINUTE)
    assert (verdict, reason) == (
        Verdict.ABORTED,
        "The drill ended before anything was measured.",
    )
    refused = Facts(measurement=nothing, verification=[], before=["preflight: denied"])
    assert judge(refused, MINUTE)[0] is Verdict.INVALID


def test_evidence_in_one_cloud_is_a_finding_and_no_verdict() -> None:
    one = facts(places=("gs://b/", "gs://c/"))
    assert judge(one, MINUTE)[0] is Verdict.PASSED
    (finding,) = one.findings()
    assert finding.startswith("the evidence is kept in one cloud only (gs://b/, gs://c/)")


def test_every_verdict_is_explained() -> None:
    assert set(MEANINGS) == set(Verdict)
