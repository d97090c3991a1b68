"""Metrics as plain documents, with all that templates and people make of them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from numbers import Real
from typing import Any

import pytest

from airflow_multicloud.core.metrics.collecting import Collected, Collector
from airflow_multicloud.core.metrics.given import read_given
from airflow_multicloud.errors import MetricsError
from airflow_multicloud.ports.metrics import Counter, Gauge, Histogram, MetricPoint, Temporality

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
INSTANT = timedelta(milliseconds=1)


def read(*documents: Any) -> Collected:
    return read_given(list(documents), Collector(NOON))


def one(**document: Any) -> MetricPoint:
    found = read({"name": "m", **document})
    assert found.refusals == ()
    (point,) = found.points
    return point


def why_not(**document: Any) -> str:
    found = read({"name": "m", **document})
    assert found.points == ()
    (refusal,) = found.refusals
    assert refusal.count == found.given == 1
    assert refusal.samples == ("m",)
    return refusal.reason


def test_a_gauge_is_what_is_meant_by_default() -> None:
    point = one(value=3, unit="By", attributes={"cloud.provider": "aws", "ok": True}, time=None)
    assert point.data == Gauge(3)
    assert (point.time, point.start, point.unit) == (NOON, None, "By")
    assert point.attributes == {"cloud.provider": "aws", "ok": True}


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), ("-2.5", -2.5), ("1e3", 1000.0), (" 7 ", 7), ("9007199254740993", 2**53 + 1)],
)
def test_what_a_template_made_text_of_is_a_number_again(text: str, value: float) -> None:
    data = one(value=text).data
    assert isinstance(data, Gauge)
    assert data.value == value
    assert isinstance(data.value, type(value))


def test_a_counter_counts_from_just_before_its_time() -> None:
    point = one(value=3, type="counter")
    assert point.data == Counter(3, Temporality.DELTA)
    assert point.start == NOON - INSTANT


def test_a_counter_says_since_when_it_counts() -> None:
    point = one(
        value="3",
        type="counter",
        temporality="cumulative",
        start="2026-01-02T10:00:00+00:00",
        time="2026-01-02T14:30:00+02:00",
        monotonic="False",
    )
    assert point.data == Counter(3, Temporality.CUMULATIVE, monotonic=False)
    assert point.start == NOON - timedelta(hours=2)
    assert point.time == datetime(2026, 1, 2, 14, 30, tzinfo=timezone(timedelta(hours=2)))


def test_values_are_counted() -> None:
    point = one(type="histogram", values=["1", 2.5, 5, 7], bounds=[1, 5])
    assert point.data == Histogram(
        count=4,
        temporality=Temporality.DELTA,
        bounds=(1, 5),
        counts=(1, 2, 1),
        total=15.5,
        minimum=1,
        maximum=7,
    )


def test_no_values_are_a_histogram_without_any() -> None:
    assert one(type="histogram", values=[]).data == Histogram(
        count=0, temporality=Temporality.DELTA, total=0.0
    )


def test_a_histogram_that_was_counted() -> None:
    figures = {"count": "4", "sum": "15.5", "min": 1, "max": 7, "bounds": [1, 5]}
    data = one(type="histogram", counts="[1, 2, 1]", **figures).data
    assert data == one(type="histogram", values=[1, 2.5, 5, 7], bounds=[1, 5]).data


def test_a_sum_that_no_number_can_be_is_left_to_the_clouds() -> None:
    data = one(type="histogram", values=[10**308] * 20).data
    assert isinstance(data, Histogram)
    assert data.total == math.inf


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, "value: nothing given"),
        ({"value": ""}, "value: nothing given"),
        ({"value": "many"}, "value: expected a number"),
        ({"value": True}, "value: a truth value given"),
        ({"value": [1]}, "value: expected a number"),
        ({"value": 10**400}, "larger than a number of 64 bits"),
        ({"value": "9" * 5000}, "value: expected a number"),
        ({"value": 1, "vlaue": 2, "tags": 3}, "tags, vlaue: no such key of a gauge; allowed: name"),
        ({"value": 1, "start": NOON}, "start: no such key of a gauge"),
        ({"value": 1, "type": "summary"}, "type: expected one of gauge, counter, histogram"),
        ({"value": 1, "type": "counter", "temporality": "x"}, "expected one of delta, cumulative"),
        ({"value": 1, "type": "counter", "monotonic": "maybe"}, "expected true or false"),
        ({"value": 1, "time": "yesterday"}, "time: expected a time in ISO 8601"),
        ({"value": 1, "time": 1767355200}, "time: expected a time in ISO 8601"),
        ({"value": 1, "time": "2026-01-02T12:00:00"}, "time: it has no timezone"),
        ({"value": 1, "unit": 5}, "unit: expected text"),
        ({"value": Decimal("sNaN")}, "value: expected a number"),
        ({"value": Fraction(10**400)}, "larger than a number of 64 bits"),
        (
            {"value": 1, "type": "counter", "time": "0001-01-01T00:00:00Z"},
            "time: there is none before it",
        ),
        ({"value": 1, "unit": "{{ unit }}"}, "unit: it has a template that was not rendered"),
        ({"value": 1, "attributes": ["a"]}, "attributes: expected names and values"),
        ({"value": 1, "attributes": {"a": None}}, "attributes: expected names with texts"),
        ({"value": 1, "attributes": {"a": "{{ x }}"}}, "attributes: one has a template"),
        ({"type": "histogram"}, "values, count: neither given"),
        ({"type": "histogram", "values": [1], "count": 1}, "count: given beside values"),
        ({"type": "histogram", "values": "x"}, "values: expected a number"),
        ({"type": "histogram", "count": 1.5}, "count: expected a whole number"),
        ({"type": "histogram", "count": "nan"}, "count: expected a whole number"),
        ({"type": "histogram", "values": {"a": 1}}, "values: expected a list of numbers"),
    ],
)
def test_what_is_no_metric_says_why(document: dict[str, Any], words: str) -> None:
    assert words in why_not(**document)


def test_one_that_is_none_costs_itself() -> None:
    found = read({"name": "a", "value": 1}, {"value": "x"}, {"name": "b", "value": 2})
    assert [point.name for point in found.points] == ["a", "b"]
    assert found.given == 3
    assert found.refusals[0].samples == ("metrics[1]",)


def test_the_same_series_and_time_twice_is_told() -> None:
    """A cloud would add both, keep one, or refuse one."""
    same = {"name": "a", "value": 1, "attributes": {"x": 1}}
    found = read(same, {**same, "value": 2}, {**same, "attributes": {"x": 2}})
    assert len(found.points) == 2
    assert "the same time" in found.refusals[0].reason
    assert found.refusals[0].samples == ("a{x=1}",)


def test_series_are_compared_as_they_are_sent() -> None:
    """With what the task adds to them."""
    collector = Collector(NOON, {"airflow.dag_id": "shop"})
    plain = {"name": "a", "value": 1}
    others = [{**plain, "attributes": {"airflow.dag_id": name}} for name in ("shop", "other")]
    found = read_given([plain, *others], collector)
    assert [dict(one.attributes) for one in found.points] == [
        {"airflow.dag_id": "shop"},
        {"airflow.dag_id": "other"},
    ]
    assert "the same time" in found.refusals[0].reason


class Real32:
    """A number that is no float, as NumPy has them."""

    def __float__(self) -> float:
        return 1.5


Real.register(Real32)


class Listed(list[Any]):
    """A list that can't be compared with one value, as NumPy's arrays."""

    def __eq__(self, other: object) -> bool:
        raise ValueError("ambiguous")

    __hash__ = None

    def tolist(self) -> list[Any]:
        return [*self]


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (Decimal("1.5"), 1.5),
        (Decimal(2**60 + 1), 2**60 + 1),
        (Decimal("1e999999"), math.inf),
        (Fraction(3, 2), 1.5),
        (Real32(), 1.5),
    ],
)
def test_numbers_of_other_types(given: Any, value: float) -> None:
    (point,) = read({"value": given, "name": "a"}).points
    assert point.data == Gauge(value)
    assert isinstance(point.data, Gauge)
    assert type(point.data.value) is type(value)


def test_arrays_are_lists() -> None:
    (point,) = read({"name": "a", "type": "histogram", "values": Listed([1, Decimal(2)])}).points
    assert point.data.total == 3  # type: ignore[union-attr]


class Hostile:
    def __eq__(self, other: object) -> bool:
        raise AttributeError("no")

    __hash__ = None  # type: ignore[assignment]


def test_what_nobody_thought_of_costs_itself() -> None:
    good = {"name": "ok", "value": 1}
    found = read(good, {"name": "a", "value": 1, "type": Hostile(), "unit": Hostile()})
    assert [one.name for one in found.points] == ["ok"]
    assert found.given == 2


def test_an_error_that_is_not_foreseen_costs_its_item() -> None:
    def read_it() -> Any:
        raise KeyError

    collector = Collector(NOON)
    collector.attempt("bad", read_it)
    found = collector.collected()
    assert found.refusals[0].reason == "it can't be read (KeyError)"


def test_a_name_is_shown_printable() -> None:
    found = read({"name": "a\n\x1b[2J" + "x" * 100_000, "value": "x"})
    (sample,) = found.refusals[0].samples
    assert sample.isprintable()
    assert len(sample) <= 100


@pytest.mark.parametrize("text", ['[{"name": "a", "value": 1}]', "[{'name': 'a', 'value': 1}]"])
def test_a_template_without_native_objects_gives_text(text: str) -> None:
    assert read_given(text, Collector(NOON)).points[0].name == "a"


@pytest.mark.parametrize("given", [None, "", "a=1", 3, [1], ["x"]])
def test_what_is_no_list_of_metrics_is_refused(given: Any) -> None:
    with pytest.raises(MetricsError, match=r"metrics"):
        read_given(given, Collector(NOON))


def test_attributes_of_one_text_are_one_series() -> None:
    """Clouds keep text: true and 1 are two series, 1 and "1" are one."""
    documents = [
        {"name": "m", "value": value, "attributes": {"k": key}}
        for value, key in ((1, True), (2, 1), (3, "1"))
    ]
    found = read_given(documents, Collector())
    assert [one.data for one in found.points] == [Gauge(1), Gauge(2)]
    assert [one.count for one in found.refusals] == [1]
