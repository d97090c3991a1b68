"""Rollouts on memory clouds, by a clock that only the rollout moves."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from airflow_multicloud.core.rollout.names import DEPLOYMENT, Identity, identity_of
from airflow_multicloud.core.rollout.outcomes import (
    MultiCloudDeploymentResult,
    Outcome,
    result_of,
)
from airflow_multicloud.core.rollout.plans import (
    Candidate,
    DeploymentPlan,
    PlannedArtifact,
    TargetPlan,
)
from airflow_multicloud.core.rollout.policy import RolloutPolicy
from airflow_multicloud.core.rollout.progress import RolloutProgress, Stage
from airflow_multicloud.core.rollout.rollout import Rollout
from airflow_multicloud.core.rollout.site import Site
from airflow_multicloud.ports.compute import ComputeService, Instance, LaunchRequest, Network
from airflow_multicloud.testing.machine_faults import MachineFault
from airflow_multicloud.testing.memory_cloud.compute import Hook, machines_of

BEGINNING = datetime(2026, 11, 1, tzinfo=UTC)
APP = "app"
POLICY = RolloutPolicy(min_success=1.0, health_floor=0.0, healthy_checks=1)
#: More steps than this and a rollout goes round in circles.
MOST_STEPS = 3000
#: Between the name of a connection and the number of its lab.
MARK = "-lab-"


def _healthy(_target: str, _identity: Identity) -> bool:
    return False


def _as_it_is(hook: ComputeService) -> ComputeService:
    return hook


class Clock:
    """Moved by who waits."""

    def __init__(self) -> None:
        self.now = BEGINNING

    def __call__(self) -> datetime:
        return self.now

    def until(self, moment: datetime) -> None:
        self.now = max(self.now, moment)


@dataclass(slots=True)
class Lab:
    """Three clouds with a target each, until told otherwise.

    :param unhealthy: target, identity → whether such an instance is never healthy.
    :param wrap: what is put around each hook.
    """

    targets: Mapping[str, str] = field(
        default_factory=lambda: {"one": "cloud-one", "two": "cloud-two", "three": "cloud-three"}
    )
    clock: Clock = field(default_factory=Clock)
    unhealthy: Callable[[str, Identity], bool] = field(default=_healthy)
    zones: Sequence[str] = ("mem-1a", "mem-1b")
    count: int = 1
    required: Sequence[str] = ()
    wrap: Callable[[ComputeService], ComputeService] = field(default=_as_it_is)
    runs: itertools.count[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        if not any(MARK in conn for conn in self.targets.values()):
            mark = next(_LABS)
            self.targets = {name: f"{conn}{MARK}{mark}" for name, conn in self.targets.items()}

    def plan(
        self,
        revision: str,
        *,
        policy: RolloutPolicy = POLICY,
        order: datetime | None = None,
        only: Iterable[str] | None = None,
    ) -> DeploymentPlan:
        """A plan for all targets, or some; a later one than those before unless ``order`` says."""
        names = [name for name in self.targets if only is None or name in only]
        return DeploymentPlan(
            deployment_id=APP,
            revision=revision,
            order=order or BEGINNING + timedelta(hours=next(self.runs)),
            artifact=PlannedArtifact(uri="mem://b/app.tgz", sha256=_sha(revision), size=1),
            script_digest=_sha("script"),
            targets=tuple(self._target(name, revision) for name in names),
            waves=tuple((name,) for name in names[: policy.canary])
            + (tuple(names[policy.canary :]),) * (len(names) > policy.canary),
            policy=policy,
        )

    def _target(self, name: str, revision: str) -> TargetPlan:
        hook = Hook(self.targets[name])
        candidates = []
        for zone in self.zones:
            request = LaunchRequest(
                region="mem-1", zone=zone, size="small", network=Network(subnets=("net-1",))
            )
            spec = hook.resolve_launch(request)
            digest = _sha(f"{revision} {spec}")
            candidates.append(Candidate(spec=spec, digest=digest, artifacts="mem://b/app"))
        return TargetPlan(
            name=name,
            conn_id=self.targets[name],
            cloud="memory",
            count=self.count,
            required=name in self.required,
            candidates=tuple(candidates),
        )

    def rollout(self, plan: DeploymentPlan) -> Rollout:
        """One run of a plan, as a process would make it."""
        sites = {
            target.name: Site(
                deployment_id=APP,
                plan=target,
                compute=self.wrap(Hook(target.conn_id)),
                script=lambda _candidate: "#!/bin/sh\n",
                why_not_healthy=self._checker(target.name),
            )
            for target in plan.targets
            if target.candidates
        }
        return Rollout(plan, sites, clock=self.clock, threads=1)

    def _checker(self, target: str) -> Callable[[Instance], str | None]:
        def why_not_healthy(instance: Instance) -> str | None:
            identity = identity_of(instance)
            assert identity is not None
            return "it answers 500" if self.unhealthy(target, identity) else None

        return why_not_healthy

    def steps(self, rollout: Rollout, progress: RolloutProgress | None = None) -> RolloutProgress:
        """Advance until it is done."""
        progress = progress or rollout.begin()
        for _ in range(MOST_STEPS):
            if progress.stage is Stage.DONE:
                return progress
            self.clock.until(rollout.due(progress))
            progress = rollout.advance(progress)
        raise AssertionError(f"it goes round in circles: {progress.slots}")

    def run(self, plan: DeploymentPlan) -> MultiCloudDeploymentResult:
        """The whole of it."""
        return result_of(plan, self.steps(self.rollout(plan)), "hash", self.clock())

    def there(self, target: str | None = None) -> list[Instance]:
        """All that is there of the deployment."""
        names = self.targets if target is None else [target]
        return [
            instance
            for name in names
            for instance in Hook(self.targets[name]).list_instances({DEPLOYMENT: APP})
        ]

    def live(self, target: str | None = None) -> dict[tuple[str, int], list[str]]:
        """Slot → revisions of its live instances."""
        found: dict[tuple[str, int], list[str]] = {}
        for instance in self.there(target):
            identity = identity_of(instance)
            assert identity is not None
            if instance.state.is_live:
                slot = (identity.slot.target, identity.slot.number)
                found.setdefault(slot, []).append(identity.revision)
        return found

    def plant(self, target: str, *faults: MachineFault) -> None:
        """Faults in a target's cloud."""
        machines_of(self.targets[target]).faults.plant(faults)

    def outcomes(self, result: MultiCloudDeploymentResult) -> dict[str, Outcome]:
        """Target → outcome."""
        return {target.name: target.outcome for target in result.targets}


_LABS = itertools.count()


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def with_policy(**changes: object) -> RolloutPolicy:
    """The usual policy, changed."""
    return replace(POLICY, **changes)  # type: ignore[arg-type] # each test gives what fits
