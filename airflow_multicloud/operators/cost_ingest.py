"""Bring a cost store up to date with the clouds' exports, and check what came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_multicloud.operators._costs import CostOperator, day_of
from airflow_multicloud.operators._shell import airflow_errors, tell_assets

if TYPE_CHECKING:
    from airflow.sdk import Context


class IngestCostOperator(CostOperator):
    """Ingest one cloud's billing export: what is new of it, and nothing twice.

    Returns a summary per billing period: whether it changed, whether it is final, rows, days
    written, services restated. A task that is killed leaves the store as it was before the period
    it was at. A period that can't be read fails the task once the others are ingested.

    :param export: ``s3://conn@bucket/prefix/name`` (AWS Data Exports),
        ``abfs://conn@container/directory/name`` (Azure exports) or
        ``bigquery://conn@project/dataset/table`` (Google).
    :param first: a day of the oldest billing period wanted. :param last: of the newest.
    :param until_final: read earlier months again too that the store has and that are not final:
        a bill changes for days after its month.
    """

    template_fields: Sequence[str] = (*CostOperator.template_fields, "export", "first", "last")

    def __init__(
        self,
        *,
        export: str,
        first: str = "{{ ds }}",
        last: str = "{{ ds }}",
        until_final: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.export = export
        self.first = first
        self.last = last
        self.until_final = until_final

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Ingest."""
        first, last = day_of("first", self.first), day_of("last", self.last)
        with airflow_errors():
            found = self.analyzer().ingest(
                self.export, first=first, last=last, until_final=self.until_final
            )
        for period in found:
            held = period.change.period
            self.log.info(
                "%s %s: %s, %d rows, %s",
                period.cloud,
                f"{period.billing_period:%Y-%m}",
                period.change.reason,
                period.change.rows,
                "final" if held and held.final else "not final yet",
            )
            for restated in period.change.restatements:
                self.log.warning(
                    "restated: %s %s to %s: billed %s -> %s %s",
                    restated.service_name,
                    restated.first_day,
                    restated.last_day,
                    f"{restated.old_billed_cost:.2f}",
                    f"{restated.new_billed_cost:.2f}",
                    restated.billing_currency,
                )
        facts = [period.as_dict() for period in found]
        tell_assets(self, context, {"multicloud": {"ingested": facts}})
        return facts


class CheckCostQualityOperator(CostOperator):
    """Report what is odd about the bills of a month; nothing is dropped.

    Returns the findings per export.

    :param day: a day of the billing period.
    :param fail: fail the task when a finding is an error: a wrong total, an impossible period.
    """

    template_fields: Sequence[str] = (*CostOperator.template_fields, "day")

    def __init__(self, *, day: str = "{{ ds }}", fail: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.day = day
        self.fail = fail

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Check."""
        day = day_of("day", self.day)
        with airflow_errors():
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
        facts = [report.as_dict() for report in reports]
        context["ti"].xcom_push(key="quality", value=facts)
        bad = [f"{r.cloud} {r.export}" for r in reports if not r.sound]
        if self.fail and bad:
            raise AirflowFailException(
                f"the bill of {day:%Y-%m} has errors: {', '.join(bad)}; see the task's log"
            )
        return facts
