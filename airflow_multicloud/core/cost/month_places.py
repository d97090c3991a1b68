"""Days that are a month apart, as fees and month-end jobs are."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from airflow_multicloud.months import month_length, months_between, months_later

#: How far a monthly day may move: the first working day is up to the 4th of a month.
NEAR = timedelta(days=3)

_WEEKS_APART = (timedelta(days=28), timedelta(days=35))
#: So many gaps with a common divisor are no chance; on one weekday fewer will do.
_GAPS, _WEEKS = 4, 2
_LEAST_STEP = 3


def month_apart(before: date, day: date, near: timedelta = NEAR) -> bool:
    """Whether two days have the same place in two months.

    Counted from the months' beginnings or from their ends, give or take ``near``; or the same
    weekday four or five weeks later.
    """
    gap = day - before
    if gap in _WEEKS_APART:
        return True
    months = months_between(before, day)
    return gap > 3 * NEAR and any(
        abs(like - before) <= near
        for back in (months - 1, months, months + 1)
        if back > 0
        for like in _a_month_ago(day, back)
    )


def following(day: date, months: int) -> date:
    """The same place some months later; a day of a month's last three is counted from its end."""
    from_end = month_length(day) - day.day
    month = months_later(day, months)
    length = month_length(month)
    near_end = timedelta(days=from_end) < NEAR
    return month.replace(day=length - from_end if near_end else min(day.day, length))


def step_of(days: Sequence[date]) -> int | None:
    """Every how many days these come, ascending; ``None`` where they don't."""
    gaps = [(b - a).days for a, b in itertools.pairwise(days)]
    step = math.gcd(*gaps)
    enough = _WEEKS if step % 7 == 0 else _GAPS
    return step if step >= _LEAST_STEP and len(gaps) >= enough else None


def regular(days: Iterable[date], day: date) -> bool:
    """Whether days, ascending, follow a calendar that another one does not.

    Every so many days (gaps that have a common divisor), or each a month apart from another.
    """
    known = list(days)
    step = step_of(known)
    if step is not None:
        return (day - known[-1]).days % step != 0
    # Two may be a month apart by chance; not to the day.
    near = NEAR if len(known) > _WEEKS else timedelta(0)
    monthly = all(
        any(month_apart(min(one, other), max(one, other), near) for other in known if other != one)
        for one in known
    )
    return monthly and not any(month_apart(one, day) for one in known)


def _a_month_ago(day: date, months: int) -> tuple[date, date]:
    month = months_later(day, -months)
    length = month_length(month)
    to_end = month_length(day) - day.day
    return (
        month.replace(day=min(day.day, length)),
        month.replace(day=max(1, length - to_end)),
    )
