"""Ask the store what a report shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.cost.anomalies import Anomalies, Sensitivity, find_anomalies
from airflow_multicloud.core.cost.anomalies.surprises import WINDOW
from airflow_multicloud.core.cost.budget import BudgetVerdict
from airflow_multicloud.core.cost.compare import compare_costs
from airflow_multicloud.core.cost.compare.comparison import CostComparison
from airflow_multicloud.core.cost.forecast import Forecast, forecast_costs
from airflow_multicloud.core.cost.fx import ExchangeRates
from airflow_multicloud.core.cost.money import CostBasis, CostPeriod
from airflow_multicloud.core.cost.prices.workload import WorkloadComparison
from airflow_multicloud.core.cost.quality import QualityReport
from airflow_multicloud.core.cost.report.beside_last import is_month, on_the_bill, period_before
from airflow_multicloud.core.cost.report.document import CostDocument
from airflow_multicloud.core.cost.smallest_bill import get_smallest_bill
from airflow_multicloud.core.cost.store.restatements import read_restatements
from airflow_multicloud.core.cost.store.snapshot import Restatement
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.months import month_bounds

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_DAILY = ("ChargeDate",)

#: From a day to before another one, of one snapshot: by charge day, or by billing period.
Connect = Callable[[date, date, CostPeriod], AbstractContextManager["DuckDBPyConnection"]]


@operation("cost.report")
def gather(
    connect: Connect,
    start: date,
    end: date,
    *,
    made_at: datetime,
    currency: str,
    basis: CostBasis = CostBasis.EFFECTIVE,
    by: CostPeriod = CostPeriod.CHARGE_DAY,
    group_by: Sequence[str] = ("ServiceName",),
    limit: int | None = None,
    clouds: Sequence[str] | None = None,
    rates: ExchangeRates | None = None,
    sensitivity: Sensitivity | None = None,
    quality: Sequence[QualityReport] = (),
    budget: BudgetVerdict | None = None,
    workload: WorkloadComparison | None = None,
    recommendations: Sequence[Mapping[str, Any]] = (),
) -> CostDocument:
    """Ask the store everything that the report shows.

    :param connect: to one snapshot, with all views; one is open at a time.
    :param by: as of :func:`compare_costs`, for what is compared with the period before, too.
        Anomalies are always days' use.
    :param group_by: the breakdown's.
    :param limit: its lines per cloud.
    :raises CostAnalysisError: as :func:`compare_costs`.
    """
    asked: dict[str, Any] = {
        "currency": currency,
        "basis": basis,
        "clouds": clouds,
        "rates": rates,
    }
    with connect(start, end, by) as connection:
        compared = compare_costs(
            connection, start, end, by=by, group_by=group_by, limit=limit, **asked
        )
        daily = compare_costs(connection, start, end, by=by, group_by=_DAILY, **asked)
    first, following = period_before(start, end)
    with connect(first, following, by) as connection:
        before = _known(connection, first, following, like=daily, **asked)
    forecast: Forecast | None = None
    anomalies: Anomalies | None = None
    with connect(start - WINDOW, end, CostPeriod.CHARGE_DAY) as connection:
        if compared.reports:
            anomalies = find_anomalies(connection, start, end, sensitivity=sensitivity, **asked)
        if compared.reports and is_month(start, end):
            forecast = forecast_costs(connection, *month_bounds(start), **asked)
            if not any(cloud.days_left for cloud in forecast.clouds):
                forecast = None  # The month is over.
            elif by is CostPeriod.BILLING_PERIOD:
                days = replace(daily, by=CostPeriod.CHARGE_DAY)
                forecast = on_the_bill(
                    forecast, daily, _known(connection, start, end, like=days, **asked)
                )
        return CostDocument(
            made_at=made_at,
            comparison=compared,
            daily=daily,
            before=before,
            forecast=forecast,
            smallest_bill=get_smallest_bill(compared.reports) if compared.reports else None,
            anomalies=anomalies,
            accounts=_accounts(connection, anomalies) if anomalies else {},
            restatements=_restatements(connection, compared, clouds),
            quality=tuple(quality),
            budget=budget,
            workload=workload,
            recommendations=tuple(recommendations),
        )


def _known(
    connection: DuckDBPyConnection, start: date, end: date, *, like: CostComparison, **asked: Any
) -> CostComparison:
    """Another period, or the same one by other days; nothing where nothing can be converted.

    It may lack what the report's own period has: then it is not there to compare with.
    """
    try:
        return compare_costs(connection, start, end, by=like.by, group_by=like.group_by, **asked)
    except CostAnalysisError as err:
        if err.kind is not ErrorKind.NOT_FOUND:
            raise
        missing = {report.cloud: str(err) for report in like.reports}
        return replace(like, start=start, end=end, reports=(), missing=missing, left_out=())


def _restatements(
    connection: DuckDBPyConnection, compared: CostComparison, clouds: Sequence[str] | None
) -> tuple[Restatement, ...]:
    """Those of the days, or the bills, that are compared."""

    def belongs(seen: Restatement) -> bool:
        if compared.by is CostPeriod.BILLING_PERIOD:
            return compared.start <= seen.billing_period < compared.end
        return seen.last_day >= compared.start and seen.first_day < compared.end

    return tuple(
        seen
        for seen in read_restatements(connection)
        if belongs(seen) and (clouds is None or seen.cloud in clouds)
    )


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
