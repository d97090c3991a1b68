"""Histograms as Google's distributions, and back.

``google/api/distribution.proto``. Cloud Monitoring demands buckets of every distribution, and
ignores its range. A value that equals a bound is counted in the bucket above it there, and in the
one below it by OpenTelemetry: the counts are kept as they are.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.api.distribution_pb2 import Distribution

from airflow_multicloud.adapters.tallies import Change
from airflow_multicloud.clouds.gcp.metrics.limits import MOST_BUCKETS
from airflow_multicloud.ports.accounting import ConversionKind
from airflow_multicloud.ports.metrics import ExponentialHistogram, Histogram, Temporality

#: All values are above it: the one bound of a histogram without buckets.
_LOWEST = -sys.float_info.max
#: Where the bounds of exponential buckets are numbers that a double holds, and differ.
_SCALES = range(-9, 51)
_LARGEST_EXPONENT = 1024
#: Of a distribution that somebody else wrote.
_MOST_READ = 10_000

_EXTREMES_LOST = Change(
    ConversionKind.VALUES_APPROXIMATED, "minimum and maximum are not kept of a distribution"
)
_DEVIATION = Change(
    ConversionKind.VALUES_APPROXIMATED,
    "the sum of squared deviations, which was not measured, is estimated from the buckets",
)
_MERGED = Change(
    ConversionKind.BUCKETS_LOST,
    f"a distribution has {MOST_BUCKETS} buckets at most; some are merged",
)
_BELOW = Change(
    ConversionKind.BUCKETS_LOST,
    "zeros and values below zero are in one bucket of an exponential distribution",
)
_ESTIMATED = Change(
    ConversionKind.VALUES_APPROXIMATED,
    "the sum, which was not given, is estimated from the buckets",
)


@dataclass(frozen=True, slots=True)
class _Buckets:
    """Buckets as Google has them.

    :param bounds: one less than counts.
    :param options: how they are sent.
    """

    bounds: Sequence[float]
    counts: Sequence[int]
    options: Distribution.BucketOptions
    changes: tuple[Change, ...] = ()


def distribution_of(
    data: Histogram | ExponentialHistogram,
) -> tuple[Distribution, tuple[Change, ...]] | str:
    """The distribution and what is not kept; or why there is none."""
    found = _exponential(data) if isinstance(data, ExponentialHistogram) else _explicit(data)
    if isinstance(found, str):
        return found
    changes = list(found.changes)
    middles = _middles(found, data)
    total = data.total
    if total is None and data.count:
        if isinstance(data, Histogram) and len(data.counts) < 2:  # noqa: PLR2004 - none, or all in one
            return "value: a histogram has neither buckets nor a sum"
        total = sum(n * middle for n, middle in zip(found.counts, middles, strict=True))
        changes.append(_ESTIMATED)
    mean = total / data.count if data.count and total is not None else 0.0
    if not math.isfinite(mean):
        return "value: a histogram's bounds are too large to calculate with"
    deviation = sum(
        n * (middle - mean) * (middle - mean)
        for n, middle in zip(found.counts, middles, strict=True)
    )
    if data.count:
        changes.append(_DEVIATION)
    if data.minimum is not None or data.maximum is not None:
        changes.append(_EXTREMES_LOST)
    told = Distribution(
        count=data.count,
        mean=mean,
        sum_of_squared_deviation=min(deviation, sys.float_info.max),
        bucket_options=found.options,
        bucket_counts=found.counts,
    )
    return told, tuple(changes)


def histogram_of(told: Any, temporality: Temporality) -> Histogram:
    """A distribution that was read."""
    bounds = _bounds(told.bucket_options)
    counts = list(told.bucket_counts)
    counts += [0] * (len(bounds) + 1 - len(counts))
    bare = not bounds or bounds == [_LOWEST]
    return Histogram(
        count=told.count,
        temporality=temporality,
        bounds=() if bare else tuple(bounds),
        counts=() if bare else tuple(counts),
        total=told.mean * told.count,
    )


def _bounds(options: Any) -> list[float]:
    kind = options.WhichOneof("options")
    if kind in ("exponential_buckets", "linear_buckets"):
        finite = getattr(options, kind).num_finite_buckets
        if finite > _MOST_READ:
            raise ValueError(f"{finite} buckets are more than any distribution has")
    if kind == "exponential_buckets":
        told = options.exponential_buckets
        return [
            told.scale * told.growth_factor**number for number in range(told.num_finite_buckets + 1)
        ]
    if kind == "linear_buckets":
        told = options.linear_buckets
        return [told.offset + told.width * number for number in range(told.num_finite_buckets + 1)]
    return list(options.explicit_buckets.bounds)


def _explicit(data: Histogram) -> _Buckets:
    bounds, counts = list(data.bounds), list(data.counts)
    if not bounds:
        bounds, counts = [_LOWEST], [0, data.count]
    changes = []
    while len(counts) > MOST_BUCKETS:
        # Each second bound goes: every bucket that is left is one or two of those before.
        counts = [sum(pair) for pair in _pairs(counts)]
        bounds = bounds[1::2][: len(counts) - 1]
        changes = [_MERGED]
    options = Distribution.BucketOptions()
    options.explicit_buckets.bounds.extend(bounds)
    return _Buckets(bounds, counts, options, tuple(changes))


def _pairs(counts: Sequence[int]) -> list[Sequence[int]]:
    return [counts[place : place + 2] for place in range(0, len(counts), 2)]


def _exponential(data: ExponentialHistogram) -> _Buckets | str:
    if data.scale not in _SCALES:
        return (
            f"value: an exponential histogram's scale is not within {_SCALES[0]} and {_SCALES[-1]}"
        )
    below = data.zero_count + sum(data.negative.counts)
    counts, offset, scale = list(data.positive.counts), data.positive.offset, data.scale
    while counts and not counts[-1]:
        counts.pop()
    empty = next((place for place, count in enumerate(counts) if count), 0)
    counts, offset = counts[empty:], offset + empty
    if not counts:
        # Whatever there is is not above zero.
        options = Distribution.BucketOptions()
        options.explicit_buckets.bounds.append(sys.float_info.min)
        return _Buckets([sys.float_info.min], [below, 0], options, (_BELOW,) if below else ())
    changes = [_BELOW] if below else []
    while len(counts) > MOST_BUCKETS - 2:
        counts = [sum(pair) for pair in _pairs([0] * (offset % 2) + counts)]
        offset, scale = offset // 2, scale - 1
        changes = [*changes[:1], _MERGED] if below else [_MERGED]
    return _at(offset, scale, [below, *counts], tuple(changes))


def _at(offset: int, scale: int, counts: list[int], changes: tuple[Change, ...]) -> _Buckets | str:
    """Buckets whose first finite one begins at ``base ** offset``."""
    width = 2.0**-scale
    finite = len(counts) - 1
    if not -_LARGEST_EXPONENT < offset * width < _LARGEST_EXPONENT:
        return "value: the bounds of an exponential histogram's buckets are no numbers"
    while finite > 1 and (offset + finite) * width >= _LARGEST_EXPONENT:
        finite -= 1  # What is left over is in the bucket without an upper bound.
    if (offset + finite) * width >= _LARGEST_EXPONENT or finite < len(counts) - 2:
        return "value: the bounds of an exponential histogram's buckets are no numbers"
    options = Distribution.BucketOptions()
    options.exponential_buckets.num_finite_buckets = finite
    options.exponential_buckets.growth_factor = 2.0**width
    options.exponential_buckets.scale = 2.0 ** (offset * width)
    bounds = [2.0 ** ((offset + number) * width) for number in range(finite + 1)]
    counts = [*counts, *[0] * (finite + 2 - len(counts))]
    return _Buckets(bounds, counts, options, changes)


def _middles(found: _Buckets, data: Histogram | ExponentialHistogram) -> list[float]:
    """A value for each bucket that its own may be about."""
    first, last = found.bounds[0], found.bounds[-1]
    if last == _LOWEST:
        mean = (data.total or 0.0) / data.count if data.count else 0.0
        return [mean, mean]
    low = first if data.minimum is None else min(data.minimum, first)
    high = last if data.maximum is None else max(data.maximum, last)
    edges = [low, *found.bounds, high]
    return [one / 2 + other / 2 for one, other in itertools.pairwise(edges)]
