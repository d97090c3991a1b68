"""The same workload on each cloud."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_multicloud.api.cost.values import workload_of
from airflow_multicloud.core.cost import documents
from airflow_multicloud.lists import texts
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.cost.base import CostOperator, day_of

if TYPE_CHECKING:
    from airflow.sdk import Context


class PriceWorkloadOperator(CostOperator):
    """The same workload on each cloud, at your own unit prices where the bill has them.

    Returns a quote per cloud, as the report's JSON has it, and the cheapest of the complete ones.

    :param workload: fields of :class:`~airflow_multicloud.core.cost.prices.workload.Workload`, like
        ``{"vcpus": 4, "memory_gib": 16, "storage_gb": 500, "egress_gb": 100}``.
    :param on: names of clouds (``clouds`` filters the bill).
    :param day: your own prices are of the month before this day.
    :param regions: cloud → region; where all can be priced and is cheapest by default.
    :param prices: path or URI of the list prices for what the bill lacks, as a
        :class:`~airflow_multicloud.operators.cost.refresh.RefreshPricesOperator` writes it; the
        packaged ones by default. How old they are is said.
    :param max_price_age: refuse older list prices.
    """

    template_fields: Sequence[str] = (
        *CostOperator.template_fields,
        "workload",
        "on",
        "day",
        "regions",
        "prices",
    )

    def __init__(
        self,
        *,
        workload: Mapping[str, Any],
        on: Sequence[str] = ("aws", "gcp", "azure"),
        day: str = "{{ ds }}",
        regions: Mapping[str, str] | None = None,
        prices: str | None = None,
        max_price_age: timedelta | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.workload = workload
        self.on = on
        self.day = day
        self.regions = regions
        self.prices = prices
        self.max_price_age = max_price_age

    def perform(self, context: Context) -> Outcome:
        """Price it."""
        today = day_of("day", self.day)
        found = self.analyzer().price_workload(
            workload_of(self.workload),
            texts(self.on, "on", what="names of clouds"),
            today=today,
            regions=self.regions,
            prices=self.prices or None,
            max_price_age=self.max_price_age,
        )
        for quote in found.quotes:
            if quote.complete:
                self.log.info("%s", quote)
            else:
                self.log.warning("%s", quote)
            if quote.old(today):
                self.log.warning("%s: some prices are of %s; RefreshPricesOperator refreshes them",
                                 quote.cloud, quote.oldest_price)  # fmt: skip
        best = found.cheapest
        if best:
            self.log.info("cheapest: %s", best.cloud)
        return Outcome({**documents.workload(found), "currency": self.currency})
