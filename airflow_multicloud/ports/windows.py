"""The time that a query of metrics or logs is about."""

from __future__ import annotations

from datetime import UTC, datetime

#: No service keeps anything of before, or of after; and clients count from or to there in whatever
#: timezone and unit without leaving the calendar.
_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
_LATEST = datetime(9000, 1, 1, tzinfo=UTC)


def check_window(since: datetime, until: datetime) -> None:
    """Refuse what is no time from a moment to a later one.

    :param since: the first moment.
    :param until: the moment after the last.
    :raises ValueError: naming the parameter.
    """
    for name, moment in (("since", since), ("until", until)):
        if moment.tzinfo is None:
            raise ValueError(f"{name}: a datetime without a timezone given, expected an aware one")
        if not _EARLIEST <= moment <= _LATEST:
            raise ValueError(
                f"{name}: {moment} given, expected a time from {_EARLIEST:%Y-%m-%d} to "
                f"{_LATEST:%Y-%m-%d}"
            )
    if until <= since:
        raise ValueError(f"until: {until} given, expected a time after since {since}")
