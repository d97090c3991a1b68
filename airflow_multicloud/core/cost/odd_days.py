"""The days of a daily series that stand out, taken apart from the rest.

A day that stands out comes again when its like was there a month before or after (a fee, a
month-end job); when it was not, it is taken for an accident and not expected again. Where more
than a few days stand out they are how the series is, and stay in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from airflow_multicloud.core.cost.month_places import NEAR, following, month_apart
from airflow_multicloud.core.cost.robust import NORMAL, around, median

#: More odd days than this in the history, of three months, and they are no oddity; so many
#: without a like a month apart come again, on whatever day.
_MANY = 6
_AGAIN = 3

_REACH = 10  # days before and after whose median is the level of a day
_RATIO = 1.5
_SPREADS = 5
#: A like costs up to so many times the other.
_ALIKE = 2.5


@dataclass(frozen=True, slots=True)
class TakenApart:
    """A series without what stands out.

    :param base: the values; where one stood out, what is usual. :param fees: of days whose like
        came a month apart: what they cost above the usual.
    """

    base: Sequence[float]
    fees: Mapping[date, float]


@dataclass(frozen=True, slots=True)
class FeesLeft:
    """What fees will cost. :param variance: of their sum, as their past ones differ."""

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
    if len(odd) > _MANY:
        return TakenApart(values, {})
    fees = {
        day: excess
        for day, excess in odd.items()
        if any(_alike(other, odd[other], day, excess) for other in odd)
    }
    accidents = odd.keys() - fees.keys()
    if len(accidents) >= _AGAIN:
        accidents = set()
    gone = fees.keys() | accidents
    base = [
        expected if day in gone else value
        for day, value, expected in zip(days, values, usual, strict=True)
    ]
    return TakenApart(base, fees)


def fees_left(fees: Mapping[date, float], last: date, left: Sequence[date]) -> FeesLeft:
    """What comes again on the days left.

    :param last: the last day of the history. A fee that should have come up to three days
        before, and did not, is still expected.
    """
    expected = variance = 0.0
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
    return (
        first != second
        and max(excess, of_other) <= _ALIKE * min(excess, of_other)
        and month_apart(first, second)
    )
