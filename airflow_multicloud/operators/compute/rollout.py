"""What deploying and rolling back have in common: a plan, its approval, and the rollout."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_multicloud.api.cost.price_tables import read_prices
from airflow_multicloud.core.rollout.approval import check_approved, hash_of, plan_document
from airflow_multicloud.core.rollout.costs import UNLIMITED, CostLimit, preview_of
from airflow_multicloud.core.rollout.deploying import (
    deliver,
    ended,
    plan_rollout,
    rollout_of,
)
from airflow_multicloud.core.rollout.deployment import Deployment
from airflow_multicloud.core.rollout.describing import describe_plan
from airflow_multicloud.core.rollout.given import (
    LEFT_OUT,
    LeftOut,
    check_not_empty,
    none_if_left_out,
)
from airflow_multicloud.core.rollout.outcomes import MultiCloudDeploymentResult
from airflow_multicloud.core.rollout.plans import DeploymentPlan
from airflow_multicloud.core.rollout.progress import RolloutProgress
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.links.consoles import CONSOLE_LINKS, push_console_links
from airflow_multicloud.links.pages import REPORT_LINKS
from airflow_multicloud.opening.rollout import OpenedDeployment, open_deployment
from airflow_multicloud.opening.rollouts import advance_rollout, arguments_of
from airflow_multicloud.operators.base import Outcome, failure_of
from airflow_multicloud.operators.given import given_or_none
from airflow_multicloud.operators.operations import OperationOperator, Wait

if TYPE_CHECKING:
    from airflow.sdk import Context


class RolloutOperator(OperationOperator):
    """An operator that rolls something out by a plan.

    :param approved_plan: the document of a plan, as ``dry_run`` returns it, or its hash: the
        rollout is refused, naming every difference, when it would be another by now; and when
        there is nothing of it in the run. Without it, leave the parameter out.
    :param dry_run: only plan: the plan is logged and returned, and nothing is made.
    :param max_monthly_cost: a plan that may cost more in a month of 730 hours is refused, as
        ``250 USD``; and one of which a price is not known, or is in another currency. By list
        prices of the machines alone, in the dearest places that the plan may use. ``unlimited``
        by default.
    :param prices: path or URI of the list prices of the plan, as ``RefreshPricesOperator`` keeps
        them; the packaged ones, of few regions, by default.
    """

    report_key: ClassVar[str | None] = "deployment_report"
    operator_extra_links = (*CONSOLE_LINKS, *REPORT_LINKS)

    def __init__(
        self,
        *,
        approved_plan: Mapping[str, Any] | str | LeftOut | None = LEFT_OUT,
        dry_run: bool = False,
        max_monthly_cost: str = UNLIMITED,
        prices: str | None = None,
        timeout: timedelta = timedelta(hours=2),
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=timeout, **kwargs)
        self.approved_plan = none_if_left_out(approved_plan)
        self._is_approved = approved_plan is not LEFT_OUT
        # Not "dry_run": that is a method of Airflow's base class.
        self.only_plan = dry_run
        self.max_monthly_cost = max_monthly_cost
        self.prices = prices

    def deployment(self) -> tuple[Deployment, str | None]:
        """What is to run where, and the SHA-256 that the artifact is expected to have."""
        raise NotImplementedError

    def begin(self, context: Context) -> Wait | Outcome:
        """Plan, deliver, and roll out, here or in the triggerer."""
        if self._is_approved:
            check_not_empty("approved_plan", self.approved_plan)
        limit = CostLimit.of(self.max_monthly_cost, "max_monthly_cost")
        deployment, sha256 = self.deployment()
        opened = open_deployment(deployment)
        plan = plan_rollout(
            deployment,
            opened.artifact,
            opened.targets,
            order_of_run(context),
            sha256=sha256,
            prices=read_prices(given_or_none(self.prices)),
        )
        for line in describe_plan(plan):
            self.log.info("%s", line)
        if self._is_approved:
            check_approved(self.approved_plan, plan)
        if limit is not None:
            limit.check(preview_of(plan), "max_monthly_cost")
        if self.only_plan:
            push_console_links(context, {})  # Airflow logs an error for a link's XCom that lacks.
            return Outcome(plan_document(plan), is_plan=True)
        return self._rolled_out(context, deployment, opened, plan)

    def _rolled_out(
        self,
        context: Context,
        deployment: Deployment,
        opened: OpenedDeployment,
        plan: DeploymentPlan,
    ) -> Wait | Outcome:
        delivered = deliver(plan, opened.artifact, opened.targets)
        rollout = rollout_of(delivered, opened.targets)
        progress = rollout.begin()
        if self.deferrable:
            return Wait(
                check=advance_rollout,
                arguments=arguments_of(delivered, deployment.targets, progress),
                state={"plan": to_document(delivered), "hash": hash_of(plan)},
            )
        return self._ended(context, ended(hash_of(plan), delivered, rollout.run(progress)))

    def proceed(
        self, context: Context, facts: dict[str, Any], state: dict[str, Any]
    ) -> Wait | Outcome:
        """See what came of it."""
        progress = read_document(RolloutProgress, facts["progress"], what="progress")
        plan = read_document(DeploymentPlan, state["plan"], what="plan")
        return self._ended(context, ended(state["hash"], plan, progress))

    def _ended(self, context: Context, result: MultiCloudDeploymentResult) -> Outcome:
        for target in result.targets:
            self.log.info(
                "%s (%s): %s after %.1f s%s",
                *(target.name, target.cloud, target.outcome, target.seconds),
                f": {target.error}" if target.error else "",
            )
        pages = {
            instance.name: instance.console_url
            for target in result.targets
            for instance in target.instances
            if instance.console_url is not None
        }
        if pages:
            push_console_links(context, pages)
        return Outcome(to_document(result), failure_of(result.raise_if_failed))


def order_of_run(context: Context) -> datetime:
    """When the run was due: of two runs of one deployment the later one's revision stays.

    A retry has its run's, and so has a task that is cleared: it does not undo what a later run
    has done meanwhile.
    """
    run = context.get("dag_run")
    due = getattr(run, "run_after", None) or getattr(run, "logical_date", None)
    return due if isinstance(due, datetime) else datetime.now(UTC)
