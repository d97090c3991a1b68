"""By what ages the objects of a fetch are counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow_multicloud.core.failover.ages import Ages
from airflow_multicloud.core.failover.moments import Moments

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_ages_are_counted_from_the_youngest_to_the_oldest() -> None:
    ages = Ages(NOW)
    for seconds, times in ((8 * 86400, 1), (60, 1), (61, 2), (0, 1), (3600, 1), (86400, 3)):
        for _ in range(times):
            ages.add(NOW - timedelta(seconds=seconds))
    ages.add(NOW + timedelta(seconds=1))
    ages.add(None)
    assert list(ages.counts().items()) == [
        ("up to 1 min", 2),
        ("up to 5 min", 2),
        ("up to 1 h", 1),
        ("up to 1 d", 3),
        ("more than 7 d", 1),
        ("unknown", 1),
        ("in the future", 1),
    ]
    assert Ages(NOW).counts() == {}


def test_the_first_of_each_moment_is_kept_whatever_is_told_first() -> None:
    moments = Moments()
    for failed, answered, served in ((2.0, 5.0, 6.0), (1.0, 4.0, 7.0), (3.0, 9.0, 9.5)):
        moments.at_failure(failed)
        moments.at_serving(answered, served)
    assert (moments.failed, moments.answered, moments.served) == (1.0, 4.0, 6.0)
