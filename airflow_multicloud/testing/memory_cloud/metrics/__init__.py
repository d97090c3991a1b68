"""Metrics in memory: the port, kept to the letter."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from airflow_multicloud.adapters.batches import (
    BatchLimits,
    Prepare,
    Prepared,
    check_items,
    dropped,
    rejected,
    send_items,
)
from airflow_multicloud.adapters.points import name_of, why_not_exportable
from airflow_multicloud.adapters.series import each_series_apart
from airflow_multicloud.adapters.tallies import Reason
from airflow_multicloud.errors import ErrorKind, MetricsError
from airflow_multicloud.ports.accounting import Accounting, Refusal
from airflow_multicloud.ports.metrics import (
    AttributeValue,
    Counter,
    Gauge,
    Histogram,
    MetricLimits,
    MetricPoint,
    MetricQuery,
    MetricReading,
    ReadPoint,
    Repeats,
    attribute_text,
)
from airflow_multicloud.testing.delivery_faults import DeliveryCall, DeliveryFaults
from airflow_multicloud.testing.memory_cloud import NAME
from airflow_multicloud.testing.memory_cloud.deliveries import carry_out, write_batch

__all__ = ["Hook", "MetricSpace", "metrics_of", "reset"]

_LIMITS = MetricLimits(
    points_per_request=100,
    bytes_per_request=None,
    most_attributes=30,
    longest_name=255,
    longest_attribute_name=255,
    longest_attribute_value=1024,
    repeats=Repeats.KEPT_ONCE,
    oldest=timedelta(days=14),
    newest=timedelta(hours=2),
)


@dataclass(slots=True)
class MetricSpace:
    """The points of one account, by namespace, series and time."""

    points: defaultdict[str, dict[Hashable, MetricPoint]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    faults: DeliveryFaults = field(default_factory=DeliveryFaults)
    lock: threading.RLock = field(default_factory=threading.RLock)


_SPACES: defaultdict[str, MetricSpace] = defaultdict(MetricSpace)


def metrics_of(conn_id: str) -> MetricSpace:
    """The space of a connection id."""
    return _SPACES[conn_id]


def reset() -> None:
    """Forget all."""
    _SPACES.clear()


class Hook:
    """The metrics of one connection id.

    :param memory_conn_id: whose; the connection itself is never read.
    """

    conn_name_attr = "memory_conn_id"

    def __init__(self, memory_conn_id: str = "memory_default") -> None:
        self.memory_conn_id = memory_conn_id
        self._space = metrics_of(memory_conn_id)

    def describe_metric_limits(self) -> MetricLimits:
        """What it takes."""
        return _LIMITS

    def check_points(self, points: Sequence[MetricPoint], *, namespace: str) -> Sequence[Refusal]:
        """Why some can't be exported; see the port."""
        _check_namespace(namespace)
        return check_items(points, _preparing(), name=name_of)

    def export_points(self, points: Sequence[MetricPoint], *, namespace: str) -> Accounting:
        """Keep points, and account for each; see the port."""
        _check_namespace(namespace)

        def send(batch: Sequence[Prepared[MetricPoint]]) -> Sequence[Reason | None]:
            with self._space.lock:
                keep = partial(self._keep, namespace)
                return write_batch(self._space.faults, batch, keep, MetricsError)

        return send_items(
            sorted(points, key=lambda point: point.time),
            _preparing(),
            send,
            name=name_of,
            limits=BatchLimits(records=_LIMITS.points_per_request),
            all_or_nothing=False,
        )

    def _keep(self, namespace: str, one: Prepared[MetricPoint]) -> Reason | None:
        for point in one.records:
            if self._space.faults.rejects(point.name):
                return rejected(ErrorKind.INVALID_ARGUMENT, "a fault was planted", code="planted")
            self._space.points[namespace].setdefault((point.series, point.time), point)
        return None

    def read_points(self, query: MetricQuery) -> MetricReading:
        """The points; see the port."""
        _check_namespace(query.namespace)
        found: list[MetricPoint] = []
        with self._space.lock:
            work = lambda: found.extend(self._space.points[query.namespace].values())  # noqa: E731
            carry_out(self._space.faults, DeliveryCall.READ, work, MetricsError)
        return MetricReading(
            points=tuple(
                _read(point)
                for point in sorted(found, key=lambda point: point.time)
                if _asked(point, query)
            )
        )


def _asked(point: MetricPoint, query: MetricQuery) -> bool:
    return (
        point.name == query.name
        and query.since <= point.time < query.until
        and _as_text(query.attributes).items() <= _as_text(point.attributes).items()
    )


def _as_text(attributes: Mapping[str, AttributeValue]) -> dict[str, str]:
    return {name: attribute_text(value) for name, value in attributes.items()}


def _preparing() -> Prepare[MetricPoint, MetricPoint]:
    """How the points of one call are prepared."""
    return each_series_apart(_prepare, lambda point: point.series)


def _prepare(point: MetricPoint) -> Prepared[MetricPoint] | Reason:
    if (reason := why_not_exportable(point, _LIMITS)) is not None:
        return reason
    if len(point.name) > _LIMITS.longest_name:
        return dropped(
            ErrorKind.INVALID_ARGUMENT, f"name: longer than {_LIMITS.longest_name} characters"
        )
    for name, value in point.attributes.items():
        if (
            len(name) > _LIMITS.longest_attribute_name
            or len(attribute_text(value)) > _LIMITS.longest_attribute_value
        ):
            return dropped(ErrorKind.INVALID_ARGUMENT, "attributes: one is too long")
    return Prepared(name=name_of(point), records=(point,), size=1)


def _read(point: MetricPoint) -> ReadPoint:
    data = point.data
    if isinstance(data, Gauge | Counter):
        count, total, minimum, maximum = 1, data.value, data.value, data.value
    else:
        count, total = data.count, data.total or 0.0
        minimum, maximum = data.minimum or 0.0, data.maximum or 0.0
    return ReadPoint(
        time=point.time,
        start=point.start,
        attributes=_as_text(point.attributes),
        count=count,
        total=total,
        minimum=minimum,
        maximum=maximum,
        histogram=data if isinstance(data, Histogram) else None,
        unit=point.unit,
    )


def _check_namespace(namespace: str) -> None:
    if not namespace.strip():
        raise MetricsError(
            "namespace: an empty one given, expected a name",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=NAME,
        )
