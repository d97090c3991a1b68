"""Days of one series that its own past does not explain. Pure arithmetic, no store.

Only days with a cost are compared, with one another: a job that runs now and then is judged by
the days on which it ran. A day's cost, in logarithms, is expected at the median *level* of the last
two weeks of such days plus what its *weekday* usually differs from the level. How far the same
expectation was off on each past day (leaving that day out) gives the *spread*, by the median
absolute deviation. A day beyond it is no surprise yet when

- the series was as dear before: on two days, compared with their own levels in the last fourteen
  weeks, or as such in the last six; or all along for three days. Where all such days were surprises
  themselves there must have been three, and those next to one another count once: an incident does
  not hide the next one. So a job over a base and a tail of outliers are known from their third or
  fourth day on, and a lasting step from its fourth. Days that follow a calendar (a fee's, a weekly
  job's) are no precedent of a day that does not;
- its like came a month before: on the same day of the month or counted from its end, give or take
  three days (the first working day moves), or on the same weekday four or five weeks before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from statistics import median

from airflow_multicloud.core.cost.month_places import month_apart, regular
from airflow_multicloud.core.cost.robust import NORMAL

#: Days before a day that it is compared with: three months and a few days.
WINDOW = timedelta(days=98)

# Of the past days as such, not compared with their level: these may be a precedent.
_RECENT = timedelta(days=42)

_LEVEL_DAYS = 14
#: Days with a cost below which a series has no level: its dearest day is what is known.
_FEW = 7
# The least spread, as a share: a series that was flat for weeks must not divide by zero.
_LEAST_SPREAD = 0.02
_PRECEDENTS = 2
_LASTING = 3
#: Days that were reported may be one incident after another: more of them make a habit.
_REPORTED_PRECEDENTS = 3
#: Days of history after which a day before the first one asked for is judged as well, for that.
_KNOWN = timedelta(days=28)
_MANY_DEAR = 8
_MONTHLY = 5
_SAME = timedelta(days=10)
_RUN = timedelta(days=3)
#: How much dearer, or cheaper, than its precedents a day may be, and than its like of a month
#: before: a fee of twenty days' cost is no precedent of a day at four times the cost.
_ABOVE_PRECEDENTS, _BELOW_PRECEDENTS = math.log(1.25), math.log(1.5)
_ABOVE_LIKE, _BELOW_LIKE = math.log(1.5), math.log(2)
#: Compared with its own level a day is no precedent, nor a like, of one that cost so much more.
_FAR = math.log(2)


@dataclass(frozen=True, slots=True)
class Limits:
    """See :class:`~airflow_multicloud.core.cost.anomalies.scores.Sensitivity`."""

    score: float
    min_ratio: float
    min_excess: float

    @property
    def offset(self) -> float:
        """Makes days without cost finite, and trifles equal."""
        return max(self.min_excess, 0.01) / 10


@dataclass(frozen=True, slots=True)
class Surprise:
    """A day that exceeds what it is compared with.

    :param place: its index.
    :param score: spreads above the expected.
    :param new: the series had no cost at all in the weeks before.
    """

    place: int
    expected: float
    score: float
    new: bool


@dataclass(frozen=True, slots=True)
class _Day:
    """A day with a cost, in logarithms.

    :param above: the level that was known then.
    :param reported: it was a surprise itself.
    """

    day: date
    cost: float
    log: float
    above: float
    reported: bool = False


def surprises(
    days: Sequence[date], costs: Sequence[float], first: date, limits: Limits
) -> list[Surprise]:
    """The surprising days of a series from ``first`` on.

    :param days: ascending; days that no bill covers are left out.
    :param costs: of these days.
    """
    found: list[Surprise] = []
    past: list[_Day] = []
    for place, (day, cost) in enumerate(zip(days, costs, strict=True)):
        if cost <= limits.offset:
            continue
        log = math.log(cost + limits.offset)
        level = median([p.log for p in past[-_LEVEL_DAYS:]]) if past else log
        today = _Day(day, cost, log, log - level)
        known = bool(past) and day - past[0].day >= _KNOWN
        if cost > limits.min_excess and (day >= first or known):
            window = [p for p in past if day - p.day <= WINDOW]
            surprise = _judged(place, today, window, limits)
            if surprise is not None:
                today = replace(today, reported=True)
                if day >= first:
                    found.append(surprise)
        past.append(today)
    return found


def _judged(place: int, today: _Day, past: Sequence[_Day], limits: Limits) -> Surprise | None:
    if len(past) < _FEW:
        expected = max((p.cost for p in past), default=0.0)
        new = not past
        score = (today.log - math.log(expected + limits.offset)) / _LEAST_SPREAD
        dearer = _dearer(today.cost, expected, limits)
        return Surprise(place, expected, score, new) if dearer else None
    weekday = today.day.weekday()
    usual = _season([p.above for p in past if p.day.weekday() == weekday])
    # A quick look first: the rest takes longer, and few days need it.
    if not _dearer(today.cost, math.exp(today.log - today.above + usual) - limits.offset, limits):
        return None
    by_weekday: list[list[float]] = [[] for _ in range(7)]
    for p in past:
        by_weekday[p.day.weekday()].append(p.above)
    season = [_season(of) for of in by_weekday]
    errors = [p.above - _without(by_weekday[p.day.weekday()], p.above) for p in past]
    centre = median(errors)
    spread = max(NORMAL * median([abs(e - centre) for e in errors]), _LEAST_SPREAD)
    error = today.above - usual
    expected = math.exp(today.log - error + centre) - limits.offset
    # Where half of the days are a job's the spread is the job; then what was dearest counts.
    beyond = max(
        error - sorted(errors)[-_PRECEDENTS], today.log - sorted(p.log for p in past)[-_PRECEDENTS]
    )
    score = max((error - centre) / spread, limits.score * beyond / _ABOVE_LIKE)
    if score <= limits.score or not _dearer(today.cost, expected, limits):
        return None
    if _precedented(today, usual, past, season, errors):
        return None
    if _like_before(today, error, past, errors, centre + limits.score * spread):
        return None
    return Surprise(place, max(expected, 0.0), score, new=False)


def _dearer(cost: float, expected: float, limits: Limits) -> bool:
    return cost > limits.min_ratio * expected and cost - expected > limits.min_excess


def _precedented(
    today: _Day,
    usual: float,
    past: Sequence[_Day],
    season: Sequence[float],
    errors: Sequence[float],
) -> bool:
    """Whether days as dear came before: apart from today on two, or all along since three.

    Of days that were reported themselves there must be three, and neighbours are one.
    """
    error, plain = today.above - usual, today.log - usual
    above = _above_precedents(errors)
    apart: list[_Day] = []
    run = 0
    since: date | None = today.day  # the first day of the run, while it goes on
    for p, of_then in zip(reversed(past), reversed(errors), strict=True):
        recent = today.day - p.day <= _RECENT
        far_below = today.log - p.log > _FAR
        alike = (_as_dear(of_then, error, above) and not far_below) or (
            recent and _as_dear(p.log - season[p.day.weekday()], plain, above)
        )
        if not alike:
            since = None
        elif since is not None and since - p.day <= _RUN:
            run, since = run + 1, p.day
        else:
            apart.append(p)
    return run >= _LASTING or (
        _are_a_habit(apart, today.day) and not regular([p.day for p in reversed(apart)], today.day)
    )


def _are_a_habit(dear: Sequence[_Day], today: date) -> bool:
    """Whether dear days, the latest first, are how the series is, not one incident and another."""
    incidents: list[list[_Day]] = []
    others = 0
    for p in dear:
        if not p.reported:
            others += 1
        elif incidents and incidents[-1][-1].day - p.day <= _RUN:
            incidents[-1].append(p)
        else:
            incidents.append([p])
    # What was reported for three days was a level that lasted, and what just was may be one.
    levels = [d for d in incidents if len(d) >= _LASTING or today - d[0].day <= _RUN]
    others += sum(map(len, levels))
    needed = _PRECEDENTS if others else _REPORTED_PRECEDENTS
    return others + len(incidents) - len(levels) >= needed


def _above_precedents(errors: Sequence[float]) -> float:
    """How much dearer than two past days a day may be: more where the dear days differ much."""
    dear = sorted(e for e in errors if e > _ABOVE_LIKE)
    if len(dear) < _MANY_DEAR:
        return _ABOVE_PRECEDENTS
    return max(_ABOVE_PRECEDENTS, 2 * (dear[-2] - dear[-4]))


def _as_dear(before: float, today: float, above: float) -> bool:
    return -above <= before - today <= _BELOW_PRECEDENTS


def _like_before(
    today: _Day, error: float, past: Sequence[_Day], errors: Sequence[float], odd: float
) -> bool:
    """Whether one of a few odd days that cost about as much was a month, or two or three, ago."""
    likes = [
        p.day
        for p, of_then in zip(past, errors, strict=True)
        if of_then > odd
        and (_like(p.log, today.log) or (_like(of_then, error) and today.log - p.log <= _FAR))
    ]
    came_already = any(today.day - like <= _SAME for like in likes)
    return (
        len(likes) <= _MONTHLY
        and not came_already
        and any(month_apart(like, today.day) for like in likes)
    )


def _like(before: float, today: float) -> bool:
    return -_ABOVE_LIKE <= before - today <= _BELOW_LIKE


def _without(values: Sequence[float], one: float) -> float:
    others = list(values)
    others.remove(one)
    return _season(others)


def _season(values: Sequence[float]) -> float:
    """What a weekday usually differs from the level; too few say nothing."""
    return median(values) if len(values) > 1 else 0.0
