"""Rollouts that wait outside of a worker: one look, as a trigger makes it again and again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow_multicloud.core.rollout.approval import plan_document, read_plan
from airflow_multicloud.core.rollout.clock import utc_now
from airflow_multicloud.core.rollout.deploying import rollout_of
from airflow_multicloud.core.rollout.plans import DeploymentPlan
from airflow_multicloud.core.rollout.progress import RolloutProgress, Stage
from airflow_multicloud.core.rollout.targets import Target, read_targets
from airflow_multicloud.core.waiting import NotYet
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.opening.rollout import open_targets


def arguments_of(
    plan: DeploymentPlan, targets: tuple[Target, ...], progress: RolloutProgress
) -> dict[str, Any]:
    """What :func:`advance_rollout` is called with; it holds no secret."""
    return {
        "plan": plan_document(plan),
        "targets": [to_document(target) for target in targets],
        "progress": to_document(progress),
    }


def advance_rollout(
    plan: dict[str, Any], targets: list[dict[str, Any]], progress: dict[str, Any]
) -> dict[str, Any] | NotYet:
    """Do what is due in a rollout, once; gives its progress when it is done.

    Called again with an older progress it goes on from there: what lies in the clouds decides.

    :param plan: of which the artifact was delivered.
    :param targets: the plan's, as they were given.
    """
    read, known = read_plan(plan), read_targets(targets)
    rollout = rollout_of(read, open_targets(known))
    now = rollout.advance(read_document(RolloutProgress, progress, what="progress"))
    if now.stage is Stage.DONE:
        return {"progress": to_document(now)}
    wait = max(rollout.due(now) - utc_now(), timedelta())
    return NotYet(wait=wait, arguments=arguments_of(read, known, now))
