"""Points as OpenTelemetry's SDK has them, for its exporters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_multicloud import __version__
from airflow_multicloud.ports.metrics import (
    AttributeValue,
    Counter,
    ExponentialBuckets,
    ExponentialHistogram,
    Gauge,
    Histogram,
    MetricPoint,
    Temporality,
)

_SCOPE = "airflow_multicloud"
_WHOLE = range(-(2**63), 2**63)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def sdk_data(points: Sequence[MetricPoint], resource: Mapping[str, str]) -> Any:
    """A ``MetricsData``; points of one metric are together.

    :param resource: attributes of the resource that all of them are of.
    """
    from opentelemetry.sdk.metrics import export as sdk
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    metrics: defaultdict[Any, list[MetricPoint]] = defaultdict(list)
    for point in points:
        metrics[_kind(point)].append(point)
    return sdk.MetricsData(
        [
            sdk.ResourceMetrics(
                resource=Resource(dict(resource)),
                scope_metrics=[
                    sdk.ScopeMetrics(
                        scope=InstrumentationScope(_SCOPE, __version__),
                        metrics=[_metric(of) for of in metrics.values()],
                        schema_url="",
                    )
                ],
                schema_url="",
            )
        ]
    )


def _kind(point: MetricPoint) -> tuple[object, ...]:
    data = point.data
    temporality = None if isinstance(data, Gauge) else data.temporality
    monotonic = data.monotonic if isinstance(data, Counter) else None
    return point.name, point.unit, point.description, type(data), temporality, monotonic


def _metric(points: Sequence[MetricPoint]) -> Any:
    from opentelemetry.sdk.metrics import export as sdk

    first = points[0]
    found = [_point(point) for point in points]
    data: Any
    match first.data:
        case Gauge():
            data = sdk.Gauge(found)
        case Counter(temporality=temporality, monotonic=monotonic):
            data = sdk.Sum(found, _temporality(temporality), monotonic)
        case Histogram(temporality=temporality):
            data = sdk.Histogram(found, _temporality(temporality))
        case ExponentialHistogram(temporality=temporality):
            data = sdk.ExponentialHistogram(found, _temporality(temporality))
    return sdk.Metric(first.name, first.description, first.unit, data)


def _temporality(temporality: Temporality) -> Any:
    from opentelemetry.sdk.metrics.export import AggregationTemporality

    return AggregationTemporality[temporality.name]


def _point(point: MetricPoint) -> Any:
    from opentelemetry.sdk.metrics import export as sdk

    about: dict[str, Any] = {
        "attributes": {name: _attribute(value) for name, value in point.attributes.items()},
        "start_time_unix_nano": 0 if point.start is None else _nanoseconds(point.start),
        "time_unix_nano": _nanoseconds(point.time),
    }
    data = point.data
    if isinstance(data, Gauge | Counter):
        return sdk.NumberDataPoint(**about, value=_number(data.value))
    figures: dict[str, Any] = {
        "count": data.count,
        "sum": data.total,
        "min": data.minimum,
        "max": data.maximum,
    }
    if isinstance(data, Histogram):
        return sdk.HistogramDataPoint(
            **about, **figures, bucket_counts=data.counts, explicit_bounds=data.bounds
        )
    return sdk.ExponentialHistogramDataPoint(
        **about,
        **figures,
        scale=data.scale,
        zero_count=data.zero_count,
        positive=_buckets(data.positive),
        negative=_buckets(data.negative),
        flags=0,
    )


def _number(value: float) -> float:
    """As OTLP has numbers: whole ones in 64 bits, or else a float."""
    whole = isinstance(value, int) and not isinstance(value, bool) and value in _WHOLE
    return value if whole else float(value)


def _attribute(value: AttributeValue) -> AttributeValue:
    return str(value) if isinstance(value, int) and value not in _WHOLE else value


def _buckets(given: ExponentialBuckets) -> Any:
    from opentelemetry.sdk.metrics.export import Buckets

    return Buckets(given.offset, given.counts)


def _nanoseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
