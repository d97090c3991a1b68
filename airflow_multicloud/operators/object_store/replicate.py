"""Replicate objects between clouds in one task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_multicloud.api.cost.transfers import estimate_replication
from airflow_multicloud.core.replication import engine
from airflow_multicloud.documents import to_document
from airflow_multicloud.links.pages import REPORT_LINKS
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.cost.estimates import tell_estimate
from airflow_multicloud.operators.object_store.replication import ReplicationOperator
from airflow_multicloud.operators.run_ids import run_id_of

if TYPE_CHECKING:
    from airflow.sdk import Context


class ReplicateOperator(ReplicationOperator):
    """Make every destination a proven replica of an object or a prefix.

    Returns counts, bytes, the Merkle root, and number and root of the run's last commit in the
    ledger of each destination; with ``dry_run`` the plan.
    A second try of the task sends only what is missing. A failure that a retry can't mend
    fails the task at once.

    :param dry_run: return what would be done, and do nothing.
    :param preview_cost: before a byte moves, log what it will cost (egress, requests, storage)
        and give it to XCom under ``cost_estimate``.
    :param prices: path or URI of the list prices for that; the packaged ones by default.
    """

    __doc__ = f"{__doc__}\n{ReplicationOperator.__doc__}"

    template_fields: Sequence[str] = (*ReplicationOperator.template_fields, "prices")
    report_key = "report"
    labelled_by = ("source", "destinations")
    operator_extra_links = REPORT_LINKS

    def __init__(
        self,
        *,
        dry_run: bool = False,
        preview_cost: bool = False,
        prices: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.prices = prices
        self.plan_only = dry_run
        self.preview_cost = preview_cost

    def perform(self, context: Context) -> Outcome:
        """Replicate, or plan to."""
        replication = self.replication()
        if self.preview_cost:
            estimate = estimate_replication(replication, prices=self.prices or None)
            tell_estimate(self, estimate)
            context["ti"].xcom_push(key="cost_estimate", value=to_document(estimate))
        if self.plan_only:
            return Outcome([asdict(plan) for plan in engine.plan(replication)], is_plan=True)
        run_id = run_id_of(context, self.task_id)
        run = partial(engine.replicate, run_id=run_id, listener=self.tell_progress)
        return self.finish(replication, run)
