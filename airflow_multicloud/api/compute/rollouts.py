"""Planning a deployment, rolling it out, and bringing an earlier revision back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from airflow_multicloud.api.cost.price_tables import read_prices
from airflow_multicloud.core.cost.prices import PriceTable
from airflow_multicloud.core.rollout.approval import (
    check_approved,
    hash_of,
    plan_document,
    read_plan,
)
from airflow_multicloud.core.rollout.costs import CostLimit, CostPreview, preview_of
from airflow_multicloud.core.rollout.deploying import deploy, plan_rollout
from airflow_multicloud.core.rollout.deployment import Deployment
from airflow_multicloud.core.rollout.describing import describe_plan
from airflow_multicloud.core.rollout.outcomes import MultiCloudDeploymentResult
from airflow_multicloud.core.rollout.plans import DeploymentPlan
from airflow_multicloud.core.rollout.policy import RolloutPolicy
from airflow_multicloud.core.rollout.targets import Target, read_targets
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.opening.revisions import earlier_deployment
from airflow_multicloud.opening.rollout import OpenedDeployment, open_deployment
from airflow_multicloud.registry import session


@dataclass(frozen=True, slots=True)
class MultiCloudPlan:
    """What a rollout will do, to be read, approved and carried out.

    :param plan: in every detail.
    """

    plan: DeploymentPlan

    @classmethod
    def of(cls, document: object) -> Self:
        """The plan that :attr:`document` is of.

        :raises DeploymentError: ``integrity`` when it can't be read, or was changed since.
        """
        return cls(read_plan(document))

    @property
    def hash(self) -> str:
        """SHA-256, in hex, of all that is approved with the plan."""
        return hash_of(self.plan)

    @property
    def document(self) -> dict[str, Any]:
        """The plan with its hash as plain values, which JSON can write."""
        return plan_document(self.plan)

    @property
    def lines(self) -> list[str]:
        """The plan as people read it."""
        return describe_plan(self.plan)

    @property
    def cost_preview(self) -> CostPreview:
        """What it is expected to cost, by list prices of the machines alone."""
        return preview_of(self.plan)

    def check_cost(self, limit: str) -> None:
        """Refuse the plan when it may cost more, in the dearest places that it may use.

        :param limit: for a month of 730 hours: ``250 USD``.
        :raises DeploymentError: ``precondition_failed`` for a plan that may cost more, of which a
            price is not known, or whose prices are in another currency; ``invalid_argument``.
        """
        if (most := CostLimit.of(limit, "limit")) is not None:
            most.check(self.cost_preview, "limit")


#: A plan, its document, or its hash alone.
ApprovedPlan = MultiCloudPlan | Mapping[str, Any] | str
Listener = Callable[[str], None]


@session()
@operation("deploy.plan")
def plan_multicloud(
    deployment: Deployment | Mapping[str, Any],
    *,
    artifact_sha256: str | None = None,
    prices: str | Path | PriceTable | None = None,
) -> MultiCloudPlan:
    """What a deployment would come to; makes nothing.

    :param deployment: a :class:`~airflow_multicloud.core.rollout.deployment.Deployment`, or a
        mapping of its fields.
    :param artifact_sha256: that the artifact is expected to have.
    :param prices: list prices: a table, or the path or URI of one that
        :func:`~airflow_multicloud.api.cost.price_tables.refresh_prices` wrote; the packaged ones,
        of few regions, by default.
    :raises CloudError: naming what can't be as it was given.
    """
    _, plan = _planned(_read(deployment), artifact_sha256, None, read_prices(prices))
    return MultiCloudPlan(plan)


@session()
@operation("deploy")
def deploy_multicloud(
    deployment: Deployment | Mapping[str, Any],
    approved_plan: ApprovedPlan | None = None,
    *,
    artifact_sha256: str | None = None,
    order: datetime | None = None,
    listener: Listener | None = None,
) -> MultiCloudDeploymentResult:
    """Deploy one artifact to virtual machines in several clouds.

    :param deployment: as :func:`plan_multicloud` takes it.
    :param approved_plan: a plan, its document, or its hash: the rollout is refused, naming every
        difference, when it would be another by now.
    :param artifact_sha256: that the artifact is expected to have.
    :param order: when the run was begun: of two runs the later one's revision stays. Now when left
        out; a try again of a run gives the run's.
    :param listener: gets a line for each step of each instance, from several threads.
    :raises CloudError: before anything is made. What fails at a target is in the result, and its
        ``raise_if_failed`` raises when too few targets run the revision.
    """
    return _deployed(_read(deployment), artifact_sha256, order, approved_plan, listener)


@session()
@operation("deploy.plan")
def plan_rollback(
    deployment_id: str,
    to: str,
    targets: Sequence[Target | Mapping[str, Any]],
    **given: Any,
) -> MultiCloudPlan:
    """What bringing back an earlier revision would come to; makes nothing.

    :param deployment_id: whose.
    :param to: the revision's name.
    :param targets: as :func:`roll_back_deployment` takes them.
    :param given: ``policy``, ``url_lifetime`` and ``max_instances``, likewise.
    :raises CloudError: likewise.
    """
    deployment, sha256 = earlier_deployment(deployment_id, to, read_targets(targets), **given)
    _, plan = _planned(deployment, sha256, None)
    return MultiCloudPlan(plan)


@session()
@operation("deploy")
def roll_back_deployment(
    deployment_id: str,
    to: str,
    targets: Sequence[Target | Mapping[str, Any]],
    approved_plan: ApprovedPlan | None = None,
    *,
    policy: RolloutPolicy | Mapping[str, Any] = RolloutPolicy(),
    url_lifetime: timedelta = timedelta(hours=1),
    max_instances: int = 50,
    order: datetime | None = None,
    listener: Listener | None = None,
) -> MultiCloudDeploymentResult:
    """Bring back an earlier revision of a deployment, by a rollout like the one that deployed it.

    What it was is read from its record, beside the artifact near every target.

    :param deployment_id: whose.
    :param to: the revision's name; its full name (``<revision>-<digits>``) where
        several revisions have it, or not every place has its record.
    :param targets: where it is to run: each a
        :class:`~airflow_multicloud.core.rollout.targets.Target`, or a mapping of its fields.
    :param approved_plan: as :func:`deploy_multicloud` takes it.
    :param policy: how the rollout goes.
    :param url_lifetime: of the signed URL in an instance's metadata.
    :param max_instances: more are refused.
    :param order: as :func:`deploy_multicloud` takes it.
    :param listener: likewise.
    :raises CloudError: ``not_found`` when no place has the revision; else as
        :func:`deploy_multicloud`.
    """
    deployment, sha256 = earlier_deployment(
        deployment_id,
        to,
        read_targets(targets),
        policy=policy,
        url_lifetime=url_lifetime,
        max_instances=max_instances,
    )
    return _deployed(deployment, sha256, order, approved_plan, listener)


def _read(deployment: Deployment | Mapping[str, Any]) -> Deployment:
    return deployment if isinstance(deployment, Deployment) else Deployment.of(deployment)


def _planned(
    deployment: Deployment,
    sha256: str | None,
    order: datetime | None,
    prices: PriceTable | None = None,
) -> tuple[OpenedDeployment, DeploymentPlan]:
    opened = open_deployment(deployment)
    begun = order or datetime.now(UTC)
    plan = plan_rollout(
        deployment, opened.artifact, opened.targets, begun, sha256=sha256, prices=prices
    )
    return opened, plan


def _deployed(
    deployment: Deployment,
    sha256: str | None,
    order: datetime | None,
    approved: ApprovedPlan | None,
    listener: Listener | None,
) -> MultiCloudDeploymentResult:
    opened, plan = _planned(deployment, sha256, order)
    if approved is not None:
        document = approved.document if isinstance(approved, MultiCloudPlan) else approved
        check_approved(document, plan)
    return deploy(plan, opened.artifact, opened.targets, listener)
