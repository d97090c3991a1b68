"""Seeded daily costs of known kinds: what bills look like, without any bill."""

from __future__ import annotations

import calendar
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Daily:
    """A service's costs by day. :param odd: places of days that should surprise."""

    values: list[float]
    odd: frozenset[int] = frozenset()


Shape = Callable[[random.Random, Sequence[date]], Daily]
#: Days for which a lasting change may be told.
TOLD = 3

_SATURDAY = 5


def days(first: date, number: int) -> list[date]:
    """Consecutive days."""
    return [first + timedelta(days=n) for n in range(number)]


def _base(rng: random.Random) -> float:
    return 30 * 100 ** rng.random()


def _noise(rng: random.Random, spread: float) -> float:
    return rng.lognormvariate(0, spread)


def steady(rng: random.Random, at: Sequence[date]) -> Daily:
    """The same every day, but for noise of 3 to 15 %."""
    base, spread = _base(rng), rng.uniform(0.03, 0.15)
    return Daily([base * _noise(rng, spread) for _ in at])


def noisy(rng: random.Random, at: Sequence[date]) -> Daily:
    """Noise of 15 to 25 %."""
    base, spread = _base(rng), rng.uniform(0.15, 0.25)
    return Daily([base * _noise(rng, spread) for _ in at])


def weekends(rng: random.Random, at: Sequence[date]) -> Daily:
    """Weekends at 20 to 80 % of a working day."""
    base, spread, weekend = _base(rng), rng.uniform(0.03, 0.15), rng.uniform(0.2, 0.8)
    return Daily(
        [base * _noise(rng, spread) * (weekend if d.weekday() >= _SATURDAY else 1) for d in at]
    )


def working_days(rng: random.Random, at: Sequence[date]) -> Daily:
    """Nothing at weekends."""
    base, spread = _base(rng), rng.uniform(0.03, 0.15)
    return Daily([0 if d.weekday() >= _SATURDAY else base * _noise(rng, spread) for d in at])


def growth(rng: random.Random, at: Sequence[date]) -> Daily:
    """10 to 60 % more every month."""
    base, spread, monthly = _base(rng), rng.uniform(0.03, 0.10), rng.uniform(1.1, 1.6)
    return Daily([base * monthly ** (n / 30) * _noise(rng, spread) for n, _ in enumerate(at)])


def decline(rng: random.Random, at: Sequence[date]) -> Daily:
    """10 to 40 % less every month, with weekends."""
    base, spread, monthly = 5 * _base(rng), rng.uniform(0.03, 0.10), rng.uniform(0.6, 0.9)
    return Daily(
        [
            base
            * monthly ** (n / 30)
            * _noise(rng, spread)
            * (0.7 if d.weekday() >= _SATURDAY else 1)
            for n, d in enumerate(at)
        ]
    )


def step(rng: random.Random, at: Sequence[date]) -> Daily:
    """Once, on any day, to 1.3 to 3 times, for good."""
    base, spread, factor = _base(rng), rng.uniform(0.03, 0.10), rng.uniform(1.3, 3)
    since = rng.randrange(len(at))
    return Daily(
        [base * _noise(rng, spread) * (factor if n >= since else 1) for n, _ in enumerate(at)],
        odd=frozenset(range(since, since + TOLD)),
    )


def wandering(rng: random.Random, at: Sequence[date]) -> Daily:
    """A level that wanders by 1.5 % a day, correlated noise, weekends."""
    level, shock, weekend = _base(rng), 0.0, rng.uniform(0.4, 1)
    values = []
    for day in at:
        level *= _noise(rng, 0.015)
        shock = 0.5 * shock + rng.gauss(0, 0.06)
        values.append(level * max(0.1, 1 + shock) * (weekend if day.weekday() >= _SATURDAY else 1))
    return Daily(values)


def heavy_tails(rng: random.Random, at: Sequence[date]) -> Daily:
    """Noise with many outliers (Student's t of 3 degrees), 5 %."""
    base, values = _base(rng), []
    for _ in at:
        t = rng.gauss(0, 1) / (sum(rng.gauss(0, 1) ** 2 for _ in range(3)) / 3) ** 0.5
        values.append(base * max(0.1, 1 + 0.05 * t))
    return Daily(values)


def occasional(rng: random.Random, at: Sequence[date]) -> Daily:
    """A job on 15 to 60 % of the days, of no fixed weekday; nothing else."""
    base, often = 3 * _base(rng), rng.uniform(0.15, 0.6)
    return Daily([base * rng.uniform(0.95, 1.05) if rng.random() < often else 0 for _ in at])


def occasional_over_base(rng: random.Random, at: Sequence[date]) -> Daily:
    """A job of 2 to 8 times the rest, on 10 to 60 % of the days."""
    base, often, job = _base(rng), rng.uniform(0.1, 0.6), rng.uniform(2, 8)
    return Daily(
        [
            base
            * (_noise(rng, 0.05) + (job * rng.uniform(0.9, 1.1) if rng.random() < often else 0))
            for _ in at
        ]
    )


def weekly_job(rng: random.Random, at: Sequence[date]) -> Daily:
    """On one weekday 3 to 8 times the other days."""
    base, weekday, job = _base(rng), rng.randrange(7), rng.uniform(3, 8)
    return Daily([base * _noise(rng, 0.05) * (job if d.weekday() == weekday else 1) for d in at])


def fortnightly_job(rng: random.Random, at: Sequence[date]) -> Daily:
    """Every other week on one day 4 to 8 times the other days."""
    base, place, job = _base(rng), rng.randrange(14), rng.uniform(4, 8)
    return Daily(
        [base * _noise(rng, 0.05) * (job if d.toordinal() % 14 == place else 1) for d in at]
    )


def monthly_fee(rng: random.Random, at: Sequence[date]) -> Daily:
    """On one day of each month a fee of 5 to 20 days' cost."""
    base, number, fee = _base(rng), rng.choice((1, 1, 1, 5, 15, 20, 28)), rng.uniform(5, 20)
    return Daily([base * (_noise(rng, 0.08) + (fee if d.day == number else 0)) for d in at])


def month_end(rng: random.Random, at: Sequence[date]) -> Daily:
    """On the last day of each month 4 to 10 times the other days; weekends at half."""
    base, job = _base(rng), rng.uniform(4, 10)
    return Daily(
        [
            base
            * _noise(rng, 0.08)
            * (0.5 if d.weekday() >= _SATURDAY else 1)
            * (job if _last_of_month(d) else 1)
            for d in at
        ]
    )


def first_working_day(rng: random.Random, at: Sequence[date]) -> Daily:
    """On the first working day of each month 4 to 10 times the other days."""
    base, job = _base(rng), rng.uniform(4, 10)
    return Daily([base * _noise(rng, 0.08) * (job if _first_working(d) else 1) for d in at])


def monthly_alone(rng: random.Random, at: Sequence[date]) -> Daily:
    """Nothing but a charge on the first of each month."""
    fee = 5 * _base(rng)
    return Daily([fee * rng.uniform(0.9, 1.1) if d.day == 1 else 0 for d in at])


def one_spike(rng: random.Random, at: Sequence[date]) -> Daily:
    """Steady, but for one day of the sixth or fifth week before the end, of 10 to 40 times."""
    base, place, spike = _base(rng), rng.randrange(len(at) - 45, len(at) - 28), rng.uniform(10, 40)
    return Daily(
        [base * _noise(rng, 0.05) * (spike if n == place else 1) for n, _ in enumerate(at)],
        odd=frozenset({place}),
    )


def on_and_off(rng: random.Random, at: Sequence[date]) -> Daily:
    """A project that runs for 5 to 20 days and rests for as long."""
    base, running, values = _base(rng), True, list[float]()
    while len(values) < len(at):
        length = rng.randrange(5, 20)
        values += [base * _noise(rng, 0.1) if running else 0 for _ in range(length)]
        running = not running
    return Daily(values[: len(at)])


def weekend_only(rng: random.Random, at: Sequence[date]) -> Daily:
    """Nothing on working days."""
    base = _base(rng)
    return Daily([base * _noise(rng, 0.08) if d.weekday() >= _SATURDAY else 0 for d in at])


def linear_growth(rng: random.Random, at: Sequence[date]) -> Daily:
    """Every day 0.2 to 2 % of the first day more; weekends at half."""
    base, more = _base(rng), rng.uniform(0.002, 0.02)
    return Daily(
        [
            base * (1 + more * n) * _noise(rng, 0.06) * (0.5 if d.weekday() >= _SATURDAY else 1)
            for n, d in enumerate(at)
        ]
    )


def twice_a_month(rng: random.Random, at: Sequence[date]) -> Daily:
    """On the 15th and the last day of each month 4 to 10 times the other days."""
    base, job = _base(rng), rng.uniform(3, 9)
    return Daily(
        [base * (_noise(rng, 0.07) + (job if d.day == 15 or _last_of_month(d) else 0)) for d in at]
    )


def first_three_days(rng: random.Random, at: Sequence[date]) -> Daily:
    """On the first three days of each month 2 to 5 times the other days."""
    base, job = _base(rng), rng.uniform(2, 5)
    return Daily([base * _noise(rng, 0.07) * (job if d.day <= 3 else 1) for d in at])


def rare_job(rng: random.Random, at: Sequence[date]) -> Daily:
    """A job of 4 to 8 times the rest on 3 to 10 % of the days."""
    base, often, job = _base(rng), rng.uniform(0.03, 0.1), rng.uniform(4, 8)
    return Daily([base * (_noise(rng, 0.05) + (job if rng.random() < often else 0)) for _ in at])


def varied_job(rng: random.Random, at: Sequence[date]) -> Daily:
    """A job on 15 to 50 % of the days, three times the rest give or take half an order."""
    base, often = _base(rng), rng.uniform(0.15, 0.5)
    return Daily(
        [
            base * (_noise(rng, 0.06) + (3 * _noise(rng, 0.5) if rng.random() < often else 0))
            for _ in at
        ]
    )


#: A month, give or take: what changes so long before the end of a series was just new when that
#: month was forecast.
_MONTH = 28


def recent_rise(rng: random.Random, at: Sequence[date]) -> Daily:
    """To 1.5 to 2.5 times, for good, in the seventeen days before the last four weeks."""
    return _changed(rng, at, rng.uniform(1.5, 2.5), 17)


def recent_drop(rng: random.Random, at: Sequence[date]) -> Daily:
    """To 30 to 60 %, for good, in the seventeen days before the last four weeks."""
    return _changed(rng, at, rng.uniform(0.3, 0.6), 17)


def added_part(rng: random.Random, at: Sequence[date]) -> Daily:
    """60 % more, for good, in the week before the last four weeks."""
    return _changed(rng, at, 1.6, 7)


def shut_down(rng: random.Random, at: Sequence[date]) -> Daily:
    """Nothing any more, since a day of the three weeks before the last four."""
    return _changed(rng, at, 0.0, 21)


def short_history(rng: random.Random, at: Sequence[date]) -> Daily:
    """Begun 52 days before the end; weekends at 30 %."""
    base, spread, first = _base(rng), rng.uniform(0.03, 0.10), len(at) - 52
    return Daily(
        [
            base * _noise(rng, spread) * (0.3 if d.weekday() >= _SATURDAY else 1)
            if n >= first
            else 0
            for n, d in enumerate(at)
        ]
    )


def first_fee(rng: random.Random, at: Sequence[date]) -> Daily:
    """Begun 66 days before the end; on the 15th of each month a fee of 20 days' cost."""
    base, first = _base(rng), len(at) - 66
    return Daily(
        [
            base * (_noise(rng, 0.05) + (20 if d.day == 15 else 0)) if n >= first else 0
            for n, d in enumerate(at)
        ]
    )


def _changed(rng: random.Random, at: Sequence[date], factor: float, within: int) -> Daily:
    base, spread = _base(rng), rng.uniform(0.03, 0.10)
    since = len(at) - _MONTH - 1 - rng.randrange(within)
    return Daily(
        [base * _noise(rng, spread) * (factor if n >= since else 1) for n, _ in enumerate(at)],
        odd=frozenset(range(since, since + TOLD)),
    )


def _last_of_month(day: date) -> bool:
    return day.day == calendar.monthrange(day.year, day.month)[1]


def _first_working(day: date) -> bool:
    if day.weekday() >= _SATURDAY:
        return False
    return day.day == 1 or (day.weekday() == 0 and day.day <= 3)


SHAPES: tuple[Shape, ...] = (
    steady,
    noisy,
    weekends,
    working_days,
    growth,
    decline,
    step,
    wandering,
    heavy_tails,
    occasional,
    occasional_over_base,
    weekly_job,
    fortnightly_job,
    monthly_fee,
    month_end,
    first_working_day,
    monthly_alone,
    one_spike,
    on_and_off,
    weekend_only,
    linear_growth,
    twice_a_month,
    first_three_days,
    rare_job,
    varied_job,
    recent_rise,
    recent_drop,
    added_part,
    shut_down,
    short_history,
    first_fee,
)
