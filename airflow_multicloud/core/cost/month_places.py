"""Days that are a month apart, as fees and month-end jobs are."""

from __future__ import annotations

import calendar
import itertools
from collections.abc import Iterable
from datetime import date, timedelta

#: How far a monthly day may move: the first working day is up to the 4th of a month.
NEAR = timedelta(days=3)

_WEEKS_APART = (timedelta(days=28), timedelta(days=35))
#: So many days on one weekday are no chance.
_WEEKLY = 3


def month_apart(before: date, day: date) -> bool:
    """Whether two days have the same place in two months.

    Counted from the months' beginnings or from their ends, give or take :data:`NEAR`; or the same
    weekday four or five weeks later.
    """
    gap = day - before
    if gap in _WEEKS_APART:
        return True
    months = (day.year - before.year) * 12 + day.month - before.month
    return gap > 3 * NEAR and any(
        abs(like - before) <= NEAR
        for back in (months - 1, months, months + 1)
        if back > 0
        for like in _a_month_ago(day, back)
    )


def following(day: date, months: int) -> date:
    """The same place some months later; a day of a month's last three is counted from its end."""
    from_end = calendar.monthrange(day.year, day.month)[1] - day.day
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    length = calendar.monthrange(year, month + 1)[1]
    near_end = timedelta(days=from_end) < NEAR
    return date(year, month + 1, length - from_end if near_end else min(day.day, length))


def regular(days: Iterable[date], day: date) -> bool:
    """Whether days, ascending, follow a calendar that another one does not: weekly or monthly."""
    known = list(days)
    weekdays = {d.weekday() for d in known}
    weekly = len(known) >= _WEEKLY and len(weekdays) == 1
    monthly = all(month_apart(a, b) for a, b in itertools.pairwise(known))
    return (weekly and day.weekday() not in weekdays) or (
        monthly and not month_apart(known[-1], day)
    )


def _a_month_ago(day: date, months: int) -> tuple[date, date]:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    length = calendar.monthrange(year, month + 1)[1]
    to_end = calendar.monthrange(day.year, day.month)[1] - day.day
    return (
        date(year, month + 1, min(day.day, length)),
        date(year, month + 1, max(1, length - to_end)),
    )
