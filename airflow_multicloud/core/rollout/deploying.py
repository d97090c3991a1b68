"""A deployment from beginning to end: planned, delivered, rolled out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from airflow_multicloud.core import telemetry
from airflow_multicloud.core.cost.prices import PriceTable
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.rollout.approval import hash_of
from airflow_multicloud.core.rollout.artifacts import deliver_artifact, look_at_artifact
from airflow_multicloud.core.rollout.clock import utc_now
from airflow_multicloud.core.rollout.delivered import where_delivered
from airflow_multicloud.core.rollout.deployment import Deployment
from airflow_multicloud.core.rollout.outcomes import MultiCloudDeploymentResult, result_of
from airflow_multicloud.core.rollout.planning import OpenedTarget, places_of, plan_deployment
from airflow_multicloud.core.rollout.plans import DeploymentPlan
from airflow_multicloud.core.rollout.progress import RolloutProgress
from airflow_multicloud.core.rollout.revision_records import revision_of
from airflow_multicloud.core.rollout.revisions import record_revision
from airflow_multicloud.core.rollout.rollout import Listener, Rollout
from airflow_multicloud.core.rollout.sites import sites_of

_log = logging.getLogger(__name__)


def plan_rollout(
    deployment: Deployment,
    source: Endpoint | Path,
    opened: Mapping[str, OpenedTarget],
    order: datetime,
    *,
    sha256: str | None = None,
    prices: PriceTable | None = None,
) -> DeploymentPlan:
    """What a rollout of a deployment will do; makes nothing.

    :param source: the artifact.
    :param opened: target's name → its cloud.
    :param order: when the run was begun.
    :param sha256: that the artifact is expected to have.
    :param prices: list prices; the packaged ones when left out.
    :raises CloudError: naming what can't be as it was given.
    """
    with telemetry.operation("deploy.plan", multicloud__deployment=deployment.deployment_id):
        artifact = look_at_artifact(source, sha256=sha256)
        return plan_deployment(deployment, artifact, opened, order, prices)


def deliver(
    plan: DeploymentPlan, source: Endpoint | Path, opened: Mapping[str, OpenedTarget]
) -> DeploymentPlan:
    """Put the artifact near every target, with the revision's record, proven.

    :return: the plan without what the artifact could not be delivered to.
    :raises CloudError: for a local file that is no longer the one that was planned.
    """
    with telemetry.operation("deploy.deliver", multicloud__deployment=plan.deployment_id):
        places = places_of(opened)
        deliveries = deliver_artifact(source, plan.artifact, plan.deployment_id, places)
        for one in deliveries:
            if one.error_kind is not None:
                _log.warning("artifact: %s: %s: %s", one.uri, one.error_kind, one.error)
            else:
                _log.info("artifact: %s %s", one.uri, "delivered" if one.sent else "is there")
        there = {one.place: places[one.place] for one in deliveries if one.error_kind is None}
        for uri, err in record_revision(revision_of(plan), there).items():
            _log.warning(
                "revision %s: no record at %s, no rollback can read it there: %s: %s",
                *(plan.revision, uri, err.kind, err),
            )
        return where_delivered(plan, deliveries)


def rollout_of(
    plan: DeploymentPlan, opened: Mapping[str, OpenedTarget], listener: Listener | None = None
) -> Rollout:
    """The rollout of a plan whose artifact was delivered.

    :raises DeploymentError: ``precondition_failed`` when another release has made the plan.
    """
    return Rollout(plan, sites_of(plan, opened), listener=listener)


def ended(
    plan_hash: str, delivered: DeploymentPlan, progress: RolloutProgress
) -> MultiCloudDeploymentResult:
    """What came of a rollout that is done.

    :param plan_hash: of the plan as it was before the delivery.
    """
    return result_of(delivered, progress, plan_hash, utc_now())


def deploy(
    plan: DeploymentPlan,
    source: Endpoint | Path,
    opened: Mapping[str, OpenedTarget],
    listener: Listener | None = None,
) -> MultiCloudDeploymentResult:
    """Deliver a plan's artifact and roll it out; all of it, here and now.

    :raises CloudError: as :func:`deliver`. What fails at a target is in the result.
    """
    with telemetry.operation(
        "deploy",
        multicloud__deployment=plan.deployment_id,
        multicloud__revision=plan.revision,
        multicloud__targets=len(plan.targets),
    ) as span:
        delivered = deliver(plan, source, opened)
        rollout = rollout_of(delivered, opened, listener)
        result = ended(hash_of(plan), delivered, rollout.run(rollout.begin()))
        span.set_attribute("multicloud.success_rate", result.success_rate)
        with telemetry.noted():
            result.raise_if_failed()
        return result
