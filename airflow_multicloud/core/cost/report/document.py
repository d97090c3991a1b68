"""What a cost report says: gathered from the store in one snapshot, before it is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.cost.anomalies import Anomalies, Sensitivity, find_anomalies
from airflow_multicloud.core.cost.budget import BudgetVerdict
from airflow_multicloud.core.cost.compare import CostComparison, CostReport, compare_costs
from airflow_multicloud.core.cost.fx import ExchangeRates
from airflow_multicloud.core.cost.money import CostBasis, rounded_lines
from airflow_multicloud.core.cost.quality import QualityReport
from airflow_multicloud.core.cost.smallest_bill import SmallestBill, get_smallest_bill
from airflow_multicloud.core.cost.store.restatements import read_restatements
from airflow_multicloud.core.cost.store.snapshot import Restatement
from airflow_multicloud.core.cost.workload import WorkloadComparison

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class CostDocument:
    """One report.

    :param comparison: by service. :param daily: by charge day.
    :param recommendations: as a recommendations' object holds them, best first.
    """

    made_at: datetime
    comparison: CostComparison
    daily: CostComparison
    smallest_bill: SmallestBill | None
    anomalies: Anomalies | None
    restatements: tuple[Restatement, ...]
    quality: tuple[QualityReport, ...] = ()
    budget: BudgetVerdict | None = None
    workload: WorkloadComparison | None = None
    recommendations: tuple[Mapping[str, Any], ...] = ()

    def rows(self) -> list[dict[str, str]]:
        """The breakdown by service as flat rows, rounded so that they add up."""
        return [row for report in self.comparison.reports for row in service_rows(report)]

    def as_dict(self) -> dict[str, Any]:
        """For JSON: every figure with its basis, currency, as-of date and completeness."""
        comparison = self.comparison
        return {
            "made_at": self.made_at.isoformat(),
            "start": comparison.start.isoformat(),
            "end": comparison.end.isoformat(),
            "currency": comparison.currency,
            "basis": comparison.basis.value,
            "total": None if comparison.total is None else str(comparison.total.amount),
            "clouds": [_cloud(report) for report in comparison.reports],
            "missing": dict(comparison.missing),
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
        smallest_bill=get_smallest_bill(by_service.reports) if by_service.reports else None,
        anomalies=anomalies,
        restatements=tuple(restatements),
        quality=tuple(quality),
        budget=budget,
        workload=workload,
        recommendations=tuple(recommendations),
    )


def service_rows(report: CostReport) -> list[dict[str, str]]:
    """One cloud's breakdown, on all four bases, as flat rows of text."""
    by_basis = {
        basis: rounded_lines([line.costs.on(basis) for line in report.lines]) for basis in CostBasis
    }
    return [
        {
            "Cloud": report.cloud,
            **{n: v for n, v in zip(report.group_by, line.group, strict=True) if n != "Cloud"},
            **{basis.column: str(by_basis[basis][number]) for basis in CostBasis},
            "Currency": report.currency,
            "Charges": str(line.charges),
            "Completeness": str(report.coverage),
        }
        for number, line in enumerate(report.lines)
    ]


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


def two_places(amount: Decimal) -> str:
    """For a reader: thousands apart, cents kept."""
    return f"{amount:,.2f}"
