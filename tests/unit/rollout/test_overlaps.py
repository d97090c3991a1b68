"""Runs of one deployment that overlap, are killed and run again, in any order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from airflow_multicloud.core.rollout.names import Identity, Standing, identity_of
from airflow_multicloud.core.rollout.policy import RollbackScope, Strategy
from airflow_multicloud.core.rollout.progress import RolloutProgress, Stage
from airflow_multicloud.core.rollout.rollout import Rollout
from airflow_multicloud.ports.compute import InstanceState
from airflow_multicloud.testing.memory_cloud.compute import machines_of
from tests.unit.rollout.lab import BEGINNING, MOST_STEPS, Clock, Lab, with_policy

REVISIONS = ("r1", "r2", "r3")


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[tuple[str, int]], list[str], list[int], list[str]]:
    """What happens: (what, to which run); the revision of each run; in which order they end."""
    runs = draw(st.lists(st.sampled_from(REVISIONS), min_size=2, max_size=3))
    numbers = st.integers(0, len(runs) - 1)
    happenings = draw(
        st.lists(st.tuples(st.sampled_from(["step", "step", "step", "kill"]), numbers), max_size=60)
    )
    ending = draw(st.permutations(range(len(runs))))
    sick = draw(st.lists(st.sampled_from(REVISIONS), max_size=1))
    return happenings, runs, list(ending), sick


class Run:
    """One run of a plan, which can be killed and run again."""

    def __init__(self, lab: Lab, number: int, revision: str, strategy: Strategy) -> None:
        policy = with_policy(strategy=strategy, rollback=RollbackScope.ALL)
        order = BEGINNING + timedelta(hours=number)
        # A clock of its own: no run fails for having been held up by this test.
        self.lab = replace(lab, clock=Clock(), unhealthy=lab.unhealthy)
        self.plan = lab.plan(revision, policy=policy, order=order)
        self.rollout: Rollout | None = None
        self.progress: RolloutProgress | None = None

    def step(self) -> None:
        if self.rollout is None or self.progress is None:
            self.rollout = self.lab.rollout(self.plan)
            self.progress = self.rollout.begin()
        if self.progress.stage is not Stage.DONE:
            self.progress = self.rollout.advance(self.progress)
        self.lab.clock.now += timedelta(seconds=7)

    def kill(self) -> None:
        self.rollout = self.progress = None

    def end(self) -> None:
        for _ in range(MOST_STEPS):
            self.step()
            if self.progress is not None and self.progress.stage is Stage.DONE:
                return
        raise AssertionError("it does not end")


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
# What was found once, and mended.
@example(
    story=(
        [("step", 0), ("step", 2), ("step", 0), ("step", 2)],
        ["r3", "r1", "r3"],
        [0, 1, 2],
        [],
    ),
    strategy="replace",
    unlisted=0,
)
@example(
    story=(
        [("step", 0), ("step", 0), ("step", 2), ("step", 2)],
        ["r3", "r1", "r3"],
        [0, 1, 2],
        [],
    ),
    strategy="replace",
    unlisted=1,
)
@given(stories(), st.sampled_from(sorted(Strategy)), st.integers(0, 1))
def test_what_is_left_is_one_healthy_instance(
    story: tuple[list[tuple[str, int]], list[str], list[int], list[str]],
    strategy: str,
    unlisted: int,
) -> None:
    """However they overlap: of the last run that could be healthy, if all come to their end."""
    happenings, revisions, ending, sick = story
    lab = Lab(targets={"one": "overlap-one"}, zones=("mem-1a",))
    machines_of(lab.targets["one"]).unlisted_looks = unlisted

    def unhealthy(_target: str, identity: Identity) -> bool:
        return identity.revision in sick

    lab.unhealthy = unhealthy
    runs = [Run(lab, n, revision, Strategy(strategy)) for n, revision in enumerate(revisions)]
    for what, number in happenings:
        if what == "kill":
            runs[number].kill()
        else:
            runs[number].step()
    for number in ending:
        runs[number].end()
    good = [revision for revision in revisions if revision not in sick]
    there = lab.there()
    live = [i for i in there if i.state.is_live]
    assert len(live) <= 1, [dict(i.labels) for i in live]
    assert len(there) == len(live)
    if not good:
        assert there == []
        return
    (only,) = live
    identity = identity_of(only)
    assert identity is not None
    assert identity.revision == good[-1]
    assert identity.standing is Standing.CURRENT
    assert only.state is InstanceState.RUNNING
