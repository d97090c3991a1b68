"""Series that would become one: in every cloud the first is kept, and the others are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_multicloud.adapters.batches import Prepare, Prepared, check_items, dropped
from airflow_multicloud.adapters.points import name_of
from airflow_multicloud.adapters.series import each_series_apart
from airflow_multicloud.adapters.tallies import Reason
from airflow_multicloud.clouds.aws.metrics import converting as aws
from airflow_multicloud.clouds.azure.metrics import converting as azure
from airflow_multicloud.clouds.azure.metrics import custom
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.accounting import Outcome
from airflow_multicloud.ports.metrics import AttributeValue, Gauge, MetricPoint

NOW = datetime.now(UTC).replace(second=0, microsecond=0)


def point(name: str = "m", *, minute: int = 0, **attributes: AttributeValue) -> MetricPoint:
    time = NOW - timedelta(minutes=minute)
    return MetricPoint(name=name, data=Gauge(1.0), time=time, attributes=attributes)


def aws_prepare() -> Prepare[MetricPoint, Any]:
    return each_series_apart(aws.prepared, aws.kept_as)


def insights_prepare() -> Prepare[MetricPoint, Any]:
    envelopes = azure.Envelopes(key="k", namespace="n")
    return each_series_apart(envelopes.prepared, azure.kept_as)


def custom_prepare() -> Prepare[MetricPoint, Any]:
    return each_series_apart(lambda one: custom.prepared(one, "n"), custom.kept_as)


@pytest.mark.parametrize("prepare", [aws_prepare, insights_prepare, custom_prepare])
@pytest.mark.parametrize(
    ("given", "dropped"),
    [
        ([point(k=True), point(k="true"), point(k=True, minute=1), point(k="true", minute=1)], 2),
        ([point(k="1"), point(k=1), point(k=2), point("other", k=1)], 1),
        ([point(k=1), point(k=1), point(k=1.0)], 0),
        ([point(a="b", c="d"), point(c="d", a="b")], 0),
    ],
)
def test_values_that_are_the_same_text(
    prepare: Callable[[], Prepare[MetricPoint, Any]], given: list[MetricPoint], dropped: int
) -> None:
    # The points were made when tests were collected, which may be longer ago than a cloud takes.
    since = datetime.now(UTC) - NOW
    fresh = [replace(one, time=one.time + since) for one in given]
    refusals = check_items(fresh, prepare(), name=name_of)
    assert sum(one.count for one in refusals) == dropped
    assert {(one.outcome, one.kind) for one in refusals} <= {
        (Outcome.DROPPED, ErrorKind.INVALID_ARGUMENT)
    }


def test_what_is_not_sent_takes_no_others_place() -> None:
    def prepare(one: MetricPoint) -> Prepared[Any] | Reason:
        if one.name == "bad":
            return dropped(ErrorKind.INVALID_ARGUMENT, "bad")
        return Prepared(name=one.name, records=(one,), size=1)

    prepared = each_series_apart(prepare, lambda _: "the same")
    refusals = check_items([point("bad"), point("good"), point("good")], prepared, name=name_of)
    assert [(one.reason, one.count) for one in refusals] == [("bad", 1)]
