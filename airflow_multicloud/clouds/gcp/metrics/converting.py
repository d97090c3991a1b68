"""A point as a series of one point, with every loss named.

Values are DOUBLE, always: a metric's type is fixed by its first point, and an instrument that gives
an integer now and a fraction next would be refused from then on. Custom metrics are GAUGE or
CUMULATIVE. A delta counter is cumulative with a start of its own: each point is a reset, and what
Google shows as its rate or increase is right. Such a start comes a millisecond later, since it must
be after the end of the point before (``google/monitoring/v3/common.proto``, TimeInterval). What has
no start can't be cumulative, and what may fall is none of Google's counters: both are gauges.

The monitored resource is ``global``: a series is told from others by its metric and its attributes
alone. ``generic_task`` would want a location, a job and a task id as well: where they name the
worker, a retry on another one would make a second series, and count twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from google.api.metric_pb2 import MetricDescriptor
from google.cloud.monitoring_v3 import TimeSeries

from airflow_multicloud.adapters.batches import Prepared, dropped
from airflow_multicloud.adapters.points import name_of, why_not_exportable
from airflow_multicloud.adapters.tallies import Change, Reason
from airflow_multicloud.clouds.gcp.metrics.distributions import distribution_of
from airflow_multicloud.clouds.gcp.metrics.limits import LIMITS
from airflow_multicloud.clouds.gcp.metrics.naming import labels_of, type_of, unit_of
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.accounting import ConversionKind
from airflow_multicloud.ports.metrics import Counter, Gauge, MetricPoint, Temporality
from airflow_multicloud.text import printable, shortened

RESOURCE: Final = "global"
_SERIES: Final = TimeSeries.pb()
_GAUGE = MetricDescriptor.MetricKind.GAUGE
_CUMULATIVE = MetricDescriptor.MetricKind.CUMULATIVE
_DOUBLE = MetricDescriptor.ValueType.DOUBLE
_DISTRIBUTION = MetricDescriptor.ValueType.DISTRIBUTION
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_APART = timedelta(milliseconds=1)
_LONGEST_DESCRIPTION = 1000

_RESETS = Change(
    ConversionKind.TEMPORALITY_CHANGED,
    "delta values are kept as cumulative ones that begin again with each point",
)
_LATER = Change(
    ConversionKind.TIME_ROUNDED,
    "the start is a millisecond later: it must be after the end of the point before",
)
_NO_START = Change(ConversionKind.TYPE_CHANGED, "kept as a gauge: it has no start before its time")
_FALLS = Change(ConversionKind.TYPE_CHANGED, "kept as a gauge: the counter may also fall")
_START_LOST = Change(ConversionKind.START_LOST, "a gauge has no start")
_APPROXIMATED = Change(
    ConversionKind.VALUES_APPROXIMATED, "values are floating-point numbers of 64 bits"
)


def prepared(point: MetricPoint, namespace: str) -> Prepared[Any] | Reason:
    """A point as it is sent, or why it can't be."""
    if (reason := why_not_exportable(point, LIMITS)) is not None:
        return reason
    metric_type, changes = type_of(namespace, point.name)
    labels, renamed = labels_of(point.attributes)
    unit, lost = unit_of(point.unit)
    try:
        series = _SERIES(unit=unit, description=_description(point.description))
        series.metric.type = metric_type
        series.metric.labels.update(labels)
        series.resource.type = RESOURCE
        found = _put(series, point)
    except (ValueError, TypeError, OverflowError):
        # What protobuf has no place for: half of a surrogate pair, a count of more than 63 bits, or
        # one that is no integer.
        return dropped(ErrorKind.INVALID_ARGUMENT, "value: a text or a number can't be sent")
    if isinstance(found, str):
        return dropped(ErrorKind.INVALID_ARGUMENT, found)
    return Prepared(
        name=name_of(point),
        records=(series,),
        size=series.ByteSize(),
        alone=key_of(series),
        changes=(*changes, *renamed, *lost, *found),
    )


def key_of(series: Any) -> tuple[str, frozenset[tuple[str, str]]]:
    """What tells a series from others."""
    return series.metric.type, _told(series.metric.labels)


def kept_as(point: MetricPoint, namespace: str) -> tuple[str, frozenset[tuple[str, str]]]:
    """What tells a point's series from others, before it is converted."""
    labels, _ = labels_of(point.attributes)
    return type_of(namespace, point.name)[0], _told(labels)


def moment_of(stamp: Any) -> datetime:
    """A ``Timestamp``, to the microsecond."""
    return _EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)


def stamp(told: Any, moment: datetime) -> None:
    """Set a ``Timestamp``."""
    microseconds = (moment - _EPOCH) // _MICROSECOND
    told.seconds, rest = divmod(microseconds, 1_000_000)
    told.nanos = rest * 1000


def _told(labels: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset((name, value) for name, value in labels.items() if value)


def _put(series: Any, point: MetricPoint) -> tuple[Change, ...] | str:
    told = series.points.add()
    stamp(told.interval.end_time, point.time)
    data = point.data
    changes: tuple[Change, ...]
    if isinstance(data, Gauge | Counter):
        told.value.double_value = float(data.value)
        series.value_type = _DOUBLE
        changes = () if told.value.double_value == data.value else (_APPROXIMATED,)
    else:
        found = distribution_of(data)
        if isinstance(found, str):
            return found
        distribution, changes = found
        told.value.distribution_value.CopyFrom(distribution)
        series.value_type = _DISTRIBUTION
    if isinstance(data, Gauge):
        series.metric_kind = _GAUGE
        return changes
    falls = isinstance(data, Counter) and not data.monotonic
    if falls or point.start is None or point.start >= point.time:
        series.metric_kind = _GAUGE
        lost = () if point.start is None else (_START_LOST,)
        return (*changes, _FALLS if falls else _NO_START, *lost)
    series.metric_kind = _CUMULATIVE
    start = point.start
    if data.temporality is Temporality.DELTA:
        changes = (*changes, _RESETS)
        if start + _APART < point.time:
            start += _APART
            changes = (*changes, _LATER)
    stamp(told.interval.start_time, start)
    return changes


def _description(text: str) -> str:
    return shortened(printable(text), _LONGEST_DESCRIPTION)
