"""The summary of a release, as a page that is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.cost.money import cents
from airflow_multicloud.core.rollout.summary import Approval, ApprovalState, ReleaseSummary
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import CloudError
from airflow_multicloud.lists import texts
from airflow_multicloud.opening.release_summaries import keep_summary
from airflow_multicloud.operators.base import CloudOperator, Outcome
from airflow_multicloud.operators.drill.run_facts import run_facts
from airflow_multicloud.operators.metrics.run_reports import RunReports
from airflow_multicloud.operators.run_ids import run_id_of

if TYPE_CHECKING:
    from airflow.sdk import Context

#: How Airflow ends a task of approval.
_APPROVALS = {
    "success": ApprovalState.APPROVED,
    "skipped": ApprovalState.NOT_ASKED,
    "failed": ApprovalState.NOT_APPROVED,
}


class ReleaseSummaryOperator(CloudOperator):
    """Write what a release has planned and done as one page, whatever came of it.

    It reads what the other tasks of its run have told: which those are is given by their ids. What
    a run did not come to is said on the page. So that it runs in any case, make it a teardown, or
    give it the trigger rule ``all_done``.

    The page is written below ``summaries/`` of each place, under the name of the run and its try,
    and never replaces anything. XCom has its ``uri`` and ``sha256`` under ``report``, as the
    events of the outlets do. The task fails for a retry when a place could not take it; the others
    have it then.

    :param deployment_id: whose release it is.
    :param places: URIs of prefixes.
    :param plan_task_id: the ``DeployOperator`` with ``dry_run`` that planned it.
    :param deploy_task_id: the ``DeployOperator`` that carried it out.
    :param upload_task_id: the ``UploadArtifactOperator`` that kept the artifact.
    :param approval_task_id: Airflow's ``ApprovalOperator`` that asked for the plan.
    :param health_task_id: the ``DeploymentHealthSensor`` that watched it.
    :param export_task_id: the ``ExportMetricsOperator`` that exported its figures.
    """

    template_fields: Sequence[str] = ("deployment_id", "places")
    report_key = "report"

    def __init__(
        self,
        *,
        deployment_id: str,
        places: Sequence[str] | str,
        plan_task_id: str | None = None,
        deploy_task_id: str | None = None,
        upload_task_id: str | None = None,
        approval_task_id: str | None = None,
        health_task_id: str | None = None,
        export_task_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.places = places
        self.plan_task_id = plan_task_id
        self.deploy_task_id = deploy_task_id
        self.upload_task_id = upload_task_id
        self.approval_task_id = approval_task_id
        self.health_task_id = health_task_id
        self.export_task_id = export_task_id

    def perform(self, context: Context) -> Outcome:
        """Gather and write."""
        places = texts(self.places, "places", what="URIs", if_empty="name where it is kept")
        reports = RunReports(context["ti"])

        def told(task_id: str | None, key: str = "return_value") -> Any:
            return None if task_id is None else reports.of(task_id, key)

        summary = ReleaseSummary.of(
            self.deployment_id,
            plan=told(self.plan_task_id),
            upload=told(self.upload_task_id, "report"),
            result=told(self.deploy_task_id, "deployment_report"),
            watched=told(self.health_task_id),
            exported=told(self.export_task_id, "metrics_report"),
            approval=self._approval(reports),
            is_watched=self.health_task_id is not None,
            failed_tasks=reports.failed,
            run=_run_facts(context),
        )
        written, failed = keep_summary(summary, places, run_id_of(context, self.task_id))
        for page in written:
            self.log.info("summary of %s: %s, SHA-256 %s", summary.verdict, page.uri, page.sha256)
        for uri, err in failed.items():
            self.log.warning("no summary at %s: %s: %s", uri, err.kind, err)
        first: CloudError | None = next(iter(failed.values()), None)
        pages = [to_document(page) for page in written]
        return Outcome({**_facts(summary), **(pages[0] if pages else {}), "pages": pages}, first)

    def _approval(self, reports: RunReports) -> Approval:
        if self.approval_task_id is None:
            return Approval(ApprovalState.NOT_ASKED)
        state = reports.state_of(self.approval_task_id)
        found = _APPROVALS.get(state or "", ApprovalState.NOT_REACHED)
        answer = reports.of(self.approval_task_id)
        if found is not ApprovalState.APPROVED or not isinstance(answer, Mapping):
            # Whoever marks the task as successful approves, too; Airflow's audit log has them.
            return Approval(found)
        who, at = answer.get("responded_by_user"), answer.get("responded_at")
        name = who.get("name") or who.get("id") if isinstance(who, Mapping) else None
        when = datetime.fromisoformat(at) if isinstance(at, str) else at
        return Approval(found, name, when if isinstance(when, datetime) else None)


def _run_facts(context: Context) -> dict[str, str]:
    """Of the run; which try of this task it is says nothing of the release."""
    return {name: value for name, value in run_facts(context).items() if "try" not in name}


def _facts(summary: ReleaseSummary) -> dict[str, Any]:
    cost = summary.cost
    return {
        "deployment_id": summary.deployment_id,
        "revision": summary.revision,
        "verdict": str(summary.verdict),
        "plan_hash": summary.plan_hash,
        "approval": str(summary.approval.state),
        "approved_by": summary.approval.by,
        "findings": list(summary.findings),
        "monthly_cost": [
            {"currency": one.currency, "amount": str(cents(one.monthly))}
            for one in (cost.totals if cost is not None else ())
        ],
        "cost_unknown": list(cost.unknown) if cost is not None else [],
    }
