"""What one cloud's past says of the days of a period that are left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from airflow_multicloud.core.cost.anomalies.surprises import WINDOW
from airflow_multicloud.core.cost.figures import Coverage, Figure
from airflow_multicloud.core.cost.forecast.history import History
from airflow_multicloud.core.cost.forecast.seasonal import Foreseen, foresee
from airflow_multicloud.core.cost.fx import Rates
from airflow_multicloud.core.cost.money import CostBasis, exact_sum

#: Days of history that are looked at, at most and at least.
HISTORY = WINDOW.days
MIN_HISTORY = 14
#: A bill that ends longer before the period says nothing of it.
_OUTDATED = timedelta(days=42)


@dataclass(frozen=True, slots=True)
class CloudHistory:
    """One cloud's period as far as it is known, and its usage on the days left.

    :param left: expected usage of the days left.
    :param actual: billed so far.
    :param recurring: recurring charges expected on the days left.
    :param known: days of the period that an export speaks of.
    """

    name: str
    days_left: int
    left: Foreseen
    actual: Figure
    recurring: Decimal
    known: Sequence[date]

    @property
    def days_unknown(self) -> int:
        """Days between the first known one and the last that no export speaks of."""
        return (self.known[-1] - self.known[0]).days + 1 - len(self.known) if self.known else 0


def why_not_forecast(days: Sequence[date], charged: bool, start: date, end: date) -> str | None:
    """Why days of history are too few, or too old, to foresee a period; ``None``: they are not."""
    if days and (days[-1] >= end - timedelta(days=1) or not charged):
        return None  # there is nothing to foresee
    span = (days[-1] - days[0]).days + 1 if days else 0
    if span < MIN_HISTORY:
        return f"{span} days of history, {MIN_HISTORY} are needed"
    if start - days[-1] > _OUTDATED:
        return f"the last covered day is {days[-1]}"
    return None


def cloud_history(
    history: History,
    rates: Rates,
    name: str,
    start: date,
    end: date,
    basis: CostBasis,
    coverage: Coverage,
) -> CloudHistory:
    """A cloud that :func:`why_not_forecast` has nothing against."""
    known = history.days_of(name)
    first, last = known[0], known[-1]
    # Days between the first and the last known one that have no usage cost nothing.
    days = _days(max(first, last - timedelta(days=HISTORY - 1)), last + timedelta(days=1))
    left = _days(max(start, last + timedelta(days=1)), end)
    billed = [history.usage.get((name, day), Decimal(0)) for day in _days(start, end)]
    so_far = billed[: len(billed) - len(left)]
    others = [a for (c, day), a in history.others.items() if c == name and start <= day < end]
    return CloudHistory(
        name=name,
        days_left=len(left),
        left=foresee(
            days,
            [float(history.usage.get((name, day), 0)) for day in days],
            left,
            {day: float(history.usage[name, day]) for day in left if (name, day) in history.usage},
        ),
        actual=figure_of(exact_sum([*so_far, *others]), rates, basis, coverage),
        recurring=history.recurring_left(name, last, left),
        known=history.known_days(name, start, end),
    )


def figure_of(amount: Decimal, rates: Rates, basis: CostBasis, coverage: Coverage) -> Figure:
    """An amount that was converted, with what is to be known of it."""
    return Figure(
        amount=amount,
        currency=rates.currency,
        basis=basis,
        coverage=coverage,
        fx=rates.note(),
    )


def _days(first: date, end: date) -> list[date]:
    return [first + timedelta(days=n) for n in range(max(0, (end - first).days))]
