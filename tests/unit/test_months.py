"""Months of the calendar, at the ends of years and of short months."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from airflow_multicloud.months import (
    are_whole_months,
    first_of_month,
    last_of_month,
    month_bounds,
    month_length,
    months_between,
    months_later,
    next_month,
    parse_month,
    previous_month,
)


def test_month_bounds() -> None:
    assert month_bounds(date(2026, 12, 31)) == (date(2026, 12, 1), date(2027, 1, 1))
    assert month_bounds(date(2028, 2, 1)) == (date(2028, 2, 1), date(2028, 3, 1))


@pytest.mark.parametrize(
    ("day", "length"),
    [
        (date(2026, 1, 31), 31),
        (date(2026, 2, 1), 28),
        (date(2028, 2, 29), 29),
        (date(2000, 2, 1), 29),
        (date(2100, 2, 28), 28),
        (date(2026, 4, 30), 30),
        (date(2026, 12, 1), 31),
    ],
)
def test_the_ends_of_a_month(day: date, length: int) -> None:
    assert month_length(day) == length
    assert first_of_month(day) == date(day.year, day.month, 1)
    assert last_of_month(day) == date(day.year, day.month, length)
    assert last_of_month(day) + timedelta(days=1) == next_month(day)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 11, 30), 1, date(2026, 12, 1)),
        (date(2026, 12, 31), 1, date(2027, 1, 1)),
        (date(2026, 12, 1), 0, date(2026, 12, 1)),
        (date(2026, 1, 31), -1, date(2025, 12, 1)),
        (date(2026, 3, 31), -1, date(2026, 2, 1)),
        (date(2026, 1, 1), 12, date(2027, 1, 1)),
        (date(2026, 1, 1), -13, date(2024, 12, 1)),
        (date(2028, 2, 29), 12, date(2029, 2, 1)),
    ],
)
def test_months_later(day: date, months: int, expected: date) -> None:
    assert months_later(day, months) == expected
    assert months_between(day, expected) == months
    assert months_between(expected, day) == -months


def test_next_and_previous() -> None:
    assert next_month(date(2026, 12, 31)) == date(2027, 1, 1)
    assert previous_month(date(2026, 1, 1)) == date(2025, 12, 1)


def test_every_day_of_some_years_goes_forth_and_back() -> None:
    day = date(2023, 12, 1)
    while day < date(2029, 2, 1):
        assert previous_month(next_month(day)) == first_of_month(day) <= day <= last_of_month(day)
        assert months_between(day, next_month(day)) == 1
        day += timedelta(days=1)


def test_no_month_follows_the_last_that_a_date_can_have() -> None:
    with pytest.raises(ValueError, match="year 10000 is out of range"):
        next_month(date.max)
    assert last_of_month(date.max) == date.max


@pytest.mark.parametrize(
    ("start", "end", "whole"),
    [
        (date(2026, 12, 1), date(2027, 1, 1), True),
        (date(2026, 1, 1), date(2026, 4, 1), True),
        (date(2026, 2, 1), date(2026, 2, 2), False),
        (date(2026, 2, 1), date(2026, 2, 28), False),
        (date(2026, 2, 2), date(2026, 3, 1), False),
    ],
)
def test_whole_months(start: date, end: date, whole: bool) -> None:
    assert are_whole_months(start, end) is whole


def test_a_month_as_text() -> None:
    assert parse_month("2026-12") == date(2026, 12, 1)


@pytest.mark.parametrize(
    "text",
    ["2026-13", "2026-00", "0000-01", "2026-1", "202601", "2026-01-01", "", "\u0662026-01", "x"],
)
def test_text_that_is_no_month(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - a date's own message, or ours
        parse_month(text)
