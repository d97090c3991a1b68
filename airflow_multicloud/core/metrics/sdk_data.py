"""Points of what OpenTelemetry's SDK collects (``MetricsData`` of an ``InMemoryMetricReader``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from airflow_multicloud.core.metrics.collecting import (
    RESOURCE_ATTRIBUTES,
    Collected,
    Collector,
    UnreadableError,
    refused,
)
from airflow_multicloud.core.metrics.numbers import number_of
from airflow_multicloud.core.metrics.otel_model import (
    OtelPoint,
    Stream,
    explicit_histogram,
    inherited_of,
    point_of,
    temporality_of,
)
from airflow_multicloud.extras import require_extra
from airflow_multicloud.ports.metrics import (
    Counter,
    ExponentialBuckets,
    ExponentialHistogram,
    Gauge,
)


def read_sdk_data(
    data: Any, collector: Collector, *, resource_attributes: Sequence[str] = RESOURCE_ATTRIBUTES
) -> Collected:
    """Points of the SDK's objects.

    :param data: a ``MetricsData``, or a function without parameters that returns one: a reader's
        ``get_metrics_data``, say. ``None``, as a reader without measurements returns, has no
        points.
    :param resource_attributes: of the resource, to be kept as attributes of each point.
    :raises MetricsError: ``invalid_argument`` for anything else.
    :raises ProviderNotAvailableError: when the SDK is not installed.
    """
    require_extra("opentelemetry.sdk", "metrics")
    from opentelemetry.sdk.metrics.export import MetricsData

    found = data() if callable(data) else data
    if found is None:
        return collector.collected()
    if not isinstance(found, MetricsData):
        raise refused(
            f"metrics_data: {type(found).__name__} given, expected MetricsData of "
            "OpenTelemetry's SDK, or a function that returns it"
        )
    for resource in found.resource_metrics:
        for scope in resource.scope_metrics:
            inherited, changes = inherited_of(
                resource.resource.attributes,
                keep=resource_attributes,
                scope=scope.scope.name or "",
                scope_rest=bool(scope.scope.version or scope.scope.attributes),
            )
            for metric in scope.metrics:
                stream = Stream(
                    name=metric.name,
                    unit=metric.unit or "",
                    description=metric.description or "",
                    inherited=inherited,
                    changes=changes,
                )
                _read_metric(stream, metric.data, collector)
    return collector.collected()


def _read_metric(stream: Stream, data: Any, collector: Collector) -> None:
    from opentelemetry.sdk.metrics import export as sdk

    kinds: tuple[tuple[type, Callable[[Any, Any], Any]], ...] = (
        (sdk.Gauge, _gauge),
        (sdk.Sum, _counter),
        (sdk.Histogram, _histogram),
        (sdk.ExponentialHistogram, _exponential),
    )
    read = next((read for kind, read in kinds if isinstance(data, kind)), None)

    def one(point: Any) -> Any:
        if read is None:
            raise UnreadableError("its kind is none that is known here")
        given = OtelPoint(
            data=read(data, point),
            attributes=point.attributes or {},
            time=point.time_unix_nano or 0,
            start=point.start_time_unix_nano or 0,
            flags=getattr(point, "flags", 0) or 0,
            exemplars=bool(point.exemplars),
        )
        return point_of(stream, given, collector.time)

    for point in data.data_points:
        collector.attempt(stream.name, lambda point=point: one(point))  # type: ignore[misc]


def _gauge(_data: Any, point: Any) -> Gauge:
    return Gauge(number_of(point.value, "value"))


def _counter(data: Any, point: Any) -> Counter:
    temporality = temporality_of(int(data.aggregation_temporality))
    return Counter(number_of(point.value, "value"), temporality, monotonic=data.is_monotonic)


def _histogram(data: Any, point: Any) -> Any:
    return explicit_histogram(
        count=point.count,
        temporality=temporality_of(int(data.aggregation_temporality)),
        bounds=point.explicit_bounds,
        counts=point.bucket_counts,
        total=point.sum,
        minimum=point.min,
        maximum=point.max,
    )


def _exponential(data: Any, point: Any) -> ExponentialHistogram:
    return ExponentialHistogram(
        count=point.count,
        temporality=temporality_of(int(data.aggregation_temporality)),
        scale=point.scale,
        zero_count=point.zero_count,
        positive=_buckets(point.positive),
        negative=_buckets(point.negative),
        total=point.sum,
        minimum=point.min if point.count else None,
        maximum=point.max if point.count else None,
    )


def _buckets(given: Any) -> ExponentialBuckets:
    return ExponentialBuckets(given.offset, tuple(given.bucket_counts))
