"""A point as Application Insights takes it: an envelope with one value, or one aggregation.

https://learn.microsoft.com/azure/azure-monitor/app/data-model-complete#metric-telemetry: "Only one
metric in the list is currently supported by Application Insights storage".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from airflow_multicloud.adapters.batches import Prepared, dropped
from airflow_multicloud.adapters.points import name_of, why_not_exportable
from airflow_multicloud.adapters.tallies import Change, Reason
from airflow_multicloud.clouds.azure.metrics import naming
from airflow_multicloud.clouds.azure.metrics.limits import LIMITS, MOST_BYTES, MOST_VALUES
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.accounting import ConversionKind
from airflow_multicloud.ports.metrics import (
    Counter,
    ExponentialHistogram,
    Gauge,
    Histogram,
    MetricPoint,
    Temporality,
    attribute_text,
)

_ENVELOPE = "Microsoft.ApplicationInsights.Metric"
_SDK_VERSION = "airflow-multicloud"
_SCHEMA = 2

_START_LOST = Change(
    ConversionKind.START_LOST, "Azure Monitor keeps the time of a point, not its start"
)
_CUMULATIVE = Change(
    ConversionKind.TEMPORALITY_CHANGED,
    "a running total is kept as a value by itself: the latest one counts, not their sum",
)
_BUCKETS_LOST = Change(
    ConversionKind.BUCKETS_LOST,
    "Azure Monitor keeps a histogram's count, sum, minimum and maximum",
)
_EXTREMES = Change(
    ConversionKind.VALUES_APPROXIMATED,
    "a minimum or maximum that is not known is sent as the mean; Azure Monitor has no blank, and "
    "Application Insights would take the sum",
)
_ROUNDED = Change(
    ConversionKind.VALUES_APPROXIMATED, "a number is rounded: it is kept in 64 bits, floating"
)
_NAME_CUT = Change(
    ConversionKind.NAME_CHANGED,
    f"a name of more than {LIMITS.longest_name} characters is cut and ends with a digest of it",
)
_KEY_CUT = Change(
    ConversionKind.ATTRIBUTE_RENAMED,
    f"an attribute's name of more than {LIMITS.longest_attribute_name} characters is cut and ends "
    "with a digest of it",
)
_VALUE_CUT = Change(
    ConversionKind.ATTRIBUTE_CUT,
    f"an attribute's value of more than {LIMITS.longest_attribute_value} characters is cut and "
    "ends with a digest of it",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelopes:
    """Makes envelopes for one resource and namespace.

    :param key: the instrumentation key.
    """

    key: str
    namespace: str

    def prepared(self, point: MetricPoint) -> Prepared[bytes] | Reason:
        """A point's envelope, or why there is none."""
        reason = why_not_exportable(point, LIMITS) or why_not_kept(point)
        if reason is not None:
            return reason
        record = self._encoded(point)
        if len(record) > MOST_BYTES:
            return dropped(
                ErrorKind.INVALID_ARGUMENT, f"attributes: the point is larger than {MOST_BYTES} B"
            )
        return Prepared(
            name=name_of(point), records=(record,), size=len(record), changes=tuple(changes(point))
        )

    def _encoded(self, point: MetricPoint) -> bytes:
        properties = _properties(point)
        properties[naming.NAMESPACE] = self.namespace
        if point.unit:
            properties[naming.UNIT] = point.unit
        figures = figures_of(point)
        if isinstance(point.data, Gauge | Counter):
            kept: dict[str, Any] = {"kind": "Measurement", "value": figures.total}
        else:
            kept = {
                "kind": "Aggregation",
                "value": figures.total,
                "count": figures.count,
                "min": figures.minimum,
                "max": figures.maximum,
            }
        metric = {"ns": self.namespace, "name": naming.metric_name(point.name), **kept}
        envelope = {
            "ver": 1,
            "name": _ENVELOPE,
            "time": point.time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "iKey": self.key,
            "tags": {"ai.internal.sdkVersion": _SDK_VERSION},
            "data": {
                "baseType": "MetricData",
                "baseData": {"ver": _SCHEMA, "metrics": [metric], "properties": properties},
            },
        }
        return json.dumps(envelope, separators=(",", ":"), allow_nan=False).encode()


def kept_as(point: MetricPoint) -> tuple[str, frozenset[tuple[str, str]]]:
    """What tells a point's series from others in Application Insights."""
    return naming.metric_name(point.name), frozenset(_properties(point).items())


def why_not_kept(point: MetricPoint) -> Reason | None:
    """Why Application Insights has no place for a point that is good in itself."""
    if not naming.RESERVED.isdisjoint(point.attributes):
        return dropped(
            ErrorKind.INVALID_ARGUMENT,
            f"attributes: {' and '.join(sorted(naming.RESERVED))} are used for a point's namespace "
            "and unit",
        )
    return why_not_data(point)


def why_not_data(point: MetricPoint) -> Reason | None:
    """Why Azure Monitor can't say what a point says."""
    problem = _why_not_unicode(point)
    if problem is None and not isinstance(point.data, Gauge | Counter):
        problem = _why_not_histogram(point.data)
    return None if problem is None else dropped(ErrorKind.INVALID_ARGUMENT, problem)


def _properties(point: MetricPoint) -> dict[str, str]:
    return {
        naming.property_name(name): naming.property_value(value)
        for name, value in point.attributes.items()
    }


def _why_not_unicode(point: MetricPoint) -> str | None:
    for value in point.attributes.values():
        try:
            attribute_text(value).encode()
        except UnicodeEncodeError:
            return "attributes: the value of one is no Unicode"
    return None


def _why_not_histogram(data: Histogram | ExponentialHistogram) -> str | None:
    if data.count == 0:
        return "value: a histogram without values; Azure Monitor would count one"
    if data.count > MOST_VALUES:
        return f"value: a histogram of more than {MOST_VALUES} values"
    if data.total is None:
        return "value: a histogram without a sum, which Azure Monitor asks for"
    return None


@dataclass(frozen=True, slots=True)
class Figures:
    """What Azure Monitor keeps of a point's data."""

    count: int
    total: float
    minimum: float
    maximum: float


def figures_of(point: MetricPoint) -> Figures:
    """The figures of a point that :func:`why_not_data` has nothing against."""
    data = point.data
    if isinstance(data, Gauge | Counter):
        value = float(data.value)
        return Figures(1, value, value, value)
    total = float(data.total or 0.0)
    mean = total / data.count
    return Figures(
        data.count,
        total,
        mean if data.minimum is None else float(data.minimum),
        mean if data.maximum is None else float(data.maximum),
    )


def data_changes(point: MetricPoint) -> Iterator[Change]:
    """What is not kept of a point's data and times."""
    data = point.data
    if point.start is not None:
        yield _START_LOST
    if not isinstance(data, Gauge) and data.temporality is Temporality.CUMULATIVE:
        yield _CUMULATIVE
    if isinstance(data, Gauge | Counter):
        if float(data.value) != data.value:
            yield _ROUNDED
        return
    if isinstance(data, ExponentialHistogram) or data.bounds:
        yield _BUCKETS_LOST
    if data.minimum is None or data.maximum is None:
        yield _EXTREMES


def changes(point: MetricPoint) -> Iterator[Change]:
    """What Application Insights does not keep of a point."""
    yield from data_changes(point)
    if naming.metric_name(point.name) != point.name:
        yield _NAME_CUT
    if any(naming.property_name(name) != name for name in point.attributes):
        yield _KEY_CUT
    values = point.attributes.values()
    if any(naming.property_value(value) != attribute_text(value) for value in values):
        yield _VALUE_CUT
