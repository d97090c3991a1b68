"""Metrics: the port that exports points to a cloud's metric service, and reads them back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable

from airflow_multicloud.ports.accounting import Accounting, Refusal
from airflow_multicloud.ports.metrics.reading import MetricQuery, MetricReading, ReadPoint
from airflow_multicloud.ports.metrics.values import (
    AttributeValue,
    Counter,
    ExponentialBuckets,
    ExponentialHistogram,
    Gauge,
    Histogram,
    MetricPoint,
    PointData,
    Temporality,
    attribute_text,
)

__all__ = [
    "AttributeValue",
    "Counter",
    "ExponentialBuckets",
    "ExponentialHistogram",
    "ExportResult",
    "Gauge",
    "Histogram",
    "MetricLimits",
    "MetricPoint",
    "MetricQuery",
    "MetricReading",
    "Metrics",
    "OtlpMetrics",
    "OtlpTarget",
    "PointData",
    "ReadPoint",
    "Repeats",
    "Temporality",
    "attribute_text",
]

#: What an export comes to: ``given = accepted + rejected + unknown + dropped`` points.
ExportResult = Accounting


class Repeats(StrEnum):
    """What happens to a point that is exported twice with the same time."""

    #: It counts twice: sums and sample counts grow.
    ADDED = "added"
    #: It is there once, and told as accepted again.
    KEPT_ONCE = "kept_once"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricLimits:
    """What a cloud's metric service takes, as its documentation says.

    :param points_per_request: which the hook keeps to by itself, as to ``bytes_per_request``.
    :param most_attributes: of one point.
    :param longest_name: of a metric, in characters, without its namespace.
    :param oldest: how long ago a point may have been measured; ``None`` where nothing is said.
    :param newest: how far ahead of now.
    """

    points_per_request: int
    bytes_per_request: int | None
    most_attributes: int
    longest_name: int
    longest_attribute_name: int
    longest_attribute_value: int
    repeats: Repeats
    oldest: timedelta | None = None
    newest: timedelta | None = None


class Metrics(Protocol):
    """What every cloud's metric service can do."""

    def describe_metric_limits(self) -> MetricLimits:
        """What it takes; nothing is asked of the cloud."""
        ...

    def check_points(self, points: Sequence[MetricPoint], *, namespace: str) -> Sequence[Refusal]:
        """Why some of these points can't be exported here, each as dropped; nothing is sent.

        What a cloud can't hold as it is but can convert (another unit, a longer name) is no
        refusal.
        """
        ...

    def export_points(self, points: Sequence[MetricPoint], *, namespace: str) -> ExportResult:
        """Send points, in as many requests as the limits ask for, and account for each of them.

        One that can't be exported costs itself; the others are sent. Points of one series are sent
        in the order of their times.

        :param namespace: what the metrics are kept under: a namespace of CloudWatch, a prefix of
            Cloud Monitoring's types, a namespace of Azure Monitor.
        :raises CredentialsError: when the connection can't be used; nothing was sent then. What
            the cloud refuses later is in the accounting, also its permissions.
        """
        ...

    def read_points(self, query: MetricQuery) -> MetricReading:
        """The points that the cloud shows now.

        :raises MetricsError: when it can't be asked. A metric that is not there has no points.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OtlpTarget:
    """A cloud's OTLP endpoint for metrics.

    :param url: all of it, with its path.
    :param headers_for: given the body as it is sent (protobuf, not compressed), the headers that
        authenticate the request. Called for each try.
    :param resource: attributes that the endpoint demands of the resource.
    :param verify: the certificates to trust: a PEM file, or ``True`` for the usual ones.
    """

    url: str
    headers_for: Callable[[bytes], Mapping[str, str]]
    resource: Mapping[str, str]
    verify: str | bool = True


@runtime_checkable
class OtlpMetrics(Protocol):
    """Capability: the cloud takes metrics by OTLP."""

    def otlp_metrics_target(self) -> OtlpTarget:
        """Where, and as whom.

        :raises CredentialsError: when the connection names no such place.
        """
        ...
