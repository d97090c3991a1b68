"""What each cloud cost, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.cost import documents
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.cost.base import CostOperator, days

if TYPE_CHECKING:
    from airflow.sdk import Context


class CompareCostOperator(CostOperator):
    """What each cloud cost, in one currency, broken down; and which bill is the smallest.

    Returns what the report's JSON says of it: totals per cloud on all four cost bases, with
    completeness, as-of time and exchange rates, and the largest lines. Amounts are texts, and
    unrounded.

    :param start: first day.
    :param end: the day after the last.
    :param group_by: FOCUS columns, or ``tag:<key>``.
    :param limit: lines a cloud; the rest is summed up as ``(other)``.
    :param by: ``charge_day`` or ``billing_period`` (the invoices of these months); by default the
        latter for whole months on the basis ``billed``, else the former.
    """

    template_fields: Sequence[str] = (
        *CostOperator.template_fields,
        "start",
        "end",
        "group_by",
        "by",
    )

    def __init__(
        self,
        *,
        start: str,
        end: str,
        group_by: Sequence[str] = ("ServiceName",),
        limit: int = 20,
        by: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.start = start
        self.end = end
        self.group_by = group_by
        self.limit = limit
        self.by = by

    def perform(self, context: Context) -> Outcome:
        """Compare."""
        start, end = days(self.start, self.end)
        analyzer = self.analyzer()
        found = analyzer.compare_costs(
            start, end, group_by=self.group_by, limit=self.limit, by=self.by or None
        )
        smallest = analyzer.get_smallest_bill(found.reports) if found.reports else None
        for report in found.reports:
            self.log.info("%s: %s", report.cloud, report.total)
            for line in report.lines:
                amount = line.costs.on(report.basis)
                self.log.info("  %-50s %14s %s", " / ".join(line.group), f"{amount:.2f}",
                              report.currency)  # fmt: skip
        for cloud, why in found.missing.items():
            self.log.warning("%s is missing: %s", cloud, why)
        for overlap in found.left_out:
            self.log.warning("not counted: %s", overlap)
        self.warn_unconverted(found.unconverted)
        if smallest:
            self.log.info("smallest bill: %s", smallest)
        return Outcome(
            {
                **documents.comparison(found),
                "smallest_bill": list(smallest.clouds) if smallest else [],
            }
        )
