"""What clouds cost, side by side, and what each DAG did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from airflow_multicloud.api.cost.scope import CostScope, cost_texts
from airflow_multicloud.core.cost.attribution import Attribution, attribute_costs
from airflow_multicloud.core.cost.compare import compare_costs, views_asked
from airflow_multicloud.core.cost.compare.comparison import CostComparison, CostReport
from airflow_multicloud.core.cost.smallest_bill import SmallestBill, get_smallest_bill
from airflow_multicloud.core.telemetry import operation


class Comparison(CostScope):
    """What was spent, and where."""

    @operation("cost.compare")
    def compare_costs(
        self,
        start: date,
        end: date,
        *,
        group_by: Sequence[str] = ("Cloud", "ServiceName"),
        limit: int | None = None,
        by: str | None = None,
    ) -> CostComparison:
        """What each cloud cost from ``start`` to before ``end``, broken down.

        :param group_by: FOCUS columns, or ``tag:<key>``.
        :param limit: lines a cloud; the rest is summed up as ``(other)``.
        :param by: ``charge_day``: what was charged for these days; ``billing_period``: what is
            on the bills of these months, that is, the invoices. By default the latter for whole
            months on the basis ``billed``, else the former; each figure says which it is.
        :raises CostAnalysisError: see :func:`~airflow_multicloud.core.cost.compare.compare_costs`.
        """
        group_by = cost_texts(group_by, "group_by", "dimensions")
        period = self._period(start, end, by)
        views = views_asked(group_by)
        with self._store.connect(start=start, end=end, by=period, views=views) as connection:
            return compare_costs(
                connection,
                start,
                end,
                currency=self.currency,
                basis=self._cost_basis,
                group_by=group_by,
                clouds=self.clouds,
                limit=limit,
                rates=self._rates,
                by=period,
            )

    @staticmethod
    def get_smallest_bill(reports: Sequence[CostReport]) -> SmallestBill:
        """Which cloud charged least a day for what was used there: taxes and credits left out.

        That is not the cheapest cloud, as each runs other work: for one workload's price on
        each see :meth:`price_workload`.
        """
        return get_smallest_bill(reports)

    #: What :meth:`get_smallest_bill` was called first.
    get_cheapest_provider = get_smallest_bill

    @operation("cost.attribute")
    def attribute_costs(
        self, start: date, end: date, *, dag_ids: Sequence[str] = ()
    ) -> Attribution:
        """What each DAG and task cost, by the labels in the bill, and what none explains."""
        dag_ids = cost_texts(dag_ids, "dag_ids", "DAG ids")
        with self._store.connect(start=start, end=end) as connection:
            return attribute_costs(
                connection,
                start,
                end,
                currency=self.currency,
                basis=self._cost_basis,
                clouds=self.clouds,
                dag_ids=dag_ids,
                rates=self._rates,
            )
