"""The days of a daily series that stand out, taken apart from the rest.

A day that stands out comes again when its like was there a month before or after (a fee, a
month-end job); when it was not, it is taken for an accident and not expected again. Where more
than a few days stand out they are how the series is, and stay in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from airflow_multicloud.core.cost.month_places import NEAR, following, month_apart, step_of
from airflow_multicloud.core.cost.robust import NORMAL, around

#: More odd days than this in the history, of three months, and they are no oddity; so many
#: without a like a month apart come again, on whatever day.
_MANY = 6
_AGAIN = 3
#: A share that may still be a calendar's: the first three days of each month, say.
_SHARE = 0.15
_STRICTLY = timedelta(days=1)
_PAIR = 2

_REACH = 10  # days before and after whose median is the level of a day
_RATIO = 1.5
_SPREADS = 5
#: A like costs up to so many times the other.
_ALIKE = 2.5


@dataclass(frozen=True, slots=True)
class TakenApart:
    """A series without what stands out.

    :param base: the values; where one stood out, what is usual.
    :param fees: of days whose like came a month apart: what they cost above the usual.
    :param accidents: the same of others.
    :param unsure: of these, the days whose like a month apart is beyond the history.
    """

    base: Sequence[float]
    fees: Mapping[date, float]
    accidents: Sequence[float]
    unsure: Mapping[date, float]


@dataclass(frozen=True, slots=True)
class FeesLeft:
    """What fees will cost.

    :param variance: of their sum, as their past ones differ.
    """

    expected: float
    variance: float


def take_apart(days: Sequence[date], values: Sequence[float]) -> TakenApart:
    """Take what stands out of consecutive days."""
    usual = _usual(days, values)
    above = [value - expected for value, expected in zip(values, usual, strict=True)]
    least = _SPREADS * NORMAL * median([abs(a) for a in above])
    odd = {
        day: excess
        for day, value, expected, excess in zip(days, values, usual, above, strict=True)
        if value > _RATIO * expected and excess > max(least, (_RATIO - 1) / 2 * expected)
    }
    few = len(odd) <= _SHARE * len(days)
    if len(odd) > _MANY and not (few and _strictly_monthly(odd)):
        return TakenApart(values, {}, (), {})
    fees = {day: excess for day, excess in odd.items() if _comes_again(day, odd, days[0])}
    accidents = odd.keys() - fees.keys()
    if len(accidents) >= _AGAIN:
        accidents = set()
    gone = fees.keys() | accidents
    base = [
        expected if day in gone else value
        for day, value, expected in zip(days, values, usual, strict=True)
    ]
    unsure = {
        day: odd[day]
        for day in accidents
        if following(day, -1) - NEAR < days[0] and following(day, 1) + NEAR > days[-1]
    }
    return TakenApart(base, fees, tuple(odd[day] for day in sorted(accidents)), unsure)


def fees_left(apart: TakenApart, last: date, left: Sequence[date]) -> FeesLeft:
    """What comes again on the days left; what may, being the first of its kind, widens it.

    :param last: the last day of the history. A fee that should have come up to three days
        before, and did not, is still expected.
    """
    fees = apart.fees
    expected = 0.0
    variance = sum(
        excess**2 for day, excess in apart.unsure.items() if left and following(day, 1) <= left[-1]
    )
    for day, excess in fees.items():
        if any(later > day and month_apart(day, later) for later in fees):
            continue  # that one is the last of its kind
        kind = [excess, *(a for d, a in fees.items() if d < day and month_apart(d, day))]
        amount = median(kind)
        for months in range(1, 14):
            due = following(day, months)
            late = months == 1 and last - due < NEAR
            if left and due <= left[-1] and (due > last or late):
                expected += amount
                variance += max((one - amount) ** 2 for one in kind)
    return FeesLeft(expected, variance)


def accidents_left(accidents: Sequence[float], days: int, left: int) -> float:
    """The variance of what accidents may add, coming at the rate that they came at (Poisson).

    One is no rate.
    """
    if len(accidents) <= 1:
        return 0.0
    return sum(one * one for one in accidents) * left / days


def _comes_again(day: date, odd: Mapping[date, float], first: date) -> bool:
    """Whether a day that stands out has a like a month apart.

    Where just two are alike, and a third before them would be in the history, they must have the
    very same place: two accidents four weeks apart are no fee.
    """
    likes = sorted({day, *(o for o in odd if _alike(day, odd[day], o, odd[o]))})
    if len(likes) != _PAIR:
        return len(likes) > _PAIR
    earlier, later = likes
    reaches = following(earlier, -1) - NEAR >= first
    return not reaches or later == following(earlier, 1)


def _strictly_monthly(odd: Mapping[date, float]) -> bool:
    """Whether each of many days has its like a month apart to the day, or nearly."""
    return step_of(sorted(odd)) is None and all(
        any(
            month_apart(min(day, other), max(day, other), _STRICTLY)
            for other in odd
            if other != day and _similar(odd[day], odd[other])
        )
        for day in odd
    )


def _usual(days: Sequence[date], values: Sequence[float]) -> list[float]:
    """The level around each day, times what the weekday usually is of it."""
    if sum(value > 0 for value in values) <= _MANY:
        return [0.0] * len(values)
    levels = around(values, _REACH, median)
    shares: dict[int, list[float]] = {}
    for day, value, level in zip(days, values, levels, strict=True):
        if level > 0:
            shares.setdefault(day.weekday(), []).append(value / level)
    factors = {weekday: median(of) for weekday, of in shares.items()}
    return [
        level * factors.get(day.weekday(), 1.0) for day, level in zip(days, levels, strict=True)
    ]


def _alike(day: date, excess: float, other: date, of_other: float) -> bool:
    first, second = sorted((day, other))
    return first != second and _similar(excess, of_other) and month_apart(first, second)


def _similar(excess: float, other: float) -> bool:
    return max(excess, other) <= _ALIKE * min(excess, other)
