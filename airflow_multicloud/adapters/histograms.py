"""Histograms for clouds that keep them otherwise: their buckets, and values that lie in them.

A cloud without buckets may take single values with counts. Such values are made here so that each
lies in its bucket, and that their sum, minimum and maximum are the histogram's own.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from airflow_multicloud.ports.metrics import (
    ExponentialBuckets,
    ExponentialHistogram,
    Histogram,
)

_LARGEST: Final = sys.float_info.max
#: How much the sum may differ, as a part of the sum of the values' sizes: what adding floating
#: point numbers in another order may change.
_ROUNDING: Final = 1e-12
_MIDDLE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many values are more than ``lower`` and at most ``upper``.

    Those of a negative exponential bucket are at least ``lower`` and less than ``upper``.

    :param lower: may be minus infinity.
    :param upper: may be infinity.
    """

    lower: float
    upper: float
    count: int


def buckets_of(data: Histogram | ExponentialHistogram) -> tuple[Bucket, ...]:
    """The buckets that hold something, ascending.

    :param data: whose counts add up (:func:`.points.why_not_exportable`).
    """
    if isinstance(data, ExponentialHistogram):
        return _exponential(data)
    bounds = (-math.inf, *data.bounds, math.inf)
    return tuple(
        Bucket(bounds[place], bounds[place + 1], count)
        for place, count in enumerate(data.counts)
        if count
    )


def explicit_of(data: ExponentialHistogram) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Bounds and counts as those of a :class:`~airflow_multicloud.ports.metrics.Histogram`.

    Only bounds of buckets that hold something are there.
    """
    found = buckets_of(data)
    counts = dict.fromkeys((bound for one in found for bound in (one.lower, one.upper)), 0)
    for bucket in found:
        counts[bucket.upper] += bucket.count
    bounds = sorted(counts)
    return tuple(bounds), (*(counts[bound] for bound in bounds), 0)


def exponential_bound(scale: int, index: int) -> float:
    """The lower bound of a bucket of an exponential histogram; the next one's is its upper.

    What no floating point number can be is the largest one, or 0.
    """
    try:
        return float(2.0 ** math.ldexp(index, -scale))
    except OverflowError:
        return _LARGEST if index > 0 else 0.0


def weighted_values(
    data: Histogram | ExponentialHistogram,
) -> tuple[tuple[float, int], ...] | None:
    """Values and how often each is there, ascending; ``None`` where there are none that fit.

    Every value is the same fraction of the way from its bucket's lower limit to its upper, but for
    one that is the minimum and one that is the maximum, where these are known. The fraction is the
    one that makes the sum right; one half where the histogram has no sum. A bucket without an end
    reaches as far as the sum demands.

    :param data: whose counts add up (:func:`.points.why_not_exportable`). One without buckets,
        and one whose sum, minimum or maximum can't be that of its buckets, has no such values.
    """
    within = _within(buckets_of(data), data.minimum, data.maximum)
    if within is None:
        return None
    ends, rest = _without_ends(within, data.minimum, data.maximum)
    total = None if data.total is None else data.total - sum(ends)
    values = _interpolated(rest, total, size=sum(map(abs, ends)))
    if values is None:
        return None
    counted: dict[float, int] = dict.fromkeys(ends, 1)
    for value, bucket in zip(values, rest, strict=True):
        counted[value] = counted.get(value, 0) + bucket.count
    return tuple(sorted(counted.items()))


def _exponential(data: ExponentialHistogram) -> tuple[Bucket, ...]:
    def sizes(buckets: ExponentialBuckets) -> list[Bucket]:
        return [
            Bucket(
                exponential_bound(data.scale, buckets.offset + place),
                exponential_bound(data.scale, buckets.offset + place + 1),
                count,
            )
            for place, count in enumerate(buckets.counts)
            if count
        ]

    negative = [Bucket(-one.upper, -one.lower, one.count) for one in sizes(data.negative)]
    threshold = data.zero_threshold
    zero = [Bucket(-threshold, threshold, data.zero_count)] if data.zero_count else []
    return (*reversed(negative), *zero, *sizes(data.positive))


def _within(
    buckets: Sequence[Bucket], minimum: float | None, maximum: float | None
) -> list[Bucket] | None:
    """The buckets between the smallest and the largest value; ``None`` when these are elsewhere."""
    lowest = -math.inf if minimum is None else minimum
    highest = math.inf if maximum is None else maximum
    found = [Bucket(max(one.lower, lowest), min(one.upper, highest), one.count) for one in buckets]
    if not found or any(one.lower > one.upper for one in found):
        return None
    # The smallest value is in the first bucket that holds one, and the largest in the last.
    starts_fit = minimum is None or minimum >= buckets[0].lower
    stops_fit = maximum is None or maximum <= buckets[-1].upper
    return found if starts_fit and stops_fit else None


def _without_ends(
    buckets: Sequence[Bucket], minimum: float | None, maximum: float | None
) -> tuple[list[float], list[Bucket]]:
    """One value that is the minimum, one that is the maximum, and the buckets without them."""
    rest, ends = [*buckets], []
    for place, end in ((0, minimum), (-1, maximum)):
        if end is None or not rest:
            continue
        if end in ends and minimum == maximum:
            continue
        ends.append(end)
        left = replace(rest[place], count=rest[place].count - 1)
        rest[place] = left
        if not left.count:
            del rest[place]
    return ends, rest


def _interpolated(
    buckets: Sequence[Bucket], total: float | None, *, size: float
) -> list[float] | None:
    """A value for each bucket, so that they add up.

    :param size: of what was taken away from the sum.
    """
    if not buckets:
        return [] if total is None or abs(total) <= _ROUNDING * size else None
    limits = _finite(buckets)
    counts = [one.count for one in buckets]
    if total is None:
        return [_between(low, high, _MIDDLE) for low, high in limits]
    least = _sum([low for low, _ in limits], counts)
    most = _sum([high for _, high in limits], counts)
    if least is None or most is None:
        return None
    tolerance = _ROUNDING * max(abs(least), abs(most), abs(total), size)
    if total > most + tolerance:
        return _stretched([high for _, high in limits], buckets, -1, total - most)
    if total < least - tolerance:
        return _stretched([low for low, _ in limits], buckets, 0, total - least)
    fraction = 1.0 if most <= least else min(max((total - least) / (most - least), 0.0), 1.0)
    return [_between(low, high, fraction) for low, high in limits]


def _stretched(
    values: list[float], buckets: Sequence[Bucket], place: int, more: float
) -> list[float] | None:
    """Values at their limits, of which the bucket without an end takes what is left."""
    bucket = buckets[place]
    if math.isfinite(bucket.upper if place else bucket.lower):
        return None
    values[place] += more / bucket.count
    return values if math.isfinite(values[place]) else None


def _finite(buckets: Sequence[Bucket]) -> list[tuple[float, float]]:
    """Limits with an end for the buckets that have none: zero, or as far again."""
    limits = []
    for bucket in buckets:
        low, high = bucket.lower, bucket.upper
        if math.isinf(low) and math.isinf(high):
            low = high = 0.0
        elif math.isinf(low):
            low = 0.0 if high > 0 else max(2 * high, -_LARGEST) if high else -1.0
        elif math.isinf(high):
            high = 0.0 if low < 0 else min(2 * low, _LARGEST) if low else 1.0
        limits.append((low, high))
    return limits


def _between(low: float, high: float, fraction: float) -> float:
    return min(max(low * (1 - fraction) + high * fraction, low), high)


def _sum(values: Sequence[float], counts: Sequence[int]) -> float | None:
    try:
        found = math.fsum(value * count for value, count in zip(values, counts, strict=True))
    except (OverflowError, ValueError):
        return None
    return found if math.isfinite(found) else None
