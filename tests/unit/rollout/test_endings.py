"""How a rollout ends when the world changes under it: nothing is lost, and the outcome is true."""

from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_multicloud.core.rollout.names import ORDER, STANDING, Standing, identity_of
from airflow_multicloud.core.rollout.outcomes import Outcome
from airflow_multicloud.core.rollout.policy import RollbackScope, Strategy
from airflow_multicloud.core.rollout.progress import Phase, RolloutProgress, Stage
from airflow_multicloud.core.rollout.rollout import Rollout
from airflow_multicloud.core.rollout.teardown import Teardown, TeardownPlace
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import InstanceState
from airflow_multicloud.testing.machine_faults import FaultKind, MachineCall, MachineFault
from airflow_multicloud.testing.memory_cloud.compute import Hook, machines_of
from tests.unit.rollout.lab import APP, BEGINNING, MOST_STEPS, Lab, with_policy

ALL = with_policy(rollback=RollbackScope.ALL)


def until(lab: Lab, rollout: Rollout, target: str, phase: Phase) -> RolloutProgress:
    """A rollout that has just come to a phase with a target."""
    progress = rollout.begin()
    for _ in range(MOST_STEPS):
        if any(slot.target == target and slot.phase is phase for slot in progress.slots):
            return progress
        lab.clock.until(rollout.due(progress))
        progress = rollout.advance(progress)
    raise AssertionError(f"{target} never was {phase}")


def one() -> Lab:
    return Lab(targets={"one": "ending-one"}, zones=("mem-1a",))


@pytest.mark.parametrize("strategy", Strategy)
def test_an_instance_that_stops_when_it_was_healthy_is_not_taken(strategy: Strategy) -> None:
    lab = Lab()
    lab.run(lab.plan("r1"))
    rollout = lab.rollout(lab.plan("r2", policy=with_policy(strategy=strategy)))
    progress = until(lab, rollout, "one", Phase.READY)
    (found,) = [i for i in lab.there("one") if "r2" in i.labels.values()]
    Hook(lab.targets["one"]).power_instance(found.ref, on=False)
    done = lab.steps(rollout, progress)
    phases = {slot.target: slot.phase for slot in done.slots}
    assert phases["one"] is Phase.UNDONE
    assert lab.live("one") == {("one", 0): ["r1"]}
    assert [i.state for i in lab.there("one")] == [InstanceState.RUNNING]


def test_an_instance_that_is_sick_when_it_is_to_be_taken_is_not() -> None:
    lab = one()
    lab.run(lab.plan("r1"))
    rollout = lab.rollout(lab.plan("r2", policy=ALL))
    progress = until(lab, rollout, "one", Phase.SETTLING)
    lab.unhealthy = lambda _target, identity: identity.revision == "r2"
    # The checks of before have looked at the lab as it was.
    rollout = lab.rollout(rollout.plan)
    lab.steps(rollout, progress)
    assert lab.live() == {("one", 0): ["r1"]}


@pytest.mark.parametrize("kind", [ErrorKind.PERMISSION_DENIED, ErrorKind.NOT_FOUND])
def test_a_launch_that_nobody_could_look_at_is_ended(kind: ErrorKind) -> None:
    """Though listings do not show it yet."""
    lab = one()
    machines_of(lab.targets["one"]).unlisted_looks = 50
    lab.plant(
        "one", MachineFault(kind=FaultKind.REFUSE, call=MachineCall.DESCRIBE, error=kind, times=9)
    )
    result = lab.run(lab.plan("r1"))
    assert not result.succeeded
    machines = machines_of(lab.targets["one"]).kept.values()
    going = (InstanceState.TERMINATING, InstanceState.TERMINATED)
    assert [machine.state in going for machine in machines] == [True] * len(machines)


def test_an_earlier_revision_is_back_only_when_it_runs() -> None:
    lab = one()
    lab.run(lab.plan("r1"))
    lab.unhealthy = lambda _target, identity: identity.revision == "r2"
    rollout = lab.rollout(lab.plan("r2", policy=ALL))
    progress = until(lab, rollout, "one", Phase.CHECKING)
    # It is stopped for r2, which falls ill.
    lab.unhealthy = lambda _target, _identity: False
    progress = until(lab, lab.rollout(rollout.plan), "one", Phase.SETTLING)
    lab.unhealthy = lambda _target, identity: identity.revision == "r2"
    lab.plant(
        "one",
        MachineFault(
            kind=FaultKind.REFUSE, call=MachineCall.POWER, error=ErrorKind.CAPACITY, times=10_000
        ),
    )
    done = lab.steps(lab.rollout(rollout.plan), progress)
    assert [slot.undo_failed for slot in done.slots] == [True]
    (left,) = lab.there()
    assert left.state is InstanceState.STOPPED
    assert left.labels[STANDING] == Standing.REPLACED.value
    machines_of(lab.targets["one"]).faults.clear()
    again = lab.run(rollout.plan)
    assert lab.outcomes(again) == {"one": Outcome.ROLLED_BACK}
    (back,) = lab.there()
    assert back.state is InstanceState.RUNNING
    assert back.labels[STANDING] == Standing.CURRENT.value


def test_a_long_outage_ends_its_target_only() -> None:
    lab = Lab()
    policy = with_policy(min_success=2, boot_timeout=timedelta(hours=6))
    lab.plant(
        "two",
        *(MachineFault(kind=FaultKind.REFUSE, call=call, times=100_000) for call in MachineCall),
    )
    assert lab.run(lab.plan("r1", policy=policy)).succeeded


def test_of_one_order_one_run_yields() -> None:
    """Mapped tasks have the order of their run; whichever stays, the other says that it lost."""
    lab = one()
    first, second = (lab.plan(revision, order=BEGINNING) for revision in ("r1", "r2"))
    results = [lab.run(first), lab.run(second), lab.run(first)]
    (stays,) = lab.live()[("one", 0)]
    assert results[2].succeeded is (stays == "r1")
    assert lab.run(second).succeeded is (stays == "r2")
    lost = next(result for result in results[1:] if not result.succeeded)
    assert lab.outcomes(lost) == {"one": Outcome.SKIPPED}
    assert stays in (lost.targets[0].superseded_by or "")


def test_what_ran_before_the_run_is_told_as_such() -> None:
    """Though another target fails, and everything is to be rolled back."""
    lab = Lab()
    lab.run(lab.plan("r2", policy=with_policy(min_success=2), only=["one", "three"]))
    lab.unhealthy = lambda target, _identity: target == "two"
    result = lab.run(lab.plan("r2", policy=ALL))
    assert not result.succeeded
    assert lab.outcomes(result) == {
        "one": Outcome.ADOPTED,
        "two": Outcome.ROLLED_BACK,
        "three": Outcome.ADOPTED,
    }
    assert lab.live() == {("one", 0): ["r2"], ("three", 0): ["r2"]}


def test_a_revision_that_can_not_be_taken_is_put_back() -> None:
    lab = one()
    lab.run(lab.plan("r1"))
    rollout = lab.rollout(lab.plan("r2"))
    progress = until(lab, rollout, "one", Phase.SETTLING)
    site = rollout._steps["one"].site
    refused: list[str] = []

    class Unlabelled:
        def __getattr__(self, name: str) -> object:
            return getattr(Hook(lab.targets["one"]), name)

        def label_instance(self, ref: object, labels: dict[str, str]) -> None:
            if ORDER in labels:
                refused.append("take")
                raise DeploymentError("no permission", kind=ErrorKind.PERMISSION_DENIED)
            Hook(lab.targets["one"]).label_instance(ref, labels)  # type: ignore[arg-type]

    site.compute = Unlabelled()  # type: ignore[assignment]
    done = lab.steps(rollout, progress)
    assert refused
    assert [slot.phase for slot in done.slots] == [Phase.UNDONE]
    assert lab.live() == {("one", 0): ["r1"]}
    assert [i.state for i in lab.there()] == [InstanceState.RUNNING]


def test_a_good_check_is_not_too_late() -> None:
    """The triggerer was away for an hour."""
    lab = one()
    rollout = lab.rollout(lab.plan("r1", policy=with_policy(healthy_checks=2)))
    progress = until(lab, rollout, "one", Phase.CHECKING)
    lab.clock.now += timedelta(hours=1)
    done = lab.steps(rollout, progress)
    assert [slot.phase for slot in done.slots] == [Phase.SETTLED]


def test_half_a_target_is_no_rollback() -> None:
    lab = Lab(targets={"one": "ending-one"}, count=2)
    lab.run(lab.plan("r1"))
    bad = lab.plan("r2", policy=ALL)
    rollout = lab.rollout(bad)
    progress = until(lab, rollout, "one", Phase.SETTLED)
    assert progress.stage is Stage.CLOSING
    # Killed now; the other slot's instance is gone and can't be made again.
    for instance in lab.there():
        identity = identity_of(instance)
        assert identity is not None
        if identity.slot.number == 1 and identity.revision == "r2":
            Hook(lab.targets["one"]).terminate_instance(instance.ref)
    lab.unhealthy = lambda _target, identity: identity.slot.number == 1
    result = lab.run(bad)
    assert lab.outcomes(result) == {"one": Outcome.FAILED}
    assert len(result.targets[0].instances) == 1


def test_a_teardown_waits_for_what_listings_do_not_show_yet() -> None:
    lab = one()
    machines = machines_of(lab.targets["one"])
    machines.unlisted_looks = 1
    rollout = lab.rollout(lab.plan("r1"))
    until(lab, rollout, "one", Phase.BOOTING)
    place = TeardownPlace(
        conn_id=lab.targets["one"], cloud="memory", compute=Hook(lab.targets["one"])
    )
    teardown = Teardown(APP, [place], clock=lab.clock, pause=lambda _seconds: None)
    (at,) = teardown.begin()
    for _ in range(MOST_STEPS):
        (at,) = teardown.advance([at])
        lab.clock.until(at.not_before or lab.clock())
    assert teardown.result([at]).removed == 1
    assert all(machine.state.is_gone for machine in machines.kept.values())


def test_a_teardown_counts_an_instance_once() -> None:
    """Two connections lead to one account."""
    lab = one()
    lab.run(lab.plan("r1"))
    hook = Hook(lab.targets["one"])
    places = [TeardownPlace(conn_id=name, cloud="memory", compute=hook) for name in ("a", "b")]
    teardown = Teardown(
        APP,
        places,
        clock=lab.clock,
        pause=lambda s: lab.clock.until(lab.clock() + timedelta(seconds=s)),
    )
    result = teardown.run()
    assert result.succeeded
    assert result.removed == 1


def test_an_old_instance_that_can_not_go_is_told() -> None:
    """The new one was taken, and stays."""
    lab = one()
    lab.run(lab.plan("r1"))
    lab.plant(
        "one",
        MachineFault(
            kind=FaultKind.REFUSE,
            call=MachineCall.TERMINATE,
            error=ErrorKind.PERMISSION_DENIED,
            times=10_000,
        ),
    )
    result = lab.run(lab.plan("r2", policy=ALL))
    assert not result.succeeded
    (told,) = result.targets
    assert told.outcome is Outcome.FAILED
    assert "could not be settled" in (told.error or "")
    assert len(told.instances) == 1
    standings = {i.labels[STANDING]: i.state for i in lab.there()}
    assert standings[Standing.CURRENT.value] is InstanceState.RUNNING


def test_an_instance_that_stops_as_it_is_taken_is_no_success() -> None:
    lab = one()
    rollout = lab.rollout(lab.plan("r1"))
    progress = until(lab, rollout, "one", Phase.SETTLING)
    progress = rollout.advance(progress)
    assert progress.slots[0].taken
    (found,) = lab.there()
    Hook(lab.targets["one"]).power_instance(found.ref, on=False)
    done = lab.steps(rollout, progress)
    assert done.slots[0].phase is Phase.LEFT
    assert "stop" in (done.slots[0].error or "")
