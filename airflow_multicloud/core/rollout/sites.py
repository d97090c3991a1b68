"""From a plan and its opened targets to the sites that a rollout works on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from airflow_multicloud.core.rollout.planning import OpenedTarget
from airflow_multicloud.core.rollout.plans import DeploymentPlan
from airflow_multicloud.core.rollout.scripts import startup_scripts
from airflow_multicloud.core.rollout.site import Site
from airflow_multicloud.ports.compute import Instance


def sites_of(plan: DeploymentPlan, opened: Mapping[str, OpenedTarget]) -> dict[str, Site]:
    """The sites of a plan's targets, but for those that could not be planned.

    :param opened: target's name → its cloud, as the plan was made with.
    :raises DeploymentError: ``precondition_failed`` for a plan of a release with another script.
    """
    return {
        target.name: Site(
            deployment_id=plan.deployment_id,
            plan=target,
            compute=opened[target.name].compute,
            script=startup_scripts(plan, opened[target.name].places),
            why_not_healthy=_check_of(plan),
        )
        for target in plan.targets
        if target.candidates
    }


def _check_of(plan: DeploymentPlan) -> Callable[[Instance], str | None]:
    def why_not_healthy(instance: Instance) -> str | None:
        # Without a check of its own, what counts is that its cloud says that it runs.
        health = plan.health
        return None if health is None else health.why_not_healthy(instance, plan.revision)

    return why_not_healthy
