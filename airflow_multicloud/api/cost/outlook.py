"""What is out of the ordinary, what is to come, and whether the budget holds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from airflow_multicloud.api.cost.scope import CostScope
from airflow_multicloud.core.cost.anomalies import Anomalies, Sensitivity, find_anomalies
from airflow_multicloud.core.cost.anomalies.surprises import WINDOW
from airflow_multicloud.core.cost.budget import (
    Budget,
    BudgetVerdict,
    ForecastBound,
    StalePolicy,
    assess_budget,
)
from airflow_multicloud.core.cost.forecast import Forecast, forecast_costs
from airflow_multicloud.core.cost.store import View
from airflow_multicloud.core.telemetry import operation


class Outlook(CostScope):
    """What to expect."""

    @operation("cost.find_anomalies")
    def find_anomalies(
        self, start: date, end: date, *, sensitivity: Sensitivity | None = None
    ) -> Anomalies:
        """Services whose daily cost jumped."""
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

    @operation("cost.forecast")
    def forecast_costs(self, start: date, end: date) -> Forecast:
        """What the whole period will have cost, with an interval."""
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

    @operation("cost.assess_budget")
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

        :param now: in the budget's period.
        :param run_estimate: in the budget's currency.
        """
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
