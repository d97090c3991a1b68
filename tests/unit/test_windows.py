"""The time that queries of metrics and logs are about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from airflow_multicloud.ports.logs import LogQuery
from airflow_multicloud.ports.metrics import MetricQuery

NOW = datetime(2026, 11, 29, tzinfo=UTC)
EAST = timezone(timedelta(hours=14))
WEST = timezone(-timedelta(hours=14))


@pytest.mark.parametrize(
    ("since", "until", "message"),
    [
        (NOW.replace(tzinfo=None), NOW, "since: a datetime without a timezone"),
        (NOW, NOW.replace(tzinfo=None), "until: a datetime without a timezone"),
        (NOW, NOW, "until: .* expected a time after since"),
        (datetime(1, 1, 1, tzinfo=EAST), NOW, "since: .* expected a time from 1970-01-02"),
        (NOW, datetime(9999, 12, 31, tzinfo=WEST), "until: .* to 9000-01-01"),
    ],
)
def test_what_is_no_window_is_refused_by_name(
    since: datetime, until: datetime, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        LogQuery(since=since, until=until)
    with pytest.raises(ValueError, match=message):
        MetricQuery(name="m", namespace="n", since=since, until=until)
