"""A run is killed after every single call that it makes, and run again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from airflow_multicloud.core.rollout.names import DEPLOYMENT, Standing, identity_of
from airflow_multicloud.core.rollout.plans import DeploymentPlan
from airflow_multicloud.core.rollout.policy import RollbackScope, Strategy
from airflow_multicloud.core.rollout.teardown import Teardown, TeardownPlace
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.compute import ComputeService, InstanceState
from airflow_multicloud.testing.machine_faults import FaultKind, MachineFault
from airflow_multicloud.testing.memory_cloud.compute import Hook, machines_of
from tests.unit.rollout.lab import APP, Lab, with_policy

VERBS = (
    *("launch_instance", "describe_operation", "describe_instance", "list_instances"),
    *("terminate_instance", "power_instance", "label_instance"),
)


class Killed(BaseException):
    """As SIGKILL: nothing handles it."""


@dataclass
class Death:
    """Kills at a call, before it or after it.

    :param at: the number of the call, from 1; 0: never.
    """

    at: int = 0
    after: bool = True
    calls: int = 0

    def around(self, hook: ComputeService) -> ComputeService:
        return Mortal(hook, self)


class Mortal:
    """A hook whose user may die at any call."""

    def __init__(self, hook: ComputeService, death: Death) -> None:
        self._hook = hook
        self._death = death

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._hook, name)
        if name not in VERBS:
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            death = self._death
            death.calls += 1
            if death.calls == death.at and not death.after:
                raise Killed
            answer = found(*args, **kwargs)
            if name == "list_instances":
                answer = list(answer)
            if death.calls == death.at:
                raise Killed
            return answer

        return call


def plain(_lab: Lab) -> None:
    """Nothing is there before, and nothing fails."""


def over_another(lab: Lab) -> None:
    """An older revision serves."""
    lab.run(lab.plan("r1"))


def one_is_bad(lab: Lab) -> None:
    """An older revision serves, and the new one is never healthy in one cloud."""
    lab.run(lab.plan("r1"))
    lab.unhealthy = lambda target, identity: identity.revision == "r2" and target == "two"


def no_room(lab: Lab) -> None:
    """One cloud has no room in the first zone, and says so late."""
    lab.plant(
        "two",
        MachineFault(
            kind=FaultKind.FAIL_LATER, error=ErrorKind.CAPACITY, zone="mem-1a", times=1000
        ),
    )


def listings_lag(lab: Lab) -> None:
    """New machines are missing from the first listings."""
    for conn_id in lab.targets.values():
        machines_of(conn_id).unlisted_looks = 1


SCENARIOS = (plain, over_another, one_is_bad, no_room, listings_lag)


@pytest.mark.parametrize("after", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.__name__)
def test_killed_at_every_call(
    scenario: Callable[[Lab], None], strategy: Strategy, *, after: bool
) -> None:
    """The retry ends with one live instance in every slot, and no orphan."""
    policy = with_policy(strategy=strategy, rollback=RollbackScope.ALL)
    calls = _calls(scenario, lambda lab: lab.plan("r2", policy=policy))
    assert calls > 10
    for at in range(1, calls + 1):
        lab = _ready(scenario)
        plan = lab.plan("r2", policy=policy)
        death = Death(at=at, after=after)
        lab.wrap = death.around
        with pytest.raises(Killed):
            lab.steps(lab.rollout(plan))
        lab.wrap = lambda hook: hook
        result = lab.run(plan)
        _check(lab, at, "r1" if scenario is one_is_bad else "r2")
        assert result.succeeded is (scenario is not one_is_bad)


@pytest.mark.parametrize("after", [True, False], ids=["after", "before"])
def test_a_teardown_that_is_killed_at_every_call(*, after: bool) -> None:
    """The next one leaves nothing."""
    death = Death()
    lab = _ready(over_another)
    _teardown(lab, death)
    assert death.calls > 5
    for at in range(1, death.calls + 1):
        lab = _ready(over_another)
        with pytest.raises(Killed):
            _teardown(lab, Death(at=at, after=after))
        result = _teardown(lab, Death())
        assert result.succeeded
        assert lab.there() == []


@pytest.mark.parametrize("after", [True, False], ids=["after", "before"])
def test_a_deployment_that_was_killed_is_torn_down(*, after: bool) -> None:
    """Without a retry."""
    calls = _calls(over_another, lambda lab: lab.plan("r2"))
    for at in range(1, calls + 1):
        lab = _ready(over_another)
        lab.wrap = Death(at=at, after=after).around
        with pytest.raises(Killed):
            lab.steps(lab.rollout(lab.plan("r2")))
        assert _teardown(lab, Death()).succeeded
        assert lab.there() == []


def _ready(scenario: Callable[[Lab], None]) -> Lab:
    lab = Lab(targets={"one": "crash-one", "two": "crash-two"})
    scenario(lab)
    return lab


def _calls(scenario: Callable[[Lab], None], plan: Callable[[Lab], DeploymentPlan]) -> int:
    """How many calls there are when nobody dies."""
    lab, death = _ready(scenario), Death()
    lab.wrap = death.around
    lab.run(plan(lab))
    return death.calls


def _check(lab: Lab, at: int, revision: str) -> None:
    assert lab.live() == {(name, 0): [revision] for name in lab.targets}, f"killed at call {at}"
    for instance in lab.there():
        identity = identity_of(instance)
        assert identity is not None
        assert identity.standing is Standing.CURRENT, f"killed at call {at}"
        assert instance.state is InstanceState.RUNNING, f"killed at call {at}"


def _teardown(lab: Lab, death: Death) -> Any:
    places = [
        TeardownPlace(conn_id=conn, cloud="memory", compute=death.around(Hook(conn)))  # type: ignore[arg-type]
        for conn in lab.targets.values()
    ]
    teardown = Teardown(APP, places, clock=lab.clock, pause=lambda _seconds: None)
    done = []
    for place in teardown.begin():
        while place.state == "removing":
            place = teardown.step(place)  # noqa: PLW2901
            if place.not_before is not None:
                lab.clock.until(place.not_before)
        done.append(place)
    return teardown.result(done)


def test_the_labels_find_everything() -> None:
    """What :func:`_check` looks at is all that there is."""
    lab = _ready(plain)
    lab.run(lab.plan("r1"))
    everything = [
        machine
        for conn_id in lab.targets.values()
        for machine in machines_of(conn_id).kept.values()
        if not machine.state.is_gone
    ]
    assert len(everything) == len(lab.there())
    assert all(DEPLOYMENT in machine.labels for machine in everything)
