"""Values made of a histogram's buckets: in them, and as many, as large and as small in all."""

from __future__ import annotations

import bisect
import math
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_multicloud.adapters.histograms import (
    buckets_of,
    explicit_of,
    exponential_bound,
    weighted_values,
)
from airflow_multicloud.ports.metrics import (
    ExponentialBuckets,
    ExponentialHistogram,
    Histogram,
    Temporality,
)

DELTA = Temporality.DELTA
FLOATS = st.floats(-1e9, 1e9, allow_nan=False, allow_subnormal=False)


def histogram(values, bounds, *, ends=True, total=True):
    counts = [0] * (len(bounds) + 1)
    for value in values:
        counts[bisect.bisect_left(bounds, value)] += 1
    return Histogram(
        count=len(values),
        bounds=tuple(bounds),
        counts=tuple(counts),
        total=math.fsum(values) if total else None,
        minimum=min(values) if ends else None,
        maximum=max(values) if ends else None,
        temporality=DELTA,
    )


def exponential(values, scale):
    def buckets(sizes):
        places = Counter(math.ceil(math.log2(size) * 2.0**scale) - 1 for size in sizes)
        if not places:
            return ExponentialBuckets()
        first, last = min(places), max(places)
        return ExponentialBuckets(first, tuple(places[place] for place in range(first, last + 1)))

    return ExponentialHistogram(
        count=len(values),
        scale=scale,
        zero_count=sum(value == 0 for value in values),
        positive=buckets([value for value in values if value > 0]),
        negative=buckets([-value for value in values if value < 0]),
        total=math.fsum(values),
        minimum=min(values),
        maximum=max(values),
        temporality=DELTA,
    )


def check(data, values):
    """As many, in the same buckets, of the same sum and with the same ends."""
    assert sum(count for _, count in values) == data.count
    assert [value for value, _ in values] == sorted({value for value, _ in values})
    if data.total is not None:
        found = math.fsum(value * count for value, count in values)
        # Values are computed from their buckets' bounds, whose last digits are lost near zero.
        ends = [abs(end) for one in buckets_of(data) for end in (one.lower, one.upper)]
        size = data.count * max((end for end in ends if math.isfinite(end)), default=0.0)
        assert found == pytest.approx(data.total, rel=1e-11, abs=1e-11 * size)
    if data.minimum is not None:
        assert values[0][0] == data.minimum
        assert values[-1][0] == data.maximum
    left = [value for value, count in values for _ in range(count)]
    for bucket in buckets_of(data):
        inside, left = left[: bucket.count], left[bucket.count :]
        # What is made of logarithms may be off by the last digits.
        slack = 1e-9 * max(map(abs, inside))
        assert all(bucket.lower - slack <= value <= bucket.upper + slack for value in inside)


@example(values=[0.0], bounds=[-2.0, 1.0], ends=False, total=True)
@given(
    values=st.lists(FLOATS, min_size=1, max_size=50),
    bounds=st.lists(FLOATS, max_size=10, unique=True).map(sorted),
    ends=st.booleans(),
    total=st.booleans(),
)
def test_values_of_a_histogram(values, bounds, ends, total):
    data = histogram(values, bounds, ends=ends, total=total)
    found = weighted_values(data)
    assert found is not None
    check(data, found)


@given(
    values=st.lists(
        st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: x if abs(x) > 1e-6 else 0.0),
        min_size=1,
        max_size=50,
    ),
    scale=st.integers(-3, 6),
)
def test_values_of_an_exponential_histogram(values, scale):
    data = exponential(values, scale)
    found = weighted_values(data)
    if found is not None:
        check(data, found)
    else:
        # The logarithm put a value that is a bound itself into the next bucket.
        assert any(abs(math.log2(abs(v)) * 2.0**scale % 1) < 1e-6 for v in values if v)


def test_the_values_are_a_common_fraction_of_the_way():
    data = Histogram(count=4, bounds=(0.0, 10.0, 20.0), counts=(0, 2, 2, 0), total=50.0,
                     temporality=DELTA)  # fmt: skip
    assert weighted_values(data) == ((7.5, 2), (17.5, 2))


def test_the_smallest_and_the_largest_value_are_there():
    data = Histogram(
        count=7,
        bounds=(1.0, 5.0, 10.0),
        counts=(1, 3, 2, 1),
        total=34.0,
        minimum=0.5,
        maximum=12.0,
        temporality=DELTA,
    )
    found = weighted_values(data)
    assert found is not None
    check(data, found)
    assert len(found) == 4


@pytest.mark.parametrize(
    ("total", "expected"),
    [(100.0, ((1.0, 1), (99.0, 1))), (-50.0, ((-51.0, 1), (1.0, 1))), (2.0, None)],
)
def test_a_bucket_without_an_end_reaches_as_far_as_the_sum_demands(total, expected):
    data = Histogram(count=2, bounds=(1.0,), counts=(1, 1), total=total, temporality=DELTA)
    found = weighted_values(data)
    if expected is not None:
        assert found == expected
    check(data, found)


@pytest.mark.parametrize(
    "changed",
    [
        {"total": 1000.0},
        {"total": -1000.0},
        {"minimum": 7.0},
        {"maximum": 0.5},
        {"minimum": -4.0, "total": 6.0},
    ],
)
def test_figures_that_contradict_the_buckets_have_no_values(changed):
    given = {"total": 5.0, "minimum": 1.0, "maximum": 4.0}
    data = Histogram(
        count=2, bounds=(0.0, 5.0), counts=(0, 2, 0), temporality=DELTA, **{**given, **changed}
    )
    assert weighted_values(data) is None


def test_without_buckets_there_are_no_values():
    assert weighted_values(Histogram(count=4, total=10.0, temporality=DELTA)) is None


def test_an_only_bucket_without_ends_has_the_mean():
    data = Histogram(count=4, counts=(4,), total=10.0, temporality=DELTA)
    assert weighted_values(data) == ((2.5, 4),)


@pytest.mark.parametrize("index", [-(10**6), 10**6, -(10**400), 10**400])
@pytest.mark.parametrize("scale", [-2000, -10, 0, 20, 2000])
def test_bounds_beyond_what_a_number_can_be(scale, index):
    bound = exponential_bound(scale, index)
    assert math.isfinite(bound)
    assert bound >= 0


@given(
    values=st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 3)), min_size=1),
    scale=st.integers(0, 4),
)
def test_an_exponential_histogram_with_explicit_bounds(values, scale):
    data = exponential(values, scale)
    bounds, counts = explicit_of(data)
    assert [*bounds] == sorted({*bounds})
    assert len(counts) == len(bounds) + 1
    assert sum(counts) == data.count
