"""What is odd about the bills that came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_multicloud.documents import to_document
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.cost.base import CostOperator, day_of

if TYPE_CHECKING:
    from airflow.sdk import Context


class CheckCostQualityOperator(CostOperator):
    """Report what is odd about the bills of a month; nothing is dropped.

    Returns the findings per export.

    :param day: a day of the billing period.
    :param fail: fail the task when a finding is an error: a wrong total, an impossible period.
    """

    template_fields: Sequence[str] = (*CostOperator.template_fields, "day")
    report_key = "quality"

    def __init__(self, *, day: str = "{{ ds }}", fail: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.day = day
        self.fail = fail

    def perform(self, context: Context) -> Outcome:
        """Check."""
        day = day_of("day", self.day)
        reports = self.analyzer().check_quality(day)
        for report in reports:
            self.log.info(
                "%s %s: %d rows, %d findings",
                report.cloud,
                f"{report.billing_period:%Y-%m}",
                report.rows,
                len(report.findings),
            )
            for found in report.findings:
                self.log.warning(
                    "%s: %s in %s: %d rows, e.g. %r: %s",
                    report.cloud,
                    found.rule,
                    found.column or "the row",
                    found.rows,
                    found.example,
                    found.message,
                )
        facts = [to_document(report) for report in reports]
        bad = [f"{r.cloud} {r.export}" for r in reports if not r.sound]
        if self.fail and bad:
            odd = f"the bill of {day:%Y-%m} has errors: {', '.join(bad)}; see the task's log"
            return Outcome(facts, AirflowFailException(odd))
        return Outcome(facts)
