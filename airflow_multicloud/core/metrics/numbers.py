"""Numbers and times as people, templates and files write them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from numbers import Integral, Real

from airflow_multicloud.core.metrics.collecting import UnreadableError

#: A counter of which nobody says since when counts from so long before its time.
INSTANT = timedelta(milliseconds=1)
_MICROSECOND = 1000
_LONGEST_NUMBER = 400
#: Whole decimals stay exact up to this.
_WHOLE = 2**64


def number_of(given: object, what: str) -> float:
    """A number, also one that a template has made text of; not finite ones are left to the clouds.

    Whole numbers stay exact.

    :raises UnreadableError: for anything else.
    """
    if isinstance(given, bool):
        raise UnreadableError(f"{what}: a truth value given, expected a number")
    if isinstance(given, int | float):
        return _within(given, what)
    if isinstance(given, Integral):  # NumPy's, say
        return _within(int(given), what)
    if isinstance(given, Decimal) and given.is_finite() and abs(given) < _WHOLE:
        return int(given) if given == int(given) else float(given)
    if isinstance(given, Real) or (isinstance(given, Decimal) and not given.is_snan()):
        return _float(given, what)
    if isinstance(given, str) and len(given) <= _LONGEST_NUMBER:
        for read in (int, float):
            try:
                return _within(read(given), what)
            except ValueError:
                continue
    raise UnreadableError(f"{what}: expected a number")


def _within(number: float, what: str) -> float:
    _float(number, what)
    return number


def _float(number: Real | Decimal | float, what: str) -> float:
    try:
        return float(number)
    except OverflowError:
        raise UnreadableError(f"{what}: it is larger than a number of 64 bits can be") from None


def instant_before(time: datetime) -> datetime:
    """Since when a counter counts of which nobody says it.

    :raises UnreadableError: when there is no such time.
    """
    try:
        return time - INSTANT
    except OverflowError:
        raise UnreadableError("time: there is none before it, when it began to count") from None


def count_of(given: object, what: str) -> int:
    """A whole number.

    :raises UnreadableError: for anything else.
    """
    number = number_of(given, what)
    if not math.isfinite(number) or number != int(number):
        raise UnreadableError(f"{what}: expected a whole number")
    return int(number)


def time_of(given: object, what: str) -> datetime:
    """An aware time, or ISO 8601.

    :raises UnreadableError: for anything else.
    """
    found = given
    if isinstance(given, str):
        try:
            found = datetime.fromisoformat(given.strip())
        except ValueError:
            raise UnreadableError(f"{what}: expected a time in ISO 8601") from None
    if not isinstance(found, datetime):
        raise UnreadableError(f"{what}: expected a time in ISO 8601")
    if found.tzinfo is None:
        raise UnreadableError(f"{what}: it has no timezone; write +00:00 or Z for UTC")
    return found


def time_of_nanoseconds(given: int, what: str) -> tuple[datetime, bool]:
    """A time, and whether it was rounded down to a microsecond.

    :raises UnreadableError: when there is no such time.
    """
    microseconds, rest = divmod(given, _MICROSECOND)
    try:
        found = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    except OverflowError:
        raise UnreadableError(f"{what}: there is no such time") from None
    return found, rest != 0
