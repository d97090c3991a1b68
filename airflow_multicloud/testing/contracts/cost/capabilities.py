"""What the optional capabilities of a cost hook must do."""
# ruff: noqa: S101 - a test suite asserts

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

import pytest

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.cost import (
    ApiForecast,
    CostForecasts,
    CostMetric,
    CostQueries,
    CostQuery,
    CostQueryRow,
    CostRecommendations,
    Effort,
    ListPrice,
    PriceLists,
    PriceQuery,
    Recommendation,
)
from airflow_multicloud.testing.contracts.cost.exports import fails

if TYPE_CHECKING:
    from airflow_multicloud.testing.contracts.cost.rigs import CostRig

START, END = date(2026, 9, 1), date(2026, 9, 8)
_SERVICES = ("Compute", "Databases & more", "Stockage d'objets")


def costs(*, days: int = 7, estimated_from: int = 5) -> list[CostQueryRow]:
    """Rows whose sums only exact arithmetic gets right."""
    return [
        CostQueryRow(
            charge_date=START + timedelta(days=day),
            group={"ServiceName": service},
            cost=Decimal(day * 100 + number + 1) / Decimal(1000),
            billing_currency="USD",
            estimated=day >= estimated_from,
        )
        for day in range(days)
        for number, service in enumerate(_SERVICES)
    ]


def ordered(rows: tuple[CostQueryRow, ...] | list[CostQueryRow]) -> list[object]:
    """Rows by day and group, comparable."""
    found = [(r.charge_date, sorted(r.group.items()), r.cost, r.billing_currency) for r in rows]
    return sorted(found, key=str)


class CostQueriesContract:
    """The capability ``CostQueries``."""

    needs: ClassVar[tuple[type, ...]] = (CostQueries,)

    def test_every_row(self, cost_rig: CostRig) -> None:
        """Exact, with currency; one request, and its price."""
        cost_rig.seed_costs(costs(), page=1000)
        found = cost_rig.capability(CostQueries).query_costs(CostQuery(start=START, end=END))
        assert ordered(found.rows) == ordered(costs())
        assert found.requests == 1
        assert found.price >= 0

    def test_estimated(self, cost_rig: CostRig) -> None:
        """Figures that may still change say so."""
        cost_rig.seed_costs(costs(estimated_from=5), page=1000)
        found = cost_rig.capability(CostQueries).query_costs(CostQuery(start=START, end=END))
        estimated = {row.charge_date for row in found.rows if row.estimated}
        assert estimated == {date(2026, 9, 6), date(2026, 9, 7)}

    def test_every_page(self, cost_rig: CostRig) -> None:
        """Five pages are all read, and counted."""
        cost_rig.seed_costs(costs(), page=5)
        found = cost_rig.capability(CostQueries).query_costs(CostQuery(start=START, end=END))
        assert ordered(found.rows) == ordered(costs())
        assert found.requests >= len(costs()) // 5

    def test_too_many_pages(self, cost_rig: CostRig) -> None:
        """``quota``, rather than a part of the answer or one request more."""
        cost_rig.seed_costs(costs(), page=5)
        query = CostQuery(start=START, end=END, max_requests=2)
        with fails(cost_rig, ErrorKind.QUOTA) as caught:
            cost_rig.capability(CostQueries).query_costs(query)
        assert "max_requests" in str(caught.value)

    def test_nothing(self, cost_rig: CostRig) -> None:
        """No costs are no rows."""
        cost_rig.seed_costs([], page=1000)
        found = cost_rig.capability(CostQueries).query_costs(CostQuery(start=START, end=END))
        assert found.rows == ()

    @pytest.mark.parametrize(
        ("query", "named"),
        [
            pytest.param(CostQuery(start=END, end=START), "start", id="days"),
            pytest.param(CostQuery(start=START, end=START), "start", id="no_days"),
            pytest.param(
                CostQuery(start=START, end=END, group_by=("Service",)), "group_by", id="group"
            ),
            pytest.param(
                CostQuery(
                    start=START, end=END, group_by=("ServiceName", "RegionId", "SubAccountId")
                ),
                "group_by",
                id="groups",
            ),
        ],
    )
    def test_refused(self, cost_rig: CostRig, query: CostQuery, named: str) -> None:
        """Before anything is asked, naming the parameter."""
        with fails(cost_rig, ErrorKind.INVALID_ARGUMENT) as caught:
            cost_rig.capability(CostQueries).query_costs(query)
        assert named in str(caught.value)


class CostForecastsContract:
    """The capability ``CostForecasts``."""

    needs: ClassVar[tuple[type, ...]] = (CostForecasts,)

    def test_forecast(self, cost_rig: CostRig) -> None:
        """The cloud's own figures, exact, with the interval."""
        forecast = ApiForecast(
            start=START,
            end=END,
            mean=Decimal("1234.567"),
            lower=Decimal("1100.1"),
            upper=Decimal("1400.9"),
            billing_currency="USD",
            requests=1,
            price=Decimal("0.01"),
        )
        cost_rig.seed_forecast(forecast)
        capability = cost_rig.capability(CostForecasts)
        found = capability.forecast_cost(START, END, CostMetric.BILLED_COST)
        assert (found.start, found.end) == (START, END)
        assert (found.lower, found.mean, found.upper) == (
            forecast.lower,
            forecast.mean,
            forecast.upper,
        )
        assert found.billing_currency == "USD"

    def test_too_little_history(self, cost_rig: CostRig) -> None:
        """``invalid_argument``."""
        cost_rig.seed_forecast(None)
        with fails(cost_rig, ErrorKind.INVALID_ARGUMENT):
            cost_rig.capability(CostForecasts).forecast_cost(START, END, CostMetric.BILLED_COST)


class CostRecommendationsContract:
    """The capability ``CostRecommendations``."""

    needs: ClassVar[tuple[type, ...]] = (CostRecommendations,)

    def test_recommendations(self, cost_rig: CostRig) -> None:
        """In the common schema, with the saving exact."""
        seeded = recommendation()
        cost_rig.seed_recommendations([seeded], {})
        found = cost_rig.capability(CostRecommendations).list_recommendations()
        assert [
            (r.recommendation_id, r.action, r.monthly_savings, r.billing_currency, r.effort)
            for r in found.found
        ] == [("rec-1", "rightsize", Decimal("12.34"), "USD", Effort.LOW)]
        assert all(r.summary and r.source and r.sub_account_id for r in found.found)

    def test_unavailable(self, cost_rig: CostRig) -> None:
        """A source that can't be asked is named with the reason: no silence."""
        cost_rig.seed_recommendations([], {"first_source": "not enrolled"})
        found = cost_rig.capability(CostRecommendations).list_recommendations()
        assert found.found == ()
        assert found.unavailable
        assert all(found.unavailable.values())


class PriceListsContract:
    """The capability ``PriceLists``."""

    needs: ClassVar[tuple[type, ...]] = (PriceLists,)

    def test_prices(self, cost_rig: CostRig) -> None:
        """What was asked for and is known, with source and day; the rest has no row."""
        price = ListPrice(
            meter="compute",
            sku="machine-2",
            region_id="somewhere-1",
            unit="hour",
            list_unit_price=Decimal("0.0416"),
            currency="USD",
            source="price list",
            as_of=date(2026, 9, 1),
        )
        cost_rig.seed_prices([price])
        asked = [
            PriceQuery(meter="compute", sku="machine-2", region_id="somewhere-1"),
            PriceQuery(meter="compute", sku="machine-9", region_id="somewhere-1"),
        ]
        found = cost_rig.capability(PriceLists).list_prices(asked)
        assert [(p.sku, p.region_id, p.unit, p.list_unit_price, p.currency) for p in found] == [
            ("machine-2", "somewhere-1", "hour", Decimal("0.0416"), "USD")
        ]
        assert all(p.source and p.as_of for p in found)

    def test_nothing_asked(self, cost_rig: CostRig) -> None:
        """No queries, no rows."""
        cost_rig.seed_prices([])
        assert list(cost_rig.capability(PriceLists).list_prices([])) == []


def recommendation() -> Recommendation:
    """One recommendation with everything known."""
    return Recommendation(
        recommendation_id="rec-1",
        source="first_source",
        sub_account_id="111122223333",
        resource_id="machine/1",
        resource_type="instance",
        region_id="somewhere-1",
        action="rightsize",
        summary="machine-4 → machine-2",
        monthly_savings=Decimal("12.34"),
        billing_currency="USD",
        effort=Effort.LOW,
        last_refreshed=datetime(2026, 9, 1, tzinfo=UTC),
        details={"from": "machine-4", "to": "machine-2"},
    )
