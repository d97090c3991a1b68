"""Whole rollouts on three memory clouds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from airflow_multicloud.core.cancellation import WorkCancelledError
from airflow_multicloud.core.rollout.names import Identity, Standing, identity_of
from airflow_multicloud.core.rollout.outcomes import Outcome
from airflow_multicloud.core.rollout.policy import RollbackScope, Strategy
from airflow_multicloud.core.rollout.progress import RolloutProgress, Stage
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import ComputeService, InstanceRef, InstanceState
from airflow_multicloud.ports.operations import Operation
from airflow_multicloud.testing.machine_faults import FaultKind, MachineCall, MachineFault
from airflow_multicloud.testing.memory_cloud.compute import Hook
from tests.unit.rollout.lab import BEGINNING, Lab, with_policy


def test_all_three() -> None:
    lab = Lab()
    result = lab.run(lab.plan("r1"))
    assert lab.outcomes(result) == dict.fromkeys(lab.targets, Outcome.SUCCEEDED)
    assert result.succeeded
    assert result.success_rate == 1
    assert lab.live() == {(name, 0): ["r1"] for name in lab.targets}
    for instance in lab.there():
        identity = identity_of(instance)
        assert identity is not None
        assert identity.standing is Standing.CURRENT
    result.raise_if_failed()


def test_again_adopts() -> None:
    lab = Lab()
    plan = lab.plan("r1")
    first = lab.run(plan)
    again = lab.run(plan)
    assert lab.outcomes(again) == dict.fromkeys(lab.targets, Outcome.ADOPTED)
    assert [t.instances for t in again.targets] == [t.instances for t in first.targets]


def test_a_later_run_of_the_same_adopts_too() -> None:
    lab = Lab()
    lab.run(lab.plan("r1"))
    before = {i.ref for i in lab.there()}
    assert lab.run(lab.plan("r1")).succeeded
    assert {i.ref for i in lab.there()} == before
    # The older run, cleared, finds that it is what is wanted.
    assert lab.run(lab.plan("r1", order=BEGINNING)).succeeded


@pytest.mark.parametrize("strategy", Strategy)
def test_a_new_revision_replaces_the_old(strategy: Strategy) -> None:
    lab = Lab()
    lab.run(lab.plan("r1"))
    result = lab.run(lab.plan("r2", policy=with_policy(strategy=strategy)))
    assert lab.outcomes(result) == dict.fromkeys(lab.targets, Outcome.SUCCEEDED)
    assert lab.live() == {(name, 0): ["r2"] for name in lab.targets}
    assert len(lab.there()) == len(lab.targets)


@pytest.mark.parametrize("strategy", Strategy)
def test_a_bad_revision_is_rolled_back(strategy: Strategy) -> None:
    lab = Lab()
    lab.run(lab.plan("r1"))
    lab.unhealthy = lambda target, identity: identity.revision == "r2" and target == "two"
    policy = with_policy(strategy=strategy, rollback=RollbackScope.ALL, canary=1)
    result = lab.run(lab.plan("r2", policy=policy))
    assert not result.succeeded
    assert lab.outcomes(result) == {
        "one": Outcome.ROLLED_BACK,
        "two": Outcome.ROLLED_BACK,
        "three": Outcome.ROLLED_BACK,
    }
    assert lab.live() == {(name, 0): ["r1"] for name in lab.targets}
    assert {i.state for i in lab.there()} == {InstanceState.RUNNING}
    with pytest.raises(DeploymentError, match="two: rolled_back") as caught:
        result.raise_if_failed()
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
    assert not caught.value.retryable


def test_only_what_failed_is_rolled_back() -> None:
    lab = Lab()
    lab.run(lab.plan("r1"))
    lab.unhealthy = lambda target, identity: identity.revision == "r2" and target == "two"
    result = lab.run(lab.plan("r2", policy=with_policy(canary=0)))
    assert lab.outcomes(result) == {
        "one": Outcome.SUCCEEDED,
        "two": Outcome.ROLLED_BACK,
        "three": Outcome.SUCCEEDED,
    }
    assert lab.live() == {("one", 0): ["r2"], ("two", 0): ["r1"], ("three", 0): ["r2"]}


def test_nothing_is_rolled_back_when_told_so() -> None:
    lab = Lab()
    lab.run(lab.plan("r1"))
    lab.unhealthy = lambda target, identity: identity.revision == "r2" and target == "two"
    policy = with_policy(canary=0, rollback=RollbackScope.NONE)
    result = lab.run(lab.plan("r2", policy=policy))
    assert lab.outcomes(result)["two"] is Outcome.FAILED
    assert sorted(lab.live()[("two", 0)]) == ["r1", "r2"]


def test_a_bad_canary_stops_the_rollout() -> None:
    lab = Lab()
    lab.unhealthy = lambda target, _identity: target == "one"
    result = lab.run(lab.plan("r1", policy=with_policy(canary=1)))
    assert lab.outcomes(result) == {
        "one": Outcome.ROLLED_BACK,
        "two": Outcome.SKIPPED,
        "three": Outcome.SKIPPED,
    }
    assert result.stopped is not None
    assert "quorum" in result.stopped
    assert lab.there() == []


def test_a_quorum_forgives() -> None:
    lab = Lab()
    lab.unhealthy = lambda target, _identity: target == "two"
    result = lab.run(lab.plan("r1", policy=with_policy(min_success=2)))
    assert result.succeeded
    assert lab.outcomes(result)["two"] is Outcome.ROLLED_BACK
    assert round(result.success_rate, 2) == 0.67


def test_a_required_target_is_not_forgiven() -> None:
    lab = Lab(required=("two",))
    lab.unhealthy = lambda target, _identity: target == "two"
    result = lab.run(lab.plan("r1", policy=with_policy(min_success=1)))
    assert not result.succeeded


def test_the_floor_stops() -> None:
    lab = Lab()
    lab.unhealthy = lambda target, _identity: target == "one"
    policy = with_policy(min_success=1, health_floor=0.5)
    result = lab.run(lab.plan("r1", policy=policy))
    assert result.stopped is not None
    assert "health_floor" in result.stopped
    assert lab.outcomes(result)["three"] is Outcome.SKIPPED


@pytest.mark.parametrize("kind", [ErrorKind.CAPACITY, ErrorKind.UNSUPPORTED])
@pytest.mark.parametrize("when", [FaultKind.REFUSE, FaultKind.FAIL_LATER])
def test_another_zone_when_there_is_no_room(kind: ErrorKind, when: FaultKind) -> None:
    lab = Lab()
    lab.plant("two", MachineFault(kind=when, error=kind, zone="mem-1a", times=100))
    result = lab.run(lab.plan("r1"))
    assert result.succeeded
    two = next(target for target in result.targets if target.name == "two")
    assert [i.zone for i in two.instances] == ["mem-1b"]
    assert [a.error_kind for a in two.attempts] == [kind]
    assert len(lab.there("two")) == 1


def test_no_other_zone_for_a_quota() -> None:
    lab = Lab()
    lab.plant("two", MachineFault(kind=FaultKind.REFUSE, error=ErrorKind.QUOTA, times=100))
    result = lab.run(lab.plan("r1"))
    two = next(target for target in result.targets if target.name == "two")
    assert two.outcome is Outcome.FAILED
    assert len(two.attempts) == 1
    assert two.error_kind is ErrorKind.QUOTA


def test_a_cloud_that_is_out_costs_its_target() -> None:
    lab = Lab()
    lab.plant(
        "two",
        *(MachineFault(kind=FaultKind.REFUSE, call=call, times=10_000) for call in MachineCall),
    )
    result = lab.run(lab.plan("r1", policy=with_policy(min_success=2)))
    assert result.succeeded
    two = next(target for target in result.targets if target.name == "two")
    assert two.error_kind is ErrorKind.UNAVAILABLE
    assert lab.outcomes(result)["two"] in (Outcome.FAILED, Outcome.ROLLBACK_FAILED)


def test_a_lost_answer_makes_no_second_instance() -> None:
    lab = Lab()
    lab.plant("two", MachineFault(kind=FaultKind.LOSE_ANSWER, times=2))
    assert lab.run(lab.plan("r1")).succeeded
    assert len(lab.there("two")) == 1


def test_an_answer_that_is_always_lost_leaves_nothing() -> None:
    lab = Lab()
    lab.plant("two", MachineFault(kind=FaultKind.LOSE_ANSWER, times=10_000))
    result = lab.run(lab.plan("r1"))
    assert lab.outcomes(result)["two"] is Outcome.ROLLED_BACK
    assert lab.there("two") == []


def test_a_bug_costs_its_slot_only(caplog: pytest.LogCaptureFixture) -> None:
    def broken(target: str, _identity: Identity) -> bool:
        if target == "two":
            raise ZeroDivisionError("\x1b[2J" + "x" * 5000)
        return False

    lab = Lab(unhealthy=broken)
    result = lab.run(lab.plan("r1", policy=with_policy(min_success=2)))
    assert result.succeeded
    two = next(target for target in result.targets if target.name == "two")
    assert two.outcome is Outcome.ROLLED_BACK
    assert two.error is not None
    assert "checking: unforeseen ZeroDivisionError: \\x1b[2J" in two.error
    assert len(two.error) < 1000
    assert lab.there("two") == []
    assert "Traceback" in caplog.text


def test_a_bug_while_it_closes_is_told() -> None:
    lab = Lab()
    broken: list[int] = []
    hooks = iter(lab.targets)

    def wrap(hook: ComputeService) -> ComputeService:
        if next(hooks) != "two":
            return hook
        terminate = hook.terminate_instance

        def terminate_instance(ref: InstanceRef) -> Operation:
            if not broken:
                broken.append(1)
                raise LookupError("a bug")
            return terminate(ref)

        hook.terminate_instance = terminate_instance  # type: ignore[method-assign]
        return hook

    lab.wrap = wrap
    lab.unhealthy = lambda target, _identity: target == "two"
    result = lab.run(lab.plan("r1", policy=with_policy(min_success=2)))
    two = next(target for target in result.targets if target.name == "two")
    assert two.outcome is Outcome.ROLLBACK_FAILED
    assert "it could not be undone: unforeseen LookupError: a bug" in str(two.error)


def test_cancellation_is_no_bug() -> None:
    def cancelled(_target: str, _identity: Identity) -> bool:
        raise WorkCancelledError("told to stop")

    lab = Lab(unhealthy=cancelled)
    with pytest.raises(WorkCancelledError):
        lab.run(lab.plan("r1"))


def test_an_older_run_that_comes_late_yields() -> None:
    lab = Lab()
    older = lab.plan("r1")
    lab.run(lab.plan("r2"))
    result = lab.run(older)
    assert not result.succeeded
    assert set(lab.outcomes(result).values()) == {Outcome.SKIPPED}
    assert "r2" in (result.targets[0].superseded_by or "")
    assert lab.live() == {(name, 0): ["r2"] for name in lab.targets}


def test_two_runs_at_once_the_later_one_stays() -> None:
    """Step by step in turn, the older one ending last."""
    lab = Lab()
    older, newer = lab.rollout(lab.plan("r1")), lab.rollout(lab.plan("r2"))
    first, second = older.begin(), newer.begin()
    for _ in range(500):
        if second.stage is not Stage.DONE:
            second = newer.advance(second)
        elif first.stage is not Stage.DONE:
            first = older.advance(first)
        if first.stage is not Stage.DONE:
            first = older.advance(first)
        lab.clock.now += timedelta(seconds=5)
    assert first.stage is second.stage is Stage.DONE
    assert lab.live() == {(name, 0): ["r2"] for name in lab.targets}


def test_a_filtered_run_leaves_other_targets_alone() -> None:
    lab = Lab()
    lab.run(lab.plan("r1"))
    assert lab.run(lab.plan("r2", only=["two"])).succeeded
    assert lab.live() == {("one", 0): ["r1"], ("two", 0): ["r2"], ("three", 0): ["r1"]}


def test_fewer_instances() -> None:
    lab = Lab(count=3)
    lab.run(lab.plan("r1"))
    assert len(lab.there()) == 9
    lab.count = 2
    assert lab.run(lab.plan("r1")).succeeded
    assert sorted(lab.live()) == sorted((name, n) for name in lab.targets for n in (0, 1))


def test_an_instance_that_dies_in_the_middle_of_a_wave() -> None:
    lab = Lab()
    rollout = lab.rollout(lab.plan("r1", policy=with_policy(min_success=2)))
    progress = rollout.begin()
    killed = False
    while progress.stage is not Stage.DONE:
        progress = rollout.advance(progress)
        if not killed and progress.wave == 1 and lab.there("one"):
            (instance,) = lab.there("one")
            Hook(lab.targets["one"]).power_instance(instance.ref, on=False)
            killed = True
        lab.clock.now += timedelta(seconds=5)
    assert killed


def test_progress_is_a_document() -> None:
    """Another process goes on with it."""
    lab = Lab()
    plan = lab.plan("r1")
    rollout = lab.rollout(plan)
    progress = rollout.begin()
    while progress.stage is not Stage.DONE:
        lab.clock.until(rollout.due(progress))
        kept = to_document(progress)
        rollout = lab.rollout(plan)
        progress = rollout.advance(read_document(RolloutProgress, kept, what="progress"))
    assert lab.live() == {(name, 0): ["r1"] for name in lab.targets}


@pytest.mark.parametrize("min_success", [1.0, 2])
def test_nothing_is_launched_for_a_quorum_that_is_lost_already(min_success: float) -> None:
    lab = Lab()
    plan = lab.plan("r1", policy=with_policy(min_success=min_success, health_floor=0.9))
    out = replace(plan.targets[0], candidates=(), error_kind=ErrorKind.NOT_FOUND, error="no bucket")
    result = lab.run(replace(plan, targets=(out, *plan.targets[1:])))
    if min_success == 2:
        assert result.succeeded
        return
    assert lab.outcomes(result) == {
        "one": Outcome.FAILED,
        "two": Outcome.SKIPPED,
        "three": Outcome.SKIPPED,
    }
    assert "quorum" in (result.stopped or "")
    assert lab.there() == []
