"""What a cost report says, before it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from airflow_multicloud.core.cost.anomalies import Anomalies
from airflow_multicloud.core.cost.budget import BudgetVerdict
from airflow_multicloud.core.cost.compare.comparison import CostComparison
from airflow_multicloud.core.cost.forecast import Forecast
from airflow_multicloud.core.cost.money import exact_sum
from airflow_multicloud.core.cost.prices.workload import WorkloadComparison
from airflow_multicloud.core.cost.quality import QualityReport
from airflow_multicloud.core.cost.report.beside_last import BesideLast, beside_last
from airflow_multicloud.core.cost.report.tables import service_rows
from airflow_multicloud.core.cost.smallest_bill import SmallestBill
from airflow_multicloud.core.cost.store.snapshot import Restatement

#: What is shown of an account's id, which may be long: its end tells accounts apart.
_TAIL = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class CostDocument:
    """One report.

    :param comparison: broken down as asked, by service by default.
    :param daily: the same charges, day by day.
    :param before: those of the months, or the days, before, day by day.
    :param forecast: of the month that is under way; ``None`` for any other period. Where the
        comparison is by billing period, it is of the bill.
    :param accounts: sub-account id → its name in the bill, of those with an anomaly.
    :param recommendations: as a recommendations' object holds them, best first.
    """

    made_at: datetime
    comparison: CostComparison
    daily: CostComparison
    before: CostComparison
    forecast: Forecast | None
    smallest_bill: SmallestBill | None
    anomalies: Anomalies | None
    accounts: Mapping[str, str]
    restatements: tuple[Restatement, ...]
    quality: tuple[QualityReport, ...] = ()
    budget: BudgetVerdict | None = None
    workload: WorkloadComparison | None = None
    recommendations: tuple[Mapping[str, Any], ...] = ()

    @property
    def rounded_total(self) -> Decimal | None:
        """For a reader: the sum of the clouds' rounded totals, as it is of their invoices."""
        if not self.comparison.reports:
            return None
        return exact_sum([report.total.rounded() for report in self.comparison.reports])

    @property
    def grouping(self) -> tuple[str, ...]:
        """What the clouds are broken down by."""
        return tuple(name for name in self.comparison.group_by if name != "Cloud")

    @property
    def heading(self) -> str:
        """Of the breakdown."""
        services = self.grouping == ("ServiceName",)
        return "Services" if services else f"By {', '.join(self.grouping)}"

    @property
    def beside_last(self) -> tuple[BesideLast, ...]:
        """Each cloud beside its month before, and all of them."""
        return beside_last(self.daily, self.before, self.forecast)

    def account(self, sub_account_id: str | None) -> str:
        """What a reader knows an account by: its name, else the end of its id."""
        known = sub_account_id or ""
        name = self.accounts.get(known)
        if name and name != known:
            return name
        known = known.rpartition("/")[2]  # Azure's are paths.
        return known if len(known) <= _TAIL else f"…{known[-_TAIL:]}"

    def rows(self) -> list[dict[str, Any]]:
        """The breakdown as flat rows, rounded so that they add up."""
        return [row for report in self.comparison.reports for row in service_rows(report)]
