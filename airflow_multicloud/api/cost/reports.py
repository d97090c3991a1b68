"""Everything that the page of a cost report shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from airflow_multicloud.api.cost.scope import CostScope, cost_texts
from airflow_multicloud.core.cost.budget import BudgetVerdict
from airflow_multicloud.core.cost.money import CostPeriod
from airflow_multicloud.core.cost.prices.workload import WorkloadComparison
from airflow_multicloud.core.cost.quality import QualityReport
from airflow_multicloud.core.cost.report import CostDocument, gather
from airflow_multicloud.core.telemetry import operation

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Reports(CostScope):
    """All of it on one page."""

    @operation("cost.report")
    def report(
        self,
        start: date,
        end: date,
        *,
        group_by: Sequence[str] = ("ServiceName",),
        limit: int | None = None,
        by: str | None = None,
        quality: Sequence[QualityReport] = (),
        budget: BudgetVerdict | None = None,
        workload: WorkloadComparison | None = None,
        recommendations: Sequence[Mapping[str, Any]] = (),
    ) -> CostDocument:
        """Everything a report shows; ``write_cost_report`` writes it.

        :param group_by: as of :meth:`compare_costs`, as are ``limit`` and ``by``: the page's
            figures are those that a comparison of the same arguments has.
        """
        store = self._store
        snapshot = store.snapshot()

        def connect(
            first: date, after: date, period: CostPeriod
        ) -> AbstractContextManager[DuckDBPyConnection]:
            return store.connect(start=first, end=after, by=period, snapshot=snapshot)

        return gather(
            connect,
            start,
            end,
            made_at=datetime.now(UTC),
            currency=self.currency,
            basis=self._cost_basis,
            by=self._period(start, end, by),
            group_by=cost_texts(group_by, "group_by", "dimensions"),
            limit=limit,
            clouds=self.clouds,
            rates=self._rates,
            quality=quality,
            budget=budget,
            workload=workload,
            recommendations=recommendations,
        )
