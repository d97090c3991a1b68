"""What the coming days of a daily series will cost, and how wrong that may be. Pure arithmetic.

Fees and accidents are taken out first (:mod:`airflow_multicloud.core.cost.forecast.odd_days`). The
rest is expected at a level times the weekday's share of it, if weekdays differ by more than chance
(an F test). The level is the mean of the last one, two, four or eight weeks, or the growth of the
last eight or five weeks carried on (Theil-Sen, in logarithms; for a month at most, or fading out):
whichever would have been the least wrong so many days ahead at earlier ends of the history. How
wrong that was (root mean square) is the spread, but never less than what the days' own noise makes
of the sum.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from statistics import NormalDist, fmean, median

from airflow_multicloud.core.cost.forecast.odd_days import accidents_left, fees_left, take_apart
from airflow_multicloud.core.cost.forecast.silence import after_silence, silent_days
from airflow_multicloud.core.cost.robust import around

_WEEK = 7
_F = 3.0  # of weekdays: 1 % by chance, for 6 and some 90 degrees of freedom
_LEAST_SHARE = 0.02
#: Growth must have been so much less wrong than a level.
_GROWTH_PENALTY = 1.1
_GROWTH_DAYS = 31
_LEAST_HISTORY = 21
#: The model was chosen by the trials that its errors are taken of: they are that much too small.
_CHOSEN = 1.3
_WORST = 2.0  # a forecast off by more is not more wrong
#: Of so many last days a mean may show what the level does not know yet.
_LAST_DAYS = (3, 7)
_NOT_BY_CHANCE = 4.0
_LONG_HISTORY = 45

#: A level for the mean of the next days, from the past and their number; ``None``: too short.
_Level = Callable[[Sequence[float], int], float | None]


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A model's answer.

    :param level: to come.
    :param now: what it says of tomorrow.
    :param error: how wrong it was, as a share.
    :param trials: that this is known from.
    """

    level: float
    now: float
    error: float
    trials: float


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The sum of the days to come.

    :param spread: of its error, a standard deviation.
    :param trials: independent ones, about, that the spread is known from.
    :param noise: the past days' differences from their level, by which series move together.
    """

    expected: float
    spread: float
    trials: float
    noise: Mapping[date, float]


def foresee(
    days: Sequence[date],
    values: Sequence[float],
    left: Sequence[date],
    seen: Mapping[date, float],
) -> Foreseen:
    """The sum of the days left.

    :param days: of the past, consecutive; two weeks at least.
    :param seen: what is already known to have been spent on a day left: it can't be less.
    """
    apart = take_apart(days, values)
    shares = _weekday_shares(days, apart.base)
    kept = [d for d in days if shares[d.weekday()] > _LEAST_SHARE]
    plain = [
        value / shares[day.weekday()]
        for day, value in zip(days, apart.base, strict=True)
        if shares[day.weekday()] > _LEAST_SHARE
    ]
    if not left or not plain:
        return Foreseen(math.fsum(seen.values()), 0.0, 1.0, {})
    ahead = max(1, sum(shares[day.weekday()] > _LEAST_SHARE for day in left))
    chosen = _least_wrong(plain, ahead)
    around_it = around(plain, _WEEK // 2, fmean)
    noise = [value - usual for value, usual in zip(plain, around_it, strict=True)]
    # One value in seven is the mean's own.
    daily = math.sqrt(fmean([n * n for n in noise]) * _WEEK / (_WEEK - 1))
    weights = [shares[day.weekday()] for day in left]
    # The days' own noise, and what four weeks of it make of the level.
    level_days = min(len(plain), 4 * _WEEK)
    least = daily * math.sqrt(math.fsum(w * w for w in weights) + sum(weights) ** 2 / level_days)
    fees = fees_left(apart, days[-1], left)
    accidents = accidents_left(apart.accidents, len(days), len(left))
    silence = after_silence(plain, ahead) if silent_days(apart.base) >= _WEEK else None
    level = chosen.level if silence is None else silence.level
    expected = math.fsum(
        max(level * shares[day.weekday()], seen.get(day, -math.inf)) for day in left
    )
    if silence is not None:
        usual, known = silence.spread * math.fsum(weights), silence.trials
    else:
        lasting = _shift(plain, chosen.now, daily) * math.fsum(weights)
        least = math.hypot(least, lasting) * _short(len(plain))
        from_trials = chosen.error * abs(expected)
        usual = max(from_trials, least)
        known = chosen.trials if from_trials > least else float(len(plain))
    return Foreseen(
        expected=expected + fees.expected,
        spread=math.sqrt(usual**2 + fees.variance + accidents),
        trials=known,
        noise={d: n * shares[d.weekday()] for d, n in zip(kept, noise, strict=True)},
    )


def _shift(values: Sequence[float], now: float, daily: float) -> float:
    """How far the last days are from the level, where noise does not explain it.

    It may last, or be over tomorrow: errors of the past know neither.
    """
    shifts = []
    for number in _LAST_DAYS:
        shift = abs(fmean(values[-number:]) - now)
        by_chance = daily * math.sqrt(1 / number + 1 / min(len(values), 4 * _WEEK))
        shifts.append(shift if shift > _NOT_BY_CHANCE * by_chance else 0.0)
    return max(shifts)


def _short(length: int) -> float:
    """How much wider the interval is where little history is all that it is known from."""
    return max(1.0, _LONG_HISTORY / length)


def spread_of_sum(parts: Sequence[Foreseen]) -> tuple[float, float]:
    """Spread and trials of several series' sum: what moves together adds up, the rest evens out."""
    squares = math.fsum(part.spread**2 for part in parts)
    for one, other in combinations(parts, 2):
        squares += 2 * one.spread * other.spread * _correlation(one.noise, other.noise)
    return math.sqrt(squares), min((part.trials for part in parts), default=1.0)


def half_width(spread: float, trials: float, confidence: float) -> float:
    """Half of an interval that holds so often: Student's t, by its expansion in 1 / trials."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    n = max(2.0, trials)
    t = z + (z**3 + z) / (4 * n) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n * n)
    return spread * t


def _correlation(one: Mapping[date, float], other: Mapping[date, float]) -> float:
    """Of the days that both have; what moves apart counts as independent."""
    common = sorted(one.keys() & other.keys())
    squares = [math.fsum(of[day] ** 2 for day in common) for of in (one, other)]
    if not all(squares):
        return 0.0
    products = math.fsum(one[day] * other[day] for day in common)
    return max(0.0, products / math.sqrt(squares[0] * squares[1]))


def _weekday_shares(days: Sequence[date], values: Sequence[float]) -> list[float]:
    """What each weekday is of the mean day: Monday first."""
    levels = around(values, _WEEK // 2, fmean)
    by_weekday: list[list[float]] = [[] for _ in range(_WEEK)]
    for day, value, level in zip(days, values, levels, strict=True):
        if level > 0:
            by_weekday[day.weekday()].append(value / level)
    flat = [1.0] * _WEEK
    count = sum(map(len, by_weekday))
    if not all(by_weekday) or count <= _WEEK:
        return flat
    means = [fmean(of) for of in by_weekday]
    whole = fmean([share for of in by_weekday for share in of])
    between = math.fsum(len(of) * (m - whole) ** 2 for of, m in zip(by_weekday, means, strict=True))
    within = math.fsum((s - m) ** 2 for of, m in zip(by_weekday, means, strict=True) for s in of)
    chance = _F * (_WEEK - 1) * within / (count - _WEEK)
    return [m / fmean(means) for m in means] if between > max(chance, 1e-12) else flat


def _least_wrong(values: Sequence[float], ahead: int) -> _Chosen:
    tried = min(ahead, max(_WEEK, (len(values) - _LEAST_HISTORY) // 2))
    ends = range(len(values) - tried, _LEAST_HISTORY - 1, -_WEEK)
    best: tuple[float, _Chosen] | None = None
    for model, penalty in _MODELS:
        level, now = model(values, ahead), model(values, 1)
        if level is None or now is None:
            continue
        errors = list(_errors(model, values, ends, tried))
        error = math.sqrt(fmean([min(abs(e), _WORST) ** 2 for e in errors])) if errors else 0.0
        if best is None or error * penalty < best[0] - 1e-9:
            wrong = error * _CHOSEN * math.sqrt(max(1.0, ahead / tried))
            trials = max(1.0, len(errors) * _WEEK / tried) + 1
            best = error * penalty, _Chosen(level, now, wrong, trials)
    return best[1] if best else _Chosen(0.0, 0.0, 0.0, 1.0)


def _errors(
    model: _Level, values: Sequence[float], ends: Sequence[int], tried: int
) -> Iterator[float]:
    for end in ends:
        level = model(values[:end], tried)
        if level is not None and level > 0:
            yield (fmean(values[end : end + tried]) - level) / level


def _mean_of(weeks: int) -> _Level:
    def level(values: Sequence[float], _ahead: int) -> float | None:
        return fmean(values[-weeks * _WEEK :]) if len(values) >= min(weeks, 2) * _WEEK else None

    return level


def _growth_of(weeks: int, fading: float) -> _Level:
    """The slope of so many weeks' means carried on; each day by ``fading`` of the day before's."""

    def level(values: Sequence[float], ahead: int) -> float | None:
        number = min(weeks, len(values) // _WEEK)
        first = len(values) - number * _WEEK
        means = [fmean(values[n : n + _WEEK]) for n in range(first, len(values), _WEEK)]
        if number < _FEWEST_WEEKS or min(means) <= 0:
            return None
        logs = [math.log(mean) for mean in means]
        slope = median([(b - a) / (j - i) for (i, a), (j, b) in combinations(enumerate(logs), 2)])
        last = median([log - slope * n for n, log in enumerate(logs)]) + slope * (number - 1)
        total, steps = 0.0, _WEEK // 2 * 1.0  # the last week's mean is of its middle day
        for day in range(1, ahead + 1):
            steps += fading**day if day <= _GROWTH_DAYS else 0.0
            total += math.exp(last + max(-_WORST, min(_WORST, slope * steps / _WEEK)))
        return total / ahead

    return level


_FEWEST_WEEKS = 4
#: Two weeks first: what is taken where there is nothing to try on.
_MODELS: tuple[tuple[_Level, float], ...] = (
    *((_mean_of(weeks), 1.0) for weeks in (2, 1, 4, 8)),
    (_growth_of(8, 1.0), _GROWTH_PENALTY),
    (_growth_of(8, 0.97), _GROWTH_PENALTY),
    (_growth_of(5, 0.95), _GROWTH_PENALTY),
)
