"""A daily series with weekdays: its level, and how wrong forecasts of it would have been."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import fmean

#: Days whose mean level is expected to go on.
LEVEL_DAYS = 14

_WEEK = 7
_DRAWS = 1000


@dataclass(frozen=True, slots=True)
class SeasonalModel:
    """A day is level × weekday factor + residual × weekday factor.

    :param factors: weekday (Monday is 0) → share of the mean day.
    :param residuals: of the days of the past, oldest first, weekdays taken out.
    """

    level: float
    factors: Mapping[int, float]
    residuals: Sequence[float]

    def expected(self, day: date) -> float:
        """What a day to come is expected to be."""
        return self.level * self.factors[day.weekday()]


@dataclass(frozen=True, slots=True)
class Simulated:
    """What is forecast.

    :param days: to come, in order. :param seen: what is already known to have been spent on
        each: the day can't be less.
    """

    model: SeasonalModel
    days: Sequence[date]
    seen: Mapping[date, float]

    def expected(self) -> float:
        """The sum of the days."""
        return sum(max(self.model.expected(day), self.seen[day]) for day in self.days)


def fitted(days: Sequence[date], values: Sequence[float]) -> SeasonalModel:
    """The model of a past of consecutive days, of one week at least."""
    mean = fmean(values)
    by_weekday: dict[int, list[float]] = {}
    for day, value in zip(days, values, strict=True):
        by_weekday.setdefault(day.weekday(), []).append(value)
    factors = {k: fmean(of) / mean if mean > 0 else 1.0 for k, of in by_weekday.items()}
    # A weekday without any cost says nothing of the level, and would divide by zero.
    levels = [
        value / factors[day.weekday()]
        for day, value in zip(days, values, strict=True)
        if factors[day.weekday()] > 0
    ]
    centre = fmean(levels) if levels else 0.0
    # Seven weekdays' means were fitted: the residuals are that much too small.
    scale = math.sqrt(len(days) / max(1, len(days) - _WEEK))
    return SeasonalModel(
        level=fmean(levels[-LEVEL_DAYS:]) if levels else 0.0,
        factors=factors,
        residuals=[(value - centre) * scale for value in levels] or [0.0],
    )


def simulated_errors(series: Sequence[Simulated]) -> list[list[float]]:
    """Per series the errors of simulated forecasts; the same draw of all belongs together."""
    errors: list[list[float]] = [[] for _ in series]
    if not series:
        return errors
    # Seeded: the same data must give the same interval. Nothing secret hangs on it.
    source = random.Random(0)  # noqa: S311
    shortest = min(len(one.model.residuals) for one in series)
    length = LEVEL_DAYS + max(len(one.days) for one in series)
    for _ in range(_DRAWS):
        places: list[int] = []
        while len(places) < length:
            first = source.randrange(shortest)
            places.extend((first + step) % shortest for step in range(_WEEK))
        for one, found in zip(series, errors, strict=True):
            found.append(_error(one, places))
    return errors


def quantile(values: Sequence[float], share: float) -> Decimal:
    """The value below which that share lies, rounded to 0.01; zero when there is none."""
    if not values:
        return Decimal(0)
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    below, above = ordered[low], ordered[min(low + 1, len(ordered) - 1)]
    return Decimal(repr(below + (above - below) * (place - low))).quantize(Decimal("0.01"))


def _error(one: Simulated, places: Sequence[int]) -> float:
    """Draw a past (whose level is estimated) and a future from the residuals' blocks."""
    model = one.model
    level_error = fmean(model.residuals[-1 - place] for place in places[:LEVEL_DAYS])
    total = 0.0
    for day, place in zip(one.days, places[LEVEL_DAYS:], strict=False):
        level = model.level + model.residuals[-1 - place] - level_error
        total += max(model.factors[day.weekday()] * level, one.seen[day])
    return total - one.expected()
