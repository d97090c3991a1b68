"""What one series has to be like in itself.

``google/api/label.proto``, ``metric.proto`` and ``distribution.proto``,
``google/monitoring/v3/common.proto`` (TimeInterval), https://cloud.google.com/monitoring/quotas and
https://cloud.google.com/monitoring/custom-metrics/creating-metrics.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from google.api.metric_pb2 import MetricDescriptor

from airflow_multicloud.testing.local_clouds.gcp import PROJECT
from airflow_multicloud.testing.local_clouds.gcp.metrics.store import nanos

MOST_LABELS = 30
_LONGEST_TYPE = 200
_TYPE = re.compile(r"(custom|external)\.googleapis\.com(/[a-zA-Z0-9_.]+)+")
_LABEL = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")
_LONGEST_LABEL = 100
_LONGEST_VALUE = 1024
_MOST_BUCKETS = 200
#: Those of custom metrics that need nothing of Google's.
_RESOURCES = {
    "global": {"project_id"},
    "generic_task": {"project_id", "location", "namespace", "job", "task_id"},
    "generic_node": {"project_id", "location", "namespace", "node_id"},
}
_SECOND = 1_000_000_000
_OLDEST = 25 * 3600 * _SECOND
_NEWEST = 5 * 60 * _SECOND
_ANNOTATION = r"\{[!-z|~]*\}"
_COMPONENT = (
    rf"(?:(?:(?:10\^-?\d+|\d+|[kMGTPEZYmunpfaz]|[KMGTP]i)?(?:bit|By|s|min|h|d|1)|%|\d+)"
    rf"(?:{_ANNOTATION})?|{_ANNOTATION})"
)
_UNIT = re.compile(rf"{_COMPONENT}(?:\.{_COMPONENT})*(?:/{_COMPONENT})*")
_TYPES: Mapping[str, int] = {
    "bool_value": MetricDescriptor.ValueType.BOOL,
    "int64_value": MetricDescriptor.ValueType.INT64,
    "double_value": MetricDescriptor.ValueType.DOUBLE,
    "distribution_value": MetricDescriptor.ValueType.DISTRIBUTION,
}


def kind_of(series: Any) -> int:
    """The metric kind, which is GAUGE where nothing is said."""
    kind: int = series.metric_kind or MetricDescriptor.MetricKind.GAUGE
    return kind


def type_of(series: Any) -> int:
    """The type of the value."""
    return _TYPES[series.points[0].value.WhichOneof("value")]


def why_not_metric(series: Any) -> str | None:
    """Why a series can't be one of a custom metric."""
    metric = series.metric
    if len(metric.type) > _LONGEST_TYPE or not _TYPE.fullmatch(metric.type):
        return f"The metric type must match {_TYPE.pattern}, {_LONGEST_TYPE} characters at most."
    if len(metric.labels) > MOST_LABELS:
        return f"The metric has more than {MOST_LABELS} labels."
    for name, value in metric.labels.items():
        if len(name) > _LONGEST_LABEL or not _LABEL.fullmatch(name):
            return f"A label key must be at most {_LONGEST_LABEL} characters of {_LABEL.pattern}."
        if len(value) > _LONGEST_VALUE:
            return f"A label value must be at most {_LONGEST_VALUE} characters."
    if series.unit and not _UNIT.fullmatch(series.unit):
        return f"The unit {series.unit} is not supported."
    return _why_not_resource(series.resource)


def _why_not_resource(resource: Any) -> str | None:
    known = _RESOURCES.get(resource.type)
    if known is None:
        return f"The resource type {resource.type} can't be written to."
    given = set(resource.labels)
    if not (known - {"project_id"}) <= given <= known:
        return f"The resource {resource.type} has the labels {', '.join(sorted(known))}."
    if resource.labels.get("project_id", PROJECT) != PROJECT:
        return "The resource is of another project."
    return None


def why_not_point(series: Any, now: int) -> str | None:
    """Why a series has not one point as it has to be."""
    if len(series.points) != 1:
        return "The field points must contain exactly one point."
    point = series.points[0]
    if kind_of(series) not in (
        MetricDescriptor.MetricKind.GAUGE,
        MetricDescriptor.MetricKind.CUMULATIVE,
    ):
        return "The metric kind of a custom metric must be GAUGE or CUMULATIVE."
    return _why_not_value(series, point.value) or _why_not_interval(series, point.interval, now)


def _why_not_value(series: Any, value: Any) -> str | None:
    kind = value.WhichOneof("value")
    if kind not in _TYPES:
        return "The value must be BOOL, INT64, DOUBLE or DISTRIBUTION."
    if series.value_type and series.value_type != _TYPES[kind]:
        return "The value type must be the type of the point."
    if kind == "double_value" and not math.isfinite(value.double_value):
        return "The value must be finite."
    if kind == "distribution_value":
        return why_not_distribution(value.distribution_value)
    return None


def _why_not_interval(series: Any, interval: Any, now: int) -> str | None:
    if not interval.HasField("end_time"):
        return "The interval must have an end time."
    end = nanos(interval.end_time)
    start = nanos(interval.start_time) if interval.HasField("start_time") else end
    if end < now - _OLDEST:
        return "Data points cannot be written more than 25h in the past."
    if end > now + _NEWEST:
        return "Data points cannot be written more than 5m in the future."
    if kind_of(series) == MetricDescriptor.MetricKind.GAUGE and start != end:
        return "The start time of a GAUGE must be its end time."
    if kind_of(series) == MetricDescriptor.MetricKind.CUMULATIVE and start >= end:
        return "The start time must be before the end time."
    return None


def why_not_distribution(given: Any) -> str | None:
    """Why a distribution is none."""
    buckets = _buckets(given.bucket_options)
    if buckets is None:
        return "A distribution must have buckets as google.api.Distribution describes them."
    if buckets > _MOST_BUCKETS:
        return f"A distribution must have at most {_MOST_BUCKETS} buckets."
    counts = list(given.bucket_counts)
    if len(counts) > buckets or any(count < 0 for count in counts) or sum(counts) != given.count:
        return "The bucket counts must be of those buckets and add up to the count."
    figures = (given.mean, given.sum_of_squared_deviation)
    if not all(map(math.isfinite, figures)) or given.sum_of_squared_deviation < 0:
        return "The mean and the sum of squared deviations must be finite."
    if given.count == 0 and any(figures):
        return "The mean and the sum of squared deviations must be zero when the count is."
    return None


def _buckets(options: Any) -> int | None:
    kind = options.WhichOneof("options")
    if kind == "explicit_buckets":
        bounds = list(options.explicit_buckets.bounds)
        if not bounds or bounds != sorted(set(bounds)) or not all(map(math.isfinite, bounds)):
            return None
        return len(bounds) + 1
    if kind == "exponential_buckets":
        told = options.exponential_buckets
        if told.num_finite_buckets < 1 or told.growth_factor <= 1 or told.scale <= 0:
            return None
        largest = math.log2(told.scale) + told.num_finite_buckets * math.log2(told.growth_factor)
        return told.num_finite_buckets + 2 if largest < 1024 else None  # noqa: PLR2004 - of a double
    return None
