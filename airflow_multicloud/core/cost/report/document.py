"""What a cost report says: gathered from the store in one snapshot, before it is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.cost.anomalies import Anomalies, Sensitivity, find_anomalies
from airflow_multicloud.core.cost.budget import BudgetVerdict
from airflow_multicloud.core.cost.compare import CostComparison, CostReport, compare_costs
from airflow_multicloud.core.cost.forecast import Forecast, forecast_costs, month_of
from airflow_multicloud.core.cost.fx import ExchangeRates
from airflow_multicloud.core.cost.money import CostBasis, exact_sum
from airflow_multicloud.core.cost.quality import QualityReport
from airflow_multicloud.core.cost.report.months import (
    BesideLast,
    beside_last,
    is_month,
    period_before,
)
from airflow_multicloud.core.cost.report.tables import service_rows
from airflow_multicloud.core.cost.smallest_bill import SmallestBill, get_smallest_bill
from airflow_multicloud.core.cost.store.restatements import read_restatements
from airflow_multicloud.core.cost.store.snapshot import Restatement
from airflow_multicloud.core.cost.workload import WorkloadComparison
from airflow_multicloud.errors import CostAnalysisError, ErrorKind

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


#: What is shown of an account's id, which may be long: its end tells accounts apart.
_TAIL = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class CostDocument:
    """One report.

    :param comparison: by service. :param daily: by charge day. :param before: the month, or
        the days, before, by charge day.
    :param forecast: of the month that is under way; ``None`` for any other period.
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

    def rows(self) -> list[dict[str, str]]:
        """The breakdown by service as flat rows, rounded so that they add up."""
        return [row for report in self.comparison.reports for row in service_rows(report)]

    def as_dict(self) -> dict[str, Any]:
        """For JSON: every figure with its basis, currency, as-of date and completeness."""
        comparison = self.comparison
        return {
            "format": "airflow-multicloud cost report",
            "format_version": 1,
            "made_at": self.made_at.isoformat(),
            "start": comparison.start.isoformat(),
            "end": comparison.end.isoformat(),
            "currency": comparison.currency,
            "basis": comparison.basis.value,
            "total": None if comparison.total is None else str(comparison.total.amount),
            "clouds": [_cloud(report) for report in comparison.reports],
            "missing": dict(comparison.missing),
            "before": {
                "start": self.before.start.isoformat(),
                "end": self.before.end.isoformat(),
                "missing": dict(self.before.missing),
            },
            "beside_last": [_beside(row) for row in self.beside_last],
            "smallest_bill": list(self.smallest_bill.clouds) if self.smallest_bill else [],
            "anomalies": [
                {
                    "cloud": a.cloud,
                    "service_name": a.service_name,
                    "sub_account_id": a.sub_account_id,
                    "first_day": a.first_day.isoformat(),
                    "last_day": a.last_day.isoformat(),
                    "actual": str(a.actual),
                    "expected": str(a.expected),
                }
                for a in (self.anomalies.found if self.anomalies else ())
            ],
            "restatements": [
                {
                    "cloud": r.cloud,
                    "billing_period": r.billing_period.isoformat(),
                    "service_name": r.service_name,
                    "billing_currency": r.billing_currency,
                    "old_billed_cost": str(r.old_billed_cost),
                    "new_billed_cost": str(r.new_billed_cost),
                    "seen_at": r.seen_at.isoformat(),
                }
                for r in self.restatements
            ],
            "quality": [report.as_dict() for report in self.quality],
            "recommendations": [dict(item) for item in self.recommendations],
        }


def gather(
    connection: DuckDBPyConnection,
    start: date,
    end: date,
    *,
    made_at: datetime,
    currency: str,
    basis: CostBasis = CostBasis.EFFECTIVE,
    clouds: Sequence[str] | None = None,
    rates: ExchangeRates | None = None,
    sensitivity: Sensitivity | None = None,
    quality: Sequence[QualityReport] = (),
    budget: BudgetVerdict | None = None,
    workload: WorkloadComparison | None = None,
    recommendations: Sequence[Mapping[str, Any]] = (),
) -> CostDocument:
    """Ask the store everything that the report shows.

    :param connection: of :meth:`CostStore.connect`, with the six weeks before ``start`` that
        anomalies are judged by.
    :raises CostAnalysisError: as :func:`compare_costs`.
    """
    by_service, by_day = (
        compare_costs(
            connection,
            start,
            end,
            currency=currency,
            basis=basis,
            group_by=grouping,
            clouds=clouds,
            rates=rates,
        )
        for grouping in (("ServiceName",), ("ChargeDate",))
    )
    before = _before(connection, by_day, currency=currency, basis=basis, clouds=clouds, rates=rates)
    month = month_of(start)
    forecast = None
    if by_service.reports and is_month(start, end):
        forecast = forecast_costs(
            connection, *month, currency=currency, basis=basis, clouds=clouds, rates=rates
        )
    anomalies = None
    if by_service.reports:
        anomalies = find_anomalies(
            connection,
            start,
            end,
            currency=currency,
            basis=basis,
            sensitivity=sensitivity,
            clouds=clouds,
            rates=rates,
        )
    restatements = [
        r
        for r in read_restatements(connection)
        if r.last_day >= start and r.first_day < end and (clouds is None or r.cloud in clouds)
    ]
    return CostDocument(
        made_at=made_at,
        comparison=by_service,
        daily=by_day,
        before=before,
        forecast=forecast if forecast and any(c.days_left for c in forecast.clouds) else None,
        smallest_bill=get_smallest_bill(by_service.reports) if by_service.reports else None,
        anomalies=anomalies,
        accounts=_accounts(connection, anomalies) if anomalies else {},
        restatements=tuple(restatements),
        quality=tuple(quality),
        budget=budget,
        workload=workload,
        recommendations=tuple(recommendations),
    )


def _before(
    connection: DuckDBPyConnection, daily: CostComparison, **options: Any
) -> CostComparison:
    """The period before, which may lack what this one has: then it is not there to compare with."""
    start, end = period_before(daily.start, daily.end)
    try:
        return compare_costs(connection, start, end, group_by=daily.group_by, **options)
    except CostAnalysisError as err:
        if err.kind is not ErrorKind.NOT_FOUND:
            raise
        missing = {report.cloud: str(err) for report in daily.reports}
        return replace(daily, start=start, end=end, reports=(), missing=missing)


def _accounts(connection: DuckDBPyConnection, anomalies: Anomalies) -> dict[str, str]:
    """The names that the bill has last for the accounts that cost too much."""
    ids = sorted({found.sub_account_id for found in anomalies.found})
    if not ids:
        return {}
    rows = connection.execute(
        """SELECT SubAccountId, max_by(SubAccountName, ChargeDate) FROM costs
        WHERE list_contains($ids::VARCHAR[], SubAccountId) AND SubAccountName <> ''
        GROUP BY ALL""",
        {"ids": ids},
    ).fetchall()
    return dict(rows)


def _beside(row: BesideLast) -> dict[str, str | None]:
    amounts = {
        "so_far": row.so_far,
        "same_days_before": row.same_days,
        "before": row.before,
        "expected": row.expected,
        "lower": row.lower,
        "upper": row.upper,
    }
    return {"name": row.name, **{n: None if a is None else str(a) for n, a in amounts.items()}}


def _cloud(report: CostReport) -> dict[str, Any]:
    totals = report.totals
    return {
        "cloud": report.cloud,
        **{basis.column: str(totals.on(basis)) for basis in CostBasis},
        "compared": str(report.compared.amount),
        "by_category": {
            category: str(costs.on(report.basis))
            for category, costs in sorted(report.by_category.items())
        },
        "currency": report.currency,
        "fx": str(report.fx) if report.fx else None,
        "final": report.coverage.final,
        "days_covered": report.coverage.days_covered,
        "days_asked": report.coverage.days_asked,
        "exported_at": report.coverage.exported_at and report.coverage.exported_at.isoformat(),
        "lines": [
            {"group": list(line.group), "amount": str(line.costs.on(report.basis))}
            for line in report.lines
        ],
    }
