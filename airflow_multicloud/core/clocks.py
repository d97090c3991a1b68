"""Times that another machine wrote down, and what they are worth here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

#: Clocks that are kept by NTP differ by less; a time that is further ahead is a finding.
CLOCKS_DIFFER = timedelta(minutes=1)


def clock_ahead(as_of: datetime) -> str | None:
    """What is the matter when a time lies ahead of this machine's clock, and so no age follows.

    A copy from the future would be fresh for ever, however old it is.
    """
    ahead = as_of - datetime.now(UTC)
    if ahead <= CLOCKS_DIFFER:
        return None
    return (
        f"its time ({as_of.isoformat(timespec='seconds')}) is {ahead.total_seconds():.0f} s ahead "
        "of this machine's clock; one of the two clocks is wrong, so how old it is can't be told"
    )
