"""Metrics as a DAG's author writes them: plain documents, whose templates Airflow has rendered."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from numbers import Number, Real
from typing import Any, TypeVar

from airflow_multicloud.core.metrics.collecting import (
    Collected,
    Collector,
    UnreadableError,
)
from airflow_multicloud.core.metrics.numbers import count_of, instant_before, number_of, time_of
from airflow_multicloud.errors import MetricsError
from airflow_multicloud.lists import elements, is_template
from airflow_multicloud.ports.metrics import (
    AttributeValue,
    Counter,
    Gauge,
    Histogram,
    MetricPoint,
    PointData,
    Temporality,
)

E = TypeVar("E", bound=StrEnum)


class MetricType(StrEnum):
    """What a metric's ``type`` may be."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


_COMMON = ("name", "type", "unit", "attributes", "time", "description")
_COUNTED = ("start", "temporality")
#: Type → its keys beside the common ones.
_KEYS: Mapping[MetricType, tuple[str, ...]] = {
    MetricType.GAUGE: ("value",),
    MetricType.COUNTER: ("value", "monotonic", *_COUNTED),
    MetricType.HISTOGRAM: (
        *("values", "count", "sum", "min", "max", "bounds", "counts"),
        *_COUNTED,
    ),
}
_EMPTY = ("", "None")
_TRUTH = {"true": True, "false": False}


def read_given(metrics: object, collector: Collector) -> Collected:
    """Points of documents; one that is none costs itself.

    :param metrics: documents with the keys ``name``, ``type`` (``gauge``, which is the default,
        ``counter`` or ``histogram``), ``unit``, ``attributes``, ``time`` and ``description``;

        - gauges and counters: ``value``; counters: ``monotonic`` (true by default);
        - histograms: ``values``, which are counted here, into buckets where ``bounds`` are given;
          or ``count``, ``sum``, ``min``, ``max`` and, for buckets, ``bounds`` and ``counts``;
        - counters and histograms: ``start`` and ``temporality`` (``delta``, which is the default,
          or ``cumulative``).

        Numbers and times may be text, and what is empty counts as left out.
    :raises MetricsError: ``invalid_argument`` when it is no list of documents.
    """
    for place, document in enumerate(
        elements(metrics, "metrics", Mapping, what="metrics", error=MetricsError)
    ):
        name = document.get("name")
        shown = name if isinstance(name, str) and name else f"metrics[{place}]"
        collector.attempt(shown, lambda given=document: (_point(given, collector.time), ()))  # type: ignore[misc]
    return collector.collected()


def _point(given: Mapping[str, Any], default_time: datetime) -> MetricPoint:
    left = {key: value for key, value in given.items() if not _is_empty(value)}
    kind = _member(MetricType, left.get("type", MetricType.GAUGE), "type")
    allowed = (*_COMMON, *_KEYS[kind])
    if unknown := sorted(str(key) for key in given if key not in allowed):
        raise UnreadableError(
            f"{', '.join(unknown)}: no such key of a {kind}; allowed: {', '.join(allowed)}"
        )
    time = time_of(left["time"], "time") if "time" in left else default_time
    start = None
    if kind is not MetricType.GAUGE:
        start = time_of(left["start"], "start") if "start" in left else instant_before(time)
    return MetricPoint(
        name=_text(left, "name"),
        data=_data(kind, left),
        time=time,
        start=start,
        unit=_text(left, "unit"),
        attributes=_attributes(left.get("attributes", {})),
        description=_text(left, "description"),
    )


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and value in _EMPTY)


def _data(kind: MetricType, given: Mapping[str, Any]) -> PointData:
    temporality = _member(Temporality, given.get("temporality", Temporality.DELTA), "temporality")
    if kind is MetricType.HISTOGRAM:
        return _histogram(given, temporality)
    if "value" not in given:
        raise UnreadableError("value: nothing given, expected a number")
    value = number_of(given["value"], "value")
    if kind is MetricType.GAUGE:
        return Gauge(value)
    return Counter(value, temporality, monotonic=_truth(given.get("monotonic", True), "monotonic"))


def _histogram(given: Mapping[str, Any], temporality: Temporality) -> Histogram:
    bounds = tuple(_numbers(given, "bounds"))
    if "values" in given:
        if others := sorted({"count", "sum", "min", "max", "counts"} & given.keys()):
            raise UnreadableError(f"{', '.join(others)}: given beside values, which are counted")
        return histogram_of(_numbers(given, "values"), bounds, temporality)
    if "count" not in given:
        raise UnreadableError("values, count: neither given, expected one of them")
    counts = tuple(count_of(one, "counts") for one in _list(given, "counts"))
    figures = {key: number_of(given[key], key) for key in ("sum", "min", "max") if key in given}
    return Histogram(
        count=count_of(given["count"], "count"),
        temporality=temporality,
        bounds=bounds,
        counts=counts,
        total=figures.get("sum"),
        minimum=figures.get("min"),
        maximum=figures.get("max"),
    )


def histogram_of(
    values: Sequence[float], bounds: tuple[float, ...], temporality: Temporality
) -> Histogram:
    """A histogram of values.

    :param bounds: ascending; without buckets when there are none.
    """
    counts = [0] * (len(bounds) + 1) if bounds else []
    if bounds:
        for value in values:
            counts[bisect_left(bounds, value)] += 1
    return Histogram(
        count=len(values),
        temporality=temporality,
        bounds=bounds,
        counts=tuple(counts),
        total=_sum(values),
        minimum=min(values, default=None),
        maximum=max(values, default=None),
    )


def _sum(values: Sequence[float]) -> float:
    try:
        return float(sum(values))
    except OverflowError:
        return math.inf  # Which no cloud takes, and each says so.


def _numbers(given: Mapping[str, Any], key: str) -> Sequence[float]:
    return [number_of(one, key) for one in _list(given, key)]


def _list(given: Mapping[str, Any], key: str) -> Sequence[Any]:
    if key not in given:
        return ()
    held = given[key]
    if callable(listed := getattr(held, "tolist", None)):  # NumPy's arrays, say
        held = listed()
    try:
        return elements(held, key, str, Number, Decimal, what="numbers", error=MetricsError)
    except MetricsError:
        raise UnreadableError(f"{key}: expected a list of numbers") from None


def _text(given: Mapping[str, Any], key: str) -> str:
    text = given.get(key, "")
    if not isinstance(text, str):
        raise UnreadableError(f"{key}: expected text")
    if is_template(text):
        raise UnreadableError(f"{key}: it has a template that was not rendered")
    return text


def _attributes(given: object) -> dict[str, AttributeValue]:
    if not isinstance(given, Mapping):
        raise UnreadableError("attributes: expected names and values")
    found: dict[str, AttributeValue] = {}
    for name, value in given.items():
        if not isinstance(name, str) or not isinstance(value, str | Real | Decimal):
            raise UnreadableError("attributes: expected names with texts, numbers or truth values")
        if is_template(value):
            raise UnreadableError("attributes: one has a template that was not rendered")
        found[name] = value if isinstance(value, str | bool) else number_of(value, "attributes")
    return found


def _truth(given: object, what: str) -> bool:
    found = _TRUTH.get(given.strip().lower()) if isinstance(given, str) else given
    if not isinstance(found, bool):
        raise UnreadableError(f"{what}: expected true or false")
    return found


def _member(cls: type[E], given: object, what: str) -> E:
    try:
        return cls(str(given))
    except ValueError:
        allowed = ", ".join(cls)
        raise UnreadableError(f"{what}: expected one of {allowed}") from None
