"""Sizes, durations and the like as they are typed on a command line. Standard library only."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from airflow_multicloud.months import parse_month

_SIZE = re.compile(r"(\d+)([KMGT]?)", re.IGNORECASE)
_DURATION = re.compile(r"(\d+)([smhdw])")
_COUNT_OR_SHARE = re.compile(r"(\d+)|(\d+(?:\.\d+)?)%", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def size(text: str) -> int:
    """Bytes; ``K``, ``M``, ``G`` and ``T`` are powers of 1024."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ArgumentTypeError(
            f"{text!r} is not a size; expected bytes, or a number with K, M, G or T, like 64M"
        )
    number, unit = found.groups()
    return int(number) << (10 * " KMGT".index(unit.upper() or " "))


def duration(text: str) -> timedelta:
    """A number with ``s``, ``m``, ``h``, ``d`` or ``w``."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ArgumentTypeError(
            f"{text!r} is not a duration; expected a number with s, m, h, d or w, like 15m"
        )
    number, unit = found.groups()
    try:
        return timedelta(**{_UNITS[unit]: int(number)})
    except OverflowError:
        raise ArgumentTypeError(f"{text!r} is longer than {timedelta.max.days}d") from None


def count_or_share(text: str) -> int | float:
    """A count, or with ``%`` a share from 0 to 1."""
    found = _COUNT_OR_SHARE.fullmatch(text)
    if found is not None:
        count, percent = found.groups()
        if count is not None:
            return int(count)
        if (share := Decimal(percent) / 100) <= 1:
            return float(share)
    raise ArgumentTypeError(
        f"{text!r} is neither a number of objects nor a share; expected one like 100, or 0% to 100%"
    )


def day(text: str) -> date:
    """``YYYY-MM-DD``."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a day; expected YYYY-MM-DD") from None


def moment(text: str) -> datetime:
    """A time in ISO 8601 with its distance from UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ArgumentTypeError(
            f"{text!r} is not a time in ISO 8601 with a timezone, like 2026-01-31T12:00:00Z"
        )
    return found


def month(text: str) -> date:
    """``YYYY-MM``, as its first day."""
    try:
        return parse_month(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a month; expected YYYY-MM") from None


def number(text: str) -> Decimal:
    """A number, 0 or more."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or value < 0:
        raise ArgumentTypeError(f"{text!r} is not a number; expected 0 or more, like 2.5")
    return value
