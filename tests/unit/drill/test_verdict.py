"""The first verdict that applies, and why it does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from airflow_multicloud.core.drill.controls import ControlKind
from airflow_multicloud.core.drill.findings import Facts, Unwritten, why_not_in_two_clouds
from airflow_multicloud.core.drill.objectives import Objectives, missed_phases
from airflow_multicloud.core.drill.parts import Part, PartKind, PartOutcome
from airflow_multicloud.core.drill.unmeasured import unmeasured
from airflow_multicloud.core.drill.verdict import MEANINGS, Verdict, judge
from airflow_multicloud.errors import ErrorKind, StorageError

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
    "phases": {
        "detect_seconds": 1.0,
        "failover_seconds": 2.0,
        "first_verified_seconds": 3.0,
        "all_verified_seconds": 10.0,
    },
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
    (
        {"places": ["gs://b/", "gs://c/"]},
        Verdict.FAILED_EVIDENCE,
        "The evidence is kept in one cloud only (gs://b/, gs://c/), and is lost with it; name "
        "places in two.",
    ),
    (
        {"unwritten": [Unwritten("abfs://c/", "timeout: x")]},
        Verdict.FAILED_EVIDENCE,
        "The evidence is kept in one cloud only (gs://b/), and is lost with it; it could not be "
        "written to abfs://c/: timeout: x.",
    ),
    (
        {"unwritten": [Unwritten(uri, "timeout: x") for uri in TWO_CLOUDS]},
        Verdict.FAILED_EVIDENCE,
        "The evidence is kept nowhere: it could not be written to gs://b/: timeout: x; it",
    ),
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
        "places": TWO_CLOUDS[:1],
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
        ("places", TWO_CLOUDS),
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
        "FAILED_EVIDENCE",
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


def test_evidence_in_fewer_than_two_clouds_is_a_finding_of_any_drill() -> None:
    one = facts(places=TWO_CLOUDS[:1], measured={"failback": False})
    assert judge(one, MINUTE)[0] is Verdict.FAILED_FAILBACK
    (finding,) = one.findings()
    assert finding.startswith("the evidence is kept in one cloud only (gs://b/), and is lost with")
    # A third place that could not be written leaves it in two.
    lost = {"places": [*TWO_CLOUDS, "s3://d/"], "unwritten": [Unwritten("s3://d/", "timeout: x")]}
    assert judge(facts(**lost), MINUTE)[0] is Verdict.PASSED
    assert facts(**lost).findings() == ()


@pytest.mark.parametrize(
    ("places", "enough"),
    [
        (TWO_CLOUDS, True),
        (("gs://b/", "s3://b/", "s3://c/"), True),
        (("abfs://b/", "abfss://c/"), False),
        (("x://b/",), False),
        (("x://b/", "y://b/"), True),
    ],
)
def test_schemes_of_one_cloud_are_one(places: tuple[str, ...], enough: bool) -> None:
    assert (why_not_in_two_clouds(places) is None) is enough


@pytest.mark.parametrize("phase", ["detect", "failover", "first_verified"])
def test_a_phase_that_misses_its_objective_is_named(phase: str) -> None:
    seconds = SOUND["phases"][f"{phase}_seconds"]
    met = replace(MINUTE, **{phase: timedelta(seconds=seconds)})
    assert judge(facts(), met) == (Verdict.PASSED, None)
    short = replace(MINUTE, **{phase: timedelta(seconds=0.5)})
    named = phase.replace("_", " ")
    for phases, when in (
        (SOUND["phases"], f"after {seconds:g} s"),
        ({**SOUND["phases"], f"{phase}_seconds": None}, "never"),
        (None, "never"),
    ):
        known = facts(measured={"phases": phases})
        (missed,) = missed_phases(known.measurement, short)
        assert missed.startswith(f"{named}: ")
        assert missed.endswith(f" {when}; the objective is 500 ms")
        verdict, reason = judge(known, short)
        assert verdict is Verdict.FAILED_RTO
        assert reason == f"{missed[0].upper()}{missed[1:]}."
        assert judge(known, MINUTE)[0] is Verdict.PASSED
    # What was not begun has no phases, and another verdict.
    assert [*missed_phases(unmeasured("x"), short)] == []


def test_the_whole_recovery_is_named_before_its_phases() -> None:
    tight = Objectives(timedelta(seconds=5), timedelta(minutes=1), detect=timedelta(seconds=0.5))
    verdict, reason = judge(facts(), tight)
    assert (verdict, str(reason).startswith("All was recovered after 10 s")) == (
        Verdict.FAILED_RTO,
        True,
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rto": 0}, r"rto_seconds: 0 s given, expected a time above 0"),
        ({"rpo": -1}, r"rpo_seconds: -1 s given"),
        ({"detect": 0}, r"detect_seconds: 0 s given"),
        ({"failover": -0.5}, r"failover_seconds: -0.5 s given"),
        ({"first_verified": 61}, r"first_verified_seconds: 1 min 1 s given, which is longer than "),
    ],
)
def test_objectives_that_nothing_can_be_judged_by_are_refused(
    given: dict[str, float], said: str
) -> None:
    wrong = replace(MINUTE, **{name: timedelta(seconds=value) for name, value in given.items()})
    with pytest.raises(StorageError, match=f"^{said}") as raised:
        wrong.check(suffix="_seconds")
    assert raised.value.kind is ErrorKind.INVALID_ARGUMENT
    with pytest.raises(StorageError, match=f"^{next(iter(given))}: "):
        wrong.check()
    replace(MINUTE, detect=MINUTE.rto).check()


def test_every_verdict_is_explained() -> None:
    assert set(MEANINGS) == set(Verdict)
