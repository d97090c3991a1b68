"""The same workload on each cloud."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from airflow_multicloud.api.cost.price_tables import read_prices
from airflow_multicloud.api.cost.scope import CostScope
from airflow_multicloud.core.cost.money import exact_product
from airflow_multicloud.core.cost.prices import PriceTable
from airflow_multicloud.core.cost.prices.own import WINDOW, own_prices
from airflow_multicloud.core.cost.prices.workload import (
    Workload,
    WorkloadComparison,
    price_workload,
)
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import CostAnalysisError
from airflow_multicloud.lists import texts


class Workloads(CostScope):
    """What something would cost."""

    @operation("cost.price_workload")
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
            :func:`~airflow_multicloud.api.cost.price_tables.refresh_prices` wrote; the packaged
            ones by default. A quote says how old its prices are.
        :param max_price_age: older list prices are refused.
        :param today: your own prices are of the month before this day.
        :param regions: cloud → region; where all can be priced and is cheapest by default.
        """
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
