"""The report of a night."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_multicloud.api.cost.files import read_recommendations, write_report_files
from airflow_multicloud.api.cost.values import budget_of, workload_of
from airflow_multicloud.core.cost import documents
from airflow_multicloud.core.cost.budget import StalePolicy
from airflow_multicloud.links.pages import COST_REPORT_LINKS
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.cost.base import CostOperator, days, money_of

if TYPE_CHECKING:
    from airflow.sdk import Context


class CostReportOperator(CostOperator):
    """Write what clouds cost as a page of HTML, as JSON and as CSV.

    Returns the files' paths or URIs and the SHA-256 of each, the total, each cloud beside its
    period before and what is expected of its month, whether it is by charge day or by billing
    period, what is not in it, and how many anomalies and restatements there are.

    :param start: first day.
    :param end: the day after the last.
    :param target: a directory, or the URI of a prefix in any object store.
    :param group_by: FOCUS columns, or ``tag:<key>``.
    :param limit: lines a cloud; the rest is summed up as ``(other)``; all by default.
    :param by: ``charge_day`` or ``billing_period`` (the invoices of these months); by default the
        latter for whole months on the basis ``billed``, else the former.
    :param workload: also price this workload on every cloud in the report.
    :param prices: path or URI of the list prices for it; the packaged ones by default.
    :param recommendations: what a
        :class:`~airflow_multicloud.operators.cost.recommend.RecommendSavingsOperator` wrote.
    :param budget: show the budget; the amount, in ``currency``.
    """

    template_fields: Sequence[str] = (
        *CostOperator.template_fields,
        "start",
        "end",
        "target",
        "recommendations",
        "budget",
        "workload",
        "prices",
        "group_by",
        "by",
    )
    report_key = "cost_report"
    operator_extra_links = COST_REPORT_LINKS

    def __init__(
        self,
        *,
        start: str,
        end: str,
        target: str,
        group_by: Sequence[str] = ("ServiceName",),
        limit: int | None = None,
        by: str | None = None,
        workload: Mapping[str, Any] | None = None,
        prices: str | None = None,
        recommendations: str | None = None,
        budget: str | int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.start = start
        self.end = end
        self.target = target
        self.group_by = group_by
        self.limit = limit
        self.by = by
        self.workload = workload
        self.prices = prices
        self.recommendations = recommendations
        self.budget = budget

    def perform(self, context: Context) -> Outcome:
        """Gather and write."""
        start, end = days(self.start, self.end)
        last = end - timedelta(days=1)
        analyzer = self.analyzer()
        by = self.by or None
        document = analyzer.report(
            start,
            end,
            group_by=self.group_by,
            limit=self.limit,
            by=by,
            quality=analyzer.check_quality(last),
            budget=analyzer.assess_budget(
                budget_of("budget", money_of("budget", self.budget), self.currency, "month"),
                now=datetime.combine(last, datetime.min.time(), UTC),
                stale_policy=StalePolicy.WARN,
            )
            if self.budget
            else None,
            workload=analyzer.price_workload(
                workload_of(self.workload),
                [r.cloud for r in analyzer.compare_costs(start, end, limit=1, by=by).reports],
                today=last,
                prices=self.prices or None,
            )
            if self.workload
            else None,
            recommendations=read_recommendations(self.recommendations)
            if self.recommendations
            else (),
        )
        files = write_report_files(document, self.target)
        for name, file in files.items():
            self.log.info("%s: %s", name, file.where)
        compared = document.comparison
        total = compared.total
        for apart in compared.unconverted:
            self.log.warning(
                "not converted: %s of %s: %s", apart.on(compared.basis), apart.cloud, apart.reason
            )
        for overlap in compared.left_out:
            self.log.warning("not counted: %s", overlap)
        facts = {
            "files": {name: file.where for name, file in files.items()},
            "sha256": {name: file.sha256 for name, file in files.items()},
            "start": start.isoformat(),
            "end": end.isoformat(),
            "beside_last": [documents.document_of(row) for row in document.beside_last],
            "total": None if total is None else str(document.rounded_total),
            **documents.apart(compared),
            "currency": self.currency,
            "basis": compared.basis.value,
            "by": compared.by.value,
            "estimated": None if total is None else total.estimated,
            "anomaly_count": len(document.anomalies.found) if document.anomalies else None,
            "restatement_count": len(document.restatements),
        }
        return Outcome(facts)
