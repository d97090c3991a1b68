"""A point as CloudWatch takes it, and what it does not keep of it.

- A gauge or a counter is a value at its time, stored by the second.
- A histogram is values with counts, each in its bucket, with the histogram's own sum, minimum and
  maximum (:mod:`airflow_multicloud.adapters.histograms`); more than 150 of them go into several
  records of the same time, which CloudWatch adds up.
- A histogram without buckets is a statistic set, which needs its minimum and maximum; without
  these it is its mean, as often as it has values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_multicloud.adapters.batches import Prepared, dropped
from airflow_multicloud.adapters.histograms import weighted_values
from airflow_multicloud.adapters.points import name_of, why_not_exportable
from airflow_multicloud.adapters.tallies import Change, Reason
from airflow_multicloud.clouds.aws.metrics.limits import (
    LARGEST_VALUE,
    LIMITS,
    SMALLEST_VALUE,
    VALUES_PER_DATUM,
)
from airflow_multicloud.clouds.aws.metrics.naming import cut, unit_of, written
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

Record = Mapping[str, Any]

# What a record takes as JSON beside its texts, all at their longest; as CBOR it is less.
_RECORD_BYTES = 300
_DIMENSION_BYTES = 30
_VALUE_BYTES = 52

_ESCAPED = "characters beyond printable ASCII are escaped, as \\xfc is ü"
_START_LOST = Change(ConversionKind.START_LOST, "start: CloudWatch keeps none")
_NOT_SUMMED = Change(
    ConversionKind.TYPE_CHANGED,
    "cumulative: kept as plain values; the sum of several points means nothing, take the largest",
)
_BY_SECONDS = Change(
    ConversionKind.TIME_ROUNDED, "time: kept by the second, and after 3 hours by the minute"
)
_FROM_BUCKETS = Change(
    ConversionKind.VALUES_APPROXIMATED,
    "buckets: each is a value within its bounds, so that the sum is right",
)
_FROM_SUMLESS = Change(
    ConversionKind.VALUES_APPROXIMATED,
    "buckets: each is the value in its middle, as no sum is given",
)
_FROM_MEAN = Change(
    ConversionKind.VALUES_APPROXIMATED,
    "values: all are the mean, as no minimum and maximum are given",
)
_BUCKETS_LOST = Change(
    ConversionKind.BUCKETS_LOST, "buckets: left out, as they contradict the sum or the extremes"
)


def prepared(point: MetricPoint) -> Prepared[Record] | Reason:
    """A point as CloudWatch takes it, or why it can't be exported there."""
    if (reason := why_not_exportable(point, LIMITS)) is not None:
        return reason
    found = _values_of(point)
    if isinstance(found, Reason):
        return found
    values, changes = found
    name = cut(written(point.name), LIMITS.longest_name)
    if name != point.name:
        changes.append(_renamed("name", point.name, name))
    dimensions, altered = _dimensions(point)
    unit, says_all = unit_of(point.unit)
    if not says_all:
        kept = "none is kept" if unit == "None" else f"kept as {unit}"
        changes.append(Change(ConversionKind.UNIT_LOST, f"unit: CloudWatch has no such; {kept}"))
    if point.time.second or point.time.microsecond:
        changes.append(_BY_SECONDS)
    common = {
        "MetricName": name,
        "Dimensions": dimensions,
        "Timestamp": point.time,
        "Unit": unit,
        "StorageResolution": 1,
    }
    records = [{**common, **part} for part in values]
    if len(records) > LIMITS.points_per_request:
        return dropped(ErrorKind.INVALID_ARGUMENT, "value: a histogram has too many buckets")
    texts = _json_size(name) + sum(
        _DIMENSION_BYTES + _json_size(one["Name"]) + _json_size(one["Value"]) for one in dimensions
    )
    count = sum(len(part.get("Values", ())) for part in values)
    return Prepared(
        name=name_of(point),
        records=records,
        size=len(records) * (_RECORD_BYTES + texts) + count * _VALUE_BYTES,
        changes=(*changes, *altered),
    )


def _json_size(text: str) -> int:
    return len(text) + text.count('"') + text.count("\\")


def series_of(name: str, attributes: Mapping[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    """A metric, and the names and values of attributes, as CloudWatch has them."""
    return cut(written(name), LIMITS.longest_name), [*map(_pair, attributes.items())]


def kept_as(point: MetricPoint) -> tuple[str, frozenset[tuple[str, str]]]:
    """What tells a point's series from others in CloudWatch."""
    name, pairs = series_of(point.name, point.attributes)
    return name, frozenset(pairs)


def _pair(attribute: tuple[str, Any]) -> tuple[str, str]:
    name, value = attribute
    return (
        cut(written(name), LIMITS.longest_attribute_name),
        cut(written(attribute_text(value)), LIMITS.longest_attribute_value),
    )


def _dimensions(point: MetricPoint) -> tuple[list[dict[str, str]], list[Change]]:
    dimensions, changes = [], []
    for attribute in sorted(point.attributes.items()):
        name, value = _pair(attribute)
        dimensions.append({"Name": name, "Value": value})
        for what, before, after in (
            ("attributes: a name", attribute[0], name),
            ("attributes: a value", attribute_text(attribute[1]), value),
        ):
            if before != after:
                changes.append(_renamed(what, before, after))
    return dimensions, changes


def _renamed(what: str, before: str, after: str) -> Change:
    is_name = what == "name"
    kind = ConversionKind.NAME_CHANGED if is_name else ConversionKind.ATTRIBUTE_RENAMED
    if not before:
        return Change(kind, f"{what} that is empty is written as {after}")
    if written(before) != after:
        cut_kind = kind if is_name else ConversionKind.ATTRIBUTE_CUT
        return Change(cut_kind, f"{what} is too long, and ends with a digest of it")
    return Change(kind, f"{what}: {_ESCAPED}")


def _values_of(point: MetricPoint) -> tuple[list[Record], list[Change]] | Reason:
    """The value members of the records."""
    data = point.data
    changes = [] if point.start is None else [_START_LOST]
    if not isinstance(data, Gauge) and data.temporality is Temporality.CUMULATIVE:
        changes.append(_NOT_SUMMED)
    if isinstance(data, Gauge | Counter):
        return _why_not_values([data.value]) or ([{"Value": float(data.value)}], changes)
    if not data.count:
        return dropped(
            ErrorKind.INVALID_ARGUMENT,
            "value: a histogram without values, which CloudWatch has no place for",
        )
    found = weighted_values(data)
    if found is None:
        return _statistics_of(data, changes)
    changes.append(_FROM_SUMLESS if data.total is None else _FROM_BUCKETS)
    return _why_not_values([value for value, _ in found]) or (_parts(found), changes)


def _parts(found: Sequence[tuple[float, int]]) -> list[Record]:
    parts = [
        found[first : first + VALUES_PER_DATUM] for first in range(0, len(found), VALUES_PER_DATUM)
    ]
    return [
        {
            "Values": [value for value, _ in part],
            "Counts": [float(count) for _, count in part],
        }
        for part in parts
    ]


def _statistics_of(
    data: Histogram | ExponentialHistogram, changes: list[Change]
) -> tuple[list[Record], list[Change]] | Reason:
    if data.total is None:
        return dropped(
            ErrorKind.INVALID_ARGUMENT, "value: a histogram that has neither buckets nor a sum"
        )
    if isinstance(data, ExponentialHistogram) or data.bounds:
        changes.append(_BUCKETS_LOST)
    if data.minimum is None or data.maximum is None:
        mean = data.total / data.count
        changes.append(_FROM_MEAN)
        return _why_not_values([mean]) or (_parts([(mean, data.count)]), changes)
    figures = (data.total, data.minimum, data.maximum)
    return _why_not_values(figures) or (
        [
            {
                "StatisticValues": {
                    "SampleCount": float(data.count),
                    "Sum": float(data.total),
                    "Minimum": float(data.minimum),
                    "Maximum": float(data.maximum),
                }
            }
        ],
        changes,
    )


def _why_not_values(values: Sequence[float]) -> Reason | None:
    for size in map(abs, values):
        if size > LARGEST_VALUE or 0 < size < SMALLEST_VALUE:
            return dropped(
                ErrorKind.INVALID_ARGUMENT,
                "value: expected 0, or a size from 2 to the power of -360 to that of 360",
            )
    return None
