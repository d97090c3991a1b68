"""Judge the drill of a DAG run, whatever became of its tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_multicloud.operators.drill.report import DrillReportOperator
from airflow_multicloud.operators.drill.steps import DrillTasks, Steps, steps_of
from airflow_multicloud.operators.metrics.run_reports import RunReports

if TYPE_CHECKING:
    from airflow.sdk import Context


class JudgeDrillOperator(DrillReportOperator):
    """Judge a drill by what its tasks have told by now, and write the evidence.

    Make it a teardown of the task that the drill begins with: then it runs whatever became of the
    others. What preflight has refused, or a replica that is not sound before the fault, makes the
    drill ``INVALID``; one that did not come as far as measuring is ``ABORTED``.

    :param tasks: their ids.
    :param places: URIs in buckets that keep the evidence; two clouds, so that it survives one.
    :param rto_seconds: the recovery time objective.
    :param rpo_seconds: the recovery point objective.
    :param detect_seconds: the objective of a phase, as a ``DrillReportOperator``'s.
    :param failover_seconds: likewise.
    :param first_verified_seconds: likewise.
    :param signing_conn_id: as a ``DrillReportOperator``'s.
    """

    template_fields: Sequence[str] = (
        *("places", "rto_seconds", "rpo_seconds", "signing_conn_id"),
        *("detect_seconds", "failover_seconds", "first_verified_seconds"),
    )

    def __init__(
        self,
        *,
        tasks: DrillTasks,
        places: Sequence[str],
        rto_seconds: float | str,
        rpo_seconds: float | str,
        signing_conn_id: str | None = None,
        detect_seconds: float | str | None = None,
        failover_seconds: float | str | None = None,
        first_verified_seconds: float | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            measurement=None,
            canary=None,
            verification=(),
            replication=(),
            places=places,
            rto_seconds=rto_seconds,
            rpo_seconds=rpo_seconds,
            signing_conn_id=signing_conn_id,
            detect_seconds=detect_seconds,
            failover_seconds=failover_seconds,
            first_verified_seconds=first_verified_seconds,
            **kwargs,
        )
        self.tasks = tasks

    def steps(self, context: Context) -> Steps:
        """What the tasks of this run have told."""
        return steps_of(RunReports(context["ti"]), self.tasks)
