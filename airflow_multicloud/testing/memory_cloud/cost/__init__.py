"""Cost in memory: the port and every optional capability, kept to the letter.

Exports lie in the in-memory object store of the same connection id
(:class:`~airflow_multicloud.testing.bills.memory_exports.MemoryExport` writes them); what the
APIs answer is what a test put into :func:`billing`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.cost import (
    ApiForecast,
    Cost,
    CostMetric,
    CostQuery,
    CostQueryResult,
    CostQueryRow,
    ExportedPeriod,
    FetchedPeriod,
    ListPrice,
    PriceQuery,
    Recommendations,
)
from airflow_multicloud.testing.memory_cloud import object_store
from airflow_multicloud.testing.memory_cloud.cost.billing import billing, forget
from airflow_multicloud.testing.memory_cloud.cost.exports import (
    exported_periods,
    failure,
    fetch_period,
)

__all__ = ["Hook", "MemoryCostHook", "billing", "forget"]

_GROUPS = ("ServiceName", "RegionId", "SubAccountId")
_MOST_GROUPS = 2
#: What a request costs, as at AWS, so that a price is there to be shown.
_PRICE = Decimal("0.01")


class MemoryCostHook:
    """The bill of one connection id.

    :param memory_conn_id: which space; the connection itself is never read.
    """

    conn_name_attr = "memory_conn_id"

    def __init__(self, memory_conn_id: str = "memory_default") -> None:
        self.memory_conn_id = memory_conn_id
        self.store = object_store.Hook(memory_conn_id)

    def list_billing_periods(self, export: str) -> Sequence[ExportedPeriod]:
        """The periods that have a manifest.

        :param export: ``bucket/prefix/export-name``.
        """
        return exported_periods(self.store, export)

    def fetch_billing_period(
        self, period: ExportedPeriod, directory: Path, *, after: str | None = None
    ) -> FetchedPeriod:
        """The files of the period's version."""
        return fetch_period(self.store, period, directory, after)

    def query_costs(self, query: CostQuery) -> CostQueryResult:
        """The rows put in, added up by day and group."""
        _check_days(query.start, query.end)
        if len(query.group_by) > _MOST_GROUPS or not set(query.group_by) <= set(_GROUPS):
            raise failure(
                f"group_by: {query.group_by!r} given, allowed are at most two of "
                f"{', '.join(_GROUPS)}",
                ErrorKind.INVALID_ARGUMENT,
            )
        held = billing(self.memory_conn_id)
        rows = _added_up(held.costs, query)
        requests = max(1, -(-len(rows) // held.page))
        if requests > query.max_requests:
            raise failure(
                f"max_requests: {query.max_requests} given, the answer has more pages",
                ErrorKind.QUOTA,
            )
        return CostQueryResult(rows=rows, requests=requests, price=requests * _PRICE)

    def forecast_cost(
        self,
        start: date,
        end: date,
        metric: CostMetric,  # noqa: ARG002 - the answer is what a test put in
    ) -> ApiForecast:
        """The forecast put in."""
        _check_days(start, end)
        found = billing(self.memory_conn_id).forecast
        if found is None:
            raise failure("forecast: there is too little history", ErrorKind.INVALID_ARGUMENT)
        return found

    def list_recommendations(self) -> Recommendations:
        """The recommendations put in."""
        held = billing(self.memory_conn_id)
        return Recommendations(found=tuple(held.recommendations), unavailable=held.unavailable)

    def list_prices(self, queries: Sequence[PriceQuery]) -> Sequence[ListPrice]:
        """The prices put in that were asked for."""
        asked = {(query.meter, query.sku, query.region_id) for query in queries}
        held = billing(self.memory_conn_id).prices
        return [price for price in held if (price.meter, price.sku, price.region_id) in asked]


def _added_up(costs: Sequence[CostQueryRow], query: CostQuery) -> tuple[CostQueryRow, ...]:
    sums: dict[tuple[date, str, bool, tuple[str, ...]], Decimal] = defaultdict(Decimal)
    for row in costs:
        if query.start <= row.charge_date < query.end:
            group = tuple(row.group.get(name, "") for name in query.group_by)
            sums[row.charge_date, row.billing_currency, row.estimated, group] += row.cost
    return tuple(
        CostQueryRow(
            charge_date=day,
            group=dict(zip(query.group_by, group, strict=True)),
            cost=cost,
            billing_currency=currency,
            estimated=estimated,
        )
        for (day, currency, estimated, group), cost in sorted(sums.items())
    )


def _check_days(start: date, end: date) -> None:
    if end <= start:
        raise failure(f"end: {end} given, must be after start {start}", ErrorKind.INVALID_ARGUMENT)


Hook: type[Cost] = MemoryCostHook
