"""How old, and how far ahead, what is sent to a cloud may be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def why_not_time(time: datetime, oldest: timedelta | None, newest: timedelta | None) -> str | None:
    """Why a cloud refuses a time, in words that are the same for all that share the reason.

    :param oldest: how long ago it may be at most; ``None`` where there is no limit.
    :param newest: how far ahead.
    """
    age = datetime.now(UTC) - time
    if oldest is not None and age > oldest:
        return f"time: more than {oldest} ago, which this cloud refuses"
    if newest is not None and -age > newest:
        return f"time: more than {newest} ahead, which this cloud refuses"
    return None
