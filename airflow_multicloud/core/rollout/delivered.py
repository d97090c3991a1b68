"""What is left of a plan where the artifact could not be delivered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from airflow_multicloud.core.rollout.artifacts import Delivery
from airflow_multicloud.core.rollout.planning import waves_for
from airflow_multicloud.core.rollout.plans import DeploymentPlan, TargetPlan


def where_delivered(plan: DeploymentPlan, deliveries: Iterable[Delivery]) -> DeploymentPlan:
    """The plan without the candidates near which the artifact does not lie.

    A target that has no other is one that could not be planned, with what the delivery failed with.
    """
    failed = {one.place: one for one in deliveries if one.error_kind is not None}
    if not failed:
        return plan
    targets = tuple(_target(target, failed) for target in plan.targets)
    return replace(plan, targets=targets, waves=waves_for(targets, plan.policy))


def _target(target: TargetPlan, failed: Mapping[str, Delivery]) -> TargetPlan:
    left = tuple(one for one in target.candidates if one.artifacts not in failed)
    if left or not target.candidates:
        return replace(target, candidates=left)
    why = failed[target.candidates[0].artifacts]
    return replace(
        target,
        candidates=(),
        error_kind=why.error_kind,
        error=f"the artifact could not be delivered to {why.uri}: {why.error}",
    )
