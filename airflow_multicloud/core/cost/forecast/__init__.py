"""What a period will have cost when it ends: the bill so far, and the rest with an interval.

Usage of the days left is foreseen from the fourteen weeks before, as
:mod:`airflow_multicloud.core.cost.forecast.seasonal` says: one dear day is not expected again, a
monthly one is, and growth goes on. The interval is as wide as the same method would have been wrong
before; that of the clouds together knows what moves together. Purchases, taxes and credits are as
billed so far, but for those that FOCUS calls recurring: they are expected again on the day of the
month they were charged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.anomalies.surprises import WINDOW
from airflow_multicloud.core.cost.completeness import measure_completeness
from airflow_multicloud.core.cost.figures import Coverage, Figure
from airflow_multicloud.core.cost.forecast.history import History
from airflow_multicloud.core.cost.forecast.seasonal import half_width, spread_of_sum
from airflow_multicloud.core.cost.forecast.usage_left import (
    CloudHistory,
    cloud_history,
    figure_of,
    why_not_forecast,
)
from airflow_multicloud.core.cost.fx import ExchangeRates, needed_rates
from airflow_multicloud.core.cost.fx.unconverted import Unconverted, unconverted_costs
from airflow_multicloud.core.cost.money import (
    CostBasis,
    cents,
    check_period,
    checked_basis,
    checked_currency,
    exact_sum,
)
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import CostAnalysisError, ErrorKind

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudForecast:
    """One cloud's period.

    :param actual: billed so far, up to the last day that the exports speak of (see
        :attr:`~airflow_multicloud.core.cost.figures.Coverage.days_counted`), and all but usage
        after it.
    :param usage_left: expected usage of the days left.
    :param recurring_left: recurring charges expected on them. Both rounded to 0.01.
    :param lower: lower end of the interval of the whole period.
    :param upper: the upper end.
    :param known_since: the first day of the period that an export speaks of.
    :param days_unknown: days between ``known_since`` and the days left that no export speaks
        of: a month that was never loaded, or not again after its last days. No sum has them.
    """

    cloud: str
    actual: Figure
    usage_left: Decimal
    recurring_left: Decimal
    days_left: int
    lower: Decimal
    upper: Decimal
    known_since: date | None = None
    days_unknown: int = 0

    @property
    def expected(self) -> Decimal:
        """The whole period."""
        return exact_sum([self.actual.amount, self.usage_left, self.recurring_left])


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """All clouds, and together.

    :param confidence: share of periods whose cost the interval should hold.
    :param lower: of the clouds' sum, which is narrower than the sum of their intervals.
    :param unavailable: cloud → why it has no forecast; the sums lack what it will cost.
    :param only_billed: of these clouds, what was billed so far: it is in the sums.
    :param unconverted: billed in the period, and in no sum, as no rate converts it.
    """

    start: date
    end: date
    currency: str
    basis: CostBasis
    confidence: float
    clouds: tuple[CloudForecast, ...]
    lower: Decimal
    upper: Decimal
    unavailable: dict[str, str]
    unconverted: tuple[Unconverted, ...] = ()
    only_billed: Mapping[str, Figure] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every cloud has a forecast, and everything billed is in it."""
        unknown = any(cloud.days_unknown for cloud in self.clouds)
        return not self.unavailable and not self.unconverted and not unknown

    @property
    def actual(self) -> Decimal:
        """Billed so far, of all clouds."""
        return exact_sum(
            [
                *(cloud.actual.amount for cloud in self.clouds),
                *(figure.amount for figure in self.only_billed.values()),
            ]
        )

    @property
    def expected(self) -> Decimal:
        """The whole period; of clouds without a forecast, what was billed so far."""
        return exact_sum(
            [
                *(cloud.expected for cloud in self.clouds),
                *(figure.amount for figure in self.only_billed.values()),
            ]
        )


@operation("cost.forecast")
def forecast_costs(
    connection: DuckDBPyConnection,
    start: date,
    end: date,
    *,
    currency: str,
    basis: CostBasis = CostBasis.EFFECTIVE,
    clouds: Sequence[str] | None = None,
    confidence: float = 0.8,
    rates: ExchangeRates | None = None,
) -> Forecast:
    """What ``start`` to before ``end`` will have cost.

    For a month see :func:`~airflow_multicloud.months.month_bounds`.

    The result is the same at every call on the same data.

    :param connection: with the views ``costs``, ``rollup`` and ``periods``.
    :raises CostAnalysisError: kind ``invalid_argument`` for a bad parameter; ``not_found``
        when no charge at all can be converted.
    """
    basis = checked_basis(basis)
    checked_currency("currency", currency)
    check_period(start, end)
    if not 0 < confidence < 1:
        raise CostAnalysisError(
            f"confidence is {confidence}; expected between 0 and 1, like 0.8",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    since = start - WINDOW
    completeness = measure_completeness(connection, start, end, clouds=clouds)
    needed = needed_rates(connection, since, end, currency, rates or ExchangeRates(), clouds=clouds)
    asked = clouds or (*completeness.covered, *completeness.missing)
    history = History(connection, needed, since, end, basis)
    unavailable: dict[str, str] = {}
    only_billed: dict[str, Figure] = {}
    found: list[CloudHistory] = []
    for name in sorted(set(asked)):
        days = history.days_of(name)
        coverage = (
            completeness.covered.get(name)
            or completeness.quiet.get(name)
            or Coverage(
                final=False, days_asked=(end - start).days, days_covered=0, exported_at=None
            )
        )
        why = why_not_forecast(days, history.ever_charged(name), start, end)
        if why is None:
            found.append(cloud_history(history, needed, name, start, end, basis, coverage))
        else:
            unavailable[name] = why
            if name in completeness.covered:
                billed = history.billed(name, start, end)
                only_billed[name] = figure_of(billed, needed, basis, coverage)
    forecasts = tuple(_forecast(cloud, confidence) for cloud in found)
    together = half_width(*spread_of_sum([cloud.left for cloud in found]), confidence)
    lower, upper = _bounds(
        forecasts, together, exact_sum([figure.amount for figure in only_billed.values()])
    )
    return Forecast(
        start=start,
        end=end,
        currency=currency,
        basis=basis,
        confidence=confidence,
        clouds=forecasts,
        lower=lower,
        upper=upper,
        unavailable=unavailable,
        unconverted=unconverted_costs(connection, needed, start, end, clouds=clouds),
        only_billed=only_billed,
    )


def _forecast(cloud: CloudHistory, confidence: float) -> CloudForecast:
    usage_left = cents(cloud.left.expected)
    expected = exact_sum([cloud.actual.amount, usage_left, cloud.recurring])
    half = half_width(cloud.left.spread, cloud.left.trials, confidence)
    # What is left costs nothing at least, unless it is expected to give money back.
    least = half if cloud.left.expected < 0 else min(half, cloud.left.expected)
    return CloudForecast(
        cloud=cloud.name,
        actual=cloud.actual,
        usage_left=usage_left,
        recurring_left=cloud.recurring,
        days_left=cloud.days_left,
        lower=exact_sum([expected, -cents(least)]),
        upper=exact_sum([expected, cents(half)]),
        known_since=cloud.known[0] if cloud.known else None,
        days_unknown=cloud.days_unknown,
    )


def _bounds(
    clouds: Sequence[CloudForecast], half: float, only_billed: Decimal
) -> tuple[Decimal, Decimal]:
    """The interval of the sum, which is never wider than the clouds' intervals together.

    :param only_billed: of clouds without a forecast: as sure as it is incomplete.
    """
    margin = cents(half)
    expected, lowest, highest = (
        exact_sum([only_billed, *amounts])
        for amounts in (
            [cloud.expected for cloud in clouds],
            [cloud.lower for cloud in clouds],
            [cloud.upper for cloud in clouds],
        )
    )
    return (
        max(exact_sum([expected, -margin]), lowest),
        min(exact_sum([expected, margin]), highest),
    )
