"""Points of OTLP's JSON: one document, or a line for each, as collectors write files.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding and
https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/. Numbers of 64 bits are texts
there, numbers that are not finite are words, and what is not known is ignored. Ids of traces,
which are in hexadecimal digits, stand in exemplars only, which are not sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from airflow_multicloud.core.metrics.collecting import (
    RESOURCE_ATTRIBUTES,
    Collected,
    Collector,
    UnreadableError,
    refused,
)
from airflow_multicloud.core.metrics.numbers import count_of, number_of
from airflow_multicloud.core.metrics.otel_model import (
    OtelPoint,
    Stream,
    check_recorded,
    explicit_histogram,
    inherited_of,
    point_of,
    temporality_of,
    without_summary,
)
from airflow_multicloud.core.metrics.otlp_values import (
    Json,
    attributes_in,
    count_in,
    list_in,
    number_in,
    object_in,
    text_in,
)
from airflow_multicloud.ports.metrics import (
    Counter,
    ExponentialBuckets,
    ExponentialHistogram,
    Gauge,
    Temporality,
)

_TEMPORALITY = {"AGGREGATION_TEMPORALITY_DELTA": 1, "AGGREGATION_TEMPORALITY_CUMULATIVE": 2}
_NO_FLAG = {"DATA_POINT_FLAGS_DO_NOT_USE": 0, "DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK": 1}


def read_otlp_json(
    content: bytes,
    collector: Collector,
    *,
    name: str,
    resource_attributes: Sequence[str] = RESOURCE_ATTRIBUTES,
) -> Collected:
    """Points of a file; a line, or a part of one, that is none costs itself.

    :param name: what the file is called in reports.
    :param resource_attributes: of each resource, to be kept as attributes of each point.
    :raises MetricsError: ``invalid_argument`` when nothing of it is OTLP's JSON.
    """
    lines, with_metrics = 0, 0
    for line, document in _documents(content):
        where = f"{name} line {line}"
        lines += 1
        if not isinstance(document, Mapping):
            collector.refuse(where, "the line is no JSON object")
            continue
        with_metrics += "resourceMetrics" in document
        reader = _Reader(collector, where, resource_attributes)
        for resource in reader.all_of(document, "resourceMetrics"):
            reader.resource(resource)
    if lines and not with_metrics:
        raise refused(f"otlp_json: {name} is no OTLP metrics in JSON: no resourceMetrics in it")
    return collector.collected()


def _documents(content: bytes) -> Iterator[tuple[int, object]]:
    """One document, or one on each line; ``None`` for what can't be read."""
    whole = _json(content)
    if isinstance(whole, Mapping):
        yield 1, whole
        return
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.strip():
            yield number, _json(line)


def _json(content: bytes) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


class _Reader:
    """Reads one document."""

    def __init__(self, collector: Collector, where: str, keep: Sequence[str]) -> None:
        self._collector = collector
        self._where = where
        self._keep = keep

    def all_of(self, given: Json, key: str, name: str | None = None) -> Iterator[Json]:
        """The objects of a list; what is none is refused."""
        found = given.get(key)
        if found is None:
            return
        for one in found if isinstance(found, list) else [found]:
            if isinstance(one, Mapping) and isinstance(found, list):
                yield one
            else:
                self._collector.refuse(name or self._where, f"{key}: expected a list of objects")

    def resource(self, given: Json) -> None:
        resource = self._attributes(object_in(given, "resource"))
        for scope in self.all_of(given, "scopeMetrics"):
            about = object_in(scope, "scope")
            inherited, changes = inherited_of(
                resource,
                keep=self._keep,
                scope=text_in(about, "name"),
                scope_rest=bool(about.get("version") or about.get("attributes")),
            )
            for metric in self.all_of(scope, "metrics"):
                stream = Stream(
                    name=text_in(metric, "name"),
                    unit=text_in(metric, "unit"),
                    description=text_in(metric, "description"),
                    inherited=inherited,
                    changes=changes,
                )
                self._metric(stream, metric)

    def _attributes(self, given: Json) -> dict[str, object]:
        try:
            return attributes_in(given)
        except UnreadableError as err:
            self._collector.refuse(self._where, f"resource: {err}")
            return {}

    def _metric(self, stream: Stream, metric: Json) -> None:
        found = [(key, read) for key, read in _KINDS.items() if key in metric]
        shown = stream.name or self._where
        if len(found) != 1:
            self._collector.refuse(shown, "its kind is none that is known here")
            return
        ((key, read),) = found
        data = object_in(metric, key)
        for point in self.all_of(data, "dataPoints", shown):
            self._collector.attempt(
                shown,
                lambda point=point: point_of(  # type: ignore[misc]
                    stream, _point(data, point, read), self._collector.time
                ),
            )


def _point(data: Json, point: Json, read: Callable[[Json, Json], Any]) -> OtelPoint:
    flags = _named(point, "flags", _NO_FLAG)
    check_recorded(flags)  # Such a one has no value.
    figures = read(data, point)
    changes = ()
    if isinstance(figures, tuple):
        figures, changes = figures
    return OtelPoint(
        data=figures,
        attributes=attributes_in(point),
        time=count_in(point, "timeUnixNano"),
        start=count_in(point, "startTimeUnixNano"),
        flags=flags,
        exemplars=bool(point.get("exemplars")),
        changes=changes,
    )


def _gauge(_data: Json, point: Json) -> Gauge:
    return Gauge(_value(point))


def _counter(data: Json, point: Json) -> Counter:
    return Counter(_value(point), _temporality(data), monotonic=data.get("isMonotonic") is True)


def _histogram(data: Json, point: Json) -> Any:
    return explicit_histogram(
        count=count_in(point, "count"),
        temporality=_temporality(data),
        bounds=[number_of(one, "explicitBounds") for one in list_in(point, "explicitBounds")],
        counts=[count_of(one, "bucketCounts") for one in list_in(point, "bucketCounts")],
        total=number_in(point, "sum"),
        minimum=number_in(point, "min"),
        maximum=number_in(point, "max"),
    )


def _exponential(data: Json, point: Json) -> ExponentialHistogram:
    return ExponentialHistogram(
        count=count_in(point, "count"),
        temporality=_temporality(data),
        scale=count_in(point, "scale"),
        zero_count=count_in(point, "zeroCount"),
        zero_threshold=number_in(point, "zeroThreshold") or 0.0,
        positive=_buckets(object_in(point, "positive")),
        negative=_buckets(object_in(point, "negative")),
        total=number_in(point, "sum"),
        minimum=number_in(point, "min"),
        maximum=number_in(point, "max"),
    )


def _summary(_data: Json, point: Json) -> Any:
    return without_summary(count_in(point, "count"), number_in(point, "sum"))


_KINDS: Mapping[str, Callable[[Json, Json], Any]] = {
    "gauge": _gauge,
    "sum": _counter,
    "histogram": _histogram,
    "exponentialHistogram": _exponential,
    "summary": _summary,
}


def _buckets(given: Json) -> ExponentialBuckets:
    counts = tuple(count_of(one, "bucketCounts") for one in list_in(given, "bucketCounts"))
    return ExponentialBuckets(count_in(given, "offset"), counts)


def _value(point: Json) -> float:
    for key in ("asDouble", "asInt"):
        if key in point:
            return number_of(point[key], key)
    raise UnreadableError("value: the point has none")


def _temporality(data: Json) -> Temporality:
    return temporality_of(_named(data, "aggregationTemporality", _TEMPORALITY))


def _named(given: Json, key: str, names: Mapping[str, int]) -> int:
    found = given.get(key, 0)
    return names[found] if isinstance(found, str) and found in names else count_of(found, key)
