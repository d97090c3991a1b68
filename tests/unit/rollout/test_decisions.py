"""Waves, quorum, capacity: pure questions, with whatever hypothesis gives."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_multicloud.core.rollout.capacity import SCARCE, Block, block_of, next_candidate
from airflow_multicloud.core.rollout.plans import Candidate
from airflow_multicloud.core.rollout.policy import RolloutPolicy
from airflow_multicloud.core.rollout.quorum import (
    can_be_met,
    check_quorum,
    holds_floor,
    is_met,
    needed,
)
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import Architecture, Image, LaunchSpec, Size

NAMES = st.sets(st.sampled_from("abcdefgh"), min_size=1)
SHARES = st.one_of(
    st.integers(0, 8), st.floats(0, 1, exclude_min=True, allow_nan=False, allow_subnormal=False)
)


@given(NAMES, NAMES, SHARES)
def test_more_successes_never_hurt(targets: set[str], succeeded: set[str], share: float) -> None:
    good = targets & succeeded
    for more in targets - good:
        if is_met(targets, good, (), share):
            assert is_met(targets, {*good, more}, (), share)


@given(NAMES, NAMES, NAMES, SHARES)
def test_what_is_met_could_be_met(
    targets: set[str], failed: set[str], required: set[str], share: float
) -> None:
    """Before the last target is done nobody gives up who would have succeeded."""
    failed, required = failed & targets, required & targets
    met = is_met(targets, targets - failed, required, share)
    assert met is can_be_met(targets, failed, required, share)
    for fewer in failed:
        assert can_be_met(targets, failed - {fewer}, required, share) or not met


@given(NAMES, NAMES)
def test_a_required_target_is_needed(targets: set[str], required: set[str]) -> None:
    required = required & targets
    for name in required:
        assert not is_met(targets, targets - {name}, required, 0)


@given(st.integers(1, 200), st.integers(1, 200))
def test_a_fraction_of_a_count_is_that_count(part: int, whole: int) -> None:
    """Floating-point noise asks for no target more."""
    if part <= whole:
        assert needed(part / whole, whole) == part


@pytest.mark.parametrize(("share", "total", "wanted"), [(0.7, 10, 7), (0.5, 3, 2), (2, 3, 2)])
def test_needed(share: float, total: int, wanted: int) -> None:
    assert needed(share, total) == wanted


def test_one_is_a_count_and_one_point_nought_is_all() -> None:
    assert needed(1, 3) == 1
    assert needed(1.0, 3) == 3


def test_a_count_that_no_outcome_reaches() -> None:
    with pytest.raises(DeploymentError, match=r"min_success: 4 given, expected at most .* 3"):
        check_quorum(4, 3)
    check_quorum(3, 3)


@given(st.integers(0, 20), st.integers(0, 20), st.floats(0, 1))
def test_the_floor(healthy: int, others: int, floor: float) -> None:
    begun = healthy + others
    assert holds_floor(begun, begun, floor)
    if healthy and holds_floor(healthy - 1, begun, floor):
        assert holds_floor(healthy, begun, floor)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"canary": -1}, "canary"),
        ({"max_parallel": 0}, "max_parallel"),
        ({"min_success": 1.5}, "min_success"),
        ({"min_success": 0.0}, "min_success"),
        ({"min_success": -1}, "min_success"),
        ({"health_floor": 2}, "health_floor"),
        ({"healthy_checks": 0}, "healthy_checks"),
        ({"boot_timeout": timedelta()}, "boot_timeout"),
        ({"strategy": "blue"}, "strategy"),
        ({"canary": "1"}, "canary"),
        ({"canary": True}, "canary"),
        ({"canary": 1.5}, "canary"),
        ({"max_parallel": "2"}, "max_parallel"),
        ({"min_success": "1"}, "min_success"),
        ({"min_success": None}, "min_success"),
        ({"min_success": True}, "min_success"),
        ({"min_success": float("nan")}, "min_success"),
        ({"health_floor": "x"}, "health_floor"),
        ({"health_floor": float("nan")}, "health_floor"),
        ({"healthy_checks": 1.5}, "healthy_checks"),
        ({"healthy_checks": 101}, "healthy_checks"),
        ({"poll_interval": "5"}, "poll_interval"),
        ({"poll_interval": timedelta(hours=2)}, "poll_interval"),
        ({"poll_interval": timedelta(seconds=-1)}, "poll_interval"),
        ({"boot_timeout": None}, "boot_timeout"),
        ({"boot_timeout": timedelta(days=8)}, "boot_timeout"),
        ({"health_timeout": float("inf")}, "health_timeout"),
        ({"strategy": []}, "strategy"),
        ({"rollback": None}, "rollback"),
        ({"rollback": "some"}, "rollback"),
    ],
)
def test_a_policy_names_what_is_wrong(changes: dict[str, object], named: str) -> None:
    with pytest.raises(DeploymentError, match=named) as caught:
        RolloutPolicy(**changes)  # type: ignore[arg-type] # wrong on purpose
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


SPECS = st.builds(
    lambda region, zone, size: LaunchSpec(
        account_id="a",
        region=region,
        zone=f"{region}{zone}" if zone else None,
        size=Size(name=size, vcpus=1, memory_bytes=1, architecture=Architecture.X86_64),
        image=Image(id="i", name="i", architecture=Architecture.X86_64),
        subnet="s",
    ),
    st.sampled_from(["r1", "r2"]),
    st.sampled_from([None, "a", "b"]),
    st.sampled_from(["small", "large"]),
)
CANDIDATES = st.lists(
    SPECS.map(lambda spec: Candidate(spec=spec, digest="d", artifacts="mem://b/a")), min_size=1
)


@given(CANDIDATES, st.sampled_from(sorted(SCARCE)))
def test_a_refusal_rules_out_at_least_its_own_candidate(
    candidates: list[Candidate], kind: ErrorKind
) -> None:
    block = block_of(kind, candidates[0].spec)
    assert block.rules_out(candidates[0].spec)


@given(CANDIDATES, st.lists(st.tuples(st.integers(0, 5), st.sampled_from(sorted(SCARCE)))))
def test_every_candidate_is_tried_or_ruled_out(
    candidates: list[Candidate], refusals: list[tuple[int, ErrorKind]]
) -> None:
    """In order, none twice, and none is left out that nothing rules out."""
    kinds = [kind for _, kind in refusals] or [ErrorKind.CAPACITY]
    blocks: list[Block] = []
    tried = [0]
    while True:
        current = tried[-1]
        blocks.append(block_of(kinds[len(tried) % len(kinds)], candidates[current].spec))
        following = next_candidate(candidates, current, blocks)
        if following is None:
            break
        assert following > current
        tried.append(following)
    for place, candidate in enumerate(candidates):
        assert place in tried or any(block.rules_out(candidate.spec) for block in blocks)


def test_how_far_each_refusal_reaches() -> None:
    def spec(region: str, zone: str, size: str) -> LaunchSpec:
        return LaunchSpec(
            account_id="a",
            region=region,
            zone=zone,
            size=Size(name=size, vcpus=1, memory_bytes=1, architecture=Architecture.X86_64),
            image=Image(id="i", name="i", architecture=Architecture.X86_64),
            subnet="s",
        )

    here = spec("r1", "r1a", "small")
    other_zone, other_size = spec("r1", "r1b", "small"), spec("r1", "r1a", "large")
    other_region = spec("r2", "r2a", "small")
    for kind in (ErrorKind.CAPACITY, ErrorKind.UNSUPPORTED):
        block = block_of(kind, here)
        assert not block.rules_out(other_zone)
        assert not block.rules_out(other_size)
    quota = block_of(ErrorKind.QUOTA, here)
    assert quota.rules_out(other_zone)
    assert not quota.rules_out(other_size)
    assert not quota.rules_out(other_region)
