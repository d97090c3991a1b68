"""What is wrong with a metric point in every cloud, and how one is shown."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

from airflow_multicloud.adapters.ages import why_not_time
from airflow_multicloud.adapters.batches import dropped
from airflow_multicloud.adapters.tallies import Reason
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.metrics import (
    AttributeValue,
    Counter,
    ExponentialHistogram,
    Gauge,
    Histogram,
    MetricLimits,
    MetricPoint,
    attribute_text,
)

#: Prefix-free annotations and ASCII letters: what UCUM writes is never longer than OpenTelemetry
#: says (https://opentelemetry.io/docs/specs/otel/metrics/api/#instrument-unit).
_LONGEST_UNIT = 63
#: What 64 bits hold, as OpenTelemetry's and Google's counts do.
_LARGEST_COUNT = 2**63 - 1


def name_of(point: MetricPoint) -> str:
    """What a point is shown as: its metric and its attributes."""
    shown = ", ".join(
        f"{key}={attribute_text(value)}" for key, value in sorted(point.attributes.items())
    )
    return f"{point.name}{{{shown}}}" if shown else point.name


def why_not_exportable(point: MetricPoint, limits: MetricLimits) -> Reason | None:
    """Why a point can't be exported to a cloud, whichever it is.

    What a cloud cuts or renames is not looked at: a hook refuses that or converts it.

    :param limits: of the cloud, of which the times and the number of attributes count here.
    """
    problem = _why_not_named(point) or _why_not_data(point) or _why_not_times(point, limits)
    if problem is None and len(point.attributes) > limits.most_attributes:
        problem = f"attributes: more than {limits.most_attributes}, which this cloud allows"
    return None if problem is None else dropped(ErrorKind.INVALID_ARGUMENT, problem)


def _why_not_named(point: MetricPoint) -> str | None:
    if not point.name.strip():
        return "name: it is empty"
    if not point.name.isprintable():
        return "name: it has characters that do not show, such as a newline"
    if len(point.unit) > _LONGEST_UNIT or not point.unit.isascii() or not point.unit.isprintable():
        return f"unit: expected at most {_LONGEST_UNIT} printable ASCII characters, in UCUM"
    if any(not key.strip() or not key.isprintable() for key in point.attributes):
        return "attributes: one has an empty name, or one with characters that do not show"
    if any(isinstance(value, int | float) and not _is_finite(value) for value in _values(point)):
        return "attributes: the value of one is no finite number"
    return None


def _values(point: MetricPoint) -> Iterable[AttributeValue]:
    return point.attributes.values()


def _is_finite(figure: object) -> bool:
    try:
        return isinstance(figure, int | float) and math.isfinite(figure)
    except OverflowError:  # an integer that no floating-point number holds
        return False


def _why_not_data(point: MetricPoint) -> str | None:
    data = point.data
    if isinstance(data, Gauge | Counter):
        return None if _is_finite(data.value) else "value: it is not a finite number"
    return _why_not_figures(data) or (
        _why_not_threshold(data)
        if isinstance(data, ExponentialHistogram)
        else _why_not_bounds(data)
    )


def _why_not_figures(data: Histogram | ExponentialHistogram) -> str | None:
    figures = [data.total, data.minimum, data.maximum]
    if any(figure is not None and not _is_finite(figure) for figure in figures):
        return "value: the sum, minimum or maximum is not a finite number"
    if data.minimum is not None and data.maximum is not None and data.minimum > data.maximum:
        return "value: a histogram's minimum is larger than its maximum"
    counts = [data.count, *_counts_of(data)]
    if not all(isinstance(count, int) and 0 <= count <= _LARGEST_COUNT for count in counts):
        return "value: a histogram's counts are not whole numbers from 0 to 2 ** 63 - 1"
    if len(counts) > 1 and sum(counts[1:]) != data.count:
        return "value: the counts of a histogram's buckets do not add up to its count"
    return None


def _why_not_threshold(data: ExponentialHistogram) -> str | None:
    if _is_finite(data.zero_threshold) and data.zero_threshold >= 0:
        return None
    return "value: a histogram's zero threshold is no finite number from 0 on"


def _counts_of(data: Histogram | ExponentialHistogram) -> Sequence[int]:
    if isinstance(data, ExponentialHistogram):
        return (data.zero_count, *data.positive.counts, *data.negative.counts)
    return data.counts


def _why_not_bounds(data: Histogram) -> str | None:
    if not data.bounds and not data.counts:
        return None
    if len(data.counts) != len(data.bounds) + 1:
        return "value: a histogram has not one count more than bounds"
    if not all(map(_is_finite, data.bounds)) or any(
        low >= high for low, high in itertools.pairwise(data.bounds)
    ):
        return "value: a histogram's bounds are not finite and ascending"
    return None


def _why_not_times(point: MetricPoint, limits: MetricLimits) -> str | None:
    if point.start is not None and point.start > point.time:
        return "start: it is after the point's time"
    return why_not_time(point.time, limits.oldest, limits.newest)
