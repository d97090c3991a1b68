"""Months of the calendar: bills, budgets and forecasts are made by them. Standard library only."""

from __future__ import annotations

import calendar
import re
from datetime import date

_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")


def first_of_month(day: date) -> date:
    """The first day of the month that a day is in."""
    return day.replace(day=1)


def last_of_month(day: date) -> date:
    """The last day of the month that a day is in."""
    return day.replace(day=month_length(day))


def month_length(day: date) -> int:
    """How many days the month has that a day is in."""
    return calendar.monthrange(day.year, day.month)[1]


def months_later(day: date, months: int) -> date:
    """The first day of the month so many months after the one that a day is in.

    :param months: negative for an earlier month.
    :raises ValueError: when that is no year that a :class:`~datetime.date` can have.
    """
    year, month = divmod(_number(day) + months, 12)
    return date(year, month + 1, 1)


def next_month(day: date) -> date:
    """The first day of the month after the one that a day is in."""
    return months_later(day, 1)


def previous_month(day: date) -> date:
    """The first day of the month before the one that a day is in."""
    return months_later(day, -1)


def month_bounds(day: date) -> tuple[date, date]:
    """The month that a day is in: its first day, and the day after its last."""
    return first_of_month(day), next_month(day)


def months_between(first: date, last: date) -> int:
    """How many months the month of ``last`` is after the one of ``first``; 0 in the same month."""
    return _number(last) - _number(first)


def are_whole_months(start: date, end: date) -> bool:
    """Whether ``start`` to before ``end`` begins and ends with a calendar month."""
    return start.day == end.day == 1


def parse_month(text: str) -> date:
    """The first day of a month written as ``YYYY-MM``.

    :raises ValueError: when it is not written so, or there is no such month.
    """
    found = _MONTH.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a month; expected YYYY-MM")
    return date(int(found[1]), int(found[2]), 1)


def _number(day: date) -> int:
    """Months since the year 0."""
    return day.year * 12 + day.month - 1
