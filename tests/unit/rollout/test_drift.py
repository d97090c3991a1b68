"""How what is there differs from what is expected."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_multicloud.core.rollout.drift import (
    DriftKind,
    DriftReport,
    ExpectedCandidate,
    ExpectedDeployment,
    ExpectedTarget,
    drift_of,
    expected_of,
)
from airflow_multicloud.core.rollout.names import Standing
from airflow_multicloud.core.rollout.standing import (
    DeploymentsReport,
    DeploymentStanding,
    SlotStanding,
    StandingInstance,
    TargetStanding,
    UnreachablePlace,
    UnreadableInstance,
)
from airflow_multicloud.core.rollout.survey import list_deployments
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.compute import InstanceState
from airflow_multicloud.testing.memory_cloud.compute import Hook

from .lab import APP, Lab, with_policy
from .test_standing import deployed, places, refuse_lists

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SPEC = "0123456789abcdef"

There = dict[tuple[str, int], list[StandingInstance]]


def instance(id_: str = "i-1", **changes: Any) -> StandingInstance:
    usual: dict[str, Any] = {
        "id": id_,
        "name": id_,
        "conn_id": "c",
        "cloud": "memory",
        "account_id": "a",
        "region": "mem-1",
        "zone": None,
        "state": InstanceState.RUNNING,
        "standing": Standing.CURRENT,
        "revision": "v1",
        "spec": SPEC,
        "generation": 1,
        "ordered_at": NOW,
        "size": "small",
        "image": "img",
        "address": None,
        "public_address": None,
        "created_at": None,
        "error_kind": None,
        "error": None,
        "console_url": None,
    }
    return StandingInstance(**{**usual, **changes})


def report(there: There, *unreachable: UnreachablePlace) -> DeploymentsReport:
    targets = {name: [n for t, n in there if t == name] for name, _ in there}
    deployment = DeploymentStanding(
        deployment_id=APP,
        targets=tuple(
            TargetStanding(
                name=name,
                slots=tuple(
                    SlotStanding(number=n, instances=tuple(there[name, n])) for n in numbers
                ),
            )
            for name, numbers in targets.items()
        ),
    )
    return DeploymentsReport(
        deployments=(deployment,), unreadable=(), unreachable=unreachable, asked_at=NOW
    )


def expected(*targets: ExpectedTarget) -> ExpectedDeployment:
    return ExpectedDeployment(deployment_id=APP, targets=targets)


ONE = ExpectedTarget(
    name="one",
    conn_id="c",
    revision="v1",
    candidates=(ExpectedCandidate(spec=SPEC, size="small", image="img"),),
)
LOST = UnreachablePlace(
    conn_id="c", cloud="memory", region=None, error_kind=ErrorKind.TIMEOUT, error="slow"
)


def kinds(found: DriftReport) -> list[DriftKind]:
    return [finding.kind for finding in found.findings]


@pytest.mark.parametrize(
    ("lies_there", "found"),
    [
        ([instance()], []),
        ([instance(state=InstanceState.PENDING)], []),
        ([], [DriftKind.MISSING]),
        ([instance(state=InstanceState.TERMINATING)], [DriftKind.MISSING]),
        ([instance(standing=Standing.NEW)], [DriftKind.MISSING]),
        ([instance(standing=Standing.REPLACED)], [DriftKind.MISSING]),
        ([instance(state=InstanceState.STOPPED)], [DriftKind.STOPPED]),
        ([instance(state=InstanceState.STOPPING)], [DriftKind.STOPPED]),
        ([instance(state=InstanceState.FAILED)], [DriftKind.MISSING, DriftKind.FAILED]),
        ([instance(state=InstanceState.INCOMPLETE)], [DriftKind.MISSING, DriftKind.INCOMPLETE]),
        ([instance(), instance("i-2", state=InstanceState.INCOMPLETE)], [DriftKind.INCOMPLETE]),
        ([instance(revision="v2")], [DriftKind.OTHER_REVISION]),
        ([instance(spec="f" * 16)], [DriftKind.OTHER_REVISION]),
        ([instance(size="huge")], [DriftKind.CHANGED]),
        ([instance(size="Small")], []),
        ([instance(image="other")], [DriftKind.CHANGED]),
        ([instance(image="")], []),
        ([instance(), instance("i-2")], [DriftKind.UNEXPECTED]),
        ([instance(), instance("i-2", standing=Standing.NEW)], [DriftKind.UNEXPECTED]),
        ([instance(standing=Standing.NEW), instance("i-2")], [DriftKind.UNEXPECTED]),
        ([instance(), instance("i-2", state=InstanceState.TERMINATING)], []),
    ],
)
def test_what_lies_in_a_slot(lies_there: list[StandingInstance], found: list[DriftKind]) -> None:
    drift = drift_of(expected(ONE), report({("one", 0): lies_there}))
    assert kinds(drift) == found
    assert drift.as_expected == (not found)
    for finding in drift.findings:
        assert (finding.target, finding.slot) == ("one", 0)


def test_the_current_one_is_kept_and_the_other_named() -> None:
    lies_there = [instance("new", standing=Standing.NEW), instance("current")]
    (found,) = drift_of(expected(ONE), report({("one", 0): lies_there})).findings
    assert found.instance_id == "new"
    assert str(found) == "unexpected: target one, slot 0: a second live instance, new: new"


def test_what_nobody_expects() -> None:
    there: There = {
        ("one", 0): [instance()],
        ("one", 1): [instance("i-2"), instance("i-3", state=InstanceState.TERMINATING)],
        ("old", 0): [instance("i-4", state=InstanceState.STOPPED)],
    }
    found = drift_of(expected(ONE), report(there)).findings
    assert [(one.kind, one.target, one.slot, one.instance_id) for one in found] == [
        (DriftKind.UNEXPECTED, "one", 1, "i-2"),
        (DriftKind.UNEXPECTED, "old", 0, "i-4"),
    ]


def test_what_may_hide_where_nobody_answered_is_not_called_missing() -> None:
    found = drift_of(expected(ONE), report({}, LOST))
    assert kinds(found) == [DriftKind.UNKNOWN]
    assert "c gave no answer: timeout: slow" in found.findings[0].what
    elsewhere = replace(LOST, conn_id="d")
    assert kinds(drift_of(expected(ONE), report({}, elsewhere))) == [DriftKind.MISSING]
    anywhere = expected(replace(ONE, conn_id=None))
    assert kinds(drift_of(anywhere, report({}, elsewhere))) == [DriftKind.UNKNOWN]


def test_without_an_answer_from_everywhere_nothing_is_known_to_be_as_expected() -> None:
    found = drift_of(expected(ONE), report({("one", 0): [instance()]}, LOST))
    assert found.findings == ()
    assert not found.complete
    assert not found.as_expected


def test_one_that_was_relabelled_is_named_for_its_own_deployment() -> None:
    odd = UnreadableInstance(
        id="i-9",
        name="n",
        conn_id="c",
        cloud="memory",
        region="mem-1",
        zone=None,
        state=InstanceState.RUNNING,
        deployment_id=APP,
        target=None,
        why="without the label multicloud-slot",
        console_url=None,
    )
    there = report({("one", 0): [instance()]})
    found = drift_of(expected(ONE), replace(there, unreadable=(odd,)))
    assert [str(one) for one in found.findings] == [
        "relabelled: i-9 (n): without the label multicloud-slot"
    ]
    others = replace(there, unreadable=(replace(odd, deployment_id="other"),))
    assert drift_of(expected(ONE), others).as_expected


def test_a_rollout_leaves_what_its_plan_expects() -> None:
    lab = Lab(count=2)
    for revision in ("V 1", "V 2"):
        plan = lab.plan(revision)
        assert lab.run(plan).succeeded
        found = drift_of(expected_of(plan), list_deployments(places(lab), APP))
        assert [str(one) for one in found.findings] == []
        assert found.as_expected
    later = expected_of(lab.plan("v3"))
    found = drift_of(later, list_deployments(places(lab), APP))
    assert {*kinds(found)} == {DriftKind.OTHER_REVISION}
    assert len(found.findings) == 6
    document = to_document(found)
    assert document["as_expected"] is False
    assert document["findings"][0]["kind"] == "other_revision"


def test_what_is_done_behind_its_back_is_named() -> None:
    lab = deployed()
    plan = lab.plan("v1", policy=with_policy())
    hooks = {name: Hook(conn) for name, conn in lab.targets.items()}
    refs = {name: lab.there(name)[0].ref for name in lab.targets}
    hooks["one"].power_instance(refs["one"], on=False)
    hooks["two"].terminate_instance(refs["two"])
    hooks["three"].label_instance(refs["three"], {"multicloud-slot": "x"})
    found = drift_of(expected_of(plan), list_deployments(places(lab), APP))
    assert [(one.kind, one.target) for one in found.findings] == [
        (DriftKind.STOPPED, "one"),
        (DriftKind.MISSING, "two"),
        (DriftKind.MISSING, "three"),
        (DriftKind.RELABELLED, "three"),
    ]
    refuse_lists(lab.targets["two"])
    again = drift_of(expected_of(plan), list_deployments(places(lab), APP))
    assert again.findings[1].kind is DriftKind.UNKNOWN


STATES = st.sampled_from(InstanceState)
STANDINGS = st.sampled_from(Standing)


@st.composite
def worlds(draw: st.DrawFn) -> There:
    """Anything in some slots of some targets."""
    there: There = {}
    slots = st.tuples(st.sampled_from(["one", "two", "x"]), st.integers(0, 3))
    for number, slot in enumerate(draw(st.lists(slots, max_size=8))):
        one = instance(
            f"i-{number}",
            state=draw(STATES),
            standing=draw(STANDINGS),
            revision=draw(st.sampled_from(["v1", "v2"])),
            size=draw(st.sampled_from(["small", "huge", ""])),
        )
        there.setdefault(slot, []).append(one)
    return there


BOTH = expected(replace(ONE, count=2), replace(ONE, name="two", count=1))
WANTED = {("one", 0), ("one", 1), ("two", 0)}


@given(worlds())
def test_missing_are_exactly_the_slots_without_a_live_current_instance(there: There) -> None:
    found = drift_of(BOTH, report(there))
    empty = {slot for slot in WANTED if not any(one.is_current for one in there.get(slot, []))}
    missing = [(f.target, f.slot) for f in found.findings if f.kind is DriftKind.MISSING]
    assert sorted(missing, key=str) == sorted(empty, key=str)


@given(worlds())
def test_every_instance_but_one_good_one_in_each_slot_is_told_or_going(there: There) -> None:
    """Nothing that is there is passed over in silence."""
    found = drift_of(BOTH, report(there))
    told = {finding.instance_id for finding in found.findings}
    told |= {
        one.id
        for finding in found.findings
        if finding.kind is DriftKind.MISSING
        for one in there.get((str(finding.target), finding.slot or 0), [])
    }
    for slot, instances in there.items():
        silent = [one for one in instances if one.id not in told and not one.is_going]
        if slot not in WANTED:
            assert silent == []
        assert len(silent) <= 1
        for one in silent:
            assert one.is_current
            assert one.state in (InstanceState.RUNNING, InstanceState.PENDING)
            assert (one.revision, one.size.replace("small", "")) == ("v1", "")


@given(worlds(), st.randoms())
def test_the_order_of_targets_and_slots_does_not_matter(there: There, random: Any) -> None:
    mixed = list(there)
    random.shuffle(mixed)
    again = drift_of(BOTH, report({slot: there[slot] for slot in mixed}))
    assert {*again.findings} == {*drift_of(BOTH, report(there)).findings}


@given(worlds())
def test_a_blind_look_never_calls_anything_missing(there: There) -> None:
    found = drift_of(BOTH, report(there, LOST))
    assert DriftKind.MISSING not in kinds(found)
    assert not found.as_expected
    assert len(found.findings) == len(drift_of(BOTH, report(there)).findings)
