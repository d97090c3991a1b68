"""Optional capabilities: figures and forecasts from an API, without an export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, runtime_checkable


class CostMetric(StrEnum):
    """Which figure a quick look returns; the names are FOCUS's."""

    BILLED_COST = "billed_cost"
    EFFECTIVE_COST = "effective_cost"


@dataclass(frozen=True, slots=True, kw_only=True)
class CostQuery:
    """A quick look at an API's own figures.

    :param start: first day.
    :param end: the day after the last.
    :param group_by: FOCUS names, at most two: ``ServiceName``, ``RegionId``, ``SubAccountId``.
    :param max_requests: stop with kind ``quota`` rather than send more than this.
    """

    start: date
    end: date
    metric: CostMetric = CostMetric.BILLED_COST
    group_by: tuple[str, ...] = ("ServiceName",)
    max_requests: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CostQueryRow:
    """One day of one group.

    :param estimated: whether the cloud says that the figure may still change.
    """

    charge_date: date
    group: Mapping[str, str]
    cost: Decimal
    billing_currency: str
    estimated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CostQueryResult:
    """All rows, and what asking for them cost.

    :param requests: HTTP requests that the cloud counts.
    :param price: their price, in USD.
    """

    rows: tuple[CostQueryRow, ...]
    requests: int
    price: Decimal


@runtime_checkable
class CostQueries(Protocol):
    """Capability: figures from an API, without an export."""

    def query_costs(self, query: CostQuery) -> CostQueryResult:
        """Daily costs by group, every page of them.

        :raises CostAnalysisError: kind ``quota`` when ``max_requests`` does not suffice;
            kind ``throttled`` when the cloud keeps refusing for its rate limit.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiForecast:
    """What the cloud itself expects for ``[start, end)``, with its 80 % interval."""

    start: date
    end: date
    mean: Decimal
    lower: Decimal
    upper: Decimal
    billing_currency: str
    requests: int
    price: Decimal


@runtime_checkable
class CostForecasts(Protocol):
    """Capability: the cloud's own forecast."""

    def forecast_cost(self, start: date, end: date, metric: CostMetric) -> ApiForecast:
        """The cloud's forecast.

        :raises CostAnalysisError: kind ``invalid_argument`` when it has too little history.
        """
        ...
